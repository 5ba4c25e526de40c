// One run's gallery: the grid, the style picture, the chosen sample's details, and the keys. The same element serves on a
// node and in the full-size dialog; every click is sent at once, and taken back on the page when it was not saved.

import { make } from "../dom.js";
import { adviceOf } from "./advice.js";
import { Clock } from "./clock.js";
import { frame } from "./frame.js";
import { Grid } from "./grid.js";
import { keyHandler } from "./keys.js";
import { Pictures } from "./pictures.js";
import { RunState } from "./run_state.js";
import { Submission } from "./submission.js";
import { words } from "./words.js";
import { Zoom } from "./zoom.js";

const VERDICT_LISTS = { accepted: "accept", rejected: "reject", "": "forget" };
const KEYS = { accept: "Enter", reject: "X" };
const STYLE_PX = 512;
const boards = new Set();

/** Show the picks on file on every board of their run. */
export function applyPicks(token, picks) {
  for (const board of boards) if (board.state.token === token) board.applyPicks(picks);
}

/** The graphs that this page queued have come to an end, as `outcome` (a key of `words().trained`). */
export function endTraining(outcome) {
  for (const board of boards) board.submission.end(outcome);
}

export class Board {
  /** `client`: api_client.js. `callbacks`: onContinue(token, step) after an answer that no node waited for, which returns
   * { text, goesOn }: what it did, and whether a graph runs now; onTraining(run's name, accepted) when one does;
   * openDialog(token) and minimize() where there are such buttons. `compact`: on a node. */
  constructor(client, callbacks, compact) {
    this.client = client;
    this.callbacks = callbacks;
    this.state = new RunState();
    this.message = { text: "", isError: false };
    this.sending = Promise.resolve();
    this.clock = new Clock();
    this.submission = new Submission(this, () => this.siblings(), applyPicks);
    this.pictures = new Pictures(client.picture);
    this.grid = new Grid({
      pictures: this.pictures,
      onChoose: (sample) => this.showChosen(sample),
      onVerdict: (sample, verdict) => this.click(sample, verdict),
    });
    const { root, parts } = frame({ actions: this.actions(), compact, grid: this.grid.element, clock: this.clock.element });
    this.element = root;
    this.parts = parts;
    this.zoom = new Zoom({
      root, main: parts.main, grid: this.grid, pictures: this.pictures, run: () => this.state.run,
      showMessage: (text) => this.showMessage(text),
    });
    this.listen();
    boards.add(this);
  }

  /** All boards that show this one's run. */
  siblings() {
    return [...boards].filter((board) => board.state.token === this.state.token);
  }

  /** What the buttons of the frame do. */
  actions() {
    return {
      setVerdict: (verdict) => this.click(this.chosen(), verdict),
      undo: () => this.undo(),
      zoom: () => this.zoom.toggle(),
      compare: () => this.zoom.compare(),
      submit: () => this.submission.send(),
      moveSlider: () => this.moveSlider(),
      setCaption: () => this.setCaption(),
      openDialog: () => this.callbacks.openDialog?.(this.state.token),
      minimize: () => this.callbacks.minimize?.(),
    };
  }

  listen() {
    this.element.addEventListener("keydown", keyHandler({
      grid: this.grid, zoom: this.zoom, isReady: () => Boolean(this.state.run), chosen: () => this.chosen(),
      setVerdict: (sample, verdict) => this.click(sample, verdict), undo: () => this.undo(), submit: () => this.submission.send(),
    }));
    for (const kind of ["pointerdown", "dblclick", "paste", "copy"]) {
      this.element.addEventListener(kind, (event) => event.stopPropagation()); // the canvas would act on it
    }
  }

  /** Show a run as the server describes it now. `answerStep`: the step that a node asks about, if one does. */
  async load(token, answerStep = null) {
    const { state } = this;
    if (token !== state.token) {
      state.forget(token);
      this.pictures.clear();
      this.stopWaiting();
      this.zoom.forget();
      this.showMessage("");
    }
    state.answerStep = answerStep ?? state.answerStep;
    try {
      const run = await this.client.run(token);
      if (state.token !== token) return;
      state.update(run);
      this.clock.set(run.waits[0]?.seconds_left); // here and not in `draw`, which draws an old answer again
      this.draw();
    } catch (error) {
      this.showMessage(error.message, true);
    }
  }

  draw() {
    const say = words();
    const { state, parts } = this;
    const { run, shownStep } = state;
    parts.slider.max = String(run.steps.length);
    parts.slider.value = String(state.sliderPosition);
    parts.sliderText.textContent = shownStep === null ? say.allSteps : `${say.step} ${shownStep}`;
    this.grid.draw(run, shownStep);
    parts.styles.replaceChildren(...run.originals.slice(0, 4).map((original) => this.stylePicture(original)));
    parts.advice.textContent = adviceOf(run);
    this.drawCounts();
    this.submission.draw();
    this.drawStatus();
  }

  stylePicture(original) {
    const image = make("img", { alt: `${words().style}: ${original.caption}`, title: original.caption });
    this.pictures.show(image, this.state.run.token, original.id, STYLE_PX);
    image.addEventListener("click", () => this.zoom.toggle(original));
    return image;
  }

  moveSlider() {
    if (!this.state.run) return;
    this.state.sliderPosition = Number(this.parts.slider.value);
    this.draw();
  }

  /** The sample that has the focus. */
  chosen() {
    return this.state.sample(this.grid.focus);
  }

  /** Show the details of the sample that has the focus now. */
  showChosen(sample) {
    if (!sample) return;
    const say = words();
    const { buttons, caption, details } = this.parts;
    for (const [name, verdict] of [["accept", "accepted"], ["reject", "rejected"]]) {
      buttons[name].disabled = !sample.lora;
      buttons[name].title = sample.lora ? KEYS[name] : say.plainHint;
      buttons[name].setAttribute("aria-pressed", String(sample.verdict === verdict));
    }
    this.parts.hint.textContent = sample.lora ? "" : say.plainHint;
    caption.value = sample.caption;
    caption.disabled = !sample.lora;
    const evaluation = this.state.evaluationOf(sample);
    const number = (value) => (typeof value === "number" ? value.toFixed(3) : "–");
    const { validation, norm, diversity } = evaluation ?? {};
    details.textContent = [
      sample.lora ? `${say.step} ${sample.step}` : say.plain, sample.edited ? say.ownCaption : "",
      evaluation ? say.evaluation(number(validation), number(norm), number(diversity)) : "",
    ].filter(Boolean).join(" · ");
    this.zoom.show(sample);
  }

  /** Give a sample a verdict, or take it back when it has that one. */
  click(sample, clicked) {
    const verdict = this.state.clickedVerdict(sample, clicked);
    if (verdict !== undefined) this.setVerdict(sample, verdict);
  }

  undo() {
    const change = this.state.popHistory();
    if (change) this.setVerdict(change.sample, change.verdict);
  }

  setVerdict(sample, verdict) {
    this.submission.mark("");
    const { token } = this.state;
    const { settle, revert } = this.state.setVerdict(sample, verdict);
    this.drawSample(sample);
    this.send(async () => {
      const picks = await this.client.setVerdicts(token, { [VERDICT_LISTS[verdict]]: [sample.id] });
      settle();
      applyPicks(token, picks);
    }, () => {
      revert();
      this.drawSample(sample);
    });
  }

  /** Send the caption that was typed for the chosen sample. */
  setCaption() {
    const [sample, token, typed] = [this.chosen(), this.state.token, this.parts.caption.value];
    if (!sample || typed.trim() === sample.caption) return;
    this.submission.mark("");
    this.send(async () => applyPicks(token, await this.client.setCaption(token, sample.id, typed)), () => {
      this.parts.caption.value = sample.caption;
    });
  }

  /** One request after another, so that the last click counts; `revert` is called for one that failed. */
  send(request, revert) {
    this.sending = this.sending.then(request).then(() => this.showMessage(""), (error) => {
      revert();
      this.showMessage(`${words().notSaved} ${error.message}`, true);
    });
    return this.sending;
  }

  /** The picks on file, sent by the server. */
  applyPicks(picks) {
    if (!this.state.applyPicks(picks)) return;
    for (const sample of this.state.run.samples) if (sample.lora) this.grid.mark(sample);
    this.drawCounts();
    this.submission.draw();
    if (document.activeElement !== this.parts.caption) this.showChosen(this.chosen());
  }

  drawSample(sample) {
    this.grid.mark(sample);
    if (sample.id === this.grid.focus) this.showChosen(sample);
    this.drawCounts();
  }

  drawCounts() {
    this.parts.counts.textContent = words().counts(this.state.count("accepted"), this.state.count("rejected"));
    this.parts.buttons.undo.disabled = !this.state.history.length;
  }

  /** A line for the person, which stays until the next one. */
  showMessage(text, isError = false) {
    this.message = { text, isError };
    this.drawStatus();
  }

  /** The message; without one, whether a node waits. */
  drawStatus() {
    const { text, isError } = this.message;
    const { waiting, run } = this.state;
    this.parts.status.textContent = text || (waiting ? words().waitingFor(run.name) : "");
    this.parts.status.classList.toggle("swf-bad", isError);
  }

  /** No node waits for this run any more. */
  stopWaiting() {
    this.state.endWait();
    this.clock.set(null);
    this.drawStatus();
  }

  /** Let go of everything: the board is not shown again. */
  remove() {
    this.stopWaiting();
    this.pictures.clear();
    this.grid.remove();
    boards.delete(this);
    this.element.remove();
  }
}
