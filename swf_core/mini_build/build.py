"""`mini build`: the whole embedded family from nothing, in stages that each fit 90 minutes on two idle cores.

Folder layout: `pictures/` (rendered sets and latents), one folder a stage with its state and loss curve, and
`weights/` with the finished files, their checksums, a contact sheet a stage and the model card. A stage that was
stopped goes on; a finished one is not run again. Stages of one name start from the weights of the one before.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from ..files import write_files
from ..models.mini.blip_and_clip import folder_files, new_tokenizer, write_folder
from ..models.mini.text import WordTokenizer, load_text, new_text_model
from ..models.mini.unet import CHANNELS, SCHEDULER, new_unet
from ..models.mini.vae import NarrowAutoencoder, from_taesd, to_taesd
from ..models.mini.weight_files import as_float, read_weights, sha256, write_weights
from . import stage_base, stage_classifier, stage_vae, stage_words
from .data import partner_picture, rendered, train_picture
from .model_card import contact_sheet_samples, contact_sheet_vae, model_card
from .training_loop import Progress

STAGES = ("vae", "judge", "base-1", "base-2", "base-3", "sight", "blip", "clip")
PICTURES = {"train": 40960, "partner": 12288, "held_out": 3072, "judge": 12288, "words": 24576}
# A callback for each named bar: value in 0..1 and, where there is one, a word on how it goes.
Bars = Callable[[str], Callable[..., None]]


def run(
    out: Path,
    stages: Sequence[str] | None = None,
    *,
    resume: bool = True,
    seconds: float | None = None,
    seed: int = 0,
    progress: Bars | None = None,
    pictures: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Train the stages that are left (or those named) in `out` and return a report per stage.

    `seconds` bounds each stage: it is saved and can go on later. `pictures` overrides the sizes of the sets.
    Raises UserError for an unknown stage or one whose forerunner is not there.
    """
    unknown = [s for s in stages or () if s not in STAGES]
    if unknown:
        raise UserError(f"There is no stage {unknown[0]!r}; choose from {', '.join(STAGES)}.")
    counts = PICTURES | (pictures or {})
    torch.set_num_threads(os.cpu_count() or 1)
    report: dict[str, Any] = {}
    for stage in stages or STAGES:
        if not resume:
            shutil.rmtree(out / stage, ignore_errors=True)
        elif _notes(out).get(stage, {}).get("finished"):
            report[stage] = _notes(out)[stage]
            continue
        runner = {"vae": _vae, "judge": _judge, "base": _base}.get(stage.split("-")[0], _words)
        report[stage] = runner(out, stage, counts, seed, seconds, progress)
        _note(out, stage, report[stage], seed)
        if not report[stage]["finished"]:
            break
    return report


def _vae(
    out: Path, stage: str, counts: dict[str, int], seed: int, seconds: float | None, progress: Bars | None
) -> dict[str, Any]:
    sets = {
        name: rendered(name, counts[name], out / "pictures", progress=_bar(progress, f"pictures: {name}"))
        for name in ("train", "held_out")
    }
    model, report = stage_vae.run(
        sets["train"],
        sets["held_out"],
        stage_vae.real_photographs(),
        out / stage,
        seed=seed + 1,
        progress=_bar(progress, stage),
        seconds=seconds,
    )
    write_weights(out / "weights" / "vae.safetensors", to_taesd(model), {"format": "TAESD", "stage": stage})
    contact_sheet_vae(model, sets).save(out / "weights" / "vae.png")
    return report


def _judge(
    out: Path, stage: str, counts: dict[str, int], seed: int, seconds: float | None, progress: Bars | None
) -> dict[str, Any]:
    pictures = rendered("judge", counts["judge"], out / "pictures", progress=_bar(progress, "pictures: judge"))
    state, report = stage_classifier.run(pictures, out / stage, seed + 7, _bar(progress, stage), seconds)
    write_weights(out / "weights" / "judge.safetensors", state, {"accuracy": report["accuracy"]})
    return report


def _base(
    out: Path, stage: str, counts: dict[str, int], seed: int, seconds: float | None, progress: Bars | None
) -> dict[str, Any]:
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    from ..world import vocabulary

    taesd, _ = _need(out / "weights" / "vae.safetensors", "vae")
    vae = from_taesd(taesd).eval()
    partners = counts["partner"] if "reading" in stage_base.CAPTIONS[stage] else 0
    parts = {"train": counts["train"]} | ({"partner": partners} if partners else {})
    latents = torch.cat([_latents(out, name, count, vae, progress) for name, count in parts.items()])
    factors = [train_picture(i) for i in range(counts["train"])] + [partner_picture(i) for i in range(partners)]
    torch.manual_seed(seed + 11)
    number = int(stage.split("-")[1])
    if number == 1:
        tokenizer = WordTokenizer(vocabulary())
        unet, text = new_unet(), new_text_model(tokenizer)
    else:
        # fp16 weights of the stage before are the start: a stage can be repeated from what is in the repository.
        before, meta = _need(out / "weights" / "base.safetensors", f"base-{number - 1}")
        tokenizer = WordTokenizer(json.loads(meta["vocabulary"]))
        unet, text = new_unet(tuple(json.loads(meta["channels"]))), new_text_model(tokenizer)
        unet.load_state_dict(as_float(before, "unet."))
        load_text(text, as_float(before, "text."))
    report = stage_base.run(
        unet,
        text,
        tokenizer,
        latents,
        factors,
        DDIMScheduler(**SCHEDULER).alphas_cumprod,
        out / stage,
        stage,
        seed + 11 + number,
        _bar(progress, stage),
        seconds,
        partners,
    )
    tensors = {f"unet.{k}": v for k, v in unet.state_dict().items()} | {
        f"text.{k}": v for k, v in text.state_dict().items()
    }
    write_weights(
        out / "weights" / "base.safetensors",
        tensors,
        {
            "architecture": "UNet2DConditionModel + CLIPTextModel",
            "channels": list(CHANNELS),
            "scheduler": SCHEDULER,
            "prediction_type": SCHEDULER["prediction_type"],
            "size": "128",
            "stage": stage,
            "vocabulary": tokenizer.words[4:],
        },
    )
    contact_sheet_samples(out / "weights").save(out / "weights" / "base.png")
    return report


def _words(
    out: Path, stage: str, counts: dict[str, int], seed: int, seconds: float | None, progress: Bars | None
) -> dict[str, Any]:
    from safetensors.torch import load_file

    from ..world import vocabulary

    pictures = rendered("words", counts["words"], out / "pictures", progress=_bar(progress, "pictures: words"))
    tokenizer, bar = new_tokenizer(vocabulary()), _bar(progress, stage)
    if stage == "sight":
        model, report = stage_words.run_sight(pictures, out / stage, seed + 20, bar, seconds)
    else:
        before = {"blip": "sight", "clip": "blip"}[stage]
        path = (out / before if before == "sight" else out / "weights" / before) / "model.safetensors"
        if not path.exists():
            raise UserError(f"'{path}' is missing: run the stage {before!r} first.")
        start = {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}
        runner, number = (stage_words.run_blip, 21) if stage == "blip" else (stage_words.run_clip, 22)
        model, report = runner(pictures, tokenizer, start, out / stage, seed + number, bar, seconds)
    # What only the next stage needs stays with its stage.
    write_folder(out if stage == "sight" else out / "weights", stage, folder_files(model, tokenizer))
    return report


def _latents(out: Path, name: str, count: int, vae: NarrowAutoencoder, progress: Bars | None) -> torch.Tensor:
    pictures = rendered(name, count, out / "pictures", progress=_bar(progress, f"pictures: {name}"))
    # Latents belong to one autoencoder: its checksum is in their name.
    kept = out / "pictures" / f"latents_{name}_{count}_{sha256(out / 'weights' / 'vae.safetensors')[:8]}.npy"
    return stage_base.encode_all(vae, pictures, kept, _bar(progress, f"latents: {name}"))


def _need(path: Path, stage: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    if not path.exists():
        raise UserError(f"'{path}' is missing: run the stage {stage!r} first, or copy the shipped weights there.")
    return read_weights(path)


def _notes(out: Path) -> dict[str, Any]:
    path = out / "weights" / "stages.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _note(out: Path, stage: str, report: dict[str, Any], seed: int) -> None:
    """Keep recipe, seed, time and device of each stage, and write the model card from them."""
    path, notes = out / "weights" / "stages.json", _notes(out)
    notes[stage] = report | {
        "seed": seed,
        "device": f"{os.cpu_count()} cores of {processor()}",
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    write_files({path: json.dumps(notes, indent=1).encode(), out / "weights" / "README.md": model_card(notes).encode()})


def processor() -> str:
    """The processor's name, as well as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _bar(progress: Bars | None, name: str) -> Progress | None:
    if progress is None:
        return None
    bar = progress(name)
    return lambda value, word="": bar(value, word or None)
