// The panel's row on a chosen preset: the values it has set in place of the node's widgets.

import { make } from "../dom.js";
import { words } from "./words.js";

/** What a preset has set. */
export function drawPreset(node, row) {
  const say = words();
  const values = Object.entries(row.values).map(([name, value]) => make("p", { text: `${name}: ${value}` }));
  const note = make("p", { text: say.presetNote, class: "swf-small" });
  return make("section", {}, [make("header", { text: `${say.preset}: ${row.preset}` }), ...values, note]);
}
