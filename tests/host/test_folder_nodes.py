"""Load Folder and Save to Folder in a running ComfyUI: a queue works through a folder, and goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from swf_core.pictures import load, save

from support.comfy_server import error_of
from support.tiny_models import picture


@pytest.fixture
def shots(base: Path, request: pytest.FixtureRequest) -> str:
    """A folder among the inputs: three pictures, one of them with alpha and one of a name twice, and a broken one."""
    name = f"shots_{request.node.name}"
    folder = base / "input" / name
    folder.mkdir()
    save(folder / "shot10.png", picture(1, 40, 64))
    save(folder / "shot2.png", picture(2), picture(3)[0])
    Image.open(folder / "shot2.png").convert("RGB").save(folder / "shot2.webp", lossless=True)
    (folder / "shot1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return name


def graph(folder: str, results: str, index: int = -1, **save_inputs: Any) -> dict[str, Any]:
    return {
        "1": {"class_type": "SWF_LoadFolder", "inputs": {"folder": folder, "results": results, "index": index}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {
            "class_type": "SWF_SaveFolder",
            "inputs": {"images": ["2", 0], "name": ["1", 2], "results": results} | save_inputs,
        },
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["1", 3]}},
    }


def names(server: Any, history: dict[str, Any]) -> list[str]:
    return [path.name for path in server.pictures(history) if "temp" not in path.parts]


def test_a_queue_works_through_a_folder_and_ends_with_a_sentence(server: Any, base: Path, shots: str) -> None:
    made = [names(server, server.run(graph(shots, shots))) for _ in range(3)]
    assert made == [["shot2_png.png"], ["shot2_webp.png"], ["shot10.png"]]
    error = error_of(server.run(graph(shots, shots)))
    assert "Nothing is left to do" in error and "4 pictures" in error
    results = base / "output" / shots
    assert sorted(path.name for path in results.iterdir()) == [
        "shot1.not_read.txt", "shot10.png", "shot2_png.png", "shot2_webp.png"
    ]  # fmt: skip
    assert "not a picture" in (results / "shot1.not_read.txt").read_text()
    shown, source = load(results / "shot10.png").pixels, load(base / "input" / shots / "shot10.png").pixels
    assert (shown - (1 - source)).abs().max() < 1.5 / 255
    assert "SWF_LoadFolder" in Image.open(results / "shot10.png").info["prompt"]
    (results / "shot2_webp.png").unlink()  # made again
    assert names(server, server.run(graph(shots, shots))) == ["shot2_webp.png"]


def test_a_number_takes_that_picture_and_alpha_is_a_mask(server: Any, shots: str) -> None:
    nodes = graph(shots, "numbered", 1)
    nodes["5"] = {"class_type": "MaskToImage", "inputs": {"mask": ["1", 1]}}
    nodes["6"] = {"class_type": "SWF_SaveFolder", "inputs": {"images": ["5", 0], "name": "mask", "results": "numbered"}}
    assert sorted(names(server, server.run(nodes))) == ["mask.png", "shot2_png.png"]
    assert "from 0 to 3" in error_of(server.run(graph(shots, "numbered", 9)))
    assert "broken" in (error := error_of(server.run(graph(shots, "numbered", 0)))) or "not a picture" in error


def test_only_the_hosts_own_folders_are_read_and_written(server: Any, shots: str) -> None:
    for folder in ("../output", "/etc", "nowhere"):
        assert "no folder in ComfyUI's input folder" in error_of(server.run(graph(folder, "x")))
    for results in ("..", "/tmp", ""):
        assert "no folder in ComfyUI's output folder" in error_of(server.run(graph(shots, results)))
    assert "no file's name" in error_of(server.run(graph(shots, "y", 1, name="../other")))
