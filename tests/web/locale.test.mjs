import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { WORDS as GALLERY } from "../../web/gallery/words.js";
import { followLocaleSetting, languageOf, translations } from "../../web/locale.js";
import { WORDS as PANEL } from "../../web/panel/words.js";

const hello = translations({ en: "hello", zh: "你好" });

function browserLanguage(language) {
  Object.defineProperty(globalThis, "navigator", { value: { language }, configurable: true });
}

beforeEach(() => {
  followLocaleSetting(() => undefined);
  browserLanguage("en-US");
});

test("every kind of Chinese is Chinese and all else is English", () => {
  assert.deepEqual(["zh", "zh-TW", "zh-CN"].map(languageOf), ["zh", "zh", "zh"]);
  assert.deepEqual(["en", "fr", "ja", "", undefined].map(languageOf), ["en", "en", "en", "en", "en"]);
});

test("the host's setting comes before the browser's language", () => {
  followLocaleSetting(() => "zh");
  assert.equal(hello(), "你好");
  browserLanguage("zh-CN");
  followLocaleSetting(() => "en");
  assert.equal(hello(), "hello");
});

test("without a setting the browser's language counts, without both it is English", () => {
  browserLanguage("zh-CN");
  assert.equal(hello(), "你好");
  browserLanguage(undefined);
  assert.equal(hello(), "hello");
});

test("a change of the setting is followed", () => {
  let locale = "en";
  followLocaleSetting(() => locale);
  assert.equal(hello(), "hello");
  locale = "zh";
  assert.equal(hello(), "你好");
});

for (const [feature, words] of Object.entries({ gallery: GALLERY, panel: PANEL })) {
  test(`the ${feature} has the same texts in both languages`, () => {
    const shape = (value) => (value && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]).sort()) : typeof value);
    assert.deepEqual(shape(words.zh), shape(words.en));
  });
}
