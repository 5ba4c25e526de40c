import assert from "node:assert/strict";
import { test } from "node:test";

import { Waits } from "../../web/gallery/waits.js";

/** Waits whose client answers as told; `confirmed` lists what was confirmed. */
function waitsWith(answer = async () => ({})) {
  const confirmed = [];
  return { waits: new Waits({ confirmWait: (id) => (confirmed.push(id), answer()) }), confirmed };
}

const overview = (server, ...ids) => ({ server, waits: ids.map((wait) => ({ wait })) });

test("a new wait is confirmed at once, and the oldest comes first", () => {
  const { waits, confirmed } = waitsWith();
  waits.add({ wait: "1" });
  waits.add({ wait: "2" });
  waits.end("1");
  assert.deepEqual([confirmed, waits.list()], [["1", "2"], [{ wait: "2" }]]);
});

test("the server's list replaces ours", () => {
  const { waits } = waitsWith();
  waits.replace(overview("s", "1", "2"));
  assert.equal(waits.replace(overview("s", "2", "3")), false); // "1" ended while the connection was lost
  assert.deepEqual(waits.list().map((wait) => wait.wait), ["2", "3"]);
});

test("a restarted server has lost the waits, which is told once", () => {
  const { waits } = waitsWith();
  assert.equal(waits.replace(overview("s", "1")), false); // the first server
  assert.equal(waits.replace(overview("t")), true);
  assert.equal(waits.replace(overview("u")), false); // nothing was waiting
});

for (const [status, denied] of [[410, 1], [undefined, 0], [500, 0]]) {
  test(`a confirmation that fails with ${status ?? "no answer"} ${denied ? "asks" : "does not ask"} again`, async () => {
    const { waits } = waitsWith(() => Promise.reject(Object.assign(new Error("no"), { status })));
    let calls = 0;
    waits.onDenied = () => {
      calls += 1;
    };
    await waits.confirm("1");
    assert.equal(calls, denied);
  });
}
