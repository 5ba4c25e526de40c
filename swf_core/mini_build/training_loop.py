"""One training loop for every stage: checkpoints, exact resume, progress, a loss curve.

Everything random in step k is drawn from a generator seeded by (seed, k). A resumed run therefore sees the very
batches an uninterrupted one would have seen, and there is no generator state to store.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

Progress = Callable[[float, str], None]


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
    modules: Mapping[str, nn.Module],
    loss_of: Callable[[int], Tensor],
    plan: Plan,
    folder: Path,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> dict[str, object]:
    """Run `loss_of(step)` for the plan's steps; on return the modules hold the (averaged) trained weights.

    The state in `folder` is continued when there is one; after `seconds` of this call it is saved and left there.
    Returns steps done, whether that is all of them, seconds in all and the mean of the last losses.
    Raises RuntimeError when the loss stops being a number.
    """
    keep_memory()
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{m}.{n}": p for m, module in modules.items() for n, p in module.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(
        named.values(), lr=plan.learning_rate, weight_decay=1e-4, betas=(0.9, 0.98), fused=True
    )
    average = {n: p.detach().clone() for n, p in named.items()} if plan.ema else {}
    step, losses, before = _restore(folder, named, optimizer, average)
    began = time.monotonic()
    while step < plan.steps and (seconds is None or time.monotonic() - began < seconds):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(step)
        if not torch.isfinite(loss):
            raise RuntimeError(f"The loss became {loss.item()} at step {step}; lower the learning rate and resume.")
        loss.backward()
        nn.utils.clip_grad_norm_(named.values(), 1.0)
        optimizer.step()
        if plan.ema:
            # Early steps average over a short memory, or the random start would linger in the average.
            decay = min(plan.ema, (step + 1) / (step + 10))
            torch._foreach_lerp_(list(average.values()), [p.detach() for p in named.values()], 1 - decay)
        losses.append(float(loss.detach()))
        step += 1
        if progress:
            progress(step / plan.steps, f"loss {np.mean(losses[-50:]):.4f}")
        if step % plan.save_every == 0 or step == plan.steps:
            _save(folder, step, named, optimizer, average, losses, before + time.monotonic() - began)
    if step < plan.steps:
        _save(folder, step, named, optimizer, average, losses, before + time.monotonic() - began)
    with torch.no_grad():
        for name, value in average.items():
            named[name].copy_(value)
    return {
        "steps": step,
        "finished": step >= plan.steps,
        "seconds": round(before + time.monotonic() - began, 1),
        "loss": round(float(np.mean(losses[-100:])), 5),
    }


def _save(
    folder: Path,
    step: int,
    named: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    losses: list[float],
    seconds: float,
) -> None:
    state = {f"weight.{n}": p.detach() for n, p in named.items()} | {f"average.{n}": v for n, v in average.items()}
    for name, parameter in named.items():
        moments = optimizer.state[parameter]
        state |= {f"first.{name}": moments["exp_avg"], f"second.{name}": moments["exp_avg_sq"]}
    state["losses"] = torch.tensor(losses)
    temporary = folder / "state.tmp"
    save_file({k: v.contiguous() for k, v in state.items()}, temporary, {"step": str(step), "seconds": str(seconds)})
    os.replace(temporary, folder / "state.safetensors")
    loss_plot(losses).save(folder / "loss.png")


def _restore(
    folder: Path, named: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer, average: dict[str, Tensor]
) -> tuple[int, list[float], float]:
    path = folder / "state.safetensors"
    if not path.exists():
        return 0, [], 0.0
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        meta = file.metadata()
    state, step = load_file(path), int(meta["step"])
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(state[f"weight.{name}"])
            optimizer.state[parameter] = {
                "step": torch.tensor(float(step)),
                "exp_avg": state[f"first.{name}"],
                "exp_avg_sq": state[f"second.{name}"],
            }
        for name in average:
            average[name].copy_(state[f"average.{name}"])
    return step, state["losses"].tolist(), float(meta["seconds"])


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
