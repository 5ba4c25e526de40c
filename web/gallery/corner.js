// A button at the page's lower edge while the gallery is put aside: a node waits for picks, or a graph learns from them.

import { button, make, putOnPage } from "../dom.js";
import { CSS } from "./stylesheet.js";

export class Corner {
  constructor() {
    this.place = make("div", { role: "status" });
    this.element = make("div", { class: "swf-corner" }, [make("style", { text: CSS }), this.place]);
    putOnPage(this.element);
  }

  show(text, handler) {
    this.place.replaceChildren(button(text, handler, { class: "swf-chip" }));
  }

  hide() {
    this.place.replaceChildren();
  }
}
