// What a board shows large: the chosen sample, another one to compare it with, the style picture.

import { talk } from "./talk.js";
import { Viewer } from "./viewer.js";
import { words } from "./words.js";

export class Zoom {
  constructor(board) {
    this.board = board;
    this.viewer = null;
    this.forget();
  }

  /** Another run: nothing is marked. */
  forget() {
    this.marked = null; // the id of the sample to compare with
    this.original = null;
    this.styleAlone = false;
  }

  panes(sample) {
    const { told, token } = this.board;
    const say = words();
    const of = (s) => ({ url: talk.picture(token, s.id), text: `${s.caption} · ${say.step} ${s.step}` });
    const original = this.original ?? told.originals[0];
    const style = { url: talk.picture(token, original.id), text: `${say.style}: ${original.caption}` };
    const marked = told.samples.find((s) => s.id === this.marked);
    return [...(this.styleAlone ? [] : [of(sample)]), ...(marked && marked !== sample ? [of(marked)] : []), style];
  }

  /** Open on the chosen sample, with a style picture of one's choice beside it; or close. */
  toggle(original = null) {
    if (this.viewer) return this.close();
    const sample = this.board.sample();
    if (!sample) return;
    this.original = original;
    this.viewer = new Viewer(this.panes(sample), () => this.close());
    this.board.main.style.visibility = "hidden";
    this.board.element.append(this.viewer.element);
    this.board.element.focus();
  }

  close() {
    this.viewer?.element.remove();
    this.viewer = null;
    this.styleAlone = false;
    this.board.main.style.visibility = "";
    this.board.grid.cells.get(this.board.grid.focus)?.focus();
  }

  /** Another sample was chosen. */
  refresh(sample) {
    this.viewer?.show(this.panes(sample));
  }

  /** The style picture by itself, and back. */
  showStyle() {
    if (!this.viewer) this.toggle();
    this.styleAlone = !this.styleAlone;
    if (this.viewer) this.refresh(this.board.sample());
  }

  /** Mark a sample; asked of another one, both are shown. */
  compare() {
    const { board } = this;
    const sample = board.sample();
    if (!sample) return;
    const before = this.marked;
    this.mark(null);
    if (before === sample.id) return board.say("");
    if (!before || this.viewer) {
      this.mark(sample.id);
      return board.say(words().second);
    }
    this.marked = before;
    this.toggle();
    this.marked = null;
  }

  mark(id) {
    const { cells } = this.board.grid;
    if (this.marked) delete cells.get(this.marked)?.dataset.compare;
    this.marked = id;
    const cell = cells.get(id);
    if (cell) cell.dataset.compare = "";
  }
}
