// Human Feedback Gallery in the page: on its node, in a dialog by menu command, and when a graph waits for picks.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { galleryClient } from "./gallery/api_client.js";
import { applyPicks, Board, endTraining } from "./gallery/board.js";
import { Corner } from "./gallery/corner.js";
import { dialogBoard, openDialog } from "./gallery/dialog.js";
import { galleryNodes, NODE_TYPE, outputIdsFrom } from "./gallery/graph.js";
import { Training } from "./gallery/training.js";
import { Waits } from "./gallery/waits.js";
import { words } from "./gallery/words.js";
import { followLocaleSetting } from "./locale.js";
import { addElementWidget, onExecuted } from "./node_widget.js";

const HEIGHT = 360;
const POPUP = "StyleWallfacer.Gallery.Popup";
const OPEN = "StyleWallfacer.Gallery.Open";

const client = galleryClient(api);
const waits = new Waits(client);
const training = new Training();
const callbacks = { onContinue: queueFrom, onTraining, openDialog: open, onClosed: drawCorner };
let registered = null; // the id under which the server knows this page
let corner = null; // made when the page is there

followLocaleSetting(() => app.extensionManager?.setting?.get?.("Comfy.Locale"));

function open(token) {
  const opened = openDialog(client, callbacks, token);
  drawCorner();
  return opened;
}

/** The node's board, made when it is first needed. */
function boardOf(node) {
  if (node.swfBoard) return node.swfBoard;
  const board = new Board(client, callbacks, true);
  node.swfBoard = board;
  board.element.style.minHeight = `${HEIGHT - 20}px`; // Vue nodes do not ask getMinHeight
  addElementWidget(node, {
    name: "swf_gallery", type: "SWF_GALLERY", element: board.element, minHeight: HEIGHT, minWidth: 560,
  });
  const { onRemoved } = node;
  node.onRemoved = function () {
    board.remove();
    node.swfBoard = null;
    return onRemoved?.apply(this, arguments);
  };
  return board;
}

/** The boards of the dialog and of all nodes. */
function allBoards() {
  return [dialogBoard(), ...galleryNodes(app.graph).map((node) => node.swfBoard)].filter(Boolean);
}

/** Show a run on a node and remember its name, so that the graph finds it again. */
function showOn(node, { token, name, step, outcome }) {
  node.properties ??= {};
  node.properties.swf_run = name;
  node.swfStep = step;
  const board = boardOf(node);
  board.showMessage(""); // the message may be about an earlier run of the graph
  board.load(token, step).then(() => outcome && board.showMessage(outcome));
  node.setDirtyCanvas?.(true, true);
}

/** Queue what hangs on the node that shows a run. Returns { text, goesOn }: what was done, and whether a graph runs now. */
async function queueFrom(token, step) {
  const nodes = galleryNodes(app.graph)
    .filter((node) => node.swfBoard?.state.token === token && (node.swfStep === step || !node.swfStep));
  if (!nodes.length) return { text: words().noNode, goesOn: false };
  const wasQueued = await app.queuePrompt(0, 1, nodes.flatMap((node) => outputIdsFrom(app.graph, node)));
  return wasQueued === false ? { text: words().notQueued, goesOn: false } : { text: words().queued, goesOn: true };
}

/** Whether this page queued the graph that an event is about. */
function isOurs(event) {
  return event.client === api.clientId;
}

/** The gallery's node that an event is about, in this page's graph. */
function nodeOf(event) {
  const node = isOurs(event) ? app.graph?.getNodeById(Number(event.node)) : null;
  return node?.type === NODE_TYPE ? node : null;
}

/** What stays on the page while the gallery is put aside: who waits, else what is learning. */
function drawCorner() {
  const [first] = waits.list();
  if (dialogBoard() || !(first || training.text)) return corner?.hide();
  return first
    ? corner?.show(words().waitingFor(first.name), () => open(first.token))
    : corner?.show(training.text, () => open());
}

/** A graph goes on with the picks of a run. */
function onTraining(name, accepted) {
  training.begin(words().trainingOn(name, accepted));
  drawCorner();
}

/** All graphs that this page queued have come to an end. */
function onTrained(outcome) {
  endTraining(outcome);
  drawCorner();
}

function onWait({ detail }) {
  waits.add(detail);
  const node = nodeOf(detail);
  if (node) showOn(node, detail);
  if (isOurs(detail) && (app.extensionManager?.setting?.get(POPUP) ?? true)) return open(detail.token);
  drawCorner();
}

function onDone({ detail }) {
  waits.end(detail.wait);
  const message = words().outcomes[detail.outcome] ?? "";
  for (const board of allBoards()) {
    if (board.state.token !== detail.token) continue;
    board.stopWaiting();
    if (message) board.showMessage(message, true);
  }
  drawCorner();
}

function onShow({ detail }) {
  const node = nodeOf(detail);
  if (node) showOn(node, detail);
}

/** Say whose this page is. Its id is known from the first status on, and a restarted server knows it no more. */
async function registerPage() {
  if (!api.clientId || api.clientId === registered) return;
  registered = api.clientId;
  await client.registerPage(registered).catch(() => {
    registered = null; // the next status tries again
  });
}

/** After a reload or a restart: the waits, and the runs that the graph's galleries showed last. */
async function restore() {
  try {
    const overview = await client.overview();
    const lost = waits.replace(overview);
    const byName = new Map(overview.runs.map((run) => [run.name, run]));
    for (const node of galleryNodes(app.graph)) {
      const wait = overview.waits.find((each) => isOurs(each) && each.node === String(node.id));
      const run = byName.get(node.properties?.swf_run);
      if (wait) showOn(node, wait);
      else if (run) boardOf(node).load(run.token);
    }
    const board = dialogBoard();
    const run = byName.get(board?.state.run?.name);
    if (run) await board.load(run.token);
    if (lost) for (const each of allBoards()) each.showMessage(words().restarted, true);
    drawCorner();
  } catch {
    // The server is away: the next reconnection asks again.
  }
}

app.registerExtension({
  name: "stylewallfacer.gallery",
  settings: [{
    id: POPUP, name: words().popup, type: "boolean", defaultValue: true, category: ["StyleWallfacer", "Gallery", "Popup"],
  }],
  commands: [{ id: OPEN, label: words().open, icon: "pi pi-images", function: () => open() }],
  menuCommands: [{ path: ["Extensions"], commands: [OPEN] }],
  async setup() {
    corner = new Corner();
    api.addEventListener("swf.gallery.wait", onWait);
    api.addEventListener("swf.gallery.done", onDone);
    api.addEventListener("swf.gallery.show", onShow);
    api.addEventListener("swf.gallery.picks", ({ detail }) => applyPicks(detail.token, detail.picks));
    api.addEventListener("status", registerPage);
    api.addEventListener("reconnected", () => {
      registered = null;
      return registerPage().then(restore);
    });
    training.listen(api, async () => (await api.fetchApi("/queue")).json(), onTrained);
    waits.startConfirming(restore);
    await registerPage();
    await restore();
    corner.element.dataset.ready = "";
  },
  afterConfigureGraph() {
    return restore();
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (nodeData.name !== NODE_TYPE) return;
    onExecuted(nodeType, (node, output) => {
      const payload = output?.swf_gallery?.[0];
      if (payload) showOn(node, payload);
    });
  },
});
