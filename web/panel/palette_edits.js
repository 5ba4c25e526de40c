// Color Edit's `palette` widget where it holds edits of the picture's own colors: "#a63f1b -> #1d3557,\n#e9c46a".

/** The edits of a text as a map from color to color; null where it holds a palette of another kind. */
export function readEdits(text) {
  const entries = text.split(/[,;\n](?![^(]*\))/).map((entry) => entry.trim()).filter(Boolean);
  if (!entries.length) return new Map();
  if (!entries.some((entry) => entry.includes("->"))) return null;
  return new Map(entries.map((entry) => {
    const [before, after] = entry.split("->").map((part) => part.trim().toLowerCase());
    return [before, after ?? before];
  }));
}

/** All of the picture's colors, so that those that are left alone stay where they are; "" where nothing is edited. */
export function writeEdits(colors, edits) {
  if (!colors.some((color) => edits.has(color) && edits.get(color) !== color)) return "";
  return colors.map((c) => (edits.has(c) && edits.get(c) !== c ? `${c} -> ${edits.get(c)}` : c)).join(",\n");
}
