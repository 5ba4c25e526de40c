"""Run by ComfyUI's Python in its folder: REPORT (JSON) WHO. Our trainer beside the host's own Train LoRA, on a MODEL in
the shape of SD1.5 with random weights: 256 pixels, rank 16, batch 1.

WHO "both": seconds a step, a block of each in turn, both in fp32 and without gradient checkpointing. Otherwise one of
`WAYS` alone, and the process's peak memory before and after.

Train LoRA teaches every layer and bias, ours the attention unless told otherwise: "ours, more layers" is the nearest
that ours comes to it.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

from native_tools import draw, torch  # before anything of the host's: it finds the folder
from support.pack import pack

# isort: split
import folder_paths
from comfy_extras.nodes_train import TrainLoraNode
from random_sd15 import random_sd15

speed, training, unets = (
    pack("swf_core.measure.benches.train_speed"),
    pack("nodes.host.training.backend"),
    pack("nodes.host.transfer.unet"),
)
BLOCKS, STEPS = 2, 2


def train_lora(model, steps, kind="fp32", checkpointing=False):
    """The host's own node; it has no step of its own to call."""
    side = speed.SIDE_PX // 8
    positive = [[draw(1, speed.TOKENS, 768, seed=1), {}]]
    TrainLoraNode().train(
        model,
        {"samples": draw(1, 4, side, side, seed=2)},
        positive,
        1,
        steps,
        1,
        1e-4,
        speed.RANK,
        "AdamW",
        "MSE",
        0,
        kind,
        kind,
        "LoRA",
        checkpointing,
        "[None]",
    )


def ours(model, targets="attention"):
    with torch.inference_mode(False):
        step = speed.our_step(training.TrainableCopy(model, unets.inspect_unet(model.model)), targets)

    def several(steps):
        with torch.inference_mode(False):
            for _ in range(steps):
                step()

    return several


WAYS = {
    "Train LoRA": lambda m: lambda n: train_lora(m, n),
    "Train LoRA, its defaults": lambda m: lambda n: train_lora(m, n, "bf16", True),
    "ours": ours,
    "ours, more layers": lambda m: ours(m, "attention, feed-forward and convolution"),
}


class Clock:
    """When any optimizer took a step: both trainers use torch's own."""

    def __init__(self):
        self.ends, step = [], torch.optim.AdamW.step

        def timed(*args, **kwargs):
            result = step(*args, **kwargs)
            self.ends.append(time.perf_counter())
            return result

        torch.optim.AdamW.step = timed


def seconds_a_step(model):
    clock, times = Clock(), {}
    steppers = {name: WAYS[name](model) for name in ("Train LoRA", "ours", "ours, more layers")}
    for block in range(BLOCKS + 1):
        for name, several in steppers.items():
            clock.ends.clear()
            several(STEPS + 1)  # from one step's end to the next, so that building is not counted
            if block:
                times.setdefault(name, []).extend(b - a for a, b in zip(clock.ends, clock.ends[1:]))
    return {name: round(statistics.median(values), 3) for name, values in times.items()}


def gib():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 2**30, 2)


folder_paths.get_filename_list = lambda kind: []
model, who = random_sd15(), sys.argv[2]
report = {"unet_gib": round(sum(w.numel() * 4 for w in model.model.diffusion_model.parameters()) / 2**30, 2)}
if who == "both":
    report["seconds_a_step"] = seconds_a_step(model)
else:
    report["before_gib"] = gib()
    WAYS[who](model)(STEPS)
    report["peak_gib"] = gib()
Path(sys.argv[1]).write_text(json.dumps(report), encoding="utf-8")
