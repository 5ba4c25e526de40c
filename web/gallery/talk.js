// Talking to the gallery's routes (nodes/host/gallery_routes.py). A request that fails is an Error with a sentence.

import { api } from "../../../scripts/api.js";

async function answerOf(response) {
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(told.error ?? `${response.status}`), { status: response.status });
  return told;
}

async function post(path, body) {
  return answerOf(await api.fetchApi(`/swf/gallery/${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }));
}

async function get(path) {
  return answerOf(await api.fetchApi(`/swf/gallery${path}`, { cache: "no-store" }));
}

export const talk = {
  everything: () => get(""),
  run: (token) => get(`/${token}`),
  judge: (token, lists) => post(`${token}/judge`, lists),
  caption: (token, id, caption) => post(`${token}/caption`, { id, caption }),
  go: (token, step) => post(`${token}/go`, { step }),
  here: (wait) => post(`waits/${wait}`, { here: true }),
  picture: (token, id, px) => api.apiURL(`/swf/gallery/${token}/picture/${id}${px ? `?px=${px}` : ""}`),
  /** Said while the page closes, when nothing else gets through. */
  goodbye(wait) {
    const body = new Blob([JSON.stringify({ here: false })], { type: "application/json" });
    navigator.sendBeacon(api.apiURL(`/swf/gallery/waits/${wait}`), body);
  },
};
