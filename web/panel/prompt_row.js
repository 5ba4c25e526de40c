// The panel's row of a prompt that was put together: a click takes it into `edited`, where the node has that widget.

import { make } from "../dom.js";
import { hasEdited, writeLine } from "./edited_line.js";
import { words } from "./words.js";

/** A prompt, and what is to be said of it. */
export function drawPrompt(node, row) {
  const say = words();
  const title = row.count > 1 ? `${say.prompt} ${row.index + 1}` : say.prompt;
  const header = make("header", { text: row.edited ? `${title} · ${say.methods.edited}` : title });
  const notes = row.notes.map((text) => make("p", { text, class: "swf-small" }));
  if (!row.text || !hasEdited(node)) {
    return make("section", {}, [header, make("p", { text: row.text || say.nothing }), ...notes]);
  }
  const label = `${say.editPrompt} ${row.text}`;
  const button = make("button", { type: "button", text: row.text, title: say.editPrompt, "aria-label": label });
  button.addEventListener("click", () => writeLine(node, row, row.text));
  return make("section", {}, [header, button, ...notes]);
}
