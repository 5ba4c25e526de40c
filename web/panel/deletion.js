// Deleting pieces from a caption: swf_core/words/strip/deletion.py in JavaScript, to the letter. Both are tested on the
// cases in tests/web/deletions.json, so that neither changes without the other.

// Python's white space, letters and digits: those of JavaScript's \s and \w are others.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const ALNUM = "\\p{L}\\p{N}_";
const SIGN = ".!?;,:|\\u3002\\uff01\\uff1f\\uff1b\\uff0c\\u3001\\uff1a";

const LEADING_SPACE = new RegExp(`^[${SPACE}]+`);
const TRAILING_SPACE = new RegExp(`[${SPACE}]+$`);
const HAS_ALNUM = new RegExp(`[${ALNUM}]`, "u");
const BEGINNING = new RegExp(`[${ALNUM}"'\\u201c\\u2018\\u300c\\u300e(\\[<#@&$\\u00ab\\u201d\\u2019\\u300d\\u300f)\\]]`, "u");
const TRAILING_SIGNS = new RegExp(`[${SPACE}${SIGN}\\-\\u2013\\u2014]*$`);
const SIGNS = new RegExp(`[${SIGN}]`, "g");
const STRENGTH = { "\u3002": 3, ".": 3, "!": 3, "?": 3, "\uff01": 3, "\uff1f": 3, ";": 2, "\uff1b": 2, "|": 2 };
const EMPTY_BRACKETS = new RegExp(
  `\\([${SPACE}]*[,;:]?[${SPACE}]*\\)|\\[[${SPACE}]*\\]|\\{[${SPACE}]*\\}|\\u201c[${SPACE}]*\\u201d|\\uff08[${SPACE}]*\\uff09`,
  "g",
);
const REPEATED_COMMAS = new RegExp(`,([${SPACE}]*,)+`, "g");
const SPACE_BEFORE_SIGN = new RegExp(`[${SPACE}]+([,;:.!?])`, "g");
const FIRST_SIGNS = /^[ ,;:.!?|\u3002\uff0c\uff1b\uff1a\u3001\-\u2013\u2014]+/;
const LAST_SIGNS = /[ ,;:|\uff0c\uff1b\uff1a\u3001\-\u2013\u2014]+$/;
const HALF_OF_DAY = new RegExp(`(?<![${ALNUM}])[ap]\\.m\\.$`, "u");

/** The caption without the characters in `spans`: [start, end) pairs, sorted, not overlapping. Of the signs around a cut
 * the strongest remains. */
export function deleteSpans(caption, spans) {
  if (!spans.length) return caption;
  let text = "";
  let at = 0;
  for (const [start, end] of [...spans, [caption.length, caption.length]]) {
    const [body, lead] = splitLead(caption.slice(at, start));
    text = body ? join(text, lead, body) : join(text.replace(TRAILING_SPACE, ""), lead, "");
    at = end;
  }
  return tidy(text, caption);
}

/** A piece from its first word on, and the blanks and signs before that. */
function splitLead(piece) {
  const start = piece.search(BEGINNING);
  return start < 0 || !HAS_ALNUM.test(piece) ? ["", piece] : [piece.slice(start), piece.slice(0, start)];
}

/** Two pieces with the strongest of the signs between them, or a blank. */
function join(left, lead, right) {
  const body = left.slice(0, left.search(TRAILING_SIGNS));
  if (!body) return right;
  const signs = (left.slice(body.length) + lead).match(SIGNS) ?? [];
  const strength = (sign) => STRENGTH[sign] ?? 1;
  const sign = signs.reduce((best, each) => (best && strength(best) >= strength(each) ? best : each), "");
  if (!right) return body + sign;
  const isWide = sign > "\u2000";
  const isChinese = isCjk(body.at(-1)) && isCjk(right[0]);
  return body + sign + (isWide || (isChinese && !sign) ? "" : " ") + right;
}

function isCjk(char) {
  return (char >= "\u2e80" && char <= "\u9fff") || (char >= "\uff00" && char <= "\uffef");
}

/** Without brackets whose partner was deleted. */
function withoutLoneBrackets(text) {
  const open = [];
  const lone = new Set();
  for (let k = 0; k < text.length; k++) {
    if ("([{".includes(text[k])) open.push(k);
    else if (")]}".includes(text[k]) && open.pop() === undefined) lone.add(k);
  }
  for (const k of open) lone.add(k);
  return lone.size ? text.split("").filter((_, k) => !lone.has(k)).join("") : text;
}

/** Empty brackets away, no sign at the ends but a full stop that the caption ended with. */
function tidy(joinedText, caption) {
  let [text, before] = [joinedText, null];
  while (text !== before) [text, before] = [text.replace(EMPTY_BRACKETS, ""), text];
  text = withoutLoneBrackets(text)
    .replace(/[ \t]{2,}/g, " ").replace(REPEATED_COMMAS, ",").replace(SPACE_BEFORE_SIGN, "$1")
    .replace(LEADING_SPACE, "").replace(TRAILING_SPACE, "").replace(FIRST_SIGNS, "").replace(LAST_SIGNS, "");
  const endsInStop = /[.\u3002]$/.test(text) && !HALF_OF_DAY.test(text);
  if (!endsInStop || /[.\u3002]$/.test(caption.replace(TRAILING_SPACE, ""))) return text;
  return text.slice(0, -1).replace(TRAILING_SPACE, "");
}
