// A caption in pieces, the removed ones among them, and its text when some of them are kept.

import { deleteSpans } from "./deletion.js";

/** The caption of a strip row in pieces: { text }, and for removed ones { text, span }, their place in `row.spans`. */
export function piecesOf(row) {
  const pieces = [];
  let at = 0;
  row.spans.forEach(([start, end], span) => {
    pieces.push({ text: row.caption.slice(at, start) }, { text: row.caption.slice(start, end), span });
    at = end;
  });
  return [...pieces, { text: row.caption.slice(at) }].filter((piece) => piece.text);
}

/** The stripped caption when the removed pieces in `restored`, a set of places in `row.spans`, are restored. */
export function withRestored(row, restored) {
  if (!restored.size && !row.edited) return row.stripped;
  return deleteSpans(row.caption, row.spans.filter((_, span) => !restored.has(span)));
}

/** Which removed pieces the text of a row contains after an earlier click, as a set of places in `row.spans`. */
export function restoredPieces(row) {
  if (!row.edited) return new Set();
  return new Set(piecesOf(row).filter((p) => p.span !== undefined && row.stripped.includes(p.text)).map((p) => p.span));
}

/** Whether a click loses no words of the person's own: the row's text is the caption with some pieces restored. */
export function isClickable(row, restored) {
  return !row.edited || (restored.size > 0 && withRestored(row, restored) === row.stripped);
}
