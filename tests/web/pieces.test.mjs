import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { deleteSpans } from "../../web/panel/deletion.js";
import { isClickable, piecesOf, restoredPieces, withRestored } from "../../web/panel/pieces.js";

const CAPTION = "an oil painting of a red boat by the sea, muted tones";
const ROW = { caption: CAPTION, stripped: "a red boat by the sea", spans: [[0, 18], [40, 53]], edited: false };

function rowEdited(stripped) {
  return { ...ROW, stripped, edited: true };
}

test("the page deletes as the core does, on every shared case", () => {
  const cases = JSON.parse(readFileSync(new URL("./deletions.json", import.meta.url), "utf8"));
  assert.ok(cases.length > 500);
  for (const { caption, spans, text } of cases) {
    const characters = [...caption]; // Python counts characters, JavaScript those beyond the basic plane twice
    const place = (at) => characters.slice(0, at).join("").length;
    const message = JSON.stringify({ caption, spans });
    assert.equal(deleteSpans(caption, spans.map((span) => span.map(place))), text, message);
  }
});

test("a caption's pieces make the caption, and the removed ones know their span", () => {
  const pieces = piecesOf(ROW);
  assert.equal(pieces.map((piece) => piece.text).join(""), CAPTION);
  assert.deepEqual(pieces.map((piece) => piece.span), [0, undefined, 1]);
});

test("kept pieces stay in the text, and all of them are the caption", () => {
  assert.equal(withRestored(ROW, new Set()), "a red boat by the sea");
  assert.equal(withRestored(ROW, new Set([1])), "a red boat by the sea, muted tones");
  assert.equal(withRestored(ROW, new Set([0])), "an oil painting of a red boat by the sea");
  assert.equal(withRestored(ROW, new Set([0, 1])), CAPTION);
});

test("a line that an earlier click wrote is known again and can be clicked on", () => {
  const row = rowEdited("a red boat by the sea, muted tones");
  const restored = restoredPieces(row);
  assert.deepEqual([...restored], [1]);
  assert.ok(isClickable(row, restored));
  assert.equal(withRestored(row, new Set()), "a red boat by the sea"); // that click taken back
});

test("a line of the person's own words is not lost by a click", () => {
  for (const text of ["a green boat", "a green boat, muted tones"]) {
    const row = rowEdited(text);
    assert.equal(isClickable(row, restoredPieces(row)), false, text);
  }
});

test("a caption that was not edited can be clicked on", () => {
  assert.deepEqual([restoredPieces(ROW).size, isClickable(ROW, restoredPieces(ROW))], [0, true]);
});
