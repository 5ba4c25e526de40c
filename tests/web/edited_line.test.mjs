import assert from "node:assert/strict";
import { test } from "node:test";

import { readLine, writeLine } from "../../web/panel/edited_line.js";
import { fakeNode } from "./fake_page.mjs";

test("a row that is alone has the whole widget", () => {
  const node = fakeNode({ edited: "a boat\n by  the sea" });
  assert.equal(readLine(node, { index: 0, count: 1 }), "a boat by the sea");
  writeLine(node, { index: 0, count: 1 }, "a cat");
  assert.equal(node.widgets[0].value, "a cat");
});

test("of several rows each has a line, and the others stay", () => {
  const node = fakeNode({ edited: "one" });
  writeLine(node, { index: 2, count: 3 }, "three");
  assert.equal(node.widgets[0].value, "one\n\nthree");
  assert.deepEqual([0, 1, 2].map((index) => readLine(node, { index, count: 3 })), ["one", "", "three"]);
  writeLine(node, { index: 2, count: 3 }, "");
  assert.equal(node.widgets[0].value, "one");
});

test("the host hears of the change as if it had been typed", () => {
  const node = fakeNode({ edited: "" });
  const values = [];
  node.widgets[0].callback = (value) => values.push(value);
  node.setDirtyCanvas = () => values.push("drawn");
  writeLine(node, { index: 0, count: 1 }, "a cat");
  assert.deepEqual(values, ["a cat", "drawn"]);
});

test("a node without the widget is left alone", () => {
  const node = fakeNode({});
  writeLine(node, { index: 0, count: 1 }, "a cat");
  assert.equal(readLine(node, { index: 0, count: 1 }), "");
});
