"""A training loop with a gallery in it, as the page builds it, and what its tests wait for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from swf_core.learn import picks
from swf_core.measure.benches.lessons import lessons
from swf_core.pictures import save

from support import browser as b
from support.comfy_server import Server

PROMPTS = "a red cat in the snow\na blue boat by the sea\na green tree on the sand"


def put_style_picture(base: Path) -> None:
    """The style picture of `loop`, in a base directory's inputs."""
    save(base / "input" / "gallery.png", lessons(1, 1)[0].picture)


def loop(name: str, steps: int = 2, **gallery: Any) -> b.Graph:
    """Picture, data set, two steps of training, gallery, one more step."""
    return {
        "mini": ("SWF_MiniLoader", {}),
        "picture": ("LoadImage", {"image": "gallery.png"}),
        "data": ("SWF_StyleDataset", {"image": ["picture", 0], "captions": "a blue teapot on the grass"}),
        "train": (
            "SWF_LoraTrain",
            {
                "model": ["mini", 0],
                "clip": ["mini", 1],
                "vae": ["mini", 2],
                "dataset": ["data", 0],
                "run_name": name,
                "steps": steps,
                "rank": 2,
                "sample_every": 2,
                "prompts": PROMPTS,
            },
        ),
        "gallery": ("SWF_FeedbackGallery", {"run": ["train", 5], **gallery}),
        "more": (
            "SWF_TrainOn",
            {"model": ["mini", 0], "clip": ["mini", 1], "vae": ["mini", 2], "run": ["gallery", 0], "steps": 1},
        ),
    }


def idle(server: Server, seconds: float = 90) -> dict[str, Any]:
    """Wait until nothing runs; the last history entry."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        queue = server.get("/queue")
        if not queue["queue_running"] and not queue["queue_pending"]:
            return list(server.get("/history").values())[-1]
        time.sleep(0.2)
    raise AssertionError("still running: " + server.log.read_text()[-2000:])


def until(page: Any, condition: str) -> None:
    page.wait_for_function(f"() => {condition}", timeout=180_000)  # a training on a busy machine


def picks_file(server: Server, name: str) -> dict[str, Any]:
    return picks.read_picks(server.run_folder(name))


def saved_picks(page: Any, server: Server, name: str, accepted: int, rejected: int) -> dict[str, Any]:
    """What is on file once as many picks are."""
    for _ in range(300):
        picks_on_file = picks_file(server, name)
        if (len(picks_on_file["accepted"]), len(picks_on_file["rejected"])) == (accepted, rejected):
            return picks_on_file
        page.wait_for_timeout(50)
    b.shot(page, "not saved")
    raise AssertionError(picks_on_file)
