// The time that a person has left to pick, where the gallery does not wait for ever. Counted here from what the server
// told once; a screen reader is not told every second.

import { make, words } from "./words.js";

export class Clock {
  constructor() {
    this.element = make("span", { class: "swf-dim swf-clock", role: "timer", "aria-live": "off" });
    this.ends = null;
    this.ticking = 0;
  }

  /** Count down from `left` seconds; null or undefined: nothing ends. */
  set(left) {
    clearInterval(this.ticking);
    this.ends = left === null || left === undefined ? null : performance.now() + 1000 * left;
    if (this.ends !== null) this.ticking = setInterval(() => this.draw(), 1000);
    this.draw();
  }

  draw() {
    const seconds = this.ends === null ? null : Math.max(0, Math.ceil((this.ends - performance.now()) / 1000));
    const two = (value) => String(value).padStart(2, "0");
    this.element.textContent = seconds === null
      ? "" : words().left(`${Math.floor(seconds / 60)}:${two(seconds % 60)}`);
  }
}
