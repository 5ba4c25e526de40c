// What a board shows large: the chosen sample, another one to compare it with, the style picture.

import { Viewer } from "./viewer.js";
import { words } from "./words.js";

export class Zoom {
  /** Over `root`, hiding `main`; `grid` has the chosen sample, `run()` returns the run that it shows, of which `pictures`
   * has the pictures. */
  constructor({ root, main, grid, run, pictures, showMessage }) {
    Object.assign(this, { root, main, grid, run, pictures, showMessage });
    this.viewer = null; // while it is open
    this.forget();
  }

  /** Another run: nothing is marked. */
  forget() {
    this.marked = null; // the id of the sample to compare with
    this.original = null; // the style picture that was chosen; null: the first
    this.styleAlone = false;
  }

  chosen() {
    return this.run()?.samples.find((sample) => sample.id === this.grid.focus);
  }

  panes(sample) {
    const run = this.run();
    const say = words();
    const pane = ({ id, caption, step }) => ({ id, text: `${caption} · ${say.step} ${step}` });
    const original = this.original ?? run.originals[0];
    const style = original ? [{ id: original.id, text: `${say.style}: ${original.caption}` }] : [];
    const marked = run.samples.find((each) => each.id === this.marked);
    return [
      ...(this.styleAlone ? [] : [pane(sample)]), ...(marked && marked !== sample ? [pane(marked)] : []), ...style,
    ];
  }

  /** Open on the chosen sample, with a style picture of one's choice beside it; or close. */
  toggle(original = null) {
    if (this.viewer) return this.close();
    const sample = this.chosen();
    if (!sample) return;
    this.original = original;
    const showPicture = (image, id) => this.pictures.show(image, this.run().token, id, 0);
    this.viewer = new Viewer(this.panes(sample), showPicture, () => this.close());
    this.main.style.visibility = "hidden";
    this.root.append(this.viewer.element);
    this.root.focus();
  }

  close() {
    this.viewer?.element.remove();
    this.viewer = null;
    this.styleAlone = false;
    this.main.style.visibility = "";
    this.grid.takeFocus();
  }

  /** Another sample was chosen: where the zoom is open it shows that one. */
  show(sample) {
    this.viewer?.show(this.panes(sample));
  }

  /** The style picture by itself, and back. */
  showStyle() {
    if (!this.viewer) this.toggle();
    this.styleAlone = !this.styleAlone;
    if (this.viewer) this.show(this.chosen());
  }

  /** Mark the chosen sample; with another one marked before, show both. */
  compare() {
    const sample = this.chosen();
    if (!sample) return;
    const before = this.marked;
    this.mark(null);
    if (before === sample.id) return this.showMessage("");
    if (!before || this.viewer) {
      this.mark(sample.id);
      return this.showMessage(words().compareHint);
    }
    this.marked = before;
    this.toggle();
    this.marked = null;
  }

  mark(id) {
    const { cells } = this.grid;
    if (this.marked) delete cells.get(this.marked)?.dataset.compare;
    this.marked = id;
    const cell = cells.get(id);
    if (cell) cell.dataset.compare = "";
  }
}
