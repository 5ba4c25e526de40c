// A row's line of the node's `edited` widget, which wins on the next run.

import { writeWidget } from "../node_widget.js";

function editedWidget(node) {
  return node.widgets?.find((widget) => widget.name === "edited");
}

/** Whether the node has a widget to edit in. */
export function hasEdited(node) {
  return editedWidget(node) !== undefined;
}

/** Put a text on a row's line, leaving the other lines as they are. A row that is alone has the whole widget. */
export function writeLine(node, row, text) {
  const widget = editedWidget(node);
  if (!widget) return;
  if (row.count === 1) return writeWidget(node, widget, text);
  const lines = String(widget.value ?? "").split("\n");
  while (lines.length <= row.index) lines.push("");
  lines[row.index] = text;
  writeWidget(node, widget, lines.join("\n").trimEnd());
}

/** A row's line with its white space folded, "" where there is none. */
export function readLine(node, row) {
  const value = String(editedWidget(node)?.value ?? "");
  return (row.count === 1 ? value : value.split("\n")[row.index] ?? "").trim().replace(/\s+/g, " ");
}
