// Who waits for picks: kept as the server tells it, and told in turn that this page shows them.

import { talk } from "./talk.js";

const EVERY_MS = 5000;
const waits = new Map();

/** Those who wait now, the first one first. */
export function waiting() {
  return [...waits.values()];
}

export function addWait(wait) {
  waits.set(wait.wait, wait);
  talk.here(wait.wait).catch(() => waits.delete(wait.wait));
}

export function endWait(id) {
  const found = waits.get(id);
  waits.delete(id);
  return found;
}

/** After a reload, a lost connection or a restart: ask who waits. Returns those who no longer do. */
export async function askAgain() {
  const told = await talk.everything();
  const now = new Set(told.waiting.map((w) => w.wait));
  const lost = waiting().filter((w) => !now.has(w.wait));
  for (const wait of lost) waits.delete(wait.wait);
  for (const wait of told.waiting) addWait(wait);
  return lost;
}

export function startBeating() {
  setInterval(() => {
    for (const id of waits.keys()) talk.here(id).catch((error) => error.status === 410 && waits.delete(id));
  }, EVERY_MS);
  window.addEventListener("pagehide", () => {
    for (const id of waits.keys()) talk.goodbye(id);
  });
}
