// The samples of a run: rows are prompts, columns are steps; one cell has the focus, arrows move it.

import { make } from "../dom.js";
import { THUMBNAIL_PX } from "./pictures.js";
import { signalsInWords } from "./signals.js";
import { words } from "./words.js";

const MARKS = { accepted: "✓", rejected: "✕", "": "" };
const CELL_PX = { smallest: 104, largest: 232 };
const BELOW_PX = 50; // under each: three lines on its signals
const NARROW_PX = 480; // where prompts get less room

export class Grid {
  /** `pictures`: pictures.js; `onChoose(sample)` when the focus moves; `onVerdict(sample, verdict)` for a click: with
   * Shift, or the right button, it rejects. */
  constructor({ pictures, onChoose, onVerdict }) {
    this.pictures = pictures;
    this.onChoose = onChoose;
    this.onVerdict = onVerdict;
    this.element = make("div", { class: "swf-grid", role: "grid" });
    this.samples = new Map(); // by id
    this.cells = new Map(); // the samples' elements by id
    this.places = new Map(); // their [row, column] by id
    this.focus = null; // an id
    this.columns = this.rows = 0;
    this.listen();
    pictures.waitInside(this.element);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.element);
  }

  /** Let go of what watches the element. */
  remove() {
    this.sizes.disconnect();
  }

  /** One listener each for all cells: nothing to let go of when they are replaced. */
  listen() {
    const sampleAt = (event) => this.samples.get(event.target.closest?.(".swf-cell")?.dataset.id);
    this.element.addEventListener("wheel", (event) => {
      if (this.element.scrollHeight > this.element.clientHeight) event.stopPropagation(); // else the canvas zooms
    }, { passive: true });
    this.element.addEventListener("click", (event) => {
      const sample = sampleAt(event);
      if (!sample) return;
      this.choose(sample.id);
      this.onVerdict(sample, event.shiftKey ? "rejected" : "accepted");
    });
    this.element.addEventListener("contextmenu", (event) => {
      const sample = sampleAt(event);
      if (!sample) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(sample.id);
      this.onVerdict(sample, "rejected");
    });
    this.element.addEventListener("focusin", (event) => {
      const sample = sampleAt(event);
      if (sample && sample.id !== this.focus) this.choose(sample.id);
    });
  }

  /** Draw a run, all its steps (null) or one. */
  draw(run, shownStep) {
    const say = words();
    const steps = shownStep === null ? run.steps : run.steps.filter((step) => step === shownStep);
    this.columns = steps.length;
    this.rows = run.prompts.length;
    this.samples = new Map(run.samples.map((sample) => [sample.id, sample]));
    this.places.clear();
    this.cells.clear();
    this.plain = new Map(run.samples.filter((sample) => !sample.lora).map((sample) => [sample.row, sample.signals]));
    this.resize();
    this.element.setAttribute("aria-label", run.name);
    this.element.setAttribute("aria-rowcount", String(this.rows));
    this.element.setAttribute("aria-colcount", String(this.columns));
    const heads = steps.map((step) => make("div", {
      class: "swf-head", role: "columnheader", text: step ? `${say.step} ${step}` : say.plain,
    }));
    const byPlace = new Map(run.samples.map((sample) => [`${sample.row}:${sample.step}`, sample]));
    const rows = run.prompts.map((prompt, row) => [
      make("div", { class: "swf-prompt", role: "rowheader", text: prompt }),
      ...steps.map((step, column) => this.place(run, byPlace.get(`${row}:${step}`), row, column)),
    ]);
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(make("div", { class: "swf-head" }), ...heads, ...rows.flat());
    this.focusAfterDrawing();
    if (hadFocus) this.takeFocus();
  }

  /** Cells as large as lets all steps, and up to four prompts, be seen at once; anew whenever the element's size changes. */
  resize() {
    const { clientWidth, clientHeight, style } = this.element;
    if (!this.columns || !clientWidth) return;
    const [head, room] = clientWidth < NARROW_PX ? [80, 96] : [160, 180];
    const wide = (clientWidth - room) / this.columns - 12;
    const high = (clientHeight - 24) / Math.min(4, Math.max(1, this.rows)) - BELOW_PX;
    const px = Math.min(CELL_PX.largest, Math.max(CELL_PX.smallest, Math.min(wide, high)));
    style.setProperty("--swf-px", `${Math.round(px)}px`);
    style.gridTemplateColumns = `minmax(72px, ${head}px) repeat(${this.columns}, max-content)`;
  }

  /** The element at a place of the grid: a sample's cell, or a gap. */
  place(run, sample, row, column) {
    if (!sample) return make("div");
    const cell = this.cell(run, sample);
    this.places.set(sample.id, [row, column]);
    this.cells.set(sample.id, cell);
    return cell;
  }

  /** The focus stays where it was; else it is on the last sample of the first prompt. */
  focusAfterDrawing() {
    if (this.cells.has(this.focus)) return this.choose(this.focus, false);
    const inFirstRow = (id) => this.samples.get(id).lora && this.places.get(id)[0] === 0;
    const last = [...this.cells.keys()].filter(inFirstRow).at(-1);
    this.focus = null;
    if (last) this.choose(last, false);
  }

  cell(run, sample) {
    const image = make("img", { alt: "", decoding: "async", draggable: "false" });
    this.pictures.show(image, run.token, sample.id, THUMBNAIL_PX, true);
    const frame = make("span", { class: "swf-frame" }, [image, make("span", { class: "swf-mark", "aria-hidden": "true" })]);
    const cell = make("button", { type: "button", class: "swf-cell", role: "gridcell", tabindex: "-1" }, [frame]);
    cell.dataset.id = sample.id;
    cell.append(make("span", { class: "swf-signals" }, this.signalWords(run, sample)));
    this.mark(sample, cell);
    return cell;
  }

  signalWords(run, sample) {
    if (!sample.lora) return [];
    const signals = signalsInWords(sample.signals, this.plain.get(sample.row), run.copying_limit);
    return signals.map(({ text, title, isWarning }) => make("span", { text, title, class: isWarning ? "swf-warn" : undefined }));
  }

  /** Show a sample's verdict. */
  mark(sample, cell = this.cells.get(sample.id)) {
    if (!cell) return;
    const say = words();
    const verdict = sample.lora ? say.verdicts[sample.verdict] : say.plain;
    cell.dataset.verdict = sample.verdict;
    cell.querySelector(".swf-mark").textContent = sample.lora ? MARKS[sample.verdict] : "";
    cell.setAttribute("aria-label", `${sample.caption}, ${say.step} ${sample.step}, ${verdict}`);
  }

  choose(id, takeFocus = true) {
    const before = this.cells.get(this.focus);
    before?.setAttribute("aria-selected", "false");
    before?.setAttribute("tabindex", "-1");
    this.focus = id;
    const cell = this.cells.get(id);
    cell?.setAttribute("aria-selected", "true");
    cell?.setAttribute("tabindex", "0");
    if (takeFocus && cell && document.activeElement !== cell) cell.focus();
    this.onChoose(this.samples.get(id));
  }

  /** Let the keys go to the chosen cell. */
  takeFocus() {
    this.cells.get(this.focus)?.focus();
  }

  /** Move the focus by rows and columns, to the nearest sample that is there. */
  move(rows, columns, takeFocus = true) {
    let [row, column] = this.places.get(this.focus) ?? [-1, -1];
    if (row < 0) return;
    for (;;) {
      row += rows;
      column += columns;
      if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return;
      const id = this.idAt(row, column);
      if (id) return this.choose(id, takeFocus);
    }
  }

  idAt(row, column) {
    return [...this.places].find(([, [r, c]]) => r === row && c === column)?.[0];
  }

  /** The n-th sample, from 0, of the column that has the focus. */
  inColumn(n) {
    return this.samples.get(this.idAt(n, this.places.get(this.focus)?.[1]));
  }
}
