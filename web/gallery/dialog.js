// The gallery over the whole page, opened by a menu command, a node or a graph that waits; and the chip that stays when
// it is put aside.

import { make } from "../dom.js";
import { Board } from "./board.js";
import { words } from "./words.js";

let open = null; // { dialog, board } while it is open
let chip = null;

/** Open the gallery on a run, the last one by default. `client` and `callbacks` are the board's. */
export async function openDialog(client, callbacks, token) {
  closeDialog();
  const say = words();
  const board = new Board(client, { ...callbacks, minimise: closeDialog }, false);
  const runs = make("select", { "aria-label": say.run });
  board.parts.bar.prepend(make("label", {}, [make("span", { text: say.run }), runs]));
  const dialog = make("dialog", { class: "swf-dialog", "aria-label": say.gallery }, [board.element]);
  dialog.addEventListener("close", closeDialog);
  document.addEventListener("keydown", onEscape); // the keys go there when nothing in the dialog has the focus
  document.body.append(dialog);
  open = { dialog, board };
  hideChip();
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

/** Put it aside; nothing is cancelled. */
export function closeDialog() {
  if (!open) return;
  const { dialog, board } = open;
  open = null;
  document.removeEventListener("keydown", onEscape);
  board.remove();
  dialog.remove();
  document.dispatchEvent(new CustomEvent("swf-gallery-closed"));
}

/** Browsers ignore Escape on a dialog that no click or key has opened. */
function onEscape(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  event.stopPropagation();
  closeDialog();
}

/** The board that the dialog shows, or null. */
export function dialogBoard() {
  return open?.board ?? null;
}

/** A button at the page's corner: a node waits for picks. */
export function showChip(text, handler) {
  hideChip();
  if (open) return;
  chip = make("button", { type: "button", class: "swf-chip", text });
  chip.addEventListener("click", handler);
  document.body.append(chip);
}

export function hideChip() {
  chip?.remove();
  chip = null;
}
