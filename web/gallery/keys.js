// The gallery's keys: in the grid arrows go to the neighbours, in the zoom left and right to other prompts, up and down to
// other steps of the same one.

/** A handler of `keydown`. `target`: { grid, zoom, isReady(), chosen(), setVerdict(sample, verdict), undo(), submit() }. */
export function keyHandler(target) {
  return (event) => {
    const { viewer } = target.zoom;
    if (event.key === "Escape" && viewer) {
      event.preventDefault(); // or the dialog closes too
      event.stopPropagation();
      return target.zoom.close();
    }
    if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation(); // the host has keys of its own
    if (belongsElsewhere(event) || !target.isReady()) return;
    const action = actionOf(target, event.key);
    if (!action) return;
    event.preventDefault();
    action();
  };
}

/** Keys that are typed, shortcuts of the browser, and what presses a button. */
function belongsElsewhere(event) {
  const { tagName, type, classList } = event.target;
  if (["TEXTAREA", "SELECT"].includes(tagName) || type === "range") return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const isOtherButton = tagName === "BUTTON" && !classList.contains("swf-cell");
  return isOtherButton && (event.key === "Enter" || event.key === " ");
}

function actionOf(target, key) {
  const { grid, zoom } = target;
  const inColumn = /^[1-9]$/.test(key) ? grid.inColumn(Number(key) - 1) : undefined;
  if (inColumn) {
    return () => {
      grid.choose(inColumn.id, !zoom.viewer);
      target.setVerdict(inColumn, "accepted");
    };
  }
  const move = (rows, columns) => () => (zoom.viewer ? grid.move(columns, rows, false) : grid.move(rows, columns));
  const verdict = (name) => () => target.setVerdict(target.chosen(), name);
  const actions = {
    ArrowLeft: move(0, -1), ArrowRight: move(0, 1), ArrowUp: move(-1, 0), ArrowDown: move(1, 0),
    Enter: verdict("accepted"), a: verdict("accepted"), x: verdict("rejected"), z: () => target.undo(),
    " ": () => zoom.toggle(), c: () => zoom.compare(), s: () => zoom.showStyle(), g: () => target.submit(),
    "+": () => zoom.viewer?.zoom(1.25), "-": () => zoom.viewer?.zoom(0.8), 0: () => zoom.viewer?.reset(),
  };
  return actions[key.length === 1 ? key.toLowerCase() : key];
}
