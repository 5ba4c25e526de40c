"""One step of diffusers' own pipelines, from a prompt to a latent, and of the folders that they are saved into."""

from __future__ import annotations

import pytest
import torch

from swf_core.models import load

from support.tiny_language_pipelines import LANGUAGE_PIPELINES, tiny_language_pipeline
from support.tiny_pipelines import tiny_pipeline

TEXTS = ["a red house", "a painting of a house of snow"]
CELLS = {"Flux": 2, "Qwen-Image": 2, "Flux.2": 1, "Flux.2 klein": 1}  # of a token's side, where it keeps tokens
# Without guidance by a second call, in the words of each.
UNGUIDED = {"SD3": 1.0, "Lumina2": 1.0, "Z-Image": 0.0, "Flux.2 klein": 1.0}


def packed(x, cells):
    """[B, C, h, w] as rows of tokens of cells x cells."""
    return torch.nn.functional.pixel_unshuffle(x, cells).flatten(2).transpose(1, 2)


@pytest.mark.parametrize("name", ["SD3", "Flux", *LANGUAGE_PIPELINES])
def test_a_step_to_the_clean_end_is_x0_as_the_pipeline_predicts_it(name, tmp_path) -> None:
    pipeline = tiny_pipeline(name) if name in ("SD3", "Flux") else tiny_language_pipeline(name)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(tmp_path / name)
    backend, heard = load(tmp_path / name), []
    x_t = torch.randn(len(TEXTS), 4, 12, 8, generator=torch.Generator().manual_seed(3))
    height, width = (n * backend.codec.downscale for n in x_t.shape[-2:])

    def listen(pipeline, step, t, tensors):
        heard.append((float(t) / 1000.0, tensors["latents"]))
        return {}

    pipeline(
        prompt=list(TEXTS),
        height=height,
        width=width,
        sigmas=[0.6],
        num_inference_steps=1,
        latents=packed(x_t, 2) if CELLS.get(name) == 2 else x_t,
        callback_on_step_end=listen,
        output_type="latent",
        **({"guidance_scale": UNGUIDED[name]} if name in UNGUIDED else {}),
    )
    ((t, own),) = heard
    sigma = t / (1.0 - t)
    x0 = backend.denoiser.denoise(x_t * (1.0 + sigma), sigma, backend.text.encode(TEXTS, height, width))
    assert 0.3 < t < 0.99 and float((x0 - x_t).abs().max()) > 0.1
    assert torch.allclose(packed(x0, CELLS[name]) if name in CELLS else x0, own.float(), atol=1e-4)
