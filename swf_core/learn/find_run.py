"""Which run a name means: the one that was begun with these very options and pictures, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import UserError
from ..models.contracts import Backend
from . import picks
from .dataset import Item
from .options import TrainOptions
from .run import Prompt, Run, create, identity, open_run

_FORBIDDEN = '<>:"/\\|?*'


def check_name(name: str) -> str:
    """A run's name as a folder's name. Raises UserError for one that cannot be."""
    name = name.strip()
    if not name or name.startswith(".") or name.endswith(".") or any(c in _FORBIDDEN or ord(c) < 32 for c in name):
        raise UserError(
            f"The run name {name!r} cannot be a folder's name; use letters, digits, blanks, - and _ and no slashes."
        )
    if len(name.encode()) > 100:
        raise UserError(f"The run name is {len(name.encode())} bytes long; it may have 100.")
    return name


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
        folder = parent / (check_name(name) if number == 1 else f"{check_name(name)} {number}")
        if not folder.exists():
            return create(folder, backend, options, items, prompts)
        if (folder / "run.json").exists():
            run = open_run(folder)
            if _same(run, backend, options, items, prompts):
                if options.steps > run.steps:
                    run.add_round(options.steps - run.steps, picks.taken(folder))
                    run.save()
                return run
        number += 1


def _same(run: Run, backend: Backend, options: TrainOptions, items: Sequence[Item], prompts: Sequence[Prompt]) -> bool:
    def told(found: Sequence[Item]) -> list[tuple]:
        unique = {i.id: i for i in reversed(found)}
        return sorted((i.id, i.caption, i.weight, i.repeats) for i in unique.values())

    return (
        run.model == identity(backend)
        and replace(run.options, steps=1) == replace(options, steps=1)
        and told(run.items) == told(items)
        and run.prompts == tuple(prompts)
    )
