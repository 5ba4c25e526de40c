// Samples large beside the style picture: wheel zooms, dragging pans, all panes alike.

import { button, make } from "../dom.js";
import { words } from "./words.js";

export class Viewer {
  /** `panes`: [{ id, text }]; `showPicture(image, id)` puts a picture into an image; `close` is called when the person is
   * done. */
  constructor(panes, showPicture, close) {
    const say = words();
    this.showPicture = showPicture;
    this.view = { scale: 1, x: 0, y: 0 };
    this.images = [];
    this.row = make("div", { class: "swf-panes" });
    this.element = make("div", { class: "swf-viewer", role: "group", "aria-label": say.zoom }, [
      make("div", { class: "swf-bar" }, [
        button("−", () => this.zoom(1 / 1.25), { "aria-label": `${say.zoom} −` }),
        button("+", () => this.zoom(1.25), { "aria-label": `${say.zoom} +` }),
        button("1:1", () => this.reset()),
        make("span", { class: "swf-space" }),
        button(say.close, close),
      ]),
      this.row,
    ]);
    this.show(panes);
  }

  /** Other pictures under the same zoom. */
  show(panes) {
    this.images = [];
    this.row.replaceChildren(...panes.map(({ id, text }) => {
      const image = make("img", { alt: text, draggable: "false" });
      this.showPicture(image, id);
      const frame = make("div", {}, [image]);
      this.images.push(image);
      this.listen(frame);
      return make("figure", { class: "swf-pane" }, [frame, make("figcaption", { text })]);
    }));
    this.place();
  }

  listen(frame) {
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const box = frame.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      frame.setPointerCapture(event.pointerId);
      let [x, y] = [event.clientX, event.clientY];
      const move = (e) => {
        this.view.x += e.clientX - x;
        this.view.y += e.clientY - y;
        [x, y] = [e.clientX, e.clientY];
        this.place();
      };
      const up = () => frame.removeEventListener("pointermove", move);
      frame.addEventListener("pointermove", move);
      frame.addEventListener("pointerup", up, { once: true });
      frame.addEventListener("pointercancel", up, { once: true });
    });
    frame.addEventListener("dblclick", () => this.reset());
  }

  /** Around a point of the frame, its middle by default. */
  zoom(factor, x, y) {
    const box = this.images[0]?.parentElement.getBoundingClientRect();
    const [px, py] = [x ?? (box?.width ?? 0) / 2, y ?? (box?.height ?? 0) / 2];
    const scale = Math.min(32, Math.max(0.25, this.view.scale * factor));
    const by = scale / this.view.scale;
    this.view = { scale, x: px - (px - this.view.x) * by, y: py - (py - this.view.y) * by };
    this.place();
  }

  reset() {
    this.view = { scale: 1, x: 0, y: 0 };
    this.place();
  }

  place() {
    const { scale, x, y } = this.view;
    for (const image of this.images) {
      image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      image.style.imageRendering = scale > 3 ? "pixelated" : "auto";
    }
  }
}
