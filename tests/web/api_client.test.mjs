import assert from "node:assert/strict";
import { test } from "node:test";

import { galleryClient } from "../../web/gallery/api_client.js";

/** A client whose requests are recorded and answered with these. */
function clientWith({ status = 200, json = async () => ({}) } = {}) {
  const requests = [];
  const api = {
    apiURL: (path) => `/api${path}`,
    async fetchApi(path, options) {
      requests.push([options.method ?? "GET", path, options.body && JSON.parse(options.body)]);
      return { ok: status < 400, status, json };
    },
  };
  return { client: galleryClient(api), requests };
}

test("each request has its method, path and body", async () => {
  const { client, requests } = clientWith();
  await client.overview();
  await client.run("t");
  await client.setVerdicts("t", { accept: ["a"] });
  await client.setCaption("t", "a", "a boat");
  await client.answer("t", 20);
  await client.confirmWait("w");
  assert.deepEqual(requests, [
    ["GET", "/swf/gallery", undefined],
    ["GET", "/swf/gallery/t", undefined],
    ["POST", "/swf/gallery/t/judge", { accept: ["a"] }],
    ["POST", "/swf/gallery/t/caption", { id: "a", caption: "a boat" }],
    ["POST", "/swf/gallery/t/go", { step: 20 }],
    ["POST", "/swf/gallery/waits/w", { open: true }],
  ]);
});

test("a body is sent as JSON and an answer is never taken from a cache", async () => {
  const options = [];
  const api = { fetchApi: async (_, given) => (options.push(given), { ok: true, json: async () => ({ a: 1 }) }) };
  assert.deepEqual(await galleryClient(api).overview(), { a: 1 });
  await galleryClient(api).answer("t", 1);
  assert.equal(options[0].cache, "no-store");
  assert.equal(options[1].headers["Content-Type"], "application/json");
});

test("a refusal is an error with the server's sentence and the status", async () => {
  const { client } = clientWith({ status: 410, json: async () => ({ error: "Nobody waits." }) });
  await assert.rejects(client.confirmWait("w"), { message: "Nobody waits.", status: 410 });
});

test("a failure without JSON is an error with the status", async () => {
  const { client } = clientWith({ status: 502, json: async () => JSON.parse("<html>") });
  await assert.rejects(client.overview(), { message: "502", status: 502 });
});

test("pictures are asked for whole or as thumbnails", () => {
  const { client } = clientWith();
  assert.equal(client.pictureUrl("t", "a"), "/api/swf/gallery/t/picture/a");
  assert.equal(client.pictureUrl("t", "a", 256), "/api/swf/gallery/t/picture/a?px=256");
});

test("a page that closes sends a beacon", async () => {
  const beacons = [];
  const navigator = { sendBeacon: (url, body) => beacons.push([url, body]) };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  clientWith().client.sendClosed("w");
  assert.equal(beacons[0][0], "/api/swf/gallery/waits/w");
  assert.deepEqual(JSON.parse(await beacons[0][1].text()), { open: false });
  assert.equal(beacons[0][1].type, "application/json");
});
