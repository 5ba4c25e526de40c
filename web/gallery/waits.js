// The nodes that wait for picks, as the server lists them; this page confirms every few seconds that it shows them.

const EVERY_MS = 5000;

export class Waits {
  constructor(client) {
    this.client = client;
    this.byId = new Map();
    this.server = null; // which start of the server this page heard from last
    this.onDenied = () => {};
  }

  /** The waits of now, the oldest first. */
  list() {
    return [...this.byId.values()];
  }

  add(wait) {
    this.byId.set(wait.wait, wait);
    this.confirm(wait.wait);
  }

  end(id) {
    this.byId.delete(id);
  }

  /** Take the server's list after a reload, a lost connection or a restart. Returns whether a wait was lost because it is
   * another server than before. */
  replace(overview) {
    const current = new Set(overview.waits.map((wait) => wait.wait));
    const lost = this.list().filter((wait) => !current.has(wait.wait));
    const restarted = this.server !== null && this.server !== overview.server;
    this.server = overview.server;
    for (const wait of lost) this.end(wait.wait);
    for (const wait of overview.waits) this.add(wait);
    return restarted && lost.length > 0;
  }

  confirm(id) {
    return this.client.confirmWait(id).catch((error) => {
      if (error.status === 410) this.onDenied(); // it has ended, or the server was restarted; no answer says nothing
    });
  }

  /** Confirm again and again; `onDenied` is called when the server does not know one of the waits. */
  startConfirming(onDenied) {
    this.onDenied = onDenied;
    setInterval(() => [...this.byId.keys()].forEach((id) => this.confirm(id)), EVERY_MS);
    window.addEventListener("pagehide", () => {
      for (const id of this.byId.keys()) this.client.sendClosed(id);
    });
  }
}
