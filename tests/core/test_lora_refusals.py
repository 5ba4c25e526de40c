"""LoRA files that cannot be applied, and results that are no numbers: one sentence, with the file and the layer."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from swf_core.cli.loading import load_guided
from swf_core.errors import UserError
from swf_core.finite import check_finite
from swf_core.models import load, lora_load
from swf_core.models.lora_merge import merge_lora
from swf_core.pictures import png_bytes
from swf_core.transfer import SampleOptions, sample

from support.cli import swf
from support.tiny_models import fresh_backend

NAME = "up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
KEY = "lora_unet_" + NAME.replace(".", "_")
WIDTH = 16  # of this layer in the tiny models
NAN, INF = float("nan"), float("inf")


def lora(width: int = WIDTH, rank: int = 2, key: str = KEY) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        f"{key}.lora_down.weight": 0.1 * torch.randn((rank, width), generator=generator),
        f"{key}.lora_up.weight": 0.1 * torch.randn((width, rank), generator=generator),
        f"{key}.alpha": torch.tensor(float(rank)),
    }


def poisoned(part: str, value: float) -> dict[str, torch.Tensor]:
    tensors = lora()
    tensors[f"{KEY}.{part}"].flatten()[-1:].fill_(value)
    return tensors


def with_(**parts: torch.Tensor) -> dict[str, torch.Tensor]:
    return {**lora(), **{f"{KEY}.{part.replace('__', '.')}": tensor for part, tensor in parts.items()}}


# What is wrong -> the tensors, and what the sentence says beside the file's and the layer's names.
BROKEN = {
    "NaN": (poisoned("lora_up.weight", NAN), "'up' of its layer .* holds NaN"),
    "infinity": (poisoned("lora_down.weight", INF), "'down' of its layer .* holds infinite values"),
    "NaN alpha": (poisoned("alpha", NAN), "'alpha' of its layer .* holds NaN"),
    "NaN in float8": (
        with_(lora_up__weight=torch.full((WIDTH, 2), NAN).to(torch.float8_e4m3fn)),
        "'up' of its layer .* holds NaN",
    ),
    "no alpha in alpha": (with_(alpha=torch.zeros(0)), "'alpha' of its layer .* holds 0 numbers"),
    "five alphas": (with_(alpha=torch.ones(5)), "'alpha' of its layer .* holds 5 numbers"),
    "rank 0": (lora(rank=0), "its layer .* its rank is 0"),
    "0-d factor": (with_(lora_down__weight=torch.tensor(1.0)), "its layer .* its rank is 0"),
    "0-d other factor": (with_(lora_up__weight=torch.tensor(1.0)), "layer .* has another shape"),
    "another width": (lora(width=WIDTH + 4), "layer .* has another shape"),
    "ranks that differ": (with_(lora_up__weight=torch.ones(WIDTH, 3)), "layer .* has another shape"),
    "a transposed product": (
        with_(lora_up__weight=torch.ones(8, 2), lora_down__weight=torch.ones(2, 32)),
        "layer .* has another shape",
    ),
    "half a layer": (
        {k: v for k, v in lora().items() if "lora_up" not in k},
        "its layer .* half a LoRA: its tensor 'up' is missing",
    ),
    "an alpha alone": ({f"{KEY}.alpha": torch.tensor(1.0)}, "its layer .* has an alpha and no weights"),
    "two kinds": (with_(diff=torch.zeros(WIDTH, WIDTH)), "its layer .* mixes tensors of several kinds"),
    "a magnitude of another size": (with_(dora_scale=torch.ones(WIDTH + 1, 1)), "layer .* DoRA magnitude of another"),
    "whole numbers": (
        with_(lora_up__weight=torch.ones((WIDTH, 2), dtype=torch.int32)),
        "its layer .* is of type int32",
    ),
    "half a LoKr": ({f"{KEY}.lokr_w1": torch.ones(4, 4)}, "layer .* half a LoKr: its factor 2 is missing"),
    "too strong": (
        {k: v * (1.0 if "alpha" in k else 1e30) for k, v in lora().items()},
        "too strong: layer .* overflows in float32",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_lora_is_refused_naming_file_and_layer_and_changes_nothing(name, tmp_path):
    tensors, message = BROKEN[name]
    path = tmp_path / "broken.safetensors"
    save_file({**lora(key=KEY.replace("to_q", "to_k")), **tensors}, path)
    backend = fresh_backend("sd15")
    before = {k: v.clone() for k, v in backend.denoiser.network.state_dict().items()}
    with pytest.raises(UserError, match=message) as refusal:
        merge_lora(backend, path)
    assert str(path) in str(refusal.value) and KEY in str(refusal.value) and "\n" not in str(refusal.value)
    assert all(torch.equal(v, before[k]) for k, v in backend.denoiser.network.state_dict().items())
    if name not in ("a magnitude of another size", "half a LoKr"):  # kinds that are merged, never switched
        with pytest.raises(UserError, match=message) as refusal:
            lora_load.load(backend.denoiser.network, backend.denoiser.module_names, path)
        assert str(path) in str(refusal.value) and KEY in str(refusal.value)


def test_a_lora_that_only_half_precision_cannot_hold_is_refused_there(tmp_path):
    path = tmp_path / "loud.safetensors"
    save_file({k: v * (1.0 if "alpha" in k else 1e4) for k, v in lora().items()}, path)
    merge_lora(fresh_backend("sd15"), path)
    half = fresh_backend("sd15")
    half.denoiser.network.half()
    with pytest.raises(UserError, match=f"too strong: layer '{KEY}' overflows in float16; lower its weight"):
        merge_lora(half, path)
    merge_lora(half, path, 1e-4)


# Kinds that are known and not applied, and what they are called.
OTHER_KINDS = {
    f"{KEY}.oft_blocks": "is OFT",
    f"{KEY}.oft_diag": "is OFT",
    "base_model.model.conv_in.boft_R": "is BOFT",
    f"{KEY}.lambda_layer": "is T-LoRA",
    "base_model.model.conv_in.vera_lambda_b": "is VeRA",
    "text_encoder.text_model.embeddings.token_embedding.lora_embedding_A": "a LoRA of a text model's vocabulary",
    "bundle_emb.mystyle.string_to_param.*": "is a textual inversion embedding",
    f"{KEY}.something_new": "is of no kind that is known here",
    "model.diffusion_model.input_blocks.0.0.weight": "holds whole weights",
}


@pytest.mark.parametrize("key", OTHER_KINDS)
def test_a_kind_that_is_not_applied_is_called_by_its_name(key, tmp_path):
    save_file({**lora(), key: torch.ones(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=OTHER_KINDS[key]) as refusal:
        merge_lora(fresh_backend("sd15"), tmp_path / "other.safetensors")
    assert "other.safetensors" in str(refusal.value) and "use a LoRA" in str(refusal.value).replace("give a", "use a")


def test_a_file_for_another_model_says_which(tmp_path):
    path = tmp_path / "foreign.safetensors"
    for key, message in (
        ("lora_unet_double_blocks_0_img_attn_proj", "of another build"),
        ("lora_te2_text_model_encoder_layers_0_mlp_fc1", "text model 2, and this model has one"),
        ("lora_unet_input_blocks_8_1_transformer_blocks_9_ff_net_2", "is not in this model"),
    ):
        save_file(lora(key=key), path)
        with pytest.raises(UserError, match=f"does not fit tiny sd15: its layer '{key}' .*{message}"):
            merge_lora(fresh_backend("sd15"), path)
    save_file(lora() | lora(key=KEY.replace("lora_unet", "lycoris")), path)
    with pytest.raises(UserError, match="names one layer twice"):
        merge_lora(fresh_backend("sd15"), path)


MINI_NAME = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.fixture(scope="module")
def mini_width() -> int:
    return load("mini").denoiser.network.get_submodule(MINI_NAME).weight.shape[1]


@pytest.mark.parametrize("guidance", ["both", "asymmetric"])
@pytest.mark.parametrize("name", ["rank 0", "NaN", "five alphas"])
def test_the_command_line_ends_with_the_sentence_in_either_guidance(name, guidance, mini_width, tmp_path):
    key = "lora_unet_" + MINI_NAME.replace(".", "_")
    tensors = lora(mini_width, 0 if name == "rank 0" else 2, key)
    if name == "NaN":
        tensors[f"{key}.lora_up.weight"][0] = NAN
    if name == "five alphas":
        tensors[f"{key}.alpha"] = torch.ones(5)
    save_file(tensors, tmp_path / "broken.safetensors")
    out = tmp_path / "out"
    result = swf(
        *("sample", "--prompt", "a cat", "--steps", 1, "--out", out, "--lora", tmp_path / "broken.safetensors"),
        *("--lora-guidance", guidance),
    )
    assert result.returncode == 2 and "broken.safetensors" in result.stderr and key in result.stderr
    assert "Traceback" not in result.stderr and len(result.stderr.strip().splitlines()) == 1 and not out.exists()


def test_asymmetric_guidance_takes_every_kind(mini_width, tmp_path):
    """Plain LoRA is switched off and on; other kinds are merged into a second copy."""
    key = "lora_unet_" + MINI_NAME.replace(".", "_")
    x = torch.randn((1, load("mini").codec.channels, 8, 8), generator=torch.Generator().manual_seed(0))
    answers = []
    for extra in ({}, {f"{key}.dora_scale": torch.ones(mini_width, 1)}):
        save_file({**{k: 4 * v for k, v in lora(mini_width, key=key).items()}, **extra}, tmp_path / "style.safetensors")
        path = tmp_path / "style.safetensors"
        args = argparse.Namespace(model="mini", lora=path, lora_weight=1.0, lora_guidance="asymmetric", device="cpu")
        styled, plain = load_guided(args)
        text = styled.text.encode(["a cat"], 64, 64)
        answers += [backend.denoiser.denoise(x, 1.0, text) for backend in (styled, plain)]
        merged = load("mini", lora=path)
        assert torch.allclose(answers[-2], merged.denoiser.denoise(x, 1.0, text), atol=1e-5)
    assert torch.equal(answers[1], answers[3]) and not torch.allclose(answers[0], answers[2], atol=1e-3)


def test_a_sampling_that_is_no_number_stops_at_once_and_writes_nothing():
    backend = fresh_backend("sd15")
    with torch.no_grad():
        backend.denoiser.network.get_submodule("mid_block.resnets.0.conv1").weight.fill_(NAN)
    with pytest.raises(UserError, match="The prediction at noise level .* holds NaN .*; lower the LoRA's weight"):
        sample(backend, ["a red cat"], SampleOptions(steps=3, cfg=1.0))


def test_a_decoder_that_overflows_is_said_and_no_picture_of_nan_is_written():
    backend = fresh_backend("sd15")
    with torch.no_grad():
        backend.codec.vae.decoder.conv_out.bias.fill_(INF)
    with pytest.raises(UserError, match="The VAE's picture holds infinite values"):
        backend.codec.decode(torch.zeros(1, 4, 8, 8))
    with pytest.raises(UserError, match="The picture holds NaN"):
        png_bytes(torch.full((3, 4, 4), NAN))


def test_finite_values_come_back_as_they_are():
    values = torch.ones(3)
    assert check_finite(values, "The result") is values
    for value, kind in ((NAN, "NaN"), (-INF, "infinite values")):
        with pytest.raises(UserError, match=f"^The result holds {kind}.*; do this.$"):
            check_finite(torch.tensor([1.0, value]), "The result", "do this")


def test_the_header_of_a_file_may_lie_and_is_still_one_sentence(tmp_path: Path):
    path = tmp_path / "header.safetensors"
    save_file(lora(), path, {"lora_adapter_metadata": "[" * 100_000})
    with pytest.raises(UserError, match="no JSON object"):
        merge_lora(fresh_backend("sd15"), path)
