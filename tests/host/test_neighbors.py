"""Other packs' nodes in one graph with ours, as docs/neighbors.md tells it. The packs are looked for in the folder
that COMFYUI_NEIGHBORS names, or ~/comfy/neighbors."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swf_core.measure.metrics.pairs import make_pairs

from support.comfy_host import INSIDE, ROOT, free_port, new_base, serve
from support.comfy_server import Server, error_of, put_pictures
from support.neighbor_graphs import CASES, PACKS, write_random_weights

FOLDER = Path(os.environ.get("COMFYUI_NEIGHBORS") or Path.home() / "comfy" / "neighbors")
ROW = re.compile(r"^\| (?P<pack>[^|]+) \| [^|]+ \| (?P<node>[^|]+) \| (?P<result>[^|]+) \|$", re.MULTILINE)


@functools.cache
def told() -> dict[str, tuple[str, str]]:
    """The page's table: pack and result by the graph's name."""
    page = (ROOT / "docs" / "neighbors.md").read_text("utf-8")
    return {m["node"]: (m["pack"], m["result"]) for m in ROW.finditer(page)}


@pytest.fixture(scope="module")
def crowded(host, tmp_path_factory) -> Iterator[Server]:
    """ComfyUI with our pack and all of theirs that are there."""
    base = new_base(tmp_path_factory.mktemp("crowded"))
    for pack in PACKS:
        if (FOLDER / pack).is_dir():
            (base / "custom_nodes" / pack).symlink_to(FOLDER / pack, target_is_directory=True)
    node = INSIDE / "random_unet_node.py"
    (base / "custom_nodes" / node.name).symlink_to(node)
    put_pictures(base, make_pairs(7, 12_345_600)[6])
    write_random_weights(base)
    server, process = serve(host, base, free_port())
    yield server
    process.terminate()
    process.wait(30)


def pixels(server: Server, history: dict) -> np.ndarray:
    """The saved pictures [B, H, W, 3] in levels."""
    return np.stack([np.asarray(Image.open(p).convert("RGB"), float) for p in server.pictures(history)])


def test_the_page_tells_of_every_graph():
    assert {node: pack for node, (pack, _) in told().items() if node in CASES} == {
        node: pack or "ComfyUI itself" for node, (pack, _) in CASES.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_a_neighbor_works_or_is_refused_in_one_sentence_as_the_page_tells(crowded, case):
    pack, graph = CASES[case]
    if pack and not (FOLDER / pack).is_dir():
        pytest.skip(f"no {pack} in {FOLDER}; set COMFYUI_NEIGHBORS")
    if pack:
        assert PACKS[pack] in crowded.get("/object_info"), crowded.log.read_text()[-4000:]
    result = told()[case][1]
    both, theirs = (crowded.run(graph(ours, True)) for ours in (True, False))
    if result.startswith('"'):
        message = error_of(both)
        assert result.strip('"') in message and message.count("\n") <= 1, message
        return
    if result.startswith("fails without our node too"):
        assert error_of(both) == error_of(theirs)
        return
    assert result.startswith("works"), result
    picture = pixels(crowded, both)
    assert picture.std() > 10
    assert np.abs(picture - pixels(crowded, theirs)).mean() > 1.0, "our node has no effect"
    ours = pixels(crowded, crowded.run(graph(True, False)))
    if "equal to the batch without windows" in result:
        assert np.abs(picture - ours).max() <= 1.0
    elif picture.shape == ours.shape:
        assert np.abs(picture - ours).mean() > 0.1, "their node has no effect"
