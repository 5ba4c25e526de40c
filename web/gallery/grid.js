// The samples of a run: rows are prompts, columns are steps; one cell has the focus, arrows move it.

import { talk } from "./talk.js";
import { make, words } from "./words.js";

const MARKS = { accepted: "✓", rejected: "✕", "": "" };

export class Grid {
  /** `hooks`: choose(sample) when the focus moves, judge(sample, verdict) for a click: with Shift, or the right button,
   * it rejects. */
  constructor(hooks) {
    this.hooks = hooks;
    this.element = make("div", { class: "swf-grid", role: "grid" });
    this.cells = new Map();
    this.focus = null;
    this.element.addEventListener("wheel", (event) => {
      if (this.element.scrollHeight > this.element.clientHeight) event.stopPropagation(); // else the canvas zooms
    }, { passive: true });
    // One listener each for all cells: nothing to let go of when they are replaced.
    const sampleAt = (event) => this.samples?.get(event.target.closest?.(".swf-cell")?.dataset.id);
    this.element.addEventListener("click", (event) => {
      const sample = sampleAt(event);
      if (!sample) return;
      this.choose(sample.id);
      this.hooks.judge(sample, event.shiftKey ? "rejected" : "accepted");
    });
    this.element.addEventListener("contextmenu", (event) => {
      const sample = sampleAt(event);
      if (!sample) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(sample.id);
      this.hooks.judge(sample, "rejected");
    });
    this.element.addEventListener("focusin", (event) => {
      const sample = sampleAt(event);
      if (sample && sample.id !== this.focus) this.choose(sample.id);
    });
  }

  /** Draw a run, all its steps or one. */
  draw(told, step) {
    const say = words();
    const steps = step === null ? told.steps : told.steps.filter((s) => s === step);
    this.steps = steps;
    this.rows = told.prompts.length;
    this.copied = told.copied;
    this.samples = new Map(told.samples.map((s) => [s.id, s]));
    this.places = new Map();
    this.cells.clear();
    // As large as lets all steps, and up to four prompts, be seen at once.
    const wide = (this.element.clientWidth - 180) / Math.max(1, steps.length) - 12;
    const high = (this.element.clientHeight - 24) / Math.min(4, Math.max(1, this.rows)) - 30;
    this.element.style.setProperty("--swf-px", `${Math.round(Math.min(232, Math.max(104, Math.min(wide, high))))}px`);
    this.element.style.gridTemplateColumns = `minmax(80px, 160px) repeat(${steps.length}, max-content)`;
    this.element.setAttribute("aria-label", told.name);
    this.element.setAttribute("aria-rowcount", String(this.rows));
    this.element.setAttribute("aria-colcount", String(steps.length));
    const children = [make("div", { class: "swf-head" })];
    for (const s of steps) {
      children.push(make("div", { class: "swf-head", role: "columnheader", text: s ? `${say.step} ${s}` : say.plain }));
    }
    const at = new Map(told.samples.map((s) => [`${s.row}:${s.step}`, s]));
    told.prompts.forEach((prompt, row) => {
      children.push(make("div", { class: "swf-prompt", role: "rowheader", text: prompt }));
      steps.forEach((s, column) => {
        const sample = at.get(`${row}:${s}`);
        if (!sample) return children.push(make("div"));
        this.places.set(sample.id, [row, column]);
        const cell = this.cell(told.token, sample);
        this.cells.set(sample.id, cell);
        children.push(cell);
      });
    });
    this.element.replaceChildren(...children);
    if (!this.cells.has(this.focus)) {
      const last = [...this.cells.keys()].filter((id) => this.samples.get(id).lora && this.places.get(id)[0] === 0).at(-1);
      this.focus = null;
      if (last) this.choose(last, false);
    } else this.choose(this.focus, false);
  }

  cell(token, sample) {
    const image = make("img", {
      src: talk.picture(token, sample.id, 256), alt: "", loading: "lazy", decoding: "async", draggable: "false",
    });
    const frame = make("span", { class: "swf-frame" }, [image, make("span", { class: "swf-mark", "aria-hidden": "true" })]);
    const cell = make("button", { type: "button", class: "swf-cell", role: "gridcell", tabindex: "-1" }, [frame]);
    cell.dataset.id = sample.id;
    const values = Object.entries(sample.signals);
    const say = words();
    if (values.length) {
      const text = values.map(([k, v]) => `${say.signals[k]} ${v.toFixed(2)}`).join(" · ");
      const warn = (sample.signals.copying ?? 0) > this.copied ? " swf-warn" : "";
      const title = values.map(([k, v]) => `${say.told[k]}: ${v.toFixed(3)}`).join("\n");
      cell.append(make("span", { class: `swf-signals${warn}`, text, title }));
    }
    this.mark(sample, cell);
    return cell;
  }

  /** Show what was said of a sample. */
  mark(sample, cell = this.cells.get(sample.id)) {
    if (!cell) return;
    const say = words();
    cell.dataset.judged = sample.judged;
    cell.querySelector(".swf-mark").textContent = sample.lora ? MARKS[sample.judged] : "";
    const verdict = sample.lora ? say[sample.judged] ?? say.open_ : say.plain;
    cell.setAttribute("aria-label", `${sample.caption}, ${say.step} ${sample.step}, ${verdict}`);
  }

  choose(id, focus = true) {
    const before = this.cells.get(this.focus);
    before?.setAttribute("aria-selected", "false");
    before?.setAttribute("tabindex", "-1");
    this.focus = id;
    const cell = this.cells.get(id);
    cell?.setAttribute("aria-selected", "true");
    cell?.setAttribute("tabindex", "0");
    if (focus && cell && document.activeElement !== cell) cell.focus();
    this.hooks.choose(this.samples.get(id));
  }

  /** Move the focus by rows and columns, to the nearest sample that is there. */
  move(rows, columns, focus = true) {
    const here = this.places.get(this.focus);
    if (!here) return;
    let [row, column] = here;
    for (;;) {
      row += rows;
      column += columns;
      if (row < 0 || column < 0 || row >= this.rows || column >= this.steps.length) return;
      const found = [...this.places].find(([, [r, c]]) => r === row && c === column);
      if (found) return this.choose(found[0], focus);
    }
  }

  /** The n-th sample of the column that has the focus. */
  inColumn(n) {
    const column = this.places.get(this.focus)?.[1];
    const found = [...this.places].find(([, [r, c]]) => r === n && c === column);
    return found && this.samples.get(found[0]);
  }
}
