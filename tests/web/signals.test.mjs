import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { judge, signalsInWords } from "../../web/gallery/signals.js";
import { WORDS } from "../../web/gallery/words.js";
import { followLocaleSetting } from "../../web/locale.js";

const PLAIN = { style: -0.3, prompt: 0.2, copying: 0 };

beforeEach(() => followLocaleSetting(() => "en"));

test("a sample's style is that of the plain model's sample, or nearer, or farther", () => {
  const judgement = (style) => judge({ style }, PLAIN, 0.6).style;
  assert.deepEqual([-0.2, -0.29, -0.31, -0.4].map(judgement), ["good", "same", "same", "bad"]);
});

test("a prompt is lost below half of what the plain model shows of it", () => {
  const judgement = (prompt) => judge({ prompt }, PLAIN, 0.6).prompt;
  assert.deepEqual([0.3, 0.11, 0.09, -0.1].map(judgement), ["good", "good", "bad", "bad"]);
  assert.equal(judge({ prompt: -0.2 }, { prompt: -0.1 }, 0.6).prompt, "good"); // nothing to lose
});

test("a layout is a copy above the server's limit", () => {
  const judgement = (copying) => judge({ copying }, PLAIN, 0.6).copying;
  assert.deepEqual([0, 0.3, 0.31, 0.6, 0.61].map(judgement), ["good", "good", "same", "same", "bad"]);
});

test("words say what the numbers mean, and titles have the numbers", () => {
  const [style, prompt, copying] = signalsInWords({ style: -0.2, prompt: 0.05, copying: 0.7 }, PLAIN, 0.6);
  assert.deepEqual([style.text, prompt.text, copying.text], ["nearer the style", "loses its prompt", "copies the layout"]);
  assert.deepEqual([style, prompt, copying].map((each) => each.isWarning), [false, true, true]);
  assert.match(style.title, /CLIP.*\nHere −0\.20, plain model −0\.30\.$/);
});

test("without a plain sample the number stands alone, and what is no number is left out", () => {
  const [style] = signalsInWords({ style: 0.5, prompt: null, copying: undefined }, undefined, 0.6);
  assert.equal(style.text, "style 0.50");
  assert.match(style.title, /Here 0\.50\.$/);
  assert.equal(signalsInWords({ style: 0.5, prompt: null }, PLAIN, 0.6).length, 1);
  assert.deepEqual(signalsInWords({}, PLAIN, 0.6), []);
});
