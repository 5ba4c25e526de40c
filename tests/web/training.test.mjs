import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Training } from "../../web/gallery/training.js";

let api;
let left;
let ends;
let training;

beforeEach(() => {
  api = Object.assign(new EventTarget(), { clientId: "me" });
  [left, ends] = [[], []];
  training = new Training();
  training.listen(api, async () => ({ queue_running: left, queue_pending: [] }), (outcome) => ends.push(outcome));
});

async function ended(event, id) {
  api.dispatchEvent(Object.assign(new Event(event), { detail: { prompt_id: id } }));
  await new Promise(setImmediate);
}

for (const [event, outcome] of [
  ["execution_success", "done"], ["execution_error", "failed"], ["execution_interrupted", "cancelled"],
]) {
  test(`a training ends as its graph does: ${event}`, async () => {
    training.begin("learning");
    left = [[0, "p", {}, { client_id: "me" }]]; // the host takes it off its list a moment later
    await ended(event, "p");
    assert.deepEqual([ends, training.text], [[outcome], ""]);
  });
}

test("it lasts while another graph of this page is left, whatever others queue", async () => {
  training.begin("learning");
  left = [[0, "p", {}, { client_id: "me" }], [1, "q", {}, { client_id: "me" }]];
  await ended("execution_success", "p");
  assert.deepEqual([ends, training.text], [[], "learning"]);
  left = [[2, "r", {}, { client_id: "other" }]];
  await ended("execution_success", "q");
  assert.deepEqual(ends, ["done"]);
});

test("graphs that end while nothing was sent mean nothing", async () => {
  await ended("execution_success", "p");
  assert.deepEqual(ends, []);
});
