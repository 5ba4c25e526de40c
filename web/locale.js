// The page's language, and texts in it.

const FALLBACK = "en";
let readSetting = () => undefined;

/** Follow the host's language setting: `read` returns a locale like "zh-TW", or undefined while the host has none. */
export function followLocaleSetting(read) {
  readSetting = read;
}

/** The language of a locale: "zh" for every kind of Chinese, "en" for all others. */
export function languageOf(locale) {
  return String(locale).startsWith("zh") ? "zh" : "en";
}

/** A function that returns the texts of the page's language, of { en, zh }; the person may change it at any time. */
export function translations(texts) {
  return () => texts[languageOf(readSetting() ?? globalThis.navigator?.language ?? FALLBACK)];
}
