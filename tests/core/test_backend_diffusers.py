"""The diffusers backend: the same numbers as diffusers, folders and files, text, LoRA, and clear refusals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

from swf_core.models import load
from swf_core.models.diffusers_backend import backend_from_modules
from swf_core.models.lora_merge import merge_lora
from swf_core.transfer import SampleOptions, sample

from support.tiny_models import FAMILIES, picture, tiny_backend, tiny_parts


def test_the_core_loads_neither_diffusers_nor_transformers():
    code = (
        "import sys, swf_core, swf_core.transfer, swf_core.models, swf_core.models.diffusers_backend\n"
        "assert not {'diffusers', 'transformers', 'peft', 'comfy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_sampling_is_diffusers_ddim(family):
    backend = tiny_backend(family)
    unet, cond = backend.denoiser.network, backend.text.encode(["a red cat"], 64, 64)
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
        prediction_type="v_prediction" if family == "sd2v" else "epsilon",
    )
    scheduler.set_timesteps(10)
    start = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0)) * 10
    sigma = float(backend.denoiser.sigmas[scheduler.timesteps[0]])
    z = start / (sigma**2 + 1) ** 0.5
    added = None if cond.pooled is None else {"text_embeds": cond.pooled, "time_ids": cond.size_ids}
    for t in scheduler.timesteps:
        out = unet(z, t, encoder_hidden_states=cond.tokens, added_cond_kwargs=added).sample
        z = scheduler.step(out, t, z, eta=0.0).prev_sample
    latents = sample(backend, ["a red cat"], SampleOptions(steps=10, cfg=1.0), start=start).latents[0]
    assert torch.allclose(latents, z[0], atol=1e-4 * float(z.abs().max()))


def test_sdxl_text_has_both_encoders_pooled_and_sizes():
    cond = tiny_backend("sdxl").text.encode(["a", "b"], 40, 64)
    assert cond.tokens.shape == (2, 8, 32) and cond.pooled.shape == (2, 16)
    assert cond.size_ids.tolist() == [[40, 64, 0, 0, 40, 64]] * 2
    assert not torch.equal(cond.tokens[0], cond.tokens[1]) and not torch.equal(cond.pooled[0], cond.pooled[1])


@pytest.mark.parametrize("vae", ["kl", "tiny"])
def test_codec(vae):
    codec = tiny_backend("sd15", vae=vae).codec
    pictures = torch.stack([picture(1, 40, 64), picture(2, 40, 64)])
    latents = codec.encode(pictures)
    assert latents.shape == (2, 4, 5, 8) and codec.downscale == 8 and codec.channels == 4
    assert torch.equal(latents, codec.encode(pictures))  # the mode, not a draw
    decoded = codec.decode(latents)
    assert decoded.shape == pictures.shape and 0 <= decoded.min() and decoded.max() <= 1
    with pytest.raises(ValueError, match="multiples of 8"):
        codec.encode(pictures[..., :63])


def test_wrong_parts_are_refused():
    unet, texts, tokenizers, vae, _ = tiny_parts("sd15")
    with pytest.raises(ValueError, match="needs one of each"):
        backend_from_modules(unet, texts * 2, tokenizers, vae, {}, name="x", native_size_px=64)
    with pytest.raises(ValueError, match="scaled_linear or linear"):
        backend_from_modules(unet, texts, tokenizers, vae, {"beta_schedule": "sigmoid"}, name="x", native_size_px=64)
    with pytest.raises(ValueError, match="'noise' is unknown"):
        backend_from_modules(unet, texts, tokenizers, vae, {"prediction_type": "noise"}, name="x", native_size_px=64)


def write_tokenizer(folder):
    folder.mkdir()
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    # the tiny text model's ids for begin and end are 62 and 63
    vocabulary = {word: index if index < 52 else index + 10 for index, word in enumerate(words)}
    vocabulary |= {f"unused{i}": i for i in range(52, 62)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 8,
        "tokenizer_class": "CLIPTokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(special))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One saved model per family."""
    root = tmp_path_factory.mktemp("models")
    for family in FAMILIES:
        unet, texts, _, vae, scheduler = tiny_parts(family)
        unet.save_pretrained(root / family / "unet")
        vae.save_pretrained(root / family / "vae")
        for index, text in enumerate(texts):
            suffix = f"_{index + 1}" if index else ""
            text.save_pretrained(root / family / f"text_encoder{suffix}")
            write_tokenizer(root / family / f"tokenizer{suffix}")
        (root / family / "scheduler").mkdir()
        (root / family / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return root


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_folder_comes_back_the_same(family, folders):
    loaded, built = load(folders / family), tiny_backend(family)
    assert loaded.family == built.family and loaded.native_size_px == 64
    assert loaded.denoiser.prediction_type == built.denoiser.prediction_type
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    cond = built.text.encode(["a b"], 64, 64)
    assert torch.allclose(loaded.denoiser.denoise(x, 3.0, cond), built.denoiser.denoise(x, 3.0, cond), atol=1e-5)
    assert torch.allclose(loaded.codec.encode(picture(1)[None]), built.codec.encode(picture(1)[None]), atol=1e-5)
    texts = loaded.text.encode(["a cat", ""], 64, 64)
    assert texts.tokens.shape == (2, 8, cond.tokens.shape[-1]) and not torch.equal(texts.tokens[0], texts.tokens[1])


def test_broken_models_are_refused_in_a_sentence(folders, tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        load(tmp_path / "nothing")
    (tmp_path / "model.ckpt").write_bytes(b"x")
    with pytest.raises(ValueError, match="is no .safetensors file"):
        load(tmp_path / "model.ckpt")
    (tmp_path / "bad.safetensors").write_bytes(b"not a model")
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        load(tmp_path / "bad.safetensors")
    save_file({"some.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no checkpoint of Stable Diffusion"):
        load(tmp_path / "other.safetensors")
    keys = ("model.diffusion_model.out.2.weight", "cond_stage_model.transformer.text_model.final_layer_norm.weight")
    save_file({key: torch.zeros(2) for key in keys}, tmp_path / "sd.safetensors")
    with pytest.raises(ValueError, match="vocab.json and merges.txt"):
        load(tmp_path / "sd.safetensors")
    copy = tmp_path / "copy"
    shutil.copytree(folders / "sd15", copy)
    next((copy / "unet").glob("*.safetensors")).write_bytes(b"torn")
    with pytest.raises(ValueError, match="could not be read; copy it again"):
        load(copy)
    shutil.rmtree(copy / "vae")
    with pytest.raises(ValueError, match="has no 'vae' folder"):
        load(copy)


def test_a_lora_is_merged_or_refused(tmp_path):
    parts = tiny_parts("sd15")
    backend = backend_from_modules(*parts, name="mine", native_size_px=64)
    name = "up_blocks.3.attentions.0.transformer_blocks.0.attn1.to_q"
    layer = backend.denoiser.network.get_submodule(name)
    before = layer.weight.detach().clone()
    key = "lora_unet_" + name.replace(".", "_")
    down, up = torch.randn(2, before.shape[1]), torch.randn(before.shape[0], 2)
    good = {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(4.0)}
    save_file(good, tmp_path / "lora.safetensors")
    assert merge_lora(backend, tmp_path / "lora.safetensors", 0.5) == 1
    assert torch.allclose(layer.weight, before + 0.5 * (4 / 2) * up @ down, atol=1e-5)
    save_file({k.replace("up_blocks_3", "up_blocks_9"): v for k, v in good.items()}, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError, match="is not in this model"):
        merge_lora(backend, tmp_path / "wrong.safetensors")
    save_file(good | {f"{key}.lora_up.weight": up[:3]}, tmp_path / "shape.safetensors")
    with pytest.raises(ValueError, match="another shape"):
        merge_lora(backend, tmp_path / "shape.safetensors")
    with pytest.raises(ValueError, match="does not exist"):
        merge_lora(backend, tmp_path / "none.safetensors")
