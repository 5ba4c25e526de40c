import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Pictures } from "../../web/gallery/pictures.js";

let made;
let revoked;
let asked;

/** An image as the class needs it. */
const image = () => ({ dataset: {} });
const settle = () => new Promise(setImmediate);

function pictures(answer = async () => "blob") {
  return new Pictures((token, id, px, signal) => {
    asked.push([token, id, px]);
    return answer(signal);
  });
}

beforeEach(() => {
  [made, revoked, asked] = [[], [], []];
  URL.createObjectURL = () => `blob:${made.push(1)}`;
  URL.revokeObjectURL = (url) => revoked.push(url);
});

test("a picture is asked for once and shown wherever it is wanted", async () => {
  const room = pictures();
  const [first, second] = [image(), image()];
  await Promise.all([room.show(first, "t", "a", 256), room.show(second, "t", "a", 256)]);
  assert.deepEqual([first.src, second.src], ["blob:1", "blob:1"]);
  assert.deepEqual(asked, [["t", "a", 256]]);
});

test("all object URLs are let go, those on their way too", async () => {
  let aborted = false;
  const room = pictures(async (signal) => {
    signal.addEventListener("abort", () => { aborted = true; });
    return "blob";
  });
  await room.show(image(), "t", "a", 256);
  const late = image();
  const loading = room.show(late, "t", "b", 256);
  room.clear();
  await loading;
  await settle();
  assert.equal(late.src, undefined);
  assert.deepEqual([made.length, revoked, aborted], [1, ["blob:1"], true]);
});

test("a whole picture is the small one until it has come", async () => {
  const room = pictures();
  await room.show(image(), "t", "a", 256);
  const large = image();
  const loading = room.show(large, "t", "a", 0);
  await settle();
  await loading;
  assert.equal(large.src, "blob:2");
});

test("of whole pictures the last eight are held", async () => {
  const room = pictures();
  for (let k = 0; k < 12; k++) await room.show(image(), "t", String(k), 0);
  await settle();
  assert.deepEqual(revoked, ["blob:1", "blob:2", "blob:3", "blob:4"]);
  await room.show(image(), "t", "0", 0);
  assert.equal(asked.length, 13);
});

test("a picture that is refused says why, and is asked for again", async () => {
  const room = pictures(async () => {
    throw new Error("No such picture.");
  });
  const refused = image();
  await room.show(refused, "t", "a", 256);
  await settle();
  assert.deepEqual([refused.alt, refused.dataset.missing], ["No such picture.", ""]);
  await room.show(image(), "t", "a", 256);
  assert.equal(asked.length, 2);
});
