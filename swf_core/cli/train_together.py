"""The verb `train` in one process, or in several by `accelerate launch`: the first plans, writes and speaks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .progress import Bars, NoBars
from .stopping import BetweenSteps, exit_code

if TYPE_CHECKING:
    from ..learn.memory import MemoryNeed
    from ..learn.processes import Processes
    from ..learn.run import Run
    from ..models.contracts import Backend

ECHO_S = 5.0  # within which a launcher's signal is the terminal's once more


def train_together(
    args: argparse.Namespace, bars: Bars, first: Callable[[argparse.Namespace, Bars, Processes], dict[str, Any]]
) -> dict[str, Any]:
    """One of several processes: `first`, or what the others do. Each is on its own device.

    What one raises ends all; the first alone says it, the others end with the same code and no word.
    """
    from ..learn.processes import join_others

    group = join_others(args.device)
    args.device = group.device
    try:
        return first(args, bars, group) if group.is_first else _follow(args, group)
    except BaseException as error:
        group.fail(error)
        if group.is_first or not isinstance(error, (Exception, KeyboardInterrupt)):
            raise
        raise SystemExit(exit_code(error) if isinstance(error, KeyboardInterrupt) else 2) from None


def _follow(args: argparse.Namespace, group: Processes) -> dict[str, Any]:
    """Wait until the first process has planned the run, then train it too."""
    from ..learn.run import open_run
    from ..models import load

    args.json = False  # the first one reports
    backend = load(args.model, device=args.device)
    if group.told(0):
        train_planned(open_run(args.folder, backend), backend, args, NoBars(), group)
    return {}


def train_planned(run: Run, backend: Backend, args: argparse.Namespace, bars: Bars, group: Processes) -> dict[str, Any]:
    """Run the remaining steps; the report."""
    from ..learn.train import train
    from ..words.clip import load_clip

    if group.is_first and backend.family != "mini":  # whose need nobody has to ask for
        bars.say(f"Training needs {_memory(run, backend)}.")
    bar = bars("train")
    with BetweenSteps(ECHO_S if group.count > 1 else 0.0) as stops:
        outcome = train(
            run,
            backend,
            clip=load_clip("mini") if backend.family == "mini" and group.is_first else None,
            check=stops.check,
            metadata=not args.no_metadata,
            report=lambda step, total, word, _: bar(step / total, word),
            group=group,
        )
    return {
        "written": [args.folder / "lora.safetensors"],
        "run": str(args.folder),
        "step": outcome.step,
        "loss": round(outcome.loss, 5),
        "advice": outcome.advice,
        "captions": [item.caption for item in run.items],
        "steps_per_second": round(outcome.rate, 3),
        "seconds": round(outcome.seconds, 1),
    }


def _memory(run: Run, backend: Backend) -> MemoryNeed:
    """What the run needs, told from the first of its pictures before the first step."""
    from ..learn.latent_cache import LatentCache
    from ..learn.memory import memory_needed

    one_picture = LatentCache(run.items[:1], backend, run.options.changed(views=1))
    return memory_needed(backend, run.options, one_picture.draw(0))
