"""`bench speed`: what a transfer costs beside plain sampling on the same network, in evaluations and processor time.

All ways in turn, again and again, in one process, so that whatever else the machine does meets all of them alike;
ratios are of the medians of processor seconds. On the embedded model with its autoencoder, and on random weights in the
shape of SD1.5 at half its width and 256 pixels, on which nothing but the network is run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from ...models.contracts import Backend
from ...transfer import Content, SampleOptions, SharedStyles, preset, sample, stylize
from ...transfer.options import TransferOptions
from ...transfer.word_guidance import guided_by_words
from .context import BenchContext, BenchResult
from .random_models import sd15_backend

# Steps of every way but those whose own are in their name; repetitions, of which the first warms up.
STEPS, REPETITIONS = {"mini": 15, "SD1.5 shape": 4}, {"mini": 5, "SD1.5 shape": 3}
HALF_WIDTH, SIDE_PX = 160, 256
PUBLISHED = ("styleid", "z-star", "style-aligned", "visual-style-prompting", "masactrl", "adain")

# Does it once and returns the evaluations that it counted.
Way = Callable[[], int]


def run(context: BenchContext) -> BenchResult:
    """Quick: 2 steps, once, on the embedded model alone."""
    backends = {"mini": context.backend}
    if not context.quick:
        backends["SD1.5 shape"] = sd15_backend(HALF_WIDTH, SIDE_PX)
    report: dict[str, Any] = {"threads": torch.get_num_threads()}
    for k, (name, backend) in enumerate(backends.items()):
        steps, repetitions = (2, 1) if context.quick else (STEPS[name], REPETITIONS[name])
        ways = ways_of(backend, steps)

        def bar(share: float, first: int = k) -> None:
            context.bar((first + share) / len(backends))

        report[name] = {"steps": steps, "ways": measured(ways, repetitions, bar)}
    return report, {}


def measured(ways: dict[str, Way], repetitions: int, bar: Callable[[float], None]) -> dict[str, Any]:
    """Of each way its evaluations, its median processor seconds, and those as a multiple of plain sampling's."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    evaluations: dict[str, int] = {}
    for round_ in range(repetitions + 1):
        for k, (name, way) in enumerate(ways.items()):
            began = time.process_time()
            evaluations[name] = way()
            if round_ or not repetitions:  # the first round warms up
                seconds[name].append(time.process_time() - began)
            bar((round_ + (k + 1) / len(ways)) / (repetitions + 1))
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        name: {
            "evaluations": evaluations[name],
            "cpu_seconds": round(middle[name], 3),
            "times plain": round(middle[name] / middle["plain"], 3),
        }
        for name in ways
    }


def ways_of(backend: Backend, steps: int) -> dict[str, Way]:
    """Plain sampling, our policies, and published ways with their papers' settings in as many steps."""
    side = backend.native_size_px
    generator = torch.Generator().manual_seed(1)
    style, *contents = (torch.rand((3, side, side), generator=generator) for _ in range(3))
    own = replace(preset("wallfacer", backend), steps=steps, size_px=0)
    guided = guided_by_words(own, read=True)
    known = SharedStyles(backend, [style], own)
    known.stylize(contents[:1])

    def plain(cfg: float = 1.0) -> Way:
        options = SampleOptions(steps=steps, cfg=cfg, size_px=side)
        return lambda: sample(backend, ["a house"], options).cost.counted

    def transfer(options: TransferOptions, prompt: str = "") -> Way:
        return lambda: stylize(backend, [Content(contents[0], prompt)], [style], options).cost.counted

    def next_content() -> int:
        return known.stylize(contents[1:2]).cost.counted

    def two_at_once() -> int:
        return known.stylize(contents).cost.counted

    ways: dict[str, Way] = {
        "plain": plain(),
        "first picture": transfer(own),
        "another content, known style": next_content,
        "two contents at once, known style": two_at_once,
        "level by level": transfer(replace(own, features="lockstep")),
        "noise in place of inversion": transfer(
            replace(own, content_encoding="stochastic", style_encoding="stochastic")
        ),
        "plain, cfg 4": plain(4.0),
        "first picture, words": transfer(guided, "a house"),
    }
    return ways | {name: transfer(replace(preset(name, backend), steps=steps, size_px=0)) for name in PUBLISHED}
