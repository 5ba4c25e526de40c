// The panel's rows of captions. "candidates": captions with scores, a click uses one. "strip": a caption with the removed
// pieces struck through, a click keeps one.

import { make } from "../dom.js";
import { readLine, writeLine } from "./edited_line.js";
import { isClickable, piecesOf, restoredPieces, withRestored } from "./pieces.js";
import { words } from "./words.js";

function heading(row, title, details) {
  const name = row.count > 1 ? `${title} ${row.index + 1}` : title;
  return make("header", { text: [name, ...details].filter(Boolean).join(" · ") });
}

function note(text, isWarning) {
  return make("p", isWarning ? { text, class: "swf-warning", role: "status" } : { text, class: "swf-small" });
}

/** Candidates of a picture. */
export function drawCandidates(node, row) {
  const say = words();
  const section = make("section", {}, [heading(row, say.picture, [row.ranked ? say.ranked : ""])]);
  if (!row.ranked) section.append(note(row.note || say.unranked, true));
  else if (row.note) section.append(note(row.note, true));
  const buttons = row.candidates.map((candidate) => {
    const element = candidateButton(candidate, say);
    element.addEventListener("click", () => {
      writeLine(node, row, candidate.text);
      markChosen();
    });
    return element;
  });
  const markChosen = () => {
    const chosen = readLine(node, row);
    row.candidates.forEach((c, k) => buttons[k].setAttribute("aria-pressed", String(c.text === chosen)));
  };
  markChosen();
  section.append(...buttons);
  return section;
}

function candidateButton({ text, how, score }, say) {
  const label = `${say.use} ${text}`;
  const title = say.origins[how] ?? how;
  return make("button", { type: "button", class: "swf-candidate", "aria-label": label, title }, [
    make("span", { text: score === null ? "–" : score.toFixed(3), class: "swf-score" }),
    make("span", { text }),
  ]);
}

/** A caption before and after; struck pieces can be restored. */
export function drawStrip(node, row) {
  const say = words();
  const restored = restoredPieces(row);
  const clickable = isClickable(row, restored);
  const method = say.methods[row.method] ?? row.method;
  const section = make("section", {}, [heading(row, say.caption, [`${say.method}: ${method}`])]);
  if (row.note) section.append(note(row.note, /took over|does not read/.test(row.note)));
  const before = make("p");
  const after = make("p");
  const marks = [];
  const draw = (text, wasClicked) => {
    after.textContent = `${say.stripped}: ${text || say.nothing}${wasClicked ? ` (${say.nextRun})` : ""}`;
    for (const { element, piece } of marks) drawMark(element, piece, restored.has(piece.span), clickable);
  };
  const toggle = (span) => {
    if (!restored.delete(span)) restored.add(span);
    const text = withRestored(row, restored);
    writeLine(node, row, restored.size ? text : ""); // nothing kept: the next run strips it again
    draw(text, true);
  };
  for (const piece of piecesOf(row)) {
    if (piece.span === undefined) {
      before.append(piece.text);
      continue;
    }
    const element = clickable ? make("button", { type: "button" }) : make("span");
    if (clickable) element.addEventListener("click", () => toggle(piece.span));
    marks.push({ element, piece });
    before.append(element);
  }
  draw(row.stripped, false);
  section.append(before, after);
  if (row.gap) section.append(note(gapText(row.gap, say), row.gap.reading.includes("lost")));
  return section;
}

/** A removed piece, struck through or restored. */
function drawMark(element, piece, isKept, clickable) {
  const say = words();
  element.replaceChildren(make(isKept ? "ins" : "del", { text: piece.text }));
  if (!clickable) return;
  element.setAttribute("aria-pressed", String(isKept));
  element.setAttribute("aria-label", `${isKept ? say.remove : say.keep} ${piece.text}`);
}

/** A semantic gap with its controls in one line. */
export function gapText(gap, say) {
  const measured = (name, value, control) => `${name} ${value.toFixed(3)}, ${say.random} ${control.toFixed(3)}`;
  const parts = [measured(say.text, gap.text, gap.control_text)];
  if (gap.picture !== null) parts.push(measured(say.image, gap.picture, gap.control_picture));
  return `${say.gap}: ${gap.reading} (${parts.join("; ")})`;
}
