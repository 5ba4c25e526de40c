import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { keyHandler } from "../../web/gallery/keys.js";

let calls;
let target;
let press;

beforeEach(() => {
  calls = [];
  const record = (name) => (...values) => calls.push([name, ...values]);
  target = {
    grid: { move: record("move"), choose: record("choose"), inColumn: (n) => (n < 3 ? { id: `n${n}` } : undefined) },
    zoom: { viewer: null, toggle: record("zoom"), close: record("close"), compare: record("compare"),
      showStyle: record("style") },
    isReady: () => true, chosen: () => "chosen", setVerdict: record("verdict"), undo: record("undo"),
    submit: record("submit"),
  };
  const handle = keyHandler(target);
  press = (key, more = {}) => {
    const event = {
      key, target: { tagName: "BUTTON", classList: { contains: (name) => name === "swf-cell" } }, prevented: false,
      stopped: false, preventDefault() { this.prevented = true; }, stopPropagation() { this.stopped = true; }, ...more,
    };
    handle(event);
    return event;
  };
});

test("arrows move in the grid and take the focus along", () => {
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) press(key);
  assert.deepEqual(calls, [["move", 0, -1], ["move", 0, 1], ["move", -1, 0], ["move", 1, 0]]);
});

test("in the zoom left and right are other prompts, up and down other steps", () => {
  target.zoom.viewer = {};
  for (const key of ["ArrowLeft", "ArrowDown"]) press(key);
  assert.deepEqual(calls, [["move", -1, 0, false], ["move", 0, 1, false]]);
});

test("letters act in both cases", () => {
  for (const key of ["Enter", "a", "A", "x", "Z", " ", "c", "s", "G"]) assert.ok(press(key).prevented, key);
  assert.deepEqual(calls, [
    ["verdict", "chosen", "accepted"], ["verdict", "chosen", "accepted"], ["verdict", "chosen", "accepted"],
    ["verdict", "chosen", "rejected"], ["undo"], ["zoom"], ["compare"], ["style"], ["submit"],
  ]);
});

test("a digit accepts in the column, where it has so many samples", () => {
  press("2");
  assert.deepEqual(calls, [["choose", "n1", true], ["verdict", { id: "n1" }, "accepted"]]);
  assert.equal(press("9").prevented, false);
});

test("plus, minus and zero are the zoom's, while it is open", () => {
  press("+");
  assert.deepEqual(calls, []);
  target.zoom.viewer = { zoom: (factor) => calls.push(factor), reset: () => calls.push("reset") };
  for (const key of ["+", "-", "0"]) press(key);
  assert.deepEqual(calls, [1.25, 0.8, "reset"]);
});

test("Escape closes the zoom alone, and without a zoom it is left to the dialog", () => {
  const before = press("Escape");
  assert.deepEqual([before.prevented, before.stopped, calls], [false, false, []]);
  target.zoom.viewer = {};
  const event = press("Escape");
  assert.deepEqual([event.prevented, event.stopped, calls], [true, true, [["close"]]]);
});

test("no key reaches the host but Escape and Tab", () => {
  assert.deepEqual(["q", "x", "Tab"].map((key) => press(key).stopped), [true, true, false]);
});

test("what is typed or pressed elsewhere does nothing", () => {
  const noClass = { contains: () => false };
  press("x", { target: { tagName: "TEXTAREA" } });
  press("x", { target: { tagName: "SELECT" } });
  press("ArrowLeft", { target: { tagName: "INPUT", type: "range", classList: noClass } });
  press("a", { ctrlKey: true });
  press("a", { metaKey: true });
  press("a", { altKey: true });
  press("Enter", { target: { tagName: "BUTTON", classList: noClass } });
  press(" ", { target: { tagName: "BUTTON", classList: noClass } });
  assert.deepEqual(calls, []);
  press("x", { target: { tagName: "BUTTON", classList: noClass } });
  assert.equal(calls.length, 1);
});

test("nothing happens before a run is shown", () => {
  target.isReady = () => false;
  for (const key of ["x", "g", "1", "ArrowLeft"]) press(key);
  assert.deepEqual(calls, []);
});
