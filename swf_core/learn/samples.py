"""Samples while a style is learnt: the same prompts from the same noise at every evaluation, and without the LoRA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ..files import write_files
from ..models.contracts import Backend
from ..models.lora import Adapter, without_lora
from ..pictures import load, png_bytes
from ..transfer import Models, SampleOptions, sample
from .dataset import picture_id
from .options import TrainOptions
from .run import Prompt, Run
from .run_files import sample_path

# Contents far from one another; none says how a picture is made.
_COMMON = ("a cat on a chair", "a house by a lake", "a bowl of fruit", "a street with people in the rain")
_MINI = (
    "a red house on the grass at noon",
    "a yellow boat by the sea at sunset",
    "a white cat in the snow at night",
    "a blue car on the sand at noon",
)


def default_prompts(family: str, seed: int = 0) -> tuple[Prompt, ...]:
    """Contents that a family of models knows, each with a seed of its own."""
    return tuple(Prompt(text, seed + k) for k, text in enumerate(_MINI if family == "mini" else _COMMON))


def sample_and_save(
    run: Run,
    backend: Backend,
    adapter: Adapter,
    options: TrainOptions,
    step: int,
    progress: Callable[[float, Tensor | None], None] | None = None,
) -> list[Tensor]:
    """Sample every prompt of the run with the LoRA as it is now, save the pictures and return them [3, H, W].

    At step 0 the LoRA is off: what the plain model makes of the prompts.
    """
    active = without_lora(backend, adapter) if step == 0 else backend
    with adapter.at_strength(options.strength):
        pictures = sample_prompts(active, adapter, run.prompts, options, progress)
    others = [r for r in run.records("samples") if r["step"] != step]
    files, records = {}, []
    for k, (prompt, picture) in enumerate(zip(run.prompts, pictures)):
        name = f"step_{step:06d}_{k:02d}.png"
        files[run.folder / "samples" / name] = png_bytes(picture)
        records.append(
            {
                "id": picture_id(picture),
                "file": name,
                "step": step,
                "prompt": prompt.prompt,
                "seed": prompt.seed,
                "lora": step > 0,
            }
        )
    write_files(files)
    run.write_records("samples", sorted([*others, *records], key=lambda r: (r["step"], r["file"])))
    return pictures


def read_samples(run: Run, step: int) -> list[Tensor]:
    """The samples of a step as they were saved, [3, H, W] in 0..1, in the order of the prompts."""
    return [load(sample_path(run.folder, r)).pixels for r in run.records("samples") if r["step"] == step]


def sample_prompts(
    backend: Backend,
    adapter: Adapter,
    prompts: Sequence[Prompt],
    options: TrainOptions,
    progress: Callable[[float, Tensor | None], None] | None = None,
) -> list[Tensor]:
    """Pictures of prompts, each from the noise of its own seed, at the model's native size.

    Asymmetric guidance: the unconditional branch runs without the LoRA. In both branches, guidance subtracts the style
    that both have in common; in the conditional branch alone, it adds it (docs/figures.md).
    """
    plain = without_lora(backend, adapter)
    pictures: list[Tensor] = []
    for k, prompt in enumerate(prompts):
        result = sample(
            Models(backend, unconditional=plain if options.lora_guidance == "asymmetric" else None),
            [prompt.prompt],
            SampleOptions(steps=options.sample_steps, cfg=options.sample_cfg),
            seed=prompt.seed,
            progress=_share(progress, k, len(prompts)),
        )
        pictures += [image.cpu() for image in result.images]
    return pictures


def _share(progress: Callable[..., None] | None, k: int, count: int) -> Any:
    if progress is None:
        return None
    return lambda value, preview=None: progress((k + value) / count, preview)
