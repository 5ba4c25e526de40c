import assert from "node:assert/strict";
import { test } from "node:test";

import { galleryClient } from "../../web/gallery/api_client.js";

/** A client whose requests are recorded and answered with these. */
function clientWith({ status = 200, json = async () => ({}) } = {}) {
  const requests = [];
  const api = {
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

test("pictures are fetched by the host's own way, whole or as thumbnails", async () => {
  const asked = [];
  const fetchApi = async (path, options) => (asked.push([path, options.cache]), { ok: true, blob: async () => "blob" });
  const { picture } = galleryClient({ fetchApi });
  assert.equal(await picture("t", "a", 0), "blob");
  assert.equal(await picture("t", "a", 256), "blob");
  const paths = ["/swf/gallery/t/picture/a", "/swf/gallery/t/picture/a?px=256"];
  assert.deepEqual(asked, paths.map((path) => [path, "default"]));
});

test("a picture that is refused is an error with the server's sentence", async () => {
  const { client } = clientWith({ status: 404, json: async () => ({ error: "No such picture." }) });
  await assert.rejects(client.picture("t", "a", 256), { message: "No such picture.", status: 404 });
});

test("a page that closes says so by a request that outlives it, through the host's headers", async () => {
  const asked = [];
  const fetchApi = async (...request) => (asked.push(request), { ok: true, json: async () => ({}) });
  await galleryClient({ fetchApi }).sendClosed("w");
  const [[path, { keepalive, method, body, headers }]] = asked;
  assert.deepEqual([path, keepalive, method, body], ["/swf/gallery/waits/w", true, "POST", '{"open":false}']);
  assert.equal(headers["Content-Type"], "application/json");
});

test("a page says whose it is by its id", async () => {
  const { client, requests } = clientWith();
  await client.registerPage("c");
  assert.deepEqual(requests, [["POST", "/swf/gallery/client", { client: "c" }]]);
});
