"""Fine Detail in a running ComfyUI: the core's own result, batches, alpha, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from swf_core.color.fine_detail import with_fine_detail
from swf_core.models import load as load_model
from swf_core.models.round_trip import round_trip
from swf_core.pictures import load, png_bytes, to_image

from support.comfy_server import error_of

skimage = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def photo(base) -> torch.Tensor:
    """A photograph whose sides are no multiples of a cell, among the server's inputs with its round trip."""
    pixels = load(Path(skimage.__file__).parent / "chelsea.png", 203).pixels
    back = round_trip(load_model("mini").codec, pixels)
    for name, picture in (("cat", pixels), ("cat_back", back), ("cat_large", load_large())):
        (base / "input" / f"detail_{name}.png").write_bytes(png_bytes(to_image(picture)))
    return pixels


def load_large() -> torch.Tensor:
    return load(Path(skimage.__file__).parent / "chelsea.png", 406).pixels


def graph(content: str = "cat", copies: int = 1, contents: int = 1, **inputs: Any) -> dict[str, Any]:
    def batch(name: str, count: int) -> dict[str, Any]:
        return {"class_type": "RepeatImageBatch", "inputs": {"image": [name, 0], "amount": count}}

    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "detail_cat_back.png"}},
        "3": {"class_type": "LoadImage", "inputs": {"image": f"detail_{content}.png"}},
        "4": batch("2", copies),
        "5": batch("3", contents),
        "6": {
            "class_type": "SWF_FineDetail",
            "inputs": {"image": ["4", 0], "content": ["5", 0], "vae": ["1", 2], "amount": 1.0} | inputs,
        },
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "detailed"}},
    }


def results(server: Any, nodes: dict[str, Any]) -> list[torch.Tensor]:
    return [load(path).pixels for path in server.pictures(server.run(nodes))]


def test_it_is_the_core_s_result_on_the_host_s_vae(server, photo):
    own = load_model("mini").codec
    back = round_trip(own, photo)
    shown = results(server, graph())[0]
    assert shown.shape == photo.shape
    assert (shown - with_fine_detail(back, photo, own)).abs().max() < 4 / 255
    assert (shown - photo).abs().mean() < 0.3 * (back - photo).abs().mean()


def test_a_larger_content_is_brought_to_the_result_and_a_batch_shares_it(server, photo):
    one, two = results(server, graph("cat_large", copies=2))
    assert torch.equal(one, two) and one.shape == photo.shape
    plain = results(server, graph(amount=0.0))[0]
    assert (plain - round_trip(load_model("mini").codec, photo)).abs().max() < 1 / 255
    assert (one - photo).abs().mean() < 0.5 * (plain - photo).abs().mean()


def test_counts_that_do_not_fit_are_one_sentence(server, photo):
    assert "3 results and 2 contents" in error_of(server.run(graph(copies=3, contents=2)))
