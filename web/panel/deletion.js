// Deleting pieces from a caption: swf_core/words/strip/deletion.py in JavaScript, to the letter. Both are tested on the
// cases in tests/web/deletions.json, so that neither changes without the other.

// Python's white space, letters and digits: those of JavaScript's \s and \w are others.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SIGN = ".!?;,:|\\u3002\\uff01\\uff1f\\uff1b\\uff0c\\u3001\\uff1a";
// Before a letter or a bracket ":" and ";" are no signs but a part of what follows: a weight ":1.3)", a face ":3"; "-" before a digit.
const SIGN_BEFORE = "[.!?,|\\u3002\\uff01\\uff1f\\uff1b\\uff0c\\u3001\\uff1a]|[:;](?![\\p{L}\\p{N}_()<>\\[\\]])";
const DASHES = "\\-\\u2013\\u2014";
const LONE_MARKS = "/+*~\\u2022\\u00b7\\u2026";
const OPENING = "(\\[{\\u201c\\uff08";
const CLOSING = ")\\]}\\u201d\\uff09";
const QUOTES = "\"'\\u201c\\u201d\\u2018\\u2019\\u00ab\\u00bb\\u300c-\\u300f";

const HAS_LETTER = /[\p{L}\p{N}_]/u;
const TRAILING_SPACE = new RegExp(`[${SPACE}]+$`);
const IS_SPACE = new RegExp(`[${SPACE}]`);
const ENDS_IN_SPACE = new RegExp(`[${SPACE}]$`);
// What stands around a cut and belongs to nothing else: blanks, signs, dashes, a lone stroke or plus.
const LEAD = new RegExp(`^(?:${SIGN_BEFORE}|[${SPACE}\\u2013\\u2014]|-(?!\\d)|[${LONE_MARKS}](?=[${SPACE}]|$))*`, "u");
const AROUND = new RegExp(`[${SPACE}${SIGN}${DASHES}]`);
const LONE_MARK = new RegExp(`[${LONE_MARKS}]`);
// Of a piece without a letter all but these goes.
const LOOSE = new RegExp(`[^${SPACE}${SIGN}${DASHES}()\\[\\]{}${QUOTES}\\uff08\\uff09]`, "gu");
const SIGNS = new RegExp(`[${SIGN}]`, "g");
const HAS_DASH = new RegExp(`[${DASHES}]`);
const STRENGTH = { "\u3002": 3, ".": 3, "!": 3, "?": 3, "\uff01": 3, "\uff1f": 3, ";": 2, "\uff1b": 2, "|": 2 };
const PARTNERS = { "(": ")", "[": "]", "{": "}", "\u201c": "\u201d", "\uff08": "\uff09" };
const INSIDE = " \t\n\r\f\v,;:";
const CLOSED = new RegExp(`^[${INSIDE}]*\\\\?([${CLOSING}])`);
const BEGINS_CLOSED = new RegExp(`^[${CLOSING}]`);
const ENDS_OPENED = new RegExp(`[${OPENING}]$`);
const LAST_SIGNS = /[ ,;:|\uff0c\uff1b\uff1a\u3001\-\u2013\u2014]+$/;
const HALF_OF_DAY = /(?<![\p{L}\p{N}_])[ap]\.m\.$/u;

/** The caption without the characters in `spans`: [start, end) pairs, sorted, not overlapping. Of the signs around a cut
 * the strongest remains; what no cut touches stays as it is. */
export function deleteSpans(caption, spans) {
  if (!spans.length) return caption;
  const pieces = piecesLeft(caption, withPartners(caption, spans));
  const text = pieces.reduce(join);
  return HAS_LETTER.test(pieces.at(-1)) ? text : ended(text, caption);
}

/** The spans, and beside them the brackets whose partner lies in one. */
function withPartners(caption, spans) {
  const isGone = (at) => spans.some(([start, end]) => start <= at && at < end);
  const waiting = { ")": [], "]": [], "}": [] };
  const lone = [];
  for (let k = 0; k < caption.length; k++) {
    if ("([{".includes(caption[k])) waiting[PARTNERS[caption[k]]].push(k);
    const opened = waiting[caption[k]]?.pop();
    if (opened === undefined || isGone(opened) === isGone(k)) continue;
    const at = isGone(opened) ? k : opened;
    lone.push([caption[at - 1] === "\\" && !isGone(at - 1) ? at - 1 : at, at + 1]);
  }
  return [...spans, ...lone].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** What is left between spans; of a piece without a letter its signs, brackets and quotes. */
function piecesLeft(caption, spans) {
  const starts = [...spans.map(([start]) => start), caption.length];
  const pieces = [0, ...spans.map(([, end]) => end)].map((end, k) => (starts[k] > end ? caption.slice(end, starts[k]) : ""));
  return pieces.map((piece) => (HAS_LETTER.test(piece) ? piece : piece.replace(LOOSE, "")));
}

/** Two pieces together at a cut: without brackets that it emptied, with the strongest sign or a blank between them. */
function join(left, right) {
  for (let closed; (closed = CLOSED.exec(right)); ) {
    const opened = lastOf(left, (k) => INSIDE.includes(left[k])) - 1;
    if (opened < 0 || PARTNERS[left[opened]] !== closed[1]) break;
    [left, right] = [left.slice(0, left[opened - 1] === "\\" ? opened - 1 : opened), right.slice(closed[0].length)];
  }
  const lead = LEAD.exec(right)[0];
  const cut = lastOf(left, (k) => AROUND.test(left[k]) || (k && LONE_MARK.test(left[k]) && IS_SPACE.test(left[k - 1])));
  const [body, tail, rest] = [left.slice(0, cut), left.slice(cut), right.slice(lead.length)];
  if (!body) return /^[:;]\p{L}/u.test(rest) ? rest.replace(/^[:; ]+/, "") : rest;
  if (!rest) return body + between(tail, lead);
  if (ENDS_OPENED.test(body) || BEGINS_CLOSED.test(rest)) return body + rest;
  const isClose = (/^[:;]/.test(rest) && !lead) || (isCjk(body.at(-1)) && isCjk(rest[0]));
  return body + (between(tail, lead) || (isClose ? "" : " ")) + rest;
}

/** Where the characters at the end of a text begin for whose places `belongs` holds. */
function lastOf(text, belongs) {
  let at = text.length;
  while (at && belongs(at - 1)) at--;
  return at;
}

/** The side of a cut that has the stronger sign, as written; the one before it where they are alike. */
function between(tail, lead) {
  const [before, behind] = [strength(tail), strength(lead)];
  if (before && before >= behind) {
    return ENDS_IN_SPACE.test(tail) || !ENDS_IN_SPACE.test(lead) || tail.at(-1) > "\u2000" ? tail : `${tail} `;
  }
  if (behind) return lead;
  return HAS_DASH.test(tail) && HAS_DASH.test(lead) ? tail : "";
}

function strength(text) {
  return Math.max(0, ...(text.match(SIGNS) ?? []).map((sign) => STRENGTH[sign] ?? 1));
}

function isCjk(char) {
  return (char >= "\u2e80" && char <= "\u9fff") || (char >= "\uff00" && char <= "\uffef");
}

/** A text whose end was cut: no sign there but a full stop that the caption ended with. */
function ended(joined, caption) {
  const text = joined.replace(TRAILING_SPACE, "").replace(LAST_SIGNS, "");
  const endsInStop = /[.\u3002]$/.test(text) && !HALF_OF_DAY.test(text);
  if (!endsInStop || /[.\u3002]$/.test(caption.replace(TRAILING_SPACE, ""))) return text;
  return text.slice(0, -1).replace(TRAILING_SPACE, "");
}
