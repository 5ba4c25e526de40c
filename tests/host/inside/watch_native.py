"""Run by ComfyUI's Python: URL GRAPH (JSON, API format) INTERRUPT_AFTER (progress messages; 0 never) -> JSON on stdout.

Queues a graph as the page does, with the page's socket open, and reports what came through it.
"""

import asyncio
import json
import sys
import time

import aiohttp

ENDS = ("execution_success", "execution_error", "execution_interrupted")


async def main(url, graph, after):
    report = {"progress": [], "previews": 0, "end": "", "after interrupt": 0, "seconds to stop": 0.0}
    socket = f"{url}/ws?clientId=watcher"
    async with aiohttp.ClientSession() as session, session.ws_connect(socket, max_msg_size=0) as ws:
        async with session.post(f"{url}/prompt", json={"prompt": graph, "client_id": "watcher"}) as response:
            prompt_id = (await response.json())["prompt_id"]
        interrupted_at = 0.0
        async for message in ws:
            if message.type == aiohttp.WSMsgType.BINARY:
                report["previews"] += 1
                continue
            event = json.loads(message.data)
            kind, data = event["type"], event.get("data", {})
            if kind == "progress" and data["prompt_id"] == prompt_id:
                report["progress"].append([data["node"], data["value"], data["max"]])
                report["after interrupt"] += bool(interrupted_at)
                if after and len(report["progress"]) == after:
                    interrupted_at = time.monotonic()
                    await (await session.post(f"{url}/interrupt")).release()
            if kind in ENDS and data["prompt_id"] == prompt_id:
                report["end"] = kind
                report["seconds to stop"] = time.monotonic() - interrupted_at if interrupted_at else 0.0
                return report


print(json.dumps(asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))))
