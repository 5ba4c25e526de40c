"""BLIP Caption and Style-Strip LLM in a running ComfyUI."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from swf_core.measure.metrics.pairs import make_pairs

from support.comfy_server import error_of, put_pictures
from support.tiny_blip import tiny_blip

BOAT = "an oil painting of a red boat by the sea, muted tones"
PAINTER = "a painter at an easel, two cats, 8k"
FISHER = "一幅水墨画，一位老人在江边钓鱼"


@pytest.fixture(scope="module")
def pictures(base):
    put_pictures(base, make_pairs(3, 12_345_900)[1], "words_")


@contextmanager
def endpoint(answer: str | None):
    """A language model's server on loopback that always says `answer`; None: it takes the question and stays silent."""
    requests: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_json({"data": [{"id": "stub"}]})

        def do_POST(self):
            requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if answer is None:
                over.wait(60)
            else:
                self.send_json({"choices": [{"message": {"content": answer}, "finish_reason": "stop"}]})

        def send_json(self, value):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def captions_of(*texts: str, **changes) -> dict:
    """Pictures of one colour with as many captions, each a line that a user wrote: no model is needed."""
    inputs = {
        "image": ["1", 0],
        "captioner": "mini",
        "clip": "none",
        "samples": 2,
        "beams": 2,
        "max_words": 20,
        "seed": 0,
        "keep_loaded": False,
        "edited": "\n".join(texts),
    }
    blank = {"width": 32, "height": 32, "batch_size": len(texts) or 1, "color": 0x8040C0}
    return {
        "1": {"class_type": "EmptyImage", "inputs": blank},
        "2": {"class_type": "SWF_BlipCaption", "inputs": inputs | changes},
        "3": {"class_type": "PrimitiveString", "inputs": {"value": BOAT}},
    }


def stripping(*texts: str, **changes) -> dict:
    inputs = {
        "caption": ["2", 0],
        "method": "offline",
        "llm": "none",
        "endpoint_url": "http://127.0.0.1:9/v1",
        "endpoint_model": "",
        "key_variable": "",
        "timeout": 60.0,
        "allow_remote": False,
        "keep_loaded": False,
        "edited": "",
    }
    previews = {f"1{k}": {"class_type": "PreviewAny", "inputs": {"source": ["5", k]}} for k in range(4)}
    return captions_of(*texts) | {"5": {"class_type": "SWF_StyleStrip", "inputs": inputs | changes}} | previews


def captioning(**changes) -> dict:
    """Two pictures of mini's world, captioned."""
    load = {
        k: {"class_type": "LoadImage", "inputs": {"image": f"words_{n}.png"}}
        for k, n in (("6", "content"), ("7", "style"))
    }
    batch = {"1": {"class_type": "ImageBatch", "inputs": {"image1": ["6", 0], "image2": ["7", 0]}}}
    previews = {f"1{k}": {"class_type": "PreviewAny", "inputs": {"source": ["2", k]}} for k in range(2)}
    return captions_of(clip="mini", **changes) | load | batch | previews


def texts(history: dict, slot: int) -> list[str]:
    """What the node's output `slot` was; the graph must have succeeded."""
    assert history["status"]["status_str"] == "success", history["status"]["messages"][-1]
    return history["outputs"][f"1{slot}"]["text"]


def rows(history: dict, node: str) -> list[dict]:
    assert history["status"]["status_str"] == "success", history["status"]["messages"][-1]
    return history["outputs"][node]["swf_panel"]


def test_captions_are_stripped_offline_and_shown_with_the_stripped_words(server):
    history = server.run(stripping(BOAT, PAINTER, FISHER))
    assert texts(history, 0) == ["a red boat by the sea", "a painter at an easel, two cats", "一位老人在江边钓鱼"]
    assert texts(history, 2) == [BOAT, PAINTER, FISHER] and texts(history, 3) == ["offline"] * 3
    assert [len(t.split(" | ")) for t in texts(history, 1)] == [2, 1, 1]
    first, *others = rows(history, "5")
    assert [first["caption"][start:end] for start, end in first["spans"]] == texts(history, 1)[0].split(" | ")
    assert (first["caption"], first["stripped"]) == (BOAT, "a red boat by the sea") and len(others) == 2
    assert not first["edited"] and not first["note"] and first["gap"] is None


def test_a_caption_in_a_language_that_is_not_read_stays_and_report_and_panel_say_so(server):
    history = server.run(stripping("картина маслом, кот на стуле", "ein Aquarell von zwei Booten"))
    assert texts(history, 0) == ["картина маслом, кот на стуле", "zwei Booten"]
    report = texts(history, 3)
    assert report[1] == "offline" and "does not read this caption's language" in report[0]
    assert [bool(row["note"]) for row in rows(history, "5")] == [True, False]


def test_an_edited_line_is_used_as_written_and_the_others_are_stripped(server):
    history = server.run(stripping(BOAT, PAINTER, edited="\na painter, a dog"))
    assert texts(history, 0) == ["a red boat by the sea", "a painter, a dog"]
    assert texts(history, 3) == ["offline", "edited"]
    assert [row["edited"] for row in rows(history, "5")] == [False, True]
    history = server.run(stripping(BOAT, edited="a red boat\nby the sea, muted tones"))
    assert texts(history, 0) == ["a red boat by the sea, muted tones"]
    assert "has 3 lines for 2" in error_of(server.run(stripping(BOAT, PAINTER, edited="a\nb\nc")))


def test_words_marked_by_an_endpoint_are_removed(server):
    with endpoint('{"remove": ["an oil painting of"]}') as (url, requests):
        history = server.run(stripping(BOAT, method="endpoint", endpoint_url=url))
    assert texts(history, 0) == ["a red boat by the sea, muted tones"] and texts(history, 3) == ["endpoint"]
    questions = [json.loads(text) for text in requests if "messages" in text]
    assert [question["model"] for question in questions] == ["stub"]


def test_an_edited_line_sends_no_request(server):
    with endpoint('{"remove": []}') as (url, requests):
        history = server.run(stripping(BOAT, method="endpoint", endpoint_url=url, edited="a boat of mine"))
    assert texts(history, 0) == ["a boat of mine"] and texts(history, 3) == ["edited"] and not requests


def test_the_offline_method_takes_over_from_an_endpoint_that_answers_prose(server):
    with endpoint("I am a teapot.") as (url, _):
        history = server.run(stripping(BOAT, method="endpoint", endpoint_url=url))
    assert texts(history, 0) == ["a red boat by the sea"]
    assert texts(history, 3)[0].startswith("offline; the offline method took over (endpoint: ")
    note = rows(history, "5")[0]["note"]
    assert "took over" in note and "prose" in note  # web/panel.js warns by these words


def test_cancel_ends_the_wait_for_a_silent_endpoint(server):
    with endpoint(None) as (url, requests):
        name, began = server.queue(stripping(BOAT, method="endpoint", endpoint_url=url)), time.monotonic()
        while not requests and time.monotonic() < began + 60:
            time.sleep(0.05)
        assert requests
        pressed = time.monotonic()
        urllib.request.urlopen(f"{server.url}/interrupt", b"", timeout=10).close()
        while name not in (history := server.get(f"/history/{name}")) and time.monotonic() < pressed + 30:
            time.sleep(0.05)
        assert time.monotonic() < pressed + 2
        assert "execution_interrupted" in [kind for kind, _ in history[name]["status"]["messages"]]


def test_a_remote_endpoint_and_a_pasted_key_are_refused(server):
    far = {"method": "endpoint", "endpoint_url": "http://example.com/v1"}
    assert "captions would leave it" in error_of(server.run(stripping(BOAT, **far)))
    pasted = {"method": "endpoint", "key_variable": "sk-abcdef0123456789abcdef"}
    assert "not the name of an environment variable" in error_of(server.run(stripping(BOAT, **pasted)))


def test_a_missing_or_incomplete_local_model_is_refused(server):
    assert "No local model is chosen" in error_of(server.run(stripping(BOAT, method="local model")))
    for kind, name in (("LLM", "half a model"), ("blip", "half a blip")):
        folder = server.base / "models" / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text("{}")
    history = server.run(stripping(BOAT, method="local model", llm="half a model"))
    assert "lacks tokenizer.json, model.safetensors" in error_of(history)
    assert "is no BLIP model" in error_of(server.run(captions_of(captioner="half a blip")))
    message = error_of(server.run(captions_of(captioner="no such folder")))
    assert message.startswith("There is no model 'no such folder' in models/blip; put ")


def test_a_connected_caption_needs_no_model(server):
    wired = {"caption": ["3", 0]}
    captions = rows(server.run(captions_of("", "", **wired)), "2")
    assert [row["candidates"] for row in captions] == [[{"text": BOAT, "how": "given", "score": None}]] * 2
    assert not captions[0]["ranked"] and [row["index"] for row in captions] == [0, 1]
    captions = rows(server.run(captions_of("", "mine", **wired)), "2")
    assert [row["chosen"] for row in captions] == [BOAT, "mine"]
    assert "has 3 lines for 2" in error_of(server.run(captions_of(BOAT, PAINTER, edited="a\nb\nc")))


def test_a_blip_from_a_folder_is_managed_by_comfyui_and_can_stay_loaded(server):
    tiny_blip(server.base / "models" / "blip" / "tiny")
    graph = captions_of("", "", captioner="tiny")
    first = rows(server.run(graph), "2")
    assert len(first) == 2 and all(row["candidates"] and not row["ranked"] for row in first)
    for seed, keep in ((1, True), (2, True), (3, False)):  # made, used again, let go
        captions = rows(server.run(captions_of("", "", captioner="tiny", seed=seed, keep_loaded=keep)), "2")
        assert [row["chosen"] for row in captions] == [row["chosen"] for row in first]  # the beam's, which has no seed
    assert "memory leak" not in server.log.read_text()


def test_mini_captions_a_batch_and_ranks_the_candidates(server, pictures):
    history = server.run(captioning())
    captions, candidates = texts(history, 0), [json.loads(text) for text in texts(history, 1)]
    assert len(captions) == 2 and all(captions) and captions[0] != captions[1]
    for caption, ranked in zip(captions, candidates):
        scores = [c["score"] for c in ranked]
        assert ranked[0]["caption"] == caption and scores == sorted(scores, reverse=True)
    assert all(row["ranked"] for row in rows(history, "2"))
    history = server.run(captioning(edited="\na boat of mine", keep_loaded=True))
    assert texts(history, 0)[0] == captions[0] and texts(history, 0)[1] == "a boat of mine"
    # kept models are used again, and let go when the next run does not keep them
    assert texts(server.run(captioning(seed=1, keep_loaded=True)), 0)[0]
    assert texts(server.run(captioning(seed=2)), 0)[0]


def test_the_gap_is_measured_with_a_picture(server, pictures):
    inputs = {"image": ["1", 0], "clip": "mini"}
    graph = stripping("a stained glass of a blue boat by the sea", **inputs)
    history = server.run(graph)
    gap = rows(history, "5")[0]["gap"]
    assert gap["reading"] in ("usual", "content probably lost", "nothing was removed") and gap["picture"] is not None
    assert gap["reading"] in texts(history, 3)[0]
