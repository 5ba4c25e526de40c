import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RunState } from "../../web/gallery/run_state.js";

let state;
let a;
let plain;

function run(more = {}) {
  const sample = (id, step, lora) => ({ id, step, lora, verdict: "", caption: "a cat", prompt: "a cat", edited: false });
  return {
    version: 3, steps: [0, 10, 20], samples: [sample("p", 0, false), sample("a", 10, true), sample("b", 20, true)],
    evaluations: [{ step: 10, norm: 1 }], waits: [], ...more,
  };
}

function picks(version, more = {}) {
  return { version, accepted: [], rejected: [], captions: {}, answered: [], ...more };
}

beforeEach(() => {
  state = new RunState();
  state.forget("t");
  state.update(run());
  a = state.sample("a");
  plain = state.sample("p");
});

test("a click gives a verdict, the same click takes it back, another changes it", () => {
  assert.equal(state.clickedVerdict(a, "accepted"), "accepted");
  state.setVerdict(a, "accepted").settle();
  assert.equal(state.clickedVerdict(a, "accepted"), "");
  assert.equal(state.clickedVerdict(a, "rejected"), "rejected");
});

test("the plain model's samples take no verdict and leave no history", () => {
  assert.equal(state.clickedVerdict(plain, "accepted"), undefined);
  assert.equal(state.clickedVerdict(undefined, "accepted"), undefined);
  assert.equal(state.popHistory(), null);
});

test("undo goes back click by click", () => {
  for (const verdict of ["accepted", "rejected"]) state.setVerdict(a, state.clickedVerdict(a, verdict)).settle();
  assert.deepEqual([state.popHistory().verdict, state.popHistory().verdict, state.popHistory()], ["accepted", "", null]);
});

test("a verdict that was not saved is taken back", () => {
  state.setVerdict(a, "accepted").settle();
  state.setVerdict(a, "rejected").revert();
  assert.equal(a.verdict, "accepted");
  assert.equal(state.pending.size, 0);
});

test("picks from the server give verdicts and captions", () => {
  assert.ok(state.applyPicks(picks(4, { accepted: ["a"], rejected: ["b"], captions: { a: "my cat" } })));
  assert.deepEqual([a.verdict, a.caption, a.edited, state.sample("b").verdict], ["accepted", "my cat", true, "rejected"]);
  assert.deepEqual([state.count("accepted"), state.count("rejected")], [1, 1]);
  assert.ok(state.applyPicks(picks(5)));
  assert.deepEqual([a.verdict, a.caption, a.edited], ["", "a cat", false]);
});

test("picks older than those that are known change nothing", () => {
  state.applyPicks(picks(7, { accepted: ["a"] }));
  assert.equal(state.applyPicks(picks(6)), false);
  assert.equal(a.verdict, "accepted");
});

test("picks that arrive while a click is on its way leave that sample alone, until all its clicks are answered", () => {
  const first = state.setVerdict(a, "accepted");
  const second = state.setVerdict(a, "rejected");
  state.applyPicks(picks(4, { accepted: ["b"] }));
  first.settle();
  state.applyPicks(picks(5, { accepted: ["a"] }));
  assert.deepEqual([a.verdict, state.sample("b").verdict], ["rejected", ""]);
  second.settle();
  state.applyPicks(picks(6, { rejected: ["a"] }));
  assert.equal(a.verdict, "rejected");
});

test("picks never give the plain model's samples a verdict", () => {
  state.applyPicks(picks(4, { accepted: ["p"] }));
  assert.equal(plain.verdict, "");
});

test("picks before any run has arrived change nothing", () => {
  assert.equal(new RunState().applyPicks(picks(1)), false);
});

test("the slider goes over the steps and shows all at its end", () => {
  assert.deepEqual([state.shownStep, state.sliderPosition], [null, 3]);
  state.sliderPosition = 1;
  assert.deepEqual([state.shownStep, state.sliderPosition], [10, 1]);
  state.sliderPosition = 3;
  assert.equal(state.shownStep, null);
});

test("an answer is about the step that a node asks for, else about the last", () => {
  assert.equal(state.stepToAnswer(), 20);
  state.update(run({ waits: [{ step: 10 }] }));
  assert.deepEqual([state.waiting, state.stepToAnswer()], [true, 10]);
  state.update(run());
  assert.deepEqual([state.waiting, state.stepToAnswer()], [false, 10]);
  state.endWait();
  assert.equal(state.stepToAnswer(), 20);
});

test("another run starts without history, step and wait", () => {
  state.clickedVerdict(a, "accepted");
  state.sliderPosition = 1;
  state.update(run({ waits: [{ step: 10 }] }));
  state.forget("other");
  assert.deepEqual([state.popHistory(), state.shownStep, state.waiting, state.answerStep], [null, null, false, null]);
});

test("a sample's evaluation is that of its step", () => {
  assert.equal(state.evaluationOf(a).norm, 1);
  assert.equal(state.evaluationOf(state.sample("b")), undefined);
});

test("picks that were sent are sent again only when something about them changes", () => {
  state.submitted = "training";
  state.applyPicks(picks(4, { answered: [20] }));
  assert.equal(state.submitted, "training");
  state.applyPicks(picks(5, { accepted: ["a"] }));
  assert.equal(state.submitted, "");
});

test("picks on their way stay so whatever comes in between, and a node that asks again takes new ones", () => {
  state.submitted = "sending";
  state.applyPicks(picks(4, { accepted: ["a"] }));
  assert.equal(state.submitted, "sending");
  state.submitted = "kept";
  state.update(run());
  assert.equal(state.submitted, "kept");
  state.update(run({ waits: [{ step: 10 }] }));
  assert.equal(state.submitted, "");
});
