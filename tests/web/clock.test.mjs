import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock, minutesAndSeconds } from "../../web/gallery/clock.js";
import { followLocaleSetting } from "../../web/locale.js";
import { fakeDocument } from "./fake_page.mjs";

fakeDocument();
followLocaleSetting(() => "en");

test("begun seconds count whole and nothing is below zero", () => {
  assert.deepEqual([0, 0.1, 59.2, 60, 61.2, 3599.5, -5].map(minutesAndSeconds),
    ["0:00", "0:01", "1:00", "1:00", "1:02", "60:00", "0:00"]);
});

test("the clock shows the time that is left, and nothing when nothing ends", () => {
  const clock = new Clock();
  clock.set(90);
  assert.equal(clock.element.textContent, "1:30 left");
  for (const nothing of [null, undefined]) {
    clock.set(nothing);
    assert.equal(clock.element.textContent, "");
  }
});

test("the clock goes on from what the server sent once", (context) => {
  const clock = new Clock();
  let now = 1000;
  context.mock.method(performance, "now", () => now);
  clock.set(8);
  now += 2500;
  clock.draw();
  assert.equal(clock.element.textContent, "0:06 left");
  now += 60_000;
  clock.draw();
  assert.equal(clock.element.textContent, "0:00 left");
  clock.set(null);
});
