"""The transfer in ComfyUI gives what the command line gives: same weights, same noise levels, same formula."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

CASES = {
    "plain": {},
    "cfg": {"cfg": 3.0, "prompt": "a woodcut of a red house"},
    "schedule, strength": {"gamma_end": 0.2, "gamma_schedule": "cosine", "strength": 0.6},
    "concat": {"kv": "concat", "bias": 1.0, "layers": "late"},
    "query statistics": {"query_adain": 1.0, "gamma": 0.2},
}


@pytest.mark.parametrize("case", CASES)
def test_node_and_command_line_agree(host, tmp_path, case):
    pytest.importorskip("diffusers")
    from safetensors.torch import load_file, save_file

    from swf_core.measure.pairs import make_pairs
    from swf_core.models import load
    from swf_core.transfer import TransferOptions, stylize
    from swf_core.transfer.injection import Injection
    from swf_core.transfer.sigmas import schedule

    values = {"layers": "all", "gamma": 0.5, "tau": 2.0} | CASES[case]
    cfg, prompt = values.pop("cfg", 1.0), values.pop("prompt", "")
    backend = load("mini")
    pair = make_pairs(3, 12_345_700)[2]
    content, style = pair.content[:, :96], pair.style  # not square, and of another size
    options = TransferOptions(Injection(**values), steps=6, cfg=cfg, size_px=0, adain=0.7)
    ours = stylize(backend, [content], [style], replace(options), prompts=prompt)

    with torch.no_grad():
        latents = {name: backend.codec.encode(p[None]) for name, p in (("content", content), ("style", style))}
    sigmas = torch.tensor([*schedule(backend.denoiser.sigmas, 6), 0.0], dtype=torch.float32)
    asked, answers = tmp_path / "asked.safetensors", tmp_path / "answers.safetensors"
    told = {"options": json.dumps(values | {"cfg": cfg, "prompt": prompt, "adain": 0.7})}
    save_file({k: v.contiguous() for k, v in latents.items()} | {"sigmas": sigmas}, asked, told)
    run = host.run(Path(__file__).with_name("stylize_native.py"), asked, answers)
    assert run.returncode == 0, run.stdout
    theirs = load_file(answers)
    assert (theirs["latents"][0] - ours.latents[0]).abs().max() < 1e-3
    # Two inversions of 6, then 6 steps of content, style and generation, the last twice with guidance.
    assert int(theirs["calls"]) == 12 + 6 * (3 if cfg == 1.0 else 4)
