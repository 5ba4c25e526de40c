// Forgetting what is kept (nodes/host/kept_routes.py), and the message that says what that was.

import { words } from "./words.js";

/** Ask the host's `api` to forget all; the message for its toast. */
export async function forgetKept(api) {
  const text = words();
  try {
    const response = await api.fetchApi("/swf/kept/forget", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: "{}",
    });
    const kept = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(kept.error ?? `${response.status}`);
    const lines = [text.inMemory(kept.pictures, megabytes(kept.bytes))];
    if (kept.disk) lines.push(text.onDisk(kept.disk.pictures, megabytes(kept.disk.bytes)));
    return { severity: "success", summary: text.forgotten, detail: lines.join("\n"), life: 5000 };
  } catch (error) {
    return { severity: "error", summary: text.failed, detail: error.message, life: 8000 };
  }
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
