// The panel on every node whose result carries `swf_panel` (nodes/host/panel.py): a list of rows, each for one line of
// the node's `edited` widget. "candidates": captions with scores, a click takes one. "strip": a caption with the removed
// pieces struck through, a click keeps one. What is taken is written into `edited`, which wins on the next run.

import { app } from "../../scripts/app.js";
import { piecesOf, withKept } from "./pieces.js";
import { CSS as SWATCHES, drawPalette } from "./swatches.js";

const KEY = "swf_panel";
const TYPE = "SWF_PANEL";
const HEIGHT = 160;

const WORDS = {
  en: {
    panel: "Result", picture: "Picture", caption: "Caption", ranked: "best first, by similarity in CLIP space",
    unranked: "not ranked", take: "Use this caption:", restore: "Keep these words:", removeAgain: "Remove these words:",
    stripped: "Stripped", method: "method", nothing: "(nothing)", edited: "your own", given: "connected",
    gap: "semantic gap", text: "text", random: "random words", image: "picture", taken: "runs with the next queue",
  },
  zh: {
    panel: "结果", picture: "图片", caption: "说明", ranked: "按 CLIP 空间相似度排序", unranked: "未排序",
    take: "使用这条说明：", restore: "保留这些词：", removeAgain: "再次删除这些词：", stripped: "去风格", method: "方法",
    nothing: "（无）", edited: "手动编辑", given: "外部输入", gap: "语义差距", text: "文本", random: "随机删词",
    image: "图片", taken: "下次运行时生效",
  },
};

const CSS = `
.swf-panel { box-sizing: border-box; width: 100%; height: 100%; min-height: ${HEIGHT}px; overflow: auto; padding: 6px;
  font: 12px/1.45 sans-serif; color: var(--input-text, var(--fg-color, #222)); background: var(--comfy-input-bg, #fff);
  border: 1px solid var(--border-color, #888); border-radius: 4px; user-select: text; }
.swf-panel section + section { margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--border-color, #888); }
.swf-panel header, .swf-panel .swf-small { color: var(--descrip-text, inherit); font-size: 11px; }
.swf-panel p { margin: 2px 0; overflow-wrap: anywhere; }
.swf-panel button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 3px;
  padding: 0 2px; margin: 0; cursor: pointer; text-align: start; overflow-wrap: anywhere; }
.swf-panel button:hover, .swf-panel button:focus-visible { border-color: var(--fg-color, currentColor); }
.swf-panel button[aria-pressed="true"] { border-color: var(--fg-color, currentColor); }
.swf-panel .swf-candidate { display: flex; gap: 8px; width: 100%; }
.swf-panel .swf-score { flex: none; min-width: 4em; font-variant-numeric: tabular-nums; }
.swf-panel del { color: var(--error-text, #c33); }
.swf-panel .swf-warning { color: var(--warning-text, #b26a00); font-weight: bold; }
.dark-theme .swf-panel .swf-warning, .swf-panel.swf-dark .swf-warning { color: var(--warning-text, #f5b942); }
`;

function words() {
  const locale = app.extensionManager?.setting?.get?.("Comfy.Locale") ?? navigator.language ?? "en";
  return String(locale).startsWith("zh") ? WORDS.zh : WORDS.en;
}

/** An element with text (never markup), attributes and children. */
function make(tag, { text, ...attributes } = {}, children = []) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function editedWidget(node) {
  return node.widgets?.find((widget) => widget.name === "edited");
}

/** Put a text on a row's line of `edited`, leaving the other lines as they are. */
function writeLine(node, row, text) {
  const widget = editedWidget(node);
  if (!widget) return;
  if (row.count === 1) widget.value = text;
  else {
    const lines = String(widget.value ?? "").split("\n");
    while (lines.length <= row.index) lines.push("");
    lines[row.index] = text;
    widget.value = lines.join("\n").trimEnd();
  }
  widget.callback?.(widget.value);
  node.setDirtyCanvas?.(true, true);
}

function readLine(node, row) {
  const value = String(editedWidget(node)?.value ?? "");
  return (row.count === 1 ? value : value.split("\n")[row.index] ?? "").trim().replace(/\s+/g, " ");
}

function heading(row, word, more) {
  const name = row.count > 1 ? `${word} ${row.index + 1}` : word;
  return make("header", { text: [name, ...more].filter(Boolean).join(" · ") });
}

function note(text, warning) {
  return make("p", warning ? { text, class: "swf-warning", role: "status" } : { text, class: "swf-small" });
}

/** Candidates of a picture. */
function drawCandidates(node, row) {
  const say = words();
  const section = make("section", {}, [heading(row, say.picture, [row.ranked ? say.ranked : ""])]);
  if (!row.ranked) section.append(note(row.note || say.unranked, true));
  else if (row.note) section.append(note(row.note, true));
  const buttons = row.candidates.map((candidate) => {
    const score = candidate.score === null ? "–" : candidate.score.toFixed(3);
    const label = `${say.take} ${candidate.text}`;
    const title = say[candidate.how] ?? candidate.how;
    const button = make("button", { type: "button", class: "swf-candidate", "aria-label": label, title }, [
      make("span", { text: score, class: "swf-score" }),
      make("span", { text: candidate.text }),
    ]);
    button.addEventListener("click", () => {
      writeLine(node, row, candidate.text);
      mark();
    });
    return button;
  });
  const mark = () => {
    const chosen = readLine(node, row);
    row.candidates.forEach((c, k) => buttons[k].setAttribute("aria-pressed", String(c.text === chosen)));
  };
  mark();
  section.append(...buttons);
  return section;
}

/** A caption before and after; struck pieces can be kept. */
function drawStrip(node, row) {
  const say = words();
  const pieces = piecesOf(row);
  // After an earlier click the result is the user's own line; the pieces that it kept are known by what it says.
  const removed = pieces.filter((piece) => piece.k !== undefined);
  const kept = new Set(removed.filter((p) => row.edited && row.stripped.includes(p.text)).map((p) => p.k));
  // Words of the user's own would be lost by a click, so there is none then.
  const free = !row.edited || (kept.size > 0 && withKept(row, kept) === row.stripped);
  const method = say[row.method] ?? row.method;
  const section = make("section", {}, [heading(row, say.caption, [`${say.method}: ${method}`])]);
  if (row.note) section.append(note(row.note, row.note.includes("took over")));
  const before = make("p");
  const after = make("p");
  const marks = [];
  const draw = (text, clicked) => {
    after.textContent = `${say.stripped}: ${text || say.nothing}${clicked ? ` (${say.taken})` : ""}`;
    for (const { element, piece } of marks) {
      const back = kept.has(piece.k);
      element.replaceChildren(make(back ? "ins" : "del", { text: piece.text }));
      if (!free) continue;
      element.setAttribute("aria-pressed", String(back));
      element.setAttribute("aria-label", `${back ? say.removeAgain : say.restore} ${piece.text}`);
    }
  };
  const toggle = (k) => {
    if (!kept.delete(k)) kept.add(k);
    const text = withKept(row, kept);
    writeLine(node, row, kept.size ? text : ""); // nothing kept: the next run strips it again
    draw(text, true);
  };
  for (const piece of pieces) {
    if (piece.k === undefined) before.append(piece.text);
    if (piece.k === undefined) continue;
    const element = free ? make("button", { type: "button" }) : make("span");
    if (free) element.addEventListener("click", () => toggle(piece.k));
    marks.push({ element, piece });
    before.append(element);
  }
  draw(row.stripped, false);
  section.append(before, after);
  if (row.gap) section.append(drawGap(row.gap, say));
  return section;
}

function drawGap(gap, say) {
  const number = (value) => value.toFixed(3);
  let told = `${say.gap}: ${gap.reading} (${say.text} ${number(gap.text)}, ${say.random} ${number(gap.control_text)}`;
  if (gap.picture !== null) {
    told += `; ${say.image} ${number(gap.picture)}, ${say.random} ${number(gap.control_picture)}`;
  }
  return note(`${told})`, gap.reading.includes("lost"));
}

/** The node's panel, made when it is first needed. */
function elementOf(node) {
  const found = node.widgets?.find((widget) => widget.type === TYPE);
  if (found) return found.element;
  const element = make("div", { class: "swf-panel", role: "region", "aria-label": words().panel, tabindex: "0" });
  element.addEventListener("wheel", (event) => {
    if (element.scrollHeight > element.clientHeight) event.stopPropagation(); // else the canvas zooms
  }, { passive: true });
  const widget = node.addDOMWidget(KEY, TYPE, element, {
    serialize: false, hideOnZoom: false, getMinHeight: () => HEIGHT, getValue: () => "", setValue: () => {},
  });
  widget.serialize = false; // or the graph's file would hold an entry for it
  const [width, height] = node.computeSize();
  node.setSize?.([Math.max(node.size[0], width, 340), Math.max(node.size[1], height)]);
  return element;
}

function show(node, rows) {
  const element = elementOf(node);
  const background = getComputedStyle(element).backgroundColor.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? [];
  element.classList.toggle("swf-dark", background.length === 3 && Math.max(...background) < 128);
  const draw = {
    strip: drawStrip, candidates: drawCandidates,
    palette: (owner, row) => drawPalette(owner, row, make, words() === WORDS.zh),
  };
  element.replaceChildren(...rows.map((row) => draw[row.kind](node, row)));
  node.setDirtyCanvas?.(true, true);
}

app.registerExtension({
  name: "StyleWallfacer.Panel",
  init() {
    document.head.append(make("style", { text: CSS + SWATCHES }));
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith("SWF_")) return;
    const before = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      before?.apply(this, arguments);
      if (Array.isArray(output?.[KEY])) show(this, output[KEY]);
    };
  },
});
