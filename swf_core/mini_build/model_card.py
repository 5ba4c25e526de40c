"""The model card and the contact sheets of `mini build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..models.mini.vae import NarrowAutoencoder
from ..pictures import sheet
from ..world import HELD_OUT, STYLE_WORDS, STYLES, TRAINED
from .base_batches import CAPTIONS, HARD, TIMESTEP_POWER
from .data import FURTHER_WEIGHTS
from .stage_base import TRAINED_SHARE
from .stage_words import STYLE_WEIGHT


@torch.no_grad()
def contact_sheet_vae(model: NarrowAutoencoder, sets: dict[str, np.ndarray], count: int = 8) -> Image.Image:
    """Pictures above their round trips."""
    rows = []
    for pictures in sets.values():
        batch = torch.from_numpy(np.array(pictures[:count])).permute(0, 3, 1, 2).float() / 255
        rows += [list(batch), list(model.decode(model.encode(batch)).clamp(0, 1))]
    return sheet(rows, [], [f"{n}\n{w}" for n in sets for w in ("picture", "round trip")], cell_px=128)


def contact_sheet_samples(folder: Path, seed: int = 0) -> Image.Image:
    """One prompt a column, one style a row, from the weights in `folder`."""
    from ..models.mini import load_mini
    from ..transfer import SampleOptions, sample

    backend = load_mini(folder)
    contents = (
        "a red house on the grass at noon",
        "a yellow boat by the sea at sunset",
        "a blue car on the sand at noon",
        "a white lighthouse by the sea at night",
        "a green tree in the snow at noon",
        "a purple teapot on the grass at sunset",
    )
    rows = []
    for k, style in enumerate(TRAINED):
        prompts = [f"{STYLE_WORDS[style][0]} of {c}" for c in contents]
        rows.append(sample(backend, prompts, SampleOptions(steps=20, cfg=3.0), seed=seed + k).images)
    return sheet(rows, [c.removeprefix("a ") for c in contents], list(TRAINED), cell_px=96)


def model_card(reports: dict[str, Any]) -> str:
    """The model card, from the stages' reports."""
    stages = "\n".join(
        f"| {name} | {n['steps'] if isinstance(n['steps'], int) else ' + '.join(map(str, n['steps'].values()))} | "
        f"{n['seconds'] / 60:.0f} min | {n.get('loss', n.get('accuracy', ''))} | {n['seed']} | {n['device']}, "
        f"torch {n['torch']} |"
        for name, n in reports.items()
    )
    paired, hard = CAPTIONS["base-3"]["paired"], ", ".join(HARD["base-3"])
    further, again = _later_stages(reports), ""
    if "vision-2" in reports:
        again = f"""In vision-2 the tower goes on, on new pictures too, half of them crisp, with the style weighing
{STYLE_WEIGHT[2]:g} times; the decoder begins anew after it (blip-2).
"""
    return f"""# mini: the embedded text-to-image model

Small models of real classes, trained from nothing on the procedural world in `swf_core/world`; no other data but
the photographs bundled with scikit-image and scikit-learn, which the autoencoder alone sees.

| file | what | class |
|---|---|---|
| `vae.safetensors` | autoencoder, 8x downscale, 4 channels | diffusers AutoencoderTiny, in TAESD's file layout |
| `base.safetensors` | UNet and text encoder, 128 px, v-prediction | UNet2DConditionModel, CLIPTextModel |
| `classifier.safetensors` | the scene classifier (it lies in `swf_core/measure/metrics/weights`) | two small networks |
| `blip/` | captioner | transformers BlipForConditionalGeneration with early convolutions (arXiv 2106.14881) |
| `clip/` | image-text similarity | transformers CLIPModel with the same |

Styles it was trained on: {", ".join(TRAINED)}. Held out from UNet and text encoder: {", ".join(HELD_OUT)}; the
autoencoder, the captioner, the CLIP and the classifier know all {len(STYLES)}.

## How it was trained
`python -m swf_core mini build --out DIR` trains it again. Captions in base-1: 56 % full, 25 % without style words
(on photos), 9 % style only, 9 % empty; in base-2 53, 19, 9 and 19 %. In base-3, {paired} of 64 pictures of a batch are
denoised with the self-attention keys and values of another picture by the same hand (same painter and parameters,
another scene; `mini_build/paired_attention.py`), so that the model is used to taking a style from a picture, which
Stable Diffusion never was; and pictures in {hard} are drawn twice as often.
{further}
The captioner's vision tower first learns to classify pictures (stage vision), then the captioner learns full
captions (blip), and the CLIP begins with its tower (clip); captions without style words belong to photos alone there.
{again}
| stage | steps | time | loss or accuracy | seed | device |
|---|---|---|---|---|---|
{stages}

Same seed and machine give the same bytes; another processor may round differently.

## Limits
It knows ten objects, six colors, four grounds and three times of day, at 128 pixels. It is a measuring instrument
and a demonstration, not a picture generator.
"""


def _later_stages(reports: dict[str, Any]) -> str:
    """What base-4 and base-5 are trained on, where they were."""
    lessons, named = CAPTIONS["base-4"]["lesson"], CAPTIONS["base-4"]["paired"]
    weights = ", ".join(f"{style} {weight:g}" for style, weight in FURTHER_WEIGHTS.items())
    further = f"""
In base-4, {named} of 64 pictures are read so, and {lessons} more in lessons by hands that no word names: trained
painters on wider ranges, drawn out, and two at a time (`world/mixture.py`), each pair's hand its own, so that a style
is read and not recognised. Its pictures are new ones, drawn more often in the styles that samples showed least
({weights}; else 1), and low noise levels, where marks are made, come more often
(t = 1000 u^{TIMESTEP_POWER["base-4"]:g}).
"""
    further = further if "base-4" in reports else ""
    if "base-5" in reports:
        further += f"""
Base-5 sees no lessons, words that name the style more often, and {" and ".join(HARD["base-5"])} twice as often again;
{TRAINED_SHARE["base-5"]:.0%} of what it learnt is in the weights, the rest is base-4's.
"""
    return further
