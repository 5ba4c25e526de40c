import assert from "node:assert/strict";
import { test } from "node:test";

import { readEdits, writeEdits } from "../../web/panel/palette_edits.js";

const COLORS = ["#a63f1b", "#e9c46a", "#ffffff"];

test("edits are written with all colors, so that the others stay", () => {
  assert.equal(writeEdits(COLORS, new Map([["#e9c46a", "#1d3557"]])), "#a63f1b,\n#e9c46a -> #1d3557,\n#ffffff");
});

test("no edit, or one that changes nothing, is an empty text", () => {
  assert.equal(writeEdits(COLORS, new Map()), "");
  assert.equal(writeEdits(COLORS, new Map([["#a63f1b", "#a63f1b"]])), "");
  assert.equal(writeEdits(COLORS, new Map([["#123456", "#000000"]])), ""); // of another picture
});

test("what was written is read again", () => {
  const edits = readEdits(writeEdits(COLORS, new Map([["#a63f1b", "#000000"], ["#ffffff", "#eeeeee"]])));
  assert.deepEqual([...edits], [["#a63f1b", "#000000"], ["#e9c46a", "#e9c46a"], ["#ffffff", "#eeeeee"]]);
});

test("typed edits may have names, capitals, blanks and other separators", () => {
  assert.deepEqual([...readEdits(" #A63F1B->navy ;\n#E9C46A -> rgb(1, 2, 3)")],
    [["#a63f1b", "navy"], ["#e9c46a", "rgb(1, 2, 3)"]]);
});

test("an empty text has no edits, and a palette of colors is none", () => {
  assert.equal(readEdits(" \n").size, 0);
  assert.equal(readEdits("navy 60%, #e9c46a, rgb(1, 2, 3)"), null);
});
