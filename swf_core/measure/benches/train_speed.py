"""`bench train-speed`: rate and memory of our trainer beside diffusers' LoRA example, on a UNet in the shape of SD1.5.

Random weights, 256 pixels, rank 16, batch 1, attention. Both loops in turn, a block of steps each, so that whatever
else the machine does meets both alike. Theirs is the body of `examples/text_to_image/train_text_to_image_lora.py`
without its data loader and accelerator: peft adapter by `add_adapter`, DDPM noise, AdamW, clipping, constant schedule.
Memory is the peak of a process of its own that does one of the two for a few steps.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ...learn.dataset import items_of
from ...learn.latent_cache import LatentCache
from ...learn.options import TrainOptions
from ...learn.run import create_run
from ...learn.train import TrainingLoop
from ...models.contracts import Backend
from ...models.diffusers_backend import sigmas_from_config
from ...models.unet_denoiser import UNetDenoiser
from .context import BenchContext, BenchResult
from .random_models import TEXT_WIDTH, TOKENS, PooledCodec, RandomText, sd15_unet

RANK, SIDE_PX = 16, 256
STEPS = 3  # of a block


def run(context: BenchContext) -> BenchResult:
    """Median seconds a step of both loops, ours as a share of theirs in steps a second, and their peak memory."""
    peaks = {name: _in_own_process(name, STEPS) for name in LOOPS}
    torch.manual_seed(0)
    loops = {name: make() for name, make in LOOPS.items()}
    times: dict[str, list[float]] = {name: [] for name in LOOPS}
    blocks = 2 if context.quick else 4
    for block in range(blocks + 1):
        for name, step in loops.items():
            for _ in range(STEPS):
                began = time.perf_counter()
                step()
                if block:  # the first block warms up
                    times[name].append(time.perf_counter() - began)
        context.bar((block + 1) / (blocks + 1))
    seconds = {name: statistics.median(values) for name, values in times.items()}
    report = {
        "seconds_a_step": {name: round(value, 4) for name, value in seconds.items()},
        "ours to diffusers, steps a second": round(seconds["diffusers"] / seconds["ours"], 3),
        "peak_gib": peaks,
        "steps": blocks * STEPS,
    }
    return report, {}


def _in_own_process(name: str, steps: int) -> float:
    """Peak of the memory in GiB of a fresh process that runs one of the loops."""
    code = f"from {__name__} import peak_gib; print(peak_gib({name!r}, {steps}))"
    root = Path(__file__).resolve().parents[3]
    process = subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return float(process.stdout.split()[-1])


def peak_gib(name: str, steps: int) -> float:
    """This process's peak so far in GiB, after some steps of a loop of `LOOPS`."""
    import resource

    torch.manual_seed(0)
    step = LOOPS[name]()
    for _ in range(steps):
        step()
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 2)


def _ours() -> Callable[[], None]:
    return our_step(UNetDenoiser(sd15_unet().eval(), sigmas_from_config({}), "epsilon"))


def our_step(denoiser: Any, targets: str = "attention") -> Callable[[], None]:
    """One step of our trainer on a network in the shape of SD1.5, whoever built it."""
    backend = Backend(denoiser, RandomText(), PooledCodec(), "SD1.5 shape", SIDE_PX, "SD1.x")
    options = TrainOptions(steps=10**6, rank=RANK, targets=targets, views=2, sample_every=0, caption_dropout=0.0)
    picture = torch.rand((3, SIDE_PX, SIDE_PX), generator=torch.Generator().manual_seed(2))
    folder = tempfile.TemporaryDirectory()
    run = create_run(Path(folder.name) / "run", backend, options, items_of([picture], ["a house"]), ())
    loop = TrainingLoop(run, backend)
    latent_cache = LatentCache(run.items, backend, options)

    def step(keep: Any = folder) -> None:  # the folder lives as long as the loop
        loop.train_step(latent_cache, None, options, options.learning_rate)

    return step


def _theirs() -> Callable[[], None]:
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    from peft import LoraConfig

    unet: Any = sd15_unet()
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(
            r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=["to_k", "to_q", "to_v", "to_out.0"]
        )
    )
    parameters = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=1e-2)
    learning_rates = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    latents, tokens = torch.randn(1, 4, SIDE_PX // 8, SIDE_PX // 8), torch.randn(1, TOKENS, TEXT_WIDTH)

    def step() -> None:
        noise = torch.randn_like(latents)
        timesteps = torch.randint(0, 1000, (1,))
        noisy = scheduler.add_noise(latents, noise, timesteps)  # type: ignore[arg-type]
        prediction = unet(noisy, timesteps, tokens, return_dict=False)[0]
        loss = torch.nn.functional.mse_loss(prediction.float(), noise.float(), reduction="mean")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        learning_rates.step()
        optimizer.zero_grad()
        loss.item()

    return step


LOOPS: dict[str, Callable[[], Callable[[], None]]] = {"ours": _ours, "diffusers": _theirs}
