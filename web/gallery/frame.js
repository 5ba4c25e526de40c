// What a board is made of: the bar of buttons, the lines on status, hint and advice, the style pictures' side and the
// keys' help.

import { button, make } from "../dom.js";
import { CSS } from "./stylesheet.js";
import { words } from "./words.js";

/** A board's element and those parts of it that change: { root, parts }. `grid` and `clock` are elements; `actions` are
 * functions: setVerdict(verdict), undo, zoom, compare, submit, moveSlider, setCaption, openDialog, minimize. */
export function frame({ actions, compact, grid, clock }) {
  const say = words();
  const buttons = {
    accept: button(`✓ ${say.accept}`, () => actions.setVerdict("accepted"), { title: "Enter" }),
    reject: button(`✕ ${say.reject}`, () => actions.setVerdict("rejected"), { title: "X" }),
    undo: button(say.undo, () => actions.undo(), { title: "Z" }),
    zoom: button(say.zoom, () => actions.zoom(), { title: "Space" }),
    compare: button(say.compare, () => actions.compare(), { title: "C" }),
  };
  const submit = button(say.submit[""], () => actions.submit(), { title: "G", class: "swf-go", disabled: "" });
  const resize = compact
    ? button(`⤢ ${say.full}`, () => actions.openDialog())
    : button(`– ${say.minimize}`, () => actions.minimize());
  const counts = make("span", { class: "swf-dim" });
  const slider = make("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": say.steps });
  slider.addEventListener("input", () => actions.moveSlider());
  const sliderText = make("span", { class: "swf-dim" });
  const bar = make("div", { class: "swf-bar" }, [
    ...Object.values(buttons), make("label", {}, [slider, sliderText]), counts, clock,
    make("span", { class: "swf-ends" }, [submit, resize]),
  ]);
  const status = make("div", { class: "swf-status", role: "status", "aria-live": "polite" });
  const hint = make("div", { class: "swf-hint", role: "note", text: say.noneChosen }); // why Accept is grey
  const lines = make("div", { class: "swf-lines" }, [status, hint]);
  const advice = make("div", { class: "swf-advice", role: "note" });
  for (const name of ["accept", "reject"]) buttons[name].disabled = true;
  const { side, ...sideParts } = sidePanel(actions, say);
  const main = make("div", { class: "swf-main" }, [side, grid]);
  const root = make("div", { class: `swf-board${compact ? " swf-compact" : ""}`, role: "region", tabindex: "-1",
    "aria-label": say.gallery }, [
    make("style", { text: CSS }), bar, lines, advice, main, make("div", { class: "swf-dim swf-help", text: say.help }),
  ]);
  buttons.submit = submit;
  return { root, parts: { bar, buttons, slider, sliderText, counts, status, hint, advice, main, ...sideParts } };
}

/** The style pictures, and what belongs to the chosen sample. */
function sidePanel(actions, say) {
  const styles = make("div");
  const caption = make("textarea", { "aria-label": say.captionOf, rows: "3", maxlength: "2000" });
  caption.addEventListener("change", () => actions.setCaption());
  const details = make("p", { class: "swf-dim" });
  const side = make("aside", { class: "swf-side" }, [
    make("h3", { text: say.styles }), styles, make("h3", { text: say.captionOf }), caption, details,
  ]);
  return { side, styles, caption, details };
}
