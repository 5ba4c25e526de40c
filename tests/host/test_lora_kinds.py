"""LoRA files of every kind: our merged weights are ComfyUI's own; what its loader passes over in silence is said."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

FAMILIES = ("sd15", "sd2v", "sdxl")
KINDS = (
    "LoRA",
    "LoRA without alpha",
    "LoCon, Tucker",
    "LoHa",
    "LoHa, Tucker",
    "LoKr",
    "LoKr, whole",
    "LoKr, Tucker",
    "DoRA by inputs",
    "DoRA by outputs",
    "GLoRA",
    "full difference",
    "whole weight",
)


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("lora") / "report.json"
    run = host.run(INSIDE / "lora_kinds_native.py", path, seconds=600)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_merged_weights_are_those_of_comfyuis_own_loader(report, family, kind):
    """Each kind under one of four layouts of names.

    Of a DoRA by outputs ComfyUI's rows differ by a known factor; of a LoKr with a core ours are what the node puts on.
    """
    values = report[f"{family}, {kind}"]
    assert values["layers"] == values["ours"] == values["theirs"] == values["put"] >= 15, values
    assert max(values["apart"], values["put apart"]) < 1e-5 and values["effect"] > 1e-2, values


@pytest.mark.parametrize("family", FAMILIES)
def test_norms_agree_and_names_of_peft_that_the_host_passes_over_are_put_on(report, family):
    norms, peft = report[f"{family}, norms"], report[f"{family}, peft"]
    assert norms["layers"] == norms["theirs"] >= 40 and norms["apart"] < 1e-5
    assert peft["put"] == peft["layers"] > peft["stock"] and peft["apart"] < 1e-5


@pytest.mark.parametrize("count", [1, 2])
def test_text_models_agree_by_kohyas_names(report, count):
    values = report[f"text models: {count}"]
    assert values["layers"] == values["ours"] == values["theirs"] == 12 * count and values["apart"] < 1e-5


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("NaN", "The LoRA 'a.safetensors' is broken: 'up' of its layer 'lora_unet_mid_block"),
        ("foreign", "'lora_unet_double_blocks_0_img_attn_proj' belongs to a model of another build"),
        ("narrow", "has another shape than the model's"),
        ("IA3", "for which ComfyUI has no loader"),
        ("NaN result", "holds NaN (no number), so there is no picture to show; lower the LoRA's weight"),
    ],
)
def test_what_the_host_would_pass_over_in_silence_is_refused(report, case, sentence):
    assert sentence in report["refused"][case]


def test_layers_of_a_text_model_are_left_out_of_a_model(report):
    assert report["text layers left out"] == 1
