// One run's gallery: the grid, the style picture, what is said of the chosen sample, and the keys. The same element
// serves on a node and in the full-size dialog; every click is sent at once and shown as kept only when it was.

import { Clock } from "./clock.js";
import { frame } from "./frame.js";
import { Grid } from "./grid.js";
import { onKey } from "./keys.js";
import { talk } from "./talk.js";
import { make, words } from "./words.js";
import { Zoom } from "./zoom.js";

const LISTS = { accepted: "accept", rejected: "reject", "": "forget" };
const boards = new Set();

/** Let every board that shows a run know what is on file; a token of another run changes nothing. */
export function picksChanged(token, picks) {
  for (const board of boards) if (board.token === token) board.take(picks);
}

export class Board {
  /** `hooks`: go(token, step) after picks were answered, full(token) and minimise() where there are such buttons. */
  constructor(hooks, compact) {
    this.hooks = hooks;
    this.token = null;
    this.told = null;
    this.step = null; // null: all
    this.answering = null; // the step whose samples are asked about
    this.waits = false;
    this.message = { text: "", bad: false };
    this.history = [];
    this.pending = new Map(); // samples whose last click is not answered yet, and how many clicks
    this.sending = Promise.resolve();
    this.clock = new Clock();
    this.grid = new Grid({ choose: (s) => this.chosen(s), judge: (s, verdict) => this.toggle(s, verdict) });
    this.element = make("div", { class: `swf-board${compact ? " swf-compact" : ""}`, role: "region", tabindex: "-1",
      "aria-label": words().gallery });
    this.element.append(...frame(this, compact));
    this.element.addEventListener("keydown", (event) => onKey(this, event));
    for (const kind of ["pointerdown", "dblclick", "paste", "copy"]) {
      this.element.addEventListener(kind, (event) => event.stopPropagation()); // the canvas would act on it
    }
    this.zoom = new Zoom(this);
    boards.add(this);
  }

  /** Show a run as the server tells it now. */
  async load(token) {
    if (token !== this.token) {
      this.history = [];
      this.step = null;
      this.over();
      this.zoom.forget();
      this.say("");
    }
    this.token = token;
    try {
      const told = await talk.run(token);
      if (this.token !== token) return;
      this.clock.set(told.waiting[0]?.left); // here and not in `draw`, which shows old tidings again
      this.draw(told);
    } catch (error) {
      this.say(error.message, true);
    }
  }

  draw(told) {
    const say = words();
    const looks = told.steps.length;
    this.told = told;
    this.answering = told.waiting[0]?.step ?? this.answering;
    this.slider.max = String(looks);
    this.slider.value = String(this.step === null ? looks : told.steps.indexOf(this.step));
    this.sliderText.textContent = this.step === null ? say.all : `${say.step} ${this.step}`;
    this.grid.draw(told, this.step);
    this.styles.replaceChildren(...told.originals.slice(0, 4).map((original) => {
      const image = make("img", { src: talk.picture(this.token, original.id, 512), alt: `${say.style}: ${original.caption}`,
        title: original.caption });
      image.addEventListener("click", () => this.zoom.toggle(original));
      return image;
    }));
    this.advice.textContent = told.advice;
    this.count();
    this.waits = told.waiting.length > 0;
    this.showStatus();
  }

  slide() {
    const at = Number(this.slider.value);
    this.step = at >= this.told.steps.length ? null : this.told.steps[at];
    this.draw(this.told);
  }

  sample() {
    return this.told?.samples.find((s) => s.id === this.grid.focus);
  }

  chosen(sample) {
    if (!sample) return;
    const say = words();
    const free = sample.lora;
    for (const name of ["accept", "reject"]) this.buttons[name].disabled = !free;
    this.buttons.accept.setAttribute("aria-pressed", String(sample.judged === "accepted"));
    this.buttons.reject.setAttribute("aria-pressed", String(sample.judged === "rejected"));
    this.captionText.value = sample.caption;
    this.captionText.disabled = !free;
    const look = this.told.looks.find((l) => l.step === sample.step);
    const number = (v) => (typeof v === "number" ? v.toFixed(3) : "–");
    this.details.textContent = [
      sample.lora ? `${say.step} ${sample.step}` : say.plain, sample.edited ? say.edited : "",
      look ? say.look(number(look.validation), number(look.norm), number(look.diversity)) : "",
    ].filter(Boolean).join(" · ");
    this.zoom.refresh(sample);
  }

  /** Judge a sample, or take the judgement back when it is the same. */
  toggle(sample, verdict) {
    if (!sample?.lora) return;
    this.history.push([sample.id, sample.judged]);
    this.judge(sample, sample.judged === verdict ? "" : verdict);
  }

  undo() {
    const [id, verdict] = this.history.pop() ?? [];
    const sample = this.told?.samples.find((s) => s.id === id);
    if (sample) this.judge(sample, verdict);
  }

  judge(sample, verdict) {
    const [before, token] = [sample.judged, this.token];
    sample.judged = verdict;
    this.refresh(sample);
    this.pending.set(sample.id, (this.pending.get(sample.id) ?? 0) + 1);
    const done = () => {
      const left = this.pending.get(sample.id) - 1;
      if (left) this.pending.set(sample.id, left);
      else this.pending.delete(sample.id);
    };
    this.send(async () => {
      const picks = await talk.judge(token, { [LISTS[verdict]]: [sample.id] });
      done();
      picksChanged(token, picks);
    }, () => {
      done();
      sample.judged = before;
      this.refresh(sample);
    });
  }

  recaption() {
    const [sample, token] = [this.sample(), this.token];
    if (!sample || this.captionText.value.trim() === sample.caption) return;
    const typed = this.captionText.value;
    this.send(async () => picksChanged(token, await talk.caption(token, sample.id, typed)), () => {
      this.captionText.value = sample.caption;
    });
  }

  /** One request after another, so that the last click is the last word. */
  send(request, back) {
    this.sending = this.sending.then(request).then(() => this.say(""), (error) => {
      back();
      this.say(`${words().lost} ${error.message}`, true);
    });
    return this.sending;
  }

  /** What is on file, told by the server: from this page, another one or the command line. */
  take(picks) {
    if (!this.told || picks.version < this.told.version) return; // messages overtake one another
    this.told.version = picks.version;
    const judged = new Map([...picks.rejected.map((i) => [i, "rejected"]), ...picks.accepted.map((i) => [i, "accepted"])]);
    for (const sample of this.told.samples) {
      if (!sample.lora) continue;
      if (!this.pending.has(sample.id)) sample.judged = judged.get(sample.id) ?? "";
      sample.edited = sample.id in picks.captions;
      sample.caption = picks.captions[sample.id] ?? sample.prompt;
      this.grid.mark(sample);
    }
    this.count();
    if (document.activeElement !== this.captionText) this.chosen(this.sample());
  }

  refresh(sample) {
    this.grid.mark(sample);
    if (sample.id === this.grid.focus) this.chosen(sample);
    this.count();
  }

  count() {
    const of = (verdict) => this.told.samples.filter((s) => s.judged === verdict && s.lora).length;
    this.counts.textContent = words().counts(of("accepted"), of("rejected"));
    this.buttons.undo.disabled = !this.history.length;
  }

  /** A line for the person, which stays until the next one. */
  say(text, bad = false) {
    this.message = { text, bad };
    this.showStatus();
  }

  /** With nothing to say, whether somebody waits. */
  showStatus() {
    const { text, bad } = this.message;
    this.status.textContent = text || (this.waits ? words().waitingFor(this.told.name) : "");
    this.status.classList.toggle("swf-bad", bad);
  }

  /** The picks stand: whoever waits goes on, or the graph is queued. */
  async go() {
    if (!this.told) return;
    const step = this.answering ?? this.told.steps.at(-1);
    await this.sending;
    try {
      const told = await talk.go(this.token, step);
      picksChanged(this.token, told);
      this.waits = false;
      this.clock.set(null);
      this.say(told.woken ? words().gone : await this.hooks.go(this.token, step));
    } catch (error) {
      this.say(`${words().lost} ${error.message}`, true);
    }
  }

  /** Nobody waits for this run any more. */
  over() {
    this.waits = false;
    this.answering = null;
    this.clock.set(null);
    this.showStatus();
  }

  /** Let go of everything: the board is not shown again. */
  remove() {
    this.over();
    boards.delete(this);
    this.element.remove();
  }
}
