// Human Feedback Gallery in the page: on its node, in a dialog by menu command, and when a graph waits for picks.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { Board, picksChanged } from "./gallery/board.js";
import { dialogBoard, hideChip, openDialog, showChip } from "./gallery/dialog.js";
import { CSS } from "./gallery/style.js";
import { talk } from "./gallery/talk.js";
import { addWait, endWait, startBeating, takeOver, waiting } from "./gallery/waits.js";
import { make, words } from "./gallery/words.js";

const NODE = "SWF_FeedbackGallery";
const TYPE = "SWF_GALLERY"; // a widget type of our own: the host turns known ones into its own
const HEIGHT = 360;
const POPUP = "StyleWallfacer.Gallery.Popup";
const OPEN = "StyleWallfacer.Gallery.Open";

const hooks = { go: queueFrom, full: (token) => openDialog(hooks, token) };

function galleries() {
  return (app.graph?._nodes ?? []).filter((node) => node.comfyClass === NODE || node.type === NODE);
}

/** The node's board, made when it is first needed. */
function boardOf(node) {
  if (node.swfBoard) return node.swfBoard;
  const board = new Board(hooks, true);
  node.swfBoard = board;
  const widget = node.addDOMWidget("swf_gallery", TYPE, board.element, {
    serialize: false, hideOnZoom: false, getMinHeight: () => HEIGHT, getValue: () => "", setValue: () => {},
  });
  widget.serialize = false; // or the graph's file would hold an entry for it
  board.element.style.minHeight = `${HEIGHT - 20}px`; // Vue nodes do not ask getMinHeight
  const [width, height] = node.computeSize();
  node.setSize?.([Math.max(node.size[0], width, 560), Math.max(node.size[1], height)]);
  const removed = node.onRemoved;
  node.onRemoved = function () {
    board.remove();
    node.swfBoard = null;
    return removed?.apply(this, arguments);
  };
  return board;
}

/** Show a run on a node and remember its name, so that the graph finds it again. */
function showOn(node, told) {
  node.properties ??= {};
  node.properties.swf_run = told.name;
  node.swfStep = told.step;
  const board = boardOf(node);
  board.answering = told.step;
  board.say(""); // what was said of an earlier run of the graph
  board.load(told.token).then(() => told.outcome && board.say(told.outcome));
  node.setDirtyCanvas?.(true, true);
}

/** Queue what hangs on the node that shows a run; says what was done. */
async function queueFrom(token, step) {
  const found = galleries().filter((n) => n.swfBoard?.token === token && (n.swfStep === step || !n.swfStep));
  if (!found.length) return words().noNode;
  await app.queuePrompt(0, 1, found.flatMap(outputsFrom));
  return words().queued;
}

/** The output nodes at and behind a node, as the host's partial execution wants them. */
function outputsFrom(node) {
  const seen = new Set();
  const ends = [];
  const visit = (one) => {
    if (!one || seen.has(one.id)) return;
    seen.add(one.id);
    if (one.constructor?.nodeData?.output_node) ends.push(String(one.id));
    for (const output of one.outputs ?? []) {
      for (const link of output.links ?? []) {
        const found = app.graph.links.get?.(link) ?? app.graph.links[link];
        visit(app.graph.getNodeById(found?.target_id));
      }
    }
  };
  visit(node);
  return ends;
}

function mine(told) {
  return told.client === api.clientId;
}

function showWaits() {
  const [first] = waiting();
  if (!first) return hideChip();
  showChip(words().waitingFor(first.name), () => openDialog(hooks, first.token));
}

function onWait({ detail }) {
  addWait(detail);
  if (mine(detail)) {
    const node = app.graph?.getNodeById(Number(detail.node));
    if (node?.type === NODE) showOn(node, detail);
    if (app.extensionManager?.setting?.get(POPUP) ?? true) return openDialog(hooks, detail.token);
  }
  showWaits();
}

function onDone({ detail }) {
  endWait(detail.wait);
  const text = words().over[detail.outcome] ?? "";
  for (const board of [dialogBoard(), ...galleries().map((n) => n.swfBoard)]) {
    if (board?.token !== detail.token) continue;
    board.over();
    if (text) board.say(text, true);
  }
  showWaits();
}

/** After a reload or a restart: whoever waits, and the runs that the graph's galleries showed last. */
async function rebuild() {
  try {
    const told = await talk.everything();
    const lost = takeOver(told);
    const byName = new Map(told.runs.map((run) => [run.name, run]));
    for (const node of galleries()) {
      const wait = told.waiting.find((w) => mine(w) && w.node === String(node.id));
      const run = byName.get(node.properties?.swf_run);
      if (wait) showOn(node, wait);
      else if (run) boardOf(node).load(run.token);
    }
    const board = dialogBoard();
    if (board && byName.has(board.told?.name)) await board.load(byName.get(board.told.name).token);
    if (lost) for (const b of [board, ...galleries().map((n) => n.swfBoard)]) b?.say(words().restart, true);
    showWaits();
  } catch {
    // The server is away: the next reconnection asks again.
  }
}

app.registerExtension({
  name: "StyleWallfacer.Gallery",
  settings: [{ id: POPUP, name: words().popup, type: "boolean", defaultValue: true, category: ["StyleWallfacer", "Gallery", "Popup"] }],
  commands: [{ id: OPEN, label: words().open, icon: "pi pi-images", function: () => openDialog(hooks) }],
  menuCommands: [{ path: ["Extensions"], commands: [OPEN] }],
  init() {
    document.head.append(make("style", { text: CSS }));
  },
  async setup() {
    api.addEventListener("swf.gallery.wait", onWait);
    api.addEventListener("swf.gallery.done", onDone);
    api.addEventListener("swf.gallery.show", ({ detail }) => {
      const node = mine(detail) && app.graph?.getNodeById(Number(detail.node));
      if (node?.type === NODE) showOn(node, detail);
    });
    api.addEventListener("swf.gallery.picks", ({ detail }) => picksChanged(detail.token, detail.picks));
    api.addEventListener("reconnected", rebuild);
    document.addEventListener("swf-gallery-closed", showWaits);
    startBeating(rebuild);
    await rebuild();
    window.swfGalleryReady = true;
  },
  afterConfigureGraph() {
    return rebuild();
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData.name !== NODE) return;
    const before = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      before?.apply(this, arguments);
      const told = output?.swf_gallery?.[0];
      if (told) showOn(this, told);
    };
  },
});
