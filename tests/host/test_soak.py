"""A long day: hundreds of prompts with changing seeds through one graph, and the server's memory stays where it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.pictures import resize, save

from support.api_graphs import patch_inputs, triple_inputs
from support.comfy_host import free_port, new_base, serve
from support.comfy_server import Server

PROMPTS, SETTLED, SIDE = 300, 10, 64


@pytest.fixture
def own_server(host, tmp_path) -> Iterator[tuple[Server, int]]:
    """A ComfyUI that nobody else has used, and its process id."""
    server, process = serve(host, new_base(tmp_path), free_port())
    yield server, process.pid
    process.terminate()
    process.wait(30)


def resident_bytes(process: int) -> int:
    """What a process holds in main memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096


def graph(seed: int) -> dict:
    """A transfer by the Triple Diffusion Sampler and one by the patch and a stock sampler, each from this seed."""
    encoded = {"content": ["5", 0], "style": ["6", 0]}
    texts = {"positive": ["2", 0], "negative": ["2", 0]}
    sampled = {"steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    nodes = {
        "1": ("SWF_MiniLoader", {}),
        "2": ("CLIPTextEncode", {"text": "a red house", "clip": ["1", 1]}),
        "3": ("LoadImage", {"image": "content.png"}),
        "4": ("LoadImage", {"image": "style.png"}),
        "5": ("VAEEncode", {"pixels": ["3", 0], "vae": ["1", 2]}),
        "6": ("VAEEncode", {"pixels": ["4", 0], "vae": ["1", 2]}),
        "7": ("SWF_TripleSampler", triple_inputs(model=["1", 0], seed=seed, **{**sampled, **texts, **encoded})),
        "8": ("SWF_QueryPreservePatch", patch_inputs(model=["1", 0], seed=seed, **encoded)),
        "9": ("KSampler", {"model": ["8", 0], "latent_image": ["5", 0], "seed": seed, **sampled, **texts}),
        "10": ("VAEDecode", {"samples": ["7", 0], "vae": ["1", 2]}),
        "11": ("VAEDecode", {"samples": ["9", 0], "vae": ["1", 2]}),
        "12": ("PreviewImage", {"images": ["10", 0]}),
        "13": ("PreviewImage", {"images": ["11", 0]}),
    }
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_after_300_prompts_is_that_after_the_tenth(own_server, record_property):
    server, process = own_server
    pair = make_pairs(7, 12_345_600)[6]
    for name in ("content", "style"):
        save(server.base / "input" / f"{name}.png", resize(getattr(pair, name), SIDE, SIDE))
    held = []
    for seed in range(PROMPTS):
        assert len(server.pictures(server.run(graph(seed)))) == 2
        held.append(resident_bytes(process))
    for count in (SETTLED, 100, 200, PROMPTS):
        record_property(f"after {count} prompts", f"{held[count - 1] / 1e6:.1f} MB")
        print(f"after {count} prompts: {held[count - 1] / 1e6:.1f} MB")
    assert held[-1] <= 1.05 * held[SETTLED - 1], f"{held[SETTLED - 1] / 1e6:.1f} MB -> {held[-1] / 1e6:.1f} MB"
