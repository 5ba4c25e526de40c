// What a board knows of its run: the samples with their verdicts, which step is shown, and the changes that are on their
// way to the server. No element is touched here.

export class RunState {
  constructor() {
    this.run = null; // as swf_core/learn/run_summary.py describes it, with `token` and `waits`
    this.forget(null);
  }

  /** Another run will be shown. The one before stays until that has arrived, without what was done to it. */
  forget(token) {
    this.token = token;
    this.shownStep = null; // null: all
    this.submitted = ""; // where the picks are on their way into a training: "", "sending", "training" or "kept"
    this.history = []; // [id, the verdict before], the last change last
    this.pending = new Map(); // samples whose last change is not answered yet, and how many changes
    this.endWait();
  }

  /** No node waits for this run any more. */
  endWait() {
    this.waiting = false;
    this.answerStep = null; // the step whose samples a node asks about
  }

  /** The run as the server describes it now. */
  update(run) {
    this.run = run;
    this.waiting = run.waits.length > 0;
    if (this.waiting) this.submitted = ""; // a node asks (again)
    this.answerStep = run.waits[0]?.step ?? this.answerStep;
  }

  sample(id) {
    return this.run?.samples.find((sample) => sample.id === id);
  }

  /** The step that an answer is about: what a node asks for, else the last one. */
  stepToAnswer() {
    return this.answerStep ?? this.run.steps.at(-1);
  }

  /** Where the slider of steps stands, from 0; at its end all steps are shown. */
  get sliderPosition() {
    return this.shownStep === null ? this.run.steps.length : this.run.steps.indexOf(this.shownStep);
  }

  set sliderPosition(position) {
    this.shownStep = position >= this.run.steps.length ? null : this.run.steps[position];
  }

  /** The verdict that a click on a sample means: the one that was clicked, or none where it had that already. The plain
   * model's samples take none: undefined. */
  clickedVerdict(sample, verdict) {
    if (!sample?.lora) return undefined;
    this.history.push([sample.id, sample.verdict]);
    return sample.verdict === verdict ? "" : verdict;
  }

  /** Take back the last click: the sample and its verdict before, or null. */
  popHistory() {
    const [id, verdict] = this.history.pop() ?? [];
    const sample = this.sample(id);
    return sample ? { sample, verdict } : null;
  }

  /** Change a verdict at once, before the server has it. Returns { settle, revert }, one of which has to be called. */
  setVerdict(sample, verdict) {
    const before = sample.verdict;
    const { pending } = this;
    sample.verdict = verdict;
    pending.set(sample.id, (pending.get(sample.id) ?? 0) + 1);
    const settle = () => {
      const rest = pending.get(sample.id) - 1;
      if (rest) pending.set(sample.id, rest);
      else pending.delete(sample.id);
    };
    return {
      settle,
      revert() {
        settle();
        sample.verdict = before;
      },
    };
  }

  /** The picks on file, sent by the server: from this page, another one or the command line. Older ones than are known
   * change nothing (messages overtake one another): false. */
  applyPicks(picks) {
    if (!this.run || picks.version < this.run.version) return false;
    this.run.version = picks.version;
    if (this.submitted !== "sending" && !picks.answered.includes(this.stepToAnswer())) this.submitted = "";
    const verdicts = new Map([
      ...picks.rejected.map((id) => [id, "rejected"]), ...picks.accepted.map((id) => [id, "accepted"]),
    ]);
    for (const sample of this.run.samples) {
      if (!sample.lora) continue;
      if (!this.pending.has(sample.id)) sample.verdict = verdicts.get(sample.id) ?? "";
      sample.edited = sample.id in picks.captions;
      sample.caption = picks.captions[sample.id] ?? sample.prompt;
    }
    return true;
  }

  count(verdict) {
    return this.run.samples.filter((sample) => sample.verdict === verdict && sample.lora).length;
  }

  /** What was measured at a sample's step, if anything. */
  evaluationOf(sample) {
    return this.run.evaluations.find((evaluation) => evaluation.step === sample.step);
  }
}
