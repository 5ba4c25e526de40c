import assert from "node:assert/strict";
import { test } from "node:test";

import { forgetKept } from "../../web/kept/forget.js";
import { WORDS } from "../../web/kept/words.js";
import { followLocaleSetting } from "../../web/locale.js";

/** An api that records requests and answers them with these. */
function apiWith({ status = 200, json = async () => ({}) } = {}) {
  const requests = [];
  return {
    requests,
    async fetchApi(path, options) {
      requests.push([options.method, path, options.headers["Content-Type"], options.body]);
      return { ok: status < 400, status, json };
    },
  };
}

followLocaleSetting(() => "en");

test("forgetting is one request, and the message says what there was", async () => {
  const api = apiWith({ json: async () => ({ pictures: 1, bytes: 2_600_000, disk: { pictures: 3, bytes: 40_000_000 } }) });
  const message = await forgetKept(api);
  assert.deepEqual(api.requests, [["POST", "/swf/kept/forget", "application/json", "{}"]]);
  assert.equal(message.severity, "success");
  assert.equal(message.detail, "In memory: 1 picture, 3 MB\nOn disk: 3 styles, 40 MB");
});

test("without a folder on disk nothing is said of one", async () => {
  const message = await forgetKept(apiWith({ json: async () => ({ pictures: 0, bytes: 0, disk: null }) }));
  assert.equal(message.detail, "In memory: 0 pictures, 0 MB");
});

test("a refusal and a server that is gone are told", async () => {
  const refused = await forgetKept(apiWith({ status: 403, json: async () => ({ error: "No." }) }));
  assert.deepEqual([refused.severity, refused.detail], ["error", "No."]);
  const gone = await forgetKept({ fetchApi: async () => { throw new Error("no network"); } });
  assert.deepEqual([gone.severity, gone.detail], ["error", "no network"]);
});

test("both languages have every text", () => {
  assert.deepEqual(Object.keys(WORDS.zh), Object.keys(WORDS.en));
});
