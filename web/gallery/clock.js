// The time that a person has left to pick, where the gallery does not wait for ever. Counted here from what the server
// sent once; a screen reader does not read every second.

import { make } from "../dom.js";
import { words } from "./words.js";

/** Seconds as minutes and seconds, begun seconds counted whole: 61.2 is "1:02". */
export function minutesAndSeconds(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Clock {
  constructor() {
    this.element = make("span", { class: "swf-dim swf-clock", role: "timer", "aria-live": "off" });
    this.endsAt = null; // in milliseconds of performance.now
    this.interval = 0;
  }

  /** Count down from so many seconds; null or undefined: nothing ends. */
  set(seconds) {
    clearInterval(this.interval);
    this.endsAt = seconds === null || seconds === undefined ? null : performance.now() + 1000 * seconds;
    if (this.endsAt !== null) this.interval = setInterval(() => this.draw(), 1000);
    this.draw();
  }

  draw() {
    this.element.textContent = this.endsAt === null
      ? "" : words().timeLeft(minutesAndSeconds((this.endsAt - performance.now()) / 1000));
  }
}
