// What this page knows of a training that it sent picks to: what to say of it, and how the graphs that it queued ended.

const OUTCOMES = { execution_success: "done", execution_error: "failed", execution_interrupted: "cancelled" };

export class Training {
  constructor() {
    this.text = ""; // while a graph learns
  }

  begin(text) {
    this.text = text;
  }

  /** Follow the host's events; `onEnd(outcome)`, "done", "failed" or "cancelled", when none of this page's graphs is left.
   * `queue()` gives the host's queue. */
  listen(api, queue, onEnd) {
    for (const [event, outcome] of Object.entries(OUTCOMES)) {
      api.addEventListener(event, async ({ detail }) => {
        if (!this.text) return;
        const { queue_running: running = [], queue_pending: pending = [] } = await queue().catch(() => ({}));
        const isLeft = ([, id, , extra]) => extra?.client_id === api.clientId && id !== detail?.prompt_id;
        if ([...running, ...pending].some(isLeft)) return;
        this.text = "";
        onEnd(outcome);
      });
    }
  }
}
