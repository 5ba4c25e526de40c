"""Requests to a running ComfyUI as its web page sends them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Server:
    """A running ComfyUI with the pack in it."""

    url: str
    base: Path
    log: Path

    def get(self, path: str) -> Any:
        """A JSON answer."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> bytes:
        """What is answered to JSON. An error of HTTP is an AssertionError with what was answered."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def queue(self, graph: dict[str, Any]) -> str:
        """Post a graph in API format; its id. A refused graph is an AssertionError with the host's reasons."""
        return json.loads(self.post("/prompt", {"prompt": graph}))["prompt_id"]

    def node_errors(self, graph: dict[str, Any]) -> list[dict[str, Any]]:
        """What the host finds wrong with a graph. It runs the outputs that are right: they are taken back."""
        try:
            answer = json.loads(self.post("/prompt", {"prompt": graph}))
            self.post("/queue", {"delete": [answer["prompt_id"]]})
            self.post("/interrupt", {})
        except AssertionError as refused:
            answer = json.loads(str(refused))
        return [error for node in answer["node_errors"].values() for error in node["errors"]]

    def run(self, graph: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
        """Run a graph to its end: its history, whatever became of it."""
        name, end = self.queue(graph), time.monotonic() + seconds
        while time.monotonic() < end:
            history = self.get(f"/history/{name}")
            if name in history:
                return history[name]
            time.sleep(0.1)
        raise AssertionError(f"The graph did not end within {seconds} s.")

    def run_folder(self, name: str) -> Path:
        """Where a training run of this name lies."""
        return self.base / "output" / "swf_runs" / name

    def pictures(self, history: dict[str, Any]) -> list[Path]:
        """The files that a graph saved; it must have succeeded."""
        assert history["status"]["status_str"] == "success", history["status"]["messages"][-1]
        saved = [image for output in history["outputs"].values() for image in output.get("images", ())]
        return [self.base / image["type"] / image["subfolder"] / image["filename"] for image in saved]


def error_of(history: dict[str, Any]) -> str:
    """The message of the error that stopped a graph."""
    errors = [data for kind, data in history["status"]["messages"] if kind == "execution_error"]
    assert errors, history["status"]
    return errors[0]["exception_message"]


def put_pictures(base: Path, pair: Any, front: str = "") -> None:
    """A pair's content and style as files in ComfyUI's input folder."""
    from swf_core.pictures import save

    for name in ("content", "style"):
        save(base / "input" / f"{front}{name}.png", getattr(pair, name))
