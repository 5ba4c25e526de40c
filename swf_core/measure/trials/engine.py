"""The engine of a trial: every arm paints every pair with every seed, and each result becomes a row of a CSV file.

A row is kept by arm, seed and pair, and is made again when its key no longer fits: another model, other settings,
another prompt or other pictures. So a trial that was stopped continues, one whose preset changed runs that alone, and
two arms that do the same are painted once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ...files import write_files
from ...learn.dataset import picture_id
from ...pictures import load as load_picture
from ...pictures import png_bytes, to_image
from ..benches.context import BenchContext
from ..benches.tables import Row, as_text, read_rows, write_rows
from ..metrics.measures import MEASURES, measured
from ..metrics.pairs import Pair
from .arms import Arm
from .identity import model_digest, text_digest
from .prompts import Prompts

FIELDS = ("arm", "seed", "pair", "key", "painter", *MEASURES, "evaluations", "seconds", "prompt")
# Changed when a measure is: rows of before are measured anew.
VERSION = "2"
CHUNK = 15  # pairs that are painted before their rows are written
SHEET_PAIRS = 15


@dataclass(frozen=True)
class Trial:
    """Which arms paint which pairs, with which seeds; `name` names its table and the folder of its pictures."""

    name: str
    pairs: Sequence[Pair]
    arms: Mapping[str, Arm]
    seeds: Sequence[int] = (0,)
    missing: Mapping[str, str] = field(default_factory=dict)

    def seeds_of(self, arm: Arm) -> Sequence[int]:
        """The seeds that an arm runs with."""
        return self.seeds if arm.seeded else self.seeds[:1]

    def pairs_of(self, arm: Arm) -> Sequence[Pair]:
        """The pairs that an arm paints."""
        return self.pairs[: arm.most_pairs]


@dataclass(frozen=True)
class Job:
    """One row that is to be: where it belongs, and the key that it must have."""

    arm: str
    seed: int
    pair: int
    key: str
    prompt: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What a row is found by."""
        return self.arm, str(self.seed), str(self.pair)


def run_trial(context: BenchContext, trial: Trial, prompts: Prompts) -> list[Row]:
    """All rows of the trial, in its own order; those that are missing or out of date are made and written first."""
    table = context.out / f"{trial.name}.csv"
    known = {(row["arm"], row["seed"], row["pair"]): row for row in read_rows(table) if set(FIELDS) <= row.keys()}
    jobs = list(_jobs(context, trial, prompts))
    to_do = [job for job in jobs if known.get(job.place, {}).get("key") != job.key]
    alike = {row["key"]: row for row in known.values()}
    done = 0
    for chunk in _chunks(to_do):
        new = [job for job in chunk if job.key not in alike]
        rows = dict(zip(new, _rows(context, trial, new), strict=True)) if new else {}
        for job in chunk:
            known[job.place] = rows[job] if job in rows else _copied(context.out, trial, alike[job.key], job)
            alike[job.key] = known[job.place]
        write_rows(table, list(known.values()), FIELDS)
        done += len(chunk)
        context.bar(done / len(to_do), chunk[0].arm)
    return [known[job.place] for job in jobs]


def _copied(out: Path, trial: Trial, row: Row, job: Job) -> Row:
    """The row of another arm that does the same, as a row of this one; a preset may be another's end of a dial."""
    picture = picture_path(out, trial.name, row["arm"], int(row["pair"]))
    if job.seed == trial.seeds[0] and job.pair < SHEET_PAIRS and picture.exists():
        write_files({picture_path(out, trial.name, job.arm, job.pair): picture.read_bytes()})
    return as_text(row | {"arm": job.arm, "seed": job.seed, "pair": job.pair})


def _jobs(context: BenchContext, trial: Trial, prompts: Prompts) -> Iterator[Job]:
    """Arm by arm, seed by seed: what is alike is painted together."""
    model = model_digest(context.backend)
    pictures = [picture_id(pair.content) + picture_id(pair.style) for pair in trial.pairs]
    for name, arm in trial.arms.items():
        texts = prompts.of(arm.words, trial.pairs_of(arm))
        for seed in trial.seeds_of(arm):
            for number, text in enumerate(texts):
                parts = (VERSION, context.features.name, model, arm.settings, text, str(seed), pictures[number])
                yield Job(name, seed, number, text_digest(*parts), text)


def _chunks(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Jobs of one arm and seed, at most `CHUNK` at a time."""
    chunk: list[Job] = []
    for job in jobs:
        if chunk and (len(chunk) == CHUNK or (job.arm, job.seed) != (chunk[0].arm, chunk[0].seed)):
            yield chunk
            chunk = []
        chunk.append(job)
    if chunk:
        yield chunk


def _rows(context: BenchContext, trial: Trial, jobs: Sequence[Job]) -> list[Row]:
    """Paint and measure jobs of one arm and seed. Their pictures are kept where the sheet shows them."""
    arm = trial.arms[jobs[0].arm]
    pairs = [trial.pairs[job.pair] for job in jobs]
    painted, seconds = [], []
    for job, pair in zip(jobs, pairs, strict=True):
        began = time.perf_counter()
        # Each pair has noise of its own: the same for all arms.
        painted.append(arm.paint(context.backend, pair, job.prompt, 10_000 * job.seed + job.pair))
        seconds.append(time.perf_counter() - began)
    images = torch.stack([each.picture for each in painted])
    _keep(context.out, trial, jobs, images)
    return [
        as_text(
            {"arm": job.arm, "seed": job.seed, "pair": job.pair, "key": job.key, "painter": pair.look.style}
            | values
            | {"evaluations": each.evaluations, "seconds": round(spent, 3), "prompt": job.prompt}
        )
        for job, pair, values, each, spent in zip(
            jobs, pairs, measured(context.classifier, context.features, pairs, images), painted, seconds, strict=True
        )
    ]


def _keep(out: Path, trial: Trial, jobs: Sequence[Job], images: Tensor) -> None:
    first = trial.seeds[0]
    pages = {
        picture_path(out, trial.name, job.arm, job.pair): png_bytes(to_image(images[k]))
        for k, job in enumerate(jobs)
        if job.seed == first and job.pair < SHEET_PAIRS
    }
    if pages:
        write_files(pages)


def picture_path(out: Path, trial: str, arm: str, pair: int) -> Path:
    """Where the picture of an arm's first seed lies."""
    return out / f"{trial}-pictures" / arm.replace(", ", "-").replace(" ", "_") / f"{pair:03d}.png"


def kept_picture(out: Path, trial: str, arm: str, pair: int) -> Tensor | None:
    """It, or None where it is no longer there."""
    path = picture_path(out, trial, arm, pair)
    return load_picture(path).pixels if path.exists() else None
