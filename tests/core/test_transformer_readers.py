"""Folders of families whose text a language model reads: texts and latents are the pipelines' own."""

from __future__ import annotations

import shutil

import pytest
import torch

from swf_core.errors import UserError
from swf_core.models import load
from swf_core.models.contracts import join
from swf_core.transfer import Content, TransferOptions, stylize

from support.tiny_language_pipelines import LANGUAGE_PIPELINES, tiny_language_pipeline
from support.tiny_models import picture

TEXTS = ["a red house", "snow", "a painting of a house of snow"]


@pytest.fixture(scope="module", params=LANGUAGE_PIPELINES)
def saved(request, tmp_path_factory):
    """A pipeline, and the folder that it was saved into."""
    folder = tmp_path_factory.mktemp("models") / request.param
    pipeline = tiny_language_pipeline(request.param)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder)
    return pipeline, folder


def family_of(folder):
    return folder.name.split()[0]


@torch.no_grad()
def own_texts(pipeline, family):
    """Each text's tokens that are read, as the pipeline has them."""
    if family == "Z-Image":
        return pipeline.encode_prompt(list(TEXTS), do_classifier_free_guidance=False)[0]
    if family == "Lumina2":
        tokens, mask = pipeline.encode_prompt(list(TEXTS), do_classifier_free_guidance=False)[:2]
    else:
        tokens, mask = pipeline.encode_prompt(list(TEXTS))
    if family == "Flux.2":
        return list(tokens)  # all of them, its mask are ids
    return [row[read.bool()] for row, read in zip(tokens, mask)]


def test_texts_are_the_pipelines(saved) -> None:
    pipeline, folder = saved
    text = load(folder).text
    found, own = text.encode(TEXTS, 64, 64), own_texts(pipeline, family_of(folder))
    assert found.lengths.tolist() == [len(row) for row in own] and found.tokens.shape[1] == max(map(len, own))
    for row, length, expected in zip(found.tokens, found.lengths, own):
        assert torch.allclose(row[:length], expected, atol=1e-5)
        assert not row[length:].any()
    assert not torch.allclose(found.tokens[0, -3:], found.tokens[2, -3:], atol=1e-3)
    # together or one by one, they are the same to the network
    apart = join([text.encode([each], 64, 64) for each in TEXTS])
    assert apart.lengths.tolist() == found.lengths.tolist() and torch.allclose(apart.tokens, found.tokens, atol=1e-5)


@torch.no_grad()
def own_latents(pipeline, family, pictures):
    vae, pixels = pipeline.vae, 2 * pictures - 1
    if family == "Qwen-Image":
        raw = vae.encode(pixels.unsqueeze(2)).latent_dist.mode().squeeze(2)
        mean, deviation = (torch.tensor(vae.config[key]).view(1, -1, 1, 1) for key in ("latents_mean", "latents_std"))
        return (raw - mean) / deviation
    raw = vae.encode(pixels).latent_dist.mode()
    if family == "Flux.2":
        mean, variance = (x.view(1, -1, 1, 1) for x in (vae.bn.running_mean, vae.bn.running_var))
        return (pipeline._patchify_latents(raw) - mean) / torch.sqrt(variance + vae.config.batch_norm_eps)
    return (raw - vae.config.shift_factor) * vae.config.scaling_factor


def test_latents_are_the_pipelines_and_come_back(saved) -> None:
    pipeline, folder = saved
    codec, family = load(folder).codec, family_of(folder)
    pictures = torch.stack([picture(1, 64, 96), picture(2, 64, 96)])
    latents = codec.encode(pictures)
    assert latents.shape == (2, codec.channels, 64 // codec.downscale, 96 // codec.downscale)
    assert torch.allclose(latents, own_latents(pipeline, family, pictures), atol=1e-5)
    back = codec.decode(latents)
    with torch.no_grad():
        raw = pipeline.vae.encode((2 * pictures - 1)[:, :, None] if family == "Qwen-Image" else 2 * pictures - 1)
        own = pipeline.vae.decode(raw.latent_dist.mode()).sample.reshape(pictures.shape) / 2 + 0.5
    assert torch.allclose(back, own.clamp(0, 1), atol=1e-4) and float(back.std()) > 1e-3
    with pytest.raises(UserError, match="sides must be multiples of"):
        codec.encode(pictures[..., :-1])


def test_the_backend_is_what_the_folder_says(saved) -> None:
    backend, family = load(saved[1]), family_of(saved[1])
    assert backend.family == family and set(backend.layer_presets) == {"all", "auto", "late"}
    assert backend.native_size_px == (16 * 8 if family == "Lumina2" else 1024)
    # a picture of 1024 px is 64 x 64 tokens of Flux.2, in 50 steps
    shift = 7.53 if family == "Flux.2" else 3.0
    t = backend.denoiser.sigmas / (1.0 + backend.denoiser.sigmas)
    middle = t[len(t) // 2 - 1]
    u = 0.5 * 0.995 / (shift - (shift - 1) * 0.995)
    assert float(middle) == pytest.approx(shift * u / (1 + (shift - 1) * u), rel=2e-3)


def test_a_transfer_runs_and_the_style_matters(saved) -> None:
    backend, options = load(saved[1]), TransferOptions(steps=2, size_px=0)
    first, other = (stylize(backend, [Content(picture(1), "snow")], [picture(k)], options) for k in (2, 3))
    assert torch.isfinite(first.images[0]).all()
    assert float((first.latents[0] - other.latents[0]).abs().max()) > 1e-4


@pytest.mark.parametrize("part", ["text_encoder", "tokenizer", "vae", "scheduler"])
def test_a_missing_part_is_named(saved, tmp_path, part) -> None:
    copy = shutil.copytree(saved[1], tmp_path / "copy", ignore=shutil.ignore_patterns(part))
    with pytest.raises(UserError, match=f"no '{part}' folder"):
        load(copy)


def test_a_text_encoder_without_some_weights_is_refused(saved, tmp_path) -> None:
    """Weights that are missing would be drawn at random."""
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(saved[1], tmp_path / "copy")
    path = copy / "text_encoder" / "model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if name.endswith("layers.0.mlp.up_proj.weight"))
    save_file({key: x for key, x in weights.items() if key != name}, path, metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks weights \(.*layers.0.mlp.up_proj.weight\)"):
        load(copy)
