"""A lesson inside a transfer: a LoRA of the style pictures, learnt in a minute and kept for the next picture.

The paper's own way (arXiv 2506.15033): the style is learnt first, then the triple process runs with it. A bank is a
folder with a run (`run.py`) for each lesson, named by what decides its result; a lesson that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UserError
from ..models import lora_load
from ..models.contracts import Backend
from ..models.lora import Adapter
from .dataset import Item
from .options import TrainOptions, defaults
from .run import Run, create_run, model_identity, open_run
from .train import Report, train
from .warm_start import begin_from, nearest_lesson

STEPS = (20, 2000)  # of a lesson: fewer teach nothing, more are a training of its own
_BEGINNING = "began_from.txt"  # in a lesson's folder, where it began from another
TRIAL_STEPS = 3  # of which the rate is taken that `expected_seconds` reckons with


@dataclass(frozen=True)
class Lesson:
    """A lesson that was learnt.

    * adapter: the LoRA, in the backend's network, at the strength that its file has.
    * folder: its run. seconds: what it took in this call, 0 where it was kept.
    * began_from: the folder's name of the lesson whose weights it began from, or "".
    """

    adapter: Adapter
    folder: Path
    seconds: float
    began_from: str

    @property
    def kept(self) -> bool:
        """Whether it had been learnt before."""
        return self.seconds == 0.0


def lesson_options(family: str, steps: int, seed: int = 0) -> TrainOptions:
    """The family's defaults at that many steps, without samples on the way.

    Raises UserError for a number of steps outside `STEPS`.
    """
    if not STEPS[0] <= steps <= STEPS[1]:
        raise UserError(f"A lesson of {steps} steps was asked for; it has {STEPS[0]} to {STEPS[1]}.")
    return defaults(family).changed(steps=steps, sample_every=0, seed=seed)


def lesson_folder(bank: Path, backend: Backend, items: Sequence[Item], options: TrainOptions) -> Path:
    """Where a bank keeps a lesson: under a digest of the model, the pictures, their captions and the options."""
    what = {
        "model": model_identity(backend),
        "data": [(item.id, item.caption, item.share) for item in items],
        "options": asdict(options),
    }
    return bank / hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def learn_style(
    backend: Backend,
    items: Sequence[Item],
    options: TrainOptions,
    bank: Path,
    *,
    warm: bool = False,
    announce: Callable[[float], None] | None = None,
    report: Report | None = None,
    check: Callable[[], None] | None = None,
) -> Lesson:
    """Learn the style of a few pictures, or take it from the bank, and put its LoRA into the backend's network.

    * warm: begin from the weights of the lesson whose style is nearest (`warm_start`), if the bank has one.
    * announce: called with the seconds that the lesson will take, before it begins; not for one that was kept.
    * report, check: as in `train`.

    The LoRA is read from its file in either case, so that a kept lesson gives the very pictures of the first time.
    Raises UserError as `train` does; what was learnt until then is kept, and goes on when asked for again.
    """
    folder = lesson_folder(bank, backend, items, options)
    began, file = time.perf_counter(), folder / "lora.safetensors"
    is_new = not file.exists()
    if is_new:
        run = _begun(folder, backend, items, options, bank if warm else None)
        if announce:
            announce(expected_seconds(backend, items, options))
        train(run, backend, report=report, check=check).adapter.remove()
    adapter = lora_load.load(backend.denoiser.network, backend.denoiser.module_names, file)
    return Lesson(adapter, folder, time.perf_counter() - began if is_new else 0.0, _beginning_of(folder))


def expected_seconds(backend: Backend, items: Sequence[Item], options: TrainOptions) -> float:
    """How long a lesson will take here, from a trial of a few steps on its own pictures."""
    trial = options.changed(steps=TRIAL_STEPS, warm_up=0)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(create_run(Path(folder) / "trial", backend, trial, items, ()), backend)
    outcome.adapter.remove()
    preparing = max(0.0, time.perf_counter() - began - TRIAL_STEPS / outcome.rate)
    return preparing + options.steps / outcome.rate


def _begun(folder: Path, backend: Backend, items: Sequence[Item], options: TrainOptions, bank: Path | None) -> Run:
    """The lesson's run: the one that was stopped, or a new one; with `bank`, from its nearest lesson."""
    if (folder / "run.json").exists():
        return open_run(folder, backend)
    nearest = None if bank is None else nearest_lesson(bank, backend, items, options)
    run = create_run(folder, backend, options, items, ())
    if nearest is not None:
        begin_from(run, backend, nearest, folder / _BEGINNING)
    return run


def _beginning_of(folder: Path) -> str:
    path = folder / _BEGINNING
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
