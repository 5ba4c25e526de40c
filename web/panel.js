// The panel on every node whose result carries `swf_panel` (nodes/host/ui_rows.py): a list of rows. What a person clicks
// in a row is written into a widget of the node, which wins on the next run.

import { app } from "../../scripts/app.js";
import { make } from "./dom.js";
import { followLocaleSetting } from "./locale.js";
import { addElementWidget, onExecuted } from "./node_widget.js";
import { drawCandidates, drawStrip } from "./panel/caption_rows.js";
import { drawPreset } from "./panel/preset_row.js";
import { drawPrompt } from "./panel/prompt_row.js";
import { CSS, MIN_HEIGHT } from "./panel/stylesheet.js";
import { drawPalette } from "./panel/swatches.js";
import { words } from "./panel/words.js";

const KEY = "swf_panel";
const TYPE = "SWF_PANEL";
const ROWS = { candidates: drawCandidates, strip: drawStrip, palette: drawPalette, preset: drawPreset, prompt: drawPrompt };

/** The node's panel, made when it is first needed. */
function panelOf(node) {
  const existing = node.widgets?.find((widget) => widget.type === TYPE);
  if (existing) return existing.element;
  const element = make("div", { class: "swf-panel", role: "region", "aria-label": words().panel, tabindex: "0" });
  element.addEventListener("wheel", (event) => {
    if (element.scrollHeight > element.clientHeight) event.stopPropagation(); // else the canvas zooms
  }, { passive: true });
  addElementWidget(node, { name: KEY, type: TYPE, element, minHeight: MIN_HEIGHT, minWidth: 340 });
  return element;
}

function drawRows(node, rows) {
  const element = panelOf(node);
  const background = getComputedStyle(element).backgroundColor.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? [];
  element.classList.toggle("swf-dark", background.length === 3 && Math.max(...background) < 128);
  element.replaceChildren(make("style", { text: CSS }), ...rows.map((row) => ROWS[row.kind](node, row)));
  node.setDirtyCanvas?.(true, true);
}

followLocaleSetting(() => app.extensionManager?.setting?.get?.("Comfy.Locale"));

app.registerExtension({
  name: "stylewallfacer.panel",
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith("SWF_")) return;
    onExecuted(nodeType, (node, output) => {
      if (Array.isArray(output?.[KEY])) drawRows(node, output[KEY]);
    });
  },
});
