"""The run that a name means: the one that was begun with these very options and pictures, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import UserError
from ..models.contracts import Backend
from . import picks
from .dataset import Item
from .locks import training_lock
from .options import TrainOptions
from .run import Prompt, Run, check_run_name, create_run, model_identity, open_run


def find_or_create(
    parent: Path, name: str, backend: Backend, options: TrainOptions, items: Sequence[Item], prompts: Sequence[Prompt]
) -> Run:
    """The run `name` in `parent`, or `name 2`, `name 3`, ... where that name was used for something else.

    `options.steps` says how far to go: more than the run has had adds a round, with the samples picked by then; fewer
    changes nothing. Whatever else differs is another run, never a mixture.
    """
    if not items:
        raise UserError("The data set is empty; give at least one picture of the style.")
    number = 1
    while True:
        folder = parent / (check_run_name(name) if number == 1 else f"{check_run_name(name)} {number}")
        if not folder.exists():
            return create_run(folder, backend, options, items, prompts)
        if (folder / "run.json").exists():
            run = open_run(folder)
            if _is_same_training(run, backend, options, items, prompts):
                if options.steps > run.steps and "failed" not in run.rounds[-1]:
                    with training_lock(folder):
                        run = open_run(folder)  # as it is now that nobody else plans
                        if options.steps > run.steps:
                            run.add_round(options.steps - run.steps, picks.accepted_captions(folder))
                            run.save()
                return run
        number += 1


def _is_same_training(
    run: Run, backend: Backend, options: TrainOptions, items: Sequence[Item], prompts: Sequence[Prompt]
) -> bool:
    def training_data(data: Sequence[Item]) -> list[tuple]:
        unique = {i.id: i for i in reversed(data)}
        return sorted((i.id, i.caption, i.weight, i.repeats) for i in unique.values())

    return (
        run.model == model_identity(backend)
        and replace(run.options, steps=1) == replace(options, steps=1)
        and training_data(run.items) == training_data(items)
        and run.prompts == tuple(prompts)
    )
