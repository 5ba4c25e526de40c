"""Run by ComfyUI's Python: URL GRAPH (JSON, API format) INTERRUPT_AFTER (progress messages; 0 never) -> JSON on stdout.

Queues a graph as the page does, with the page's socket open, and tells what came through it.
"""

import asyncio
import json
import sys
import time

import aiohttp


async def main(url, graph, after):
    told = {"progress": [], "previews": 0, "end": "", "after interrupt": 0, "seconds to stop": 0.0}
    socket = f"{url}/ws?clientId=watcher"
    async with aiohttp.ClientSession() as session, session.ws_connect(socket, max_msg_size=0) as ws:
        async with session.post(f"{url}/prompt", json={"prompt": graph, "client_id": "watcher"}) as answer:
            name = (await answer.json())["prompt_id"]
        asked = 0.0
        async for message in ws:
            if message.type == aiohttp.WSMsgType.BINARY:
                told["previews"] += 1
                continue
            event = json.loads(message.data)
            kind, data = event["type"], event.get("data", {})
            if kind == "progress" and data["prompt_id"] == name:
                told["progress"].append([data["node"], data["value"], data["max"]])
                told["after interrupt"] += bool(asked)
                if after and len(told["progress"]) == after:
                    asked = time.monotonic()
                    await (await session.post(f"{url}/interrupt")).release()
            if kind in ("execution_success", "execution_error", "execution_interrupted") and data["prompt_id"] == name:
                told["end"], told["seconds to stop"] = kind, time.monotonic() - asked if asked else 0.0
                return told


print(json.dumps(asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))))
