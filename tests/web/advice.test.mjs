import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";

import { ADVICE, adviceOf } from "../../web/gallery/advice.js";
import { followLocaleSetting } from "../../web/locale.js";

const RUN = { advice: "copied in 1 of 3", judgement: ["copied", { copied: 1, samples: 3 }] };

beforeEach(() => followLocaleSetting(() => "zh"));

test("advice is in the page's language, and English as the server says it", () => {
  assert.match(adviceOf(RUN), /^3 张样图中有 1 张照抄/);
  followLocaleSetting(() => "en");
  assert.equal(adviceOf(RUN), "copied in 1 of 3");
});

test("what has no words in the language is told as the server says it", () => {
  assert.equal(adviceOf({ advice: "new", judgement: ["new kind", {}] }), "new");
  assert.equal(adviceOf({ advice: "old server" }), "old server");
  assert.equal(adviceOf({ advice: "", judgement: ["nothing", {}] }), "");
});

test("every kind of advice has Chinese words", () => {
  const source = readFileSync(new URL("../../swf_core/learn/signals.py", import.meta.url), "utf8");
  const kinds = [...source.slice(source.indexOf("ADVICE = {"), source.indexOf("class Similarity")).matchAll(/^ {4}"([^"]+)": /gm)]
    .map((match) => match[1]).filter((kind) => kind !== "nothing");
  assert.ok(kinds.length >= 6);
  assert.deepEqual(kinds.filter((kind) => !(kind in ADVICE.zh)), []);
});
