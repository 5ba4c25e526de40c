// What a board is made of: the bar of buttons, the status line, the style picture's side and the keys' help.

import { button, make, words } from "./words.js";

/** The elements of a board, which keeps those that it changes. */
export function frame(board, compact) {
  const say = words();
  board.counts = make("span", { class: "swf-dim" });
  board.slider = make("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": say.steps });
  board.slider.addEventListener("input", () => board.slide());
  board.sliderText = make("span", { class: "swf-dim" });
  board.buttons = {
    accept: button(`✓ ${say.accept}`, () => board.toggle(board.sample(), "accepted"), { title: "Enter" }),
    reject: button(`✕ ${say.reject}`, () => board.toggle(board.sample(), "rejected"), { title: "X" }),
    undo: button(say.undo, () => board.undo(), { title: "Z" }),
    zoom: button(say.zoom, () => board.zoom.toggle(), { title: "Space" }),
    compare: button(say.compare, () => board.zoom.compare(), { title: "C" }),
    go: button(say.go, () => board.go(), { title: "G", class: "swf-go" }),
  };
  const more = compact
    ? [button(`⤢ ${say.full}`, () => board.hooks.full?.(board.token))]
    : [button(`– ${say.minimise}`, () => board.hooks.minimise?.())];
  board.status = make("div", { class: "swf-status", role: "status", "aria-live": "polite" });
  board.styles = make("div");
  board.captionText = make("textarea", { "aria-label": say.captionOf, rows: "3", maxlength: "2000" });
  board.captionText.addEventListener("change", () => board.recaption());
  board.details = make("p", { class: "swf-dim" });
  board.advice = make("p");
  const side = make("aside", { class: "swf-side" }, [
    make("h3", { text: say.styles }), board.styles, make("h3", { text: say.captionOf }), board.captionText,
    board.details, board.advice,
  ]);
  board.main = make("div", { class: "swf-main" }, [side, board.grid.element]);
  return [
    make("div", { class: "swf-bar" }, [
      ...Object.values(board.buttons).slice(0, 5),
      make("label", {}, [board.slider, board.sliderText]), board.counts, board.clock.element,
      make("span", { class: "swf-space" }), board.buttons.go, ...more,
    ]),
    board.status, board.main, make("div", { class: "swf-dim swf-help", text: say.help }),
  ];
}
