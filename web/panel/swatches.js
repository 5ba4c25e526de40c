// Color Edit's swatches, a row of the panel: the picture's colors with their shares, each of which can be turned into
// another. What is chosen is written into the node's `palette` widget, which is saved with the graph and can be typed.

import { make } from "../dom.js";
import { writeWidget } from "../node_widget.js";
import { readEdits, writeEdits } from "./palette_edits.js";
import { words } from "./words.js";

/** A row {colors: [{color, share}], target: [color]}. */
export function drawPalette(node, row) {
  const say = words();
  const widget = node.widgets?.find((each) => each.name === "palette");
  const colors = row.colors.map((each) => each.color);
  const status = make("p", { class: "swf-small", role: "status" });
  const list = make("div", { class: "swf-swatches", role: "list" });
  const edits = () => readEdits(String(widget?.value ?? ""));
  /** Turn a color into another; into itself: it is edited no more. */
  const edit = (color, after) => {
    const changed = edits() ?? new Map();
    changed.set(color, after);
    writeWidget(node, widget, writeEdits(colors, changed));
    status.textContent = say.nextRun;
    draw();
  };
  const draw = () => {
    const current = edits();
    list.replaceChildren(...row.colors.map((each) => swatch(each, current?.get(each.color) ?? each.color, edit, say)));
  };
  draw();
  const target = row.target.length && edits() === null ? [targetColors(row.target, say)] : [];
  return make("section", {}, [make("header", { text: say.pictureColors }), ...target, list, status]);
}

/** A color of the picture above the one that it becomes. */
function swatch({ color, share }, after, edit, say) {
  const percent = `${Math.round(share * 100)} %`;
  const name = `${color}, ${percent}`;
  const input = make("input", { type: "color", "aria-label": `${say.changeColor}: ${name}` });
  input.value = /^#[0-9a-f]{6}$/.test(after) ? after : color;
  input.addEventListener("change", () => edit(color, input.value));
  const foot = make("span", { class: "swf-share" }, [make("span", { text: percent })]);
  if (after !== color) {
    const label = `${say.keepColor}: ${name}`;
    const back = make("button", { type: "button", text: "×", title: say.keepColor, "aria-label": label });
    back.addEventListener("click", () => edit(color, color));
    foot.append(back);
  }
  return make("div", { class: "swf-swatch", role: "listitem" }, [patch(color, name), input, foot]);
}

function patch(color, title) {
  const element = make("div", { class: "swf-before", title });
  element.style.background = color;
  return element;
}

/** A typed palette, whose colors the picture was moved to. */
function targetColors(colors, say) {
  const swatches = colors.map((color) => make("div", { class: "swf-swatch" }, [patch(color, color)]));
  return make("div", { class: "swf-swatches", "aria-label": say.targetColors }, swatches);
}
