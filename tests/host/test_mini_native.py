"""mini as ComfyUI's MODEL and CLIP gives what the core's own backend gives."""

from __future__ import annotations

import json

import pytest
import torch

from support.comfy_host import INSIDE

TEXTS = ["", "a woodcut of a red house in the snow at night", "a zeppelin, in oil"]


@pytest.mark.parametrize("size", [(16, 16), (20, 12), (15, 17)])
def test_comfyui_and_the_core_agree(host, tmp_path, size):
    pytest.importorskip("diffusers")
    from safetensors.torch import load_file, save_file

    from swf_core.models import load

    sigma = 3.0
    x = torch.randn((2, 4, *size), generator=torch.Generator().manual_seed(0)) * sigma
    request, result = tmp_path / "request.safetensors", tmp_path / "result.safetensors"
    save_file({"x": x, "sigma": torch.tensor([sigma])}, request, {"texts": json.dumps(TEXTS)})
    run = host.run(INSIDE / "mini_native.py", request, result)
    assert run.returncode == 0, run.stdout
    theirs = load_file(result)
    backend = load("mini")
    for i, text in enumerate(TEXTS):
        cond = backend.text.encode([text], 128, 128)
        assert (theirs[f"tokens{i}"] - cond.tokens).abs().max() < 1e-3
        ours = backend.denoiser.denoise(x, sigma, cond)
        assert (theirs[f"x0{i}"] - ours).abs().max() < 1e-3
    assert (theirs["x00"] - theirs["x01"]).abs().max() > 0.05  # and the words matter
