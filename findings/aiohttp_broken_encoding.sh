#!/bin/sh
# One would guess: a handler of aiohttp that catches the error of a body which is not what its Content-Encoding says, and
#   answers 400, is done: one answer, nothing in the log.
# It is so that: after the answer aiohttp reads on what is left of the body, meets the same error outside of any handler,
#   and logs "Unhandled exception" with its traceback, once for each such request. `request.content.feed_eof()` in the
#   handler keeps it from that.
# aiohttp 3.14.5; aiohttp/web_protocol.py `RequestHandler.start`, "read and ignore".
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aiohttp==3.14.5
"$folder/venv/bin/python" - <<'END'
import asyncio, logging
import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

logged = []


class Record(logging.Handler):
    def emit(self, record):
        logged.append((record.getMessage(), type(record.exc_info[1]).__name__ if record.exc_info else ""))


logging.getLogger("aiohttp.server").addHandler(Record())


def handler(ends):
    async def answer(request):
        try:
            await request.content.read()
        except (web.RequestPayloadError, aiohttp.http_exceptions.HttpProcessingError):
            if ends:
                request.content.feed_eof()
            return web.Response(status=400, text="The body is not what its headers say.")
        return web.Response(text="read")

    return answer


async def ask(path):
    app = web.Application()
    app.router.add_post("/plain", handler(False))
    app.router.add_post("/ended", handler(True))
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with session.post(server.make_url(path), data=b'{"a": 1}', headers=headers) as response:
            status = response.status
        await asyncio.sleep(0.2)
    found = list(logged)
    logged.clear()
    return status, found


plain, ended = asyncio.run(ask("/plain")), asyncio.run(ask("/ended"))
print("aiohttp", aiohttp.__version__)
print("the error is caught, 400 is answered:", plain)
print("with request.content.feed_eof() too: ", ended)
assert plain[0] == ended[0] == 400
assert [message for message, _ in plain[1]] == ["Unhandled exception"] and ended[1] == []
END
