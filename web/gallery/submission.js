// Sending a board's picks into a training: what its button says and when it can be pressed.

import { words } from "./words.js";

export class Submission {
  /** `board`: whose picks; `siblings()`: all boards that show its run; `applyPicks(token, picks)`. */
  constructor(board, siblings, applyPicks) {
    Object.assign(this, { board, siblings, applyPicks });
  }

  /** The picks stand: the node that waits goes on, or the graph is queued. */
  async send() {
    const { board } = this;
    const { state, client, callbacks, clock } = board;
    if (!state.run || state.submitted) return;
    const { token } = state;
    const step = state.stepToAnswer();
    this.mark("sending");
    await board.sending;
    try {
      const answer = await client.answer(token, step);
      this.applyPicks(token, answer);
      state.waiting = false;
      clock.set(null);
      this.mark("training"); // before the graph is queued: it may be done at once
      const { text, goesOn } = answer.ended_waits
        ? { text: words().continued, goesOn: true } : await callbacks.onContinue(token, step);
      if (!goesOn) this.mark("kept");
      board.showMessage(text);
      if (goesOn) callbacks.onTraining?.(state.run.name, state.count("accepted"));
    } catch (error) {
      this.mark("");
      board.showMessage(`${words().notSaved} ${error.message}`, true);
    }
  }

  /** How far the picks are (a key of `words().submit`), on every board of the run. */
  mark(stage) {
    for (const board of this.siblings()) {
      board.state.submitted = stage;
      board.submission.draw();
    }
  }

  draw() {
    const { submit } = this.board.parts.buttons;
    const { submitted, run } = this.board.state;
    submit.textContent = words().submit[submitted];
    submit.title = submitted ? words().submitHint[submitted] : "G";
    submit.disabled = Boolean(submitted) || !run;
  }

  /** The graph that learned from the picks has ended (a key of `words().trained`): the run has more to show. */
  async end(outcome) {
    const { board } = this;
    if (board.state.submitted !== "training") return;
    board.state.submitted = "";
    await board.load(board.state.token);
    board.showMessage(words().trained[outcome], outcome === "failed");
  }
}
