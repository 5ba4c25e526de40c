"""`mini build`: the whole embedded family from nothing, in stages that each fit 90 minutes on two idle cores.

Folder layout: `pictures/` (rendered sets and latents), one folder a stage with its checkpoint and loss curve, and
`weights/` with the finished files, their checksums, a contact sheet a stage and the model card. A stage that was
stopped is resumed; a finished one is not run again. Stages of one name start from the weights of the one before.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from ..files import write_files
from ..models.mini.blip_and_clip import folder_files, new_tokenizer, write_folder
from ..models.mini.text import WordTokenizer, load_text, new_text_model
from ..models.mini.unet import CHANNELS, SCHEDULER, new_unet
from ..models.mini.vae import from_taesd, to_taesd
from ..models.mini.weight_files import as_float, write_weights
from . import base_batches, stage_base, stage_classifier, stage_vae, stage_words
from .build_folder import Bars, Build, stage_weights
from .data import SETS
from .flow_build import WORLD_PICTURES, run_flow_vae
from .model_card import contact_sheet_samples, contact_sheet_vae, model_card
from .sample_check import sample_check
from .stage_flow_vae import FLOW_VAE_STAGES
from .word_pictures import WordPictures

STAGES = ("vae", "classifier", "base-1", "base-2", "base-3", "base-4", "base-5", "vision", "blip", "clip")
STAGES += ("vision-2", "blip-2")  # the captioner once more
# A family of its own, which is built when asked for: its real pictures come from packages (`--pictures`).
FLOW_STAGES = tuple(FLOW_VAE_STAGES)
# Stages' names of before, in stages.json, in folders of a build that is under way and on command lines.
ALIASES = {"judge": "classifier", "sight": "vision"}
PICTURES = {"train": 40960, "partner": 12288, "held_out": 3072, "classifier": 12288, "words": 24576}
PICTURES |= {"words_further": 16384} | WORLD_PICTURES
PICTURES |= {"further": 20480, "further_partner": 3072, "lesson": 8192, "lesson_partner": 8192}
# What a base stage began with, kept in the stage's folder.
BEFORE = "before.safetensors"


def build_family(
    out: Path,
    stages: Sequence[str] | None = None,
    *,
    resume: bool = True,
    max_seconds: float | None = None,
    seed: int = 0,
    progress: Bars | None = None,
    pictures: Mapping[str, int] | None = None,
    packages: Path | None = None,
) -> dict[str, Any]:
    """Train the stages that are not finished (or those named) in `out` and return a report per stage.

    `max_seconds` bounds each stage: its checkpoint is saved and can be resumed. `pictures` overrides the sizes of the
    sets; `packages` is a folder of unpacked packages, whose pictures mini-flow's stages learn from.
    Raises UserError for an unknown stage or one whose forerunner is not there.
    """
    names = [ALIASES.get(stage, stage) for stage in stages or STAGES]
    unknown = [stage for stage in names if stage not in STAGES + FLOW_STAGES]
    if unknown:
        raise UserError(f"There is no stage {unknown[0]!r}; choose from {', '.join(STAGES + FLOW_STAGES)}.")
    _rename_old_files(out)
    build = Build(out, PICTURES | dict(pictures or {}), seed, max_seconds, progress, packages)
    report: dict[str, Any] = {}
    for stage in names:
        if not resume:
            shutil.rmtree(out / stage, ignore_errors=True)
        elif _reports(out).get(stage, {}).get("finished"):
            report[stage] = _reports(out)[stage]
            continue
        runners = {"vae": _vae, "classifier": _classifier, "base": _base, "flow": run_flow_vae}
        runner = runners.get(stage.split("-")[0], _words)
        report[stage] = runner(build, stage)
        _write_report(out, stage, report[stage], seed)
        if not report[stage]["finished"]:
            break
    return report


def _rename_old_files(out: Path) -> None:
    """Give folders and picture sets of a build that began under a stage's old name the new one."""
    for old, name in ALIASES.items():
        for path in [out / old, *(out / "pictures").glob(f"{old}_*"), *(out / "weights").glob(f"{old}.safetensors")]:
            renamed = path.with_name(name + path.name.removeprefix(old))
            if path.exists() and not renamed.exists():
                path.rename(renamed)


def _vae(build: Build, stage: str) -> dict[str, Any]:
    sets = {name: build.pictures(name) for name in ("train", "held_out")}
    photographs = stage_vae.real_photographs()
    model, report = stage_vae.train_autoencoder(
        sets["train"], sets["held_out"], photographs, build.settings(stage, offset=1)
    )
    write_weights(build.weights / "vae.safetensors", to_taesd(model), {"format": "TAESD", "stage": stage})
    contact_sheet_vae(model, sets).save(build.weights / "vae.png")
    return report


def _classifier(build: Build, stage: str) -> dict[str, Any]:
    weights, report = stage_classifier.train_classifier(build.pictures("classifier"), build.settings(stage, offset=7))
    write_weights(build.weights / "classifier.safetensors", weights, {"accuracy": report["accuracy"]})
    return report


def _base(build: Build, stage: str) -> dict[str, Any]:
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    taesd, _ = stage_weights(build.weights / "vae.safetensors", "vae")
    vae, number = from_taesd(taesd).eval(), int(stage.split("-")[1])
    torch.manual_seed(build.seed + 11)
    unet, text, tokenizer = _base_networks(build, number)
    names = base_batches.SETS[stage]
    latents = torch.cat([build.latents(name, vae) for name in names])
    factors = [SETS[name](i) for name in names for i in range(build.counts[name])]
    partners = sum(build.counts[name] for name in names if name in ("partner", "further_partner"))
    lessons = build.counts["lesson"] if "lesson" in names else 0
    before = copy.deepcopy((unet.state_dict(), text.state_dict()))
    model = stage_base.BaseModel(unet, text, tokenizer, DDIMScheduler(**SCHEDULER).alphas_cumprod)
    data = base_batches.LatentSet(latents, factors, partners, lessons)
    report = stage_base.train_base(model, data, stage, build.settings(stage, offset=11 + number))
    if report["finished"]:
        stage_base.blend(model, before, stage_base.TRAINED_SHARE.get(stage, 1.0))
    tensors = {f"unet.{k}": v for k, v in unet.state_dict().items()} | {
        f"text.{k}": v for k, v in text.state_dict().items()
    }
    metadata = {
        "architecture": "UNet2DConditionModel + CLIPTextModel",
        "channels": list(CHANNELS),
        "scheduler": SCHEDULER,
        "prediction_type": SCHEDULER["prediction_type"],
        "size": "128",
        "stage": stage,
        "vocabulary": tokenizer.words[4:],
    }
    write_weights(build.weights / "base.safetensors", tensors, metadata)
    contact_sheet_samples(build.weights).save(build.weights / "base.png")
    return report | {"samples": sample_check(build.weights, progress=build.bar(f"samples: {stage}"))}


def _base_networks(build: Build, number: int) -> tuple[Any, Any, WordTokenizer]:
    """UNet, text encoder and tokenizer that stage base-`number` starts from: new ones, or those of the stage before."""
    from ..world import vocabulary

    if number == 1:
        tokenizer = WordTokenizer(vocabulary())
        return new_unet(), new_text_model(tokenizer), tokenizer
    # fp16 weights of the stage before are the start: a stage can be repeated from what is in the repository.
    path, forerunner = build.weights / "base.safetensors", f"base-{number - 1}"
    kept = build.out / f"base-{number}" / BEFORE
    before, meta = stage_weights(kept if kept.exists() else path, forerunner)
    if meta.get("stage") != forerunner:
        raise UserError(
            f"'{path}' holds the weights of stage {meta.get('stage')!r}, but stage 'base-{number}' begins with those "
            f"of {forerunner!r}: copy these there, or build in another folder."
        )
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_files({kept: path.read_bytes()})
    tokenizer = WordTokenizer(json.loads(meta["vocabulary"]))
    unet, text = new_unet(tuple(json.loads(meta["channels"]))), new_text_model(tokenizer)
    unet.load_state_dict(as_float(before, "unet."))
    load_text(text, as_float(before, "text."))
    return unet, text, tokenizer


def _words(build: Build, stage: str) -> dict[str, Any]:
    from ..world import vocabulary

    kind, number = stage_words.round_of(stage)
    sets = {name: build.pictures(name) for name in stage_words.WORD_SETS[number]}
    pictures, tokenizer = WordPictures(sets, stage_words.CRISP[number]), new_tokenizer(vocabulary())
    # What only the next stage needs stays with its stage.
    tower, shipped = build.out / f"vision{stage.removeprefix(kind)}", build.weights / "blip"
    if kind == "vision":
        start = _floats(shipped, "blip") if number > 1 else None
        model, report = stage_words.train_vision(pictures, stage, build.settings(stage, offset=20), start)
    elif kind == "blip":
        start = _floats(tower, tower.name)
        model, report = stage_words.train_captioner(pictures, stage, tokenizer, start, build.settings(stage, 21))
    else:
        start = _floats(shipped, "blip")
        model, report = stage_words.train_clip(pictures, tokenizer, start, build.settings(stage, 22))
    into, name = (build.out, stage) if kind == "vision" else (build.weights, kind)
    write_folder(into, name, folder_files(model, tokenizer))
    return report


def _floats(folder: Path, stage: str) -> dict[str, torch.Tensor]:
    """The tensors of a model's folder in single precision."""
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    if not path.exists():
        raise UserError(f"'{path}' is missing: run the stage {stage!r} first.")
    return {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}


def _reports(out: Path) -> dict[str, Any]:
    """The reports of the stages that were run, by their names of today."""
    path = out / "weights" / "stages.json"
    reports: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {ALIASES.get(stage, stage): report for stage, report in reports.items()}


def _write_report(out: Path, stage: str, report: dict[str, Any], seed: int) -> None:
    """Write recipe, seed, time and device of each stage, and the model card made of them."""
    path, reports = out / "weights" / "stages.json", _reports(out)
    reports[stage] = report | {
        "seed": seed,
        "device": f"{os.cpu_count()} cores of {processor()}",
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    card = model_card(reports).encode()
    write_files({path: json.dumps(reports, indent=1).encode(), out / "weights" / "README.md": card})


def processor() -> str:
    """The processor's name, as far as the system says."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()
