// A caption in pieces, the removed ones among them, and what it reads like with some of them kept.

/** The caption in pieces, the removed ones by their place in `row.spans`. */
export function piecesOf(row) {
  const pieces = [];
  let at = 0;
  row.spans.forEach(([start, end], k) => {
    pieces.push({ text: row.caption.slice(at, start) }, { text: row.caption.slice(start, end), k });
    at = end;
  });
  return [...pieces, { text: row.caption.slice(at) }].filter((piece) => piece.text);
}

/** The caption with those removed pieces kept that are in `kept`, tidied where the others were cut out. */
export function withKept(row, kept) {
  if (!kept.size && !row.edited) return row.stripped;
  if (kept.size === row.spans.length) return row.caption;
  let cut = piecesOf(row).map((piece) => (piece.k === undefined || kept.has(piece.k) ? piece.text : " ")).join("");
  for (let depth = 0; depth < 4; depth++) cut = cut.replace(/[(\[{（]\s*[,;:]*\s*[)\]}）]/g, " ");
  return unpaired(cut)
    .replace(/\s+/g, " ") // the core's own tidying, near enough for what a person then reads in `edited`
    .replace(/([\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])/g, "$1")
    .replace(/([.!?。！？])(?:\s+[.,;:]|[，。；：、])+/g, "$1")
    .replace(/[,;:，；：、](?=\s*[,.;:!?，。；：、！？])/g, "")
    .replace(/\s+([,.;:!?])/g, "$1").replace(/^[\s,.;:，。；：、]+|[\s,;:，；：、]+$/g, "");
}

/** Without brackets whose partner was cut out. */
function unpaired(text) {
  const waiting = [];
  const lone = new Set();
  [...text].forEach((char, k) => {
    if ("([{".includes(char)) waiting.push(k);
    else if (")]}".includes(char) && waiting.pop() === undefined) lone.add(k);
  });
  return [...text].filter((_, k) => !lone.has(k) && !waiting.includes(k)).join("");
}
