"""Folders of Stable Diffusion 3 and Flux as diffusers saves them: what is loaded, and that texts are the pipelines'."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
import torch

from swf_core.errors import UserError
from swf_core.learn.dataset import items_of
from swf_core.learn.options import defaults
from swf_core.learn.run import create_run
from swf_core.learn.train import train
from swf_core.models import load
from swf_core.models.flow import flow_sigmas
from swf_core.models.transformer_folder import shift_of
from swf_core.transfer import Content, TransferOptions, stylize

from support.tiny_models import picture
from support.tiny_pipelines import tiny_pipeline

TEXTS = ["a red house", "snow", ""]


@pytest.fixture(scope="module", params=["SD3", "Flux"])
def saved(request, tmp_path_factory):
    """A pipeline, and the folder that it was saved into."""
    folder = tmp_path_factory.mktemp("models") / request.param
    pipeline = tiny_pipeline(request.param)
    pipeline.save_pretrained(folder)
    return pipeline, folder


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    return shutil.copytree(saved[1], tmp_path / "copy")


def test_texts_are_the_pipelines(saved) -> None:
    pipeline, folder = saved
    backend = load(folder)
    found = backend.text.encode(TEXTS, 64, 64)
    if backend.family == "SD3":
        tokens, _, pooled, _ = pipeline.encode_prompt(TEXTS, None, None, do_classifier_free_guidance=False)
    else:
        tokens, pooled, _ = pipeline.encode_prompt(TEXTS, None)
    assert found.tokens.shape == tokens.shape and found.pooled is not None
    assert torch.allclose(found.tokens, tokens, atol=1e-5) and torch.allclose(found.pooled, pooled, atol=1e-5)
    assert not torch.equal(found.tokens[0], found.tokens[1])


def test_the_backend_is_what_the_folder_says(saved) -> None:
    _, folder = saved
    backend = load(folder)
    assert backend.family == folder.name and backend.name == folder.name
    assert backend.native_size_px == (16 if backend.family == "SD3" else 128) * backend.codec.downscale
    assert set(backend.layer_presets) == {"all", "late", "auto"}
    # a picture of 128 x 128 cells has 4096 tokens
    shift = {"SD3": 3.0, "Flux": math.exp(1.15)}[backend.family]
    assert torch.allclose(backend.denoiser.sigmas, flow_sigmas(shift), rtol=1e-9)
    codec = pipeline_codec(saved[0], picture(1)[None])
    assert torch.allclose(backend.codec.encode(picture(1)[None]), codec, atol=1e-5)


def pipeline_codec(pipeline, pictures):
    vae = pipeline.vae
    with torch.no_grad():
        latents = vae.encode(2 * pictures - 1).latent_dist.mode()
    return (latents - vae.config.shift_factor) * vae.config.scaling_factor


def test_a_transfer_runs_and_the_style_matters(saved) -> None:
    backend, options = load(saved[1]), TransferOptions(steps=2, size_px=0)
    first, other = (stylize(backend, [Content(picture(1), "snow")], [picture(k)], options) for k in (2, 3))
    assert torch.isfinite(first.images[0]).all()
    assert float((first.latents[0] - other.latents[0]).abs().max()) > 1e-4


def test_without_t5_zeros_stand_for_its_tokens(tmp_path) -> None:
    pipeline = tiny_pipeline("SD3", t5=False)
    pipeline.save_pretrained(tmp_path / "SD3")
    found = load(tmp_path / "SD3").text.encode(TEXTS, 64, 64)
    tokens, _, pooled, _ = pipeline.encode_prompt(TEXTS, None, None, do_classifier_free_guidance=False)
    assert torch.allclose(found.tokens, tokens, atol=1e-5) and found.pooled is not None
    assert torch.allclose(found.pooled, pooled, atol=1e-5)


@pytest.mark.parametrize("part", ["text_encoder_2", "vae", "scheduler", "tokenizer"])
def test_a_missing_part_is_named(copy, part) -> None:
    shutil.rmtree(copy / part)
    with pytest.raises(UserError, match=f"no '{part}' folder"):
        load(copy)


def test_another_transformer_is_refused_by_name(copy) -> None:
    path = copy / "transformer" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"_class_name": "PixArtTransformer2DModel"}))
    with pytest.raises(UserError, match="PixArtTransformer2DModel; SD3, Flux, .* and Flux.2 are supported"):
        load(copy)


def test_broken_weights_are_one_sentence(copy) -> None:
    (copy / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="could not be read; copy it again"):
        load(copy)


def test_a_loaded_folder_can_be_trained(saved, tmp_path) -> None:
    backend = load(saved[1])
    options = defaults(backend.family).changed(steps=2, rank=2, views=1, sample_every=0)
    items = items_of([torch.rand((3, 32, 32), generator=torch.Generator().manual_seed(1))], ["a red house"])
    run = create_run(tmp_path / "run", backend, options, items, ())
    assert train(run, backend).step == 2 and (run.folder / "lora.safetensors").exists()


def test_the_shift_follows_the_size_where_the_scheduler_says_so() -> None:
    assert shift_of({"shift": 3.0}, 128) == 3.0 and shift_of({}, 128) == 1.0
    dynamic = {"use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}
    assert shift_of(dynamic, 32) == pytest.approx(math.exp(0.5)) and shift_of(dynamic, 128) == pytest.approx(
        3.158, 1e-3
    )
