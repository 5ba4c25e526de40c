"""One training loop for every stage: checkpoints, exact resume, progress, a loss curve.

Everything random in step k is drawn from a generator seeded by (seed, k). A resumed run therefore draws the very
batches an uninterrupted one would have drawn, and there is no generator state to store.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

# Called with the share that is done, 0..1, and a word on how it goes.
Progress = Callable[[float, str], None]
MAX_GRAD_NORM = 1.0


@dataclass(frozen=True)
class StageSettings:
    """Where a stage keeps its checkpoint, the seed it draws from, who hears of its progress, and its time limit."""

    folder: Path
    seed: int
    progress: Progress | None = None
    max_seconds: float | None = None  # the stage is saved and left after so long; None trains to the end


@dataclass(frozen=True)
class Plan:
    """Length and pace of a stage: steps, peak learning rate, warm-up steps, its floor as a share of the peak."""

    steps: int
    learning_rate: float
    warm_up: int = 100
    floor: float = 0.02
    save_every: int = 250
    ema: float = 0.0  # decay of the running average of the weights; 0 keeps none

    def rate(self, step: int) -> float:
        """Linear warm-up, then a half cosine down to the floor."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        t = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.learning_rate * (self.floor + (1 - self.floor) * 0.5 * (1 + cos(pi * min(t, 1.0))))


class _Checkpoint:
    """Everything that a stopped training needs to resume to the same bytes, and its file in the stage's folder."""

    def __init__(self, modules: Mapping[str, nn.Module], plan: Plan, folder: Path) -> None:
        self.folder, self.plan = folder, plan
        self.parameters = {
            f"{m}.{n}": p for m, module in modules.items() for n, p in module.named_parameters() if p.requires_grad
        }
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=plan.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98), fused=True
        )
        self.average = {n: p.detach().clone() for n, p in self.parameters.items()} if plan.ema else {}
        self.step, self.losses, self.seconds = 0, list[float](), 0.0

    def optimizer_step(self, loss: Tensor) -> None:
        """One step of AdamW at the plan's learning rate, and of the running average of the weights."""
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.values(), MAX_GRAD_NORM)
        self.optimizer.step()
        if self.plan.ema:
            # Early steps average over a short memory, or the random start would linger in the average.
            decay = min(self.plan.ema, (self.step + 1) / (self.step + 10))
            weights = [p.detach() for p in self.parameters.values()]
            torch._foreach_lerp_(list(self.average.values()), weights, 1 - decay)
        self.losses.append(float(loss.detach()))
        self.step += 1

    def save(self, seconds: float) -> None:
        """Write the checkpoint under a temporary name, then in place, and the loss curve beside it."""
        tensors: dict[str, Any] = {f"weight.{n}": p.detach() for n, p in self.parameters.items()}
        tensors |= {f"average.{n}": v for n, v in self.average.items()}
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state[parameter]
            tensors |= {f"first.{name}": moments["exp_avg"], f"second.{name}": moments["exp_avg_sq"]}
        tensors["losses"] = torch.tensor(self.losses)
        temporary = self.folder / "state.tmp"
        metadata = {"step": str(self.step), "seconds": str(seconds)}
        save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, metadata)
        os.replace(temporary, self.folder / "state.safetensors")
        loss_plot(self.losses).save(self.folder / "loss.png")

    def restore(self) -> None:
        """Read the checkpoint of the folder, where there is one."""
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        # Builds begun before the American spelling have a head called "colour".
        tensors = {name.replace(".colour.", ".color."): value for name, value in load_file(path).items()}
        self.step, self.seconds = int(metadata["step"]), float(metadata["seconds"])
        self.losses = tensors["losses"].tolist()
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[f"weight.{name}"])
                # In the parameter's memory format: the fused kernel pairs numbers by where they lie, not by index.
                first, second = (
                    torch.empty_like(parameter).copy_(tensors[f"{kind}.{name}"]) for kind in ("first", "second")
                )
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(self.step)),
                    "exp_avg": first,
                    "exp_avg_sq": second,
                }
            for name in self.average:
                self.average[name].copy_(tensors[f"average.{name}"])


def keep_memory() -> None:
    """Ask glibc to keep freed memory. Training frees and asks for the same large blocks at every step; giving the
    pages back to the system each time costs half of a CPU's time. Does nothing where there is no glibc."""
    import ctypes
    import sys

    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(-4, 0)  # M_MMAP_MAX: no separate mappings
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: never shrink the heap
        except OSError:  # another C library
            return


def train(
    modules: Mapping[str, nn.Module], loss_of: Callable[[int], Tensor], plan: Plan, settings: StageSettings
) -> dict[str, Any]:
    """Run `loss_of(step)` for the plan's steps; on return the modules hold the (averaged) trained weights.

    A checkpoint in the stage's folder is continued; after `max_seconds` of this call, and one step at least, it is
    saved and left there.
    Returns steps done, whether that is all of them, seconds in all and the mean of the last losses.
    Raises RuntimeError when the loss stops being a number.
    """
    keep_memory()
    settings.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = _Checkpoint(modules, plan, settings.folder)
    checkpoint.restore()
    began, limit = time.monotonic(), settings.max_seconds

    def seconds() -> float:
        return checkpoint.seconds + time.monotonic() - began

    first = checkpoint.step  # a call makes one step at least: without any there is nothing to save
    while checkpoint.step < plan.steps and (
        limit is None or checkpoint.step == first or time.monotonic() - began < limit
    ):
        for group in checkpoint.optimizer.param_groups:
            group["lr"] = plan.rate(checkpoint.step)
        checkpoint.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(checkpoint.step)
        if not torch.isfinite(loss):
            raise RuntimeError(
                f"The loss became {loss.item()} at step {checkpoint.step}; lower the learning rate and resume."
            )
        checkpoint.optimizer_step(loss)
        if settings.progress:
            settings.progress(checkpoint.step / plan.steps, f"loss {np.mean(checkpoint.losses[-50:]):.4f}")
        if checkpoint.step % plan.save_every == 0 or checkpoint.step == plan.steps:
            checkpoint.save(seconds())
    if checkpoint.step < plan.steps:
        checkpoint.save(seconds())
    with torch.no_grad():
        for name, value in checkpoint.average.items():
            checkpoint.parameters[name].copy_(value)
    return {
        "steps": checkpoint.step,
        "finished": checkpoint.step >= plan.steps,
        "seconds": round(seconds(), 1),
        "loss": round(float(np.mean(checkpoint.losses[-100:])), 5),
    }


def loss_plot(losses: list[float], width: int = 640, height: int = 320) -> Image.Image:
    """The loss over the steps, smoothed, on a logarithmic axis."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    window = max(1, len(losses) // 200)
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid") if len(losses) > window else np.array(losses)
    y = np.log10(np.maximum(smooth, 1e-8))
    low, high = float(y.min()), float(y.max()) + 1e-6
    xs = np.linspace(50, width - 10, len(y))
    ys = height - 30 - (y - low) / (high - low) * (height - 50)
    draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=(30, 90, 180), width=2)
    draw.text((4, 12), f"{10**high:.3g}", fill="black")
    draw.text((4, height - 38), f"{10**low:.3g}", fill="black")
    draw.text((50, height - 18), f"loss over {len(losses)} steps", fill="black")
    return picture
