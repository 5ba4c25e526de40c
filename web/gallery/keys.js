// The gallery's keys: in the grid arrows go to the neighbours, in the zoom left and right to other prompts, up and down to
// other steps of the same one.

export function onKey(board, event) {
  const typing = ["TEXTAREA", "SELECT"].includes(event.target.tagName) || event.target.type === "range";
  const { viewer } = board.zoom;
  if (event.key === "Escape" && viewer) {
    event.preventDefault(); // or the dialog closes too
    event.stopPropagation();
    return board.zoom.close();
  }
  if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation(); // the host has keys of its own
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !board.told) return;
  const onButton = event.target.tagName === "BUTTON" && !event.target.classList.contains("swf-cell");
  if (onButton && (event.key === "Enter" || event.key === " ")) return;
  const nth = /^[1-9]$/.test(event.key) ? board.grid.inColumn(Number(event.key) - 1) : null;
  const act = nth
    ? () => {
      board.grid.choose(nth.id, !viewer);
      board.toggle(nth, "accepted");
    }
    : actions(board)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function actions(board) {
  const { zoom } = board;
  const move = (rows, columns) => () =>
    zoom.viewer ? board.grid.move(columns, rows, false) : board.grid.move(rows, columns);
  const judge = (verdict) => () => board.toggle(board.sample(), verdict);
  return {
    ArrowLeft: move(0, -1), ArrowRight: move(0, 1), ArrowUp: move(-1, 0), ArrowDown: move(1, 0),
    Enter: judge("accepted"), a: judge("accepted"), x: judge("rejected"), z: () => board.undo(),
    " ": () => zoom.toggle(), c: () => zoom.compare(), s: () => zoom.showStyle(), g: () => board.go(),
    "+": () => zoom.viewer?.zoom(1.25), "-": () => zoom.viewer?.zoom(0.8), 0: () => zoom.viewer?.reset(),
  };
}
