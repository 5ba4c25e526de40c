// Who waits for picks: kept as the server tells it, and told in turn that this page shows them.

import { talk } from "./talk.js";

const EVERY_MS = 5000;
const waits = new Map();
let server = null; // which start of the server this page spoke to last
let denied = () => {};

/** Those who wait now, the first one first. */
export function waiting() {
  return [...waits.values()];
}

export function addWait(wait) {
  waits.set(wait.wait, wait);
  beat(wait.wait);
}

export function endWait(id) {
  waits.delete(id);
}

/** Who waits, as the server tells it after a reload, a lost connection or a restart. Returns whether somebody's wait was
 * lost because it is another server than before. */
export function takeOver(told) {
  const now = new Set(told.waiting.map((w) => w.wait));
  const lost = waiting().filter((w) => !now.has(w.wait));
  const restarted = server !== null && server !== told.server;
  server = told.server;
  for (const wait of lost) endWait(wait.wait);
  for (const wait of told.waiting) addWait(wait);
  return restarted && lost.length > 0;
}

function beat(id) {
  talk.here(id).catch((error) => {
    if (error.status === 410) denied(); // it has ended, or the server was restarted; while it is away nothing is known
  });
}

/** Say every few seconds that this page shows those who wait; `ask` is called when the server denies one of them. */
export function startBeating(ask) {
  denied = ask;
  setInterval(() => [...waits.keys()].forEach(beat), EVERY_MS);
  window.addEventListener("pagehide", () => {
    for (const id of waits.keys()) talk.goodbye(id);
  });
}
