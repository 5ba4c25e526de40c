// The gallery over the whole page, opened by a menu command, a node or a graph that waits.

import { make, putOnPage } from "../dom.js";
import { Board } from "./board.js";
import { words } from "./words.js";

let open = null; // { dialog, board, onClosed } while it is open

/** Open the gallery on a run, the last one by default. `client` and `callbacks` are the board's, with onClosed() besides.
 * The dialog closes itself when a graph goes on with the picks. */
export async function openDialog(client, callbacks, token) {
  closeDialog();
  const say = words();
  const onTraining = (...run) => {
    closeDialog();
    callbacks.onTraining?.(...run);
  };
  const board = new Board(client, { ...callbacks, onTraining, minimize: closeDialog }, false);
  const runs = make("select", { "aria-label": say.run });
  board.parts.bar.prepend(make("label", {}, [make("span", { text: say.run }), runs]));
  const dialog = make("dialog", { class: "swf-dialog", "aria-label": say.gallery }, [board.element]);
  open = { dialog, board, onClosed: callbacks.onClosed };
  listen(dialog, board);
  putOnPage(dialog);
  dialog.showModal();
  runs.addEventListener("change", () => board.load(runs.value));
  try {
    const overview = await client.overview();
    const first = token ?? overview.waits[0]?.token ?? overview.runs[0]?.token;
    runs.replaceChildren(...overview.runs.map((run) => make("option", { value: run.token, text: run.name })));
    if (!first) return board.showMessage(say.noRuns);
    runs.value = first;
    await board.load(first);
    board.grid.takeFocus();
  } catch (error) {
    board.showMessage(error.message, true);
  }
}

/** The keys are the dialog's own: the focus stays in it, wherever a click lands. */
function listen(dialog, board) {
  dialog.addEventListener("close", closeDialog);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault(); // browsers ignore Escape on a dialog that no click or key has opened
    event.stopPropagation();
    closeDialog();
  });
  dialog.addEventListener("focusout", (event) => {
    if (event.relatedTarget) return;
    setTimeout(() => {
      if (open?.dialog === dialog && !dialog.contains(document.activeElement)) board.element.focus();
    });
  });
}

/** Put it aside; nothing is cancelled. */
export function closeDialog() {
  if (!open) return;
  const { dialog, board, onClosed } = open;
  open = null;
  board.remove();
  dialog.remove();
  onClosed?.();
}

/** The board that the dialog shows, or null. */
export function dialogBoard() {
  return open?.board ?? null;
}
