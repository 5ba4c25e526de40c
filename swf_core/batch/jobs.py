"""The plan of a batch: which pictures, in which styles, with which seeds, to which files, in which groups."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UserError

PAIRINGS = ("each", "zip", "product")


@dataclass(frozen=True)
class Job:
    """One picture to make: `content` in all of `styles` together, drawn by `seed`, into the file `out` (None: what
    comes of it is words)."""

    index: int
    content: Path
    styles: tuple[Path, ...]
    seed: int
    out: Path | None


@dataclass(frozen=True)
class Group:
    """What one worker does in one go, and what is done again as a whole when it was interrupted."""

    number: int
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Batch:
    """A frozen plan. `settings`: everything beside the pictures that decides what comes out, as JSON; `threads` of each
    worker are part of it, for sums of another order are other bytes."""

    groups: tuple[Group, ...]
    settings: Mapping[str, Any]
    threads: int = 1

    @property
    def jobs(self) -> list[Job]:
        """All jobs, by index."""
        return sorted((job for group in self.groups for job in group.jobs), key=lambda job: job.index)


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `error` is None where it is done. `read`: digests of the files it was made from; `data`: what
    the verb says of it."""

    index: int
    group: int
    content: str
    styles: tuple[str, ...]
    out: str | None
    error: str | None
    seconds: float
    read: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, group: int, seconds: float, error: str | None = None, **data: Any) -> Outcome:
        """Of a job that ended now."""
        return cls(
            job.index,
            group,
            str(job.content),
            tuple(str(style) for style in job.styles),
            None if job.out is None else str(job.out),
            error,
            round(seconds, 3),
            file_digests(job),
            data,
        )

    def row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def pair_up(contents: Sequence[Path], styles: Sequence[Path], how: str) -> list[tuple[Path, tuple[Path, ...]]]:
    """Which content is painted in which styles.

    each: every content in all styles together; zip: the first in the first, the second in the second; product: every
    content in every style by itself.

    Raises UserError for an unknown way, or counts that do not go together.
    """
    if how not in PAIRINGS:
        raise UserError(f"The pairs {how!r} are unknown; use {', '.join(PAIRINGS)}.")
    if how == "each":
        return [(content, tuple(styles)) for content in contents]
    if how == "product":
        return [(content, (style,)) for style in styles for content in contents]
    if len(contents) != len(styles):
        raise UserError(f"{len(contents)} contents and {len(styles)} styles do not pair; give as many of both.")
    return [(content, (style,)) for content, style in zip(contents, styles, strict=True)]


def job_seed(seed: int, content: Path, styles: Sequence[Path]) -> int:
    """A job's own seed, by the run's and by the names of its pictures: the same whatever else is in the batch."""
    names = "\0".join([str(seed), content.name, *(style.name for style in styles)])
    return int.from_bytes(hashlib.sha256(names.encode()).digest()[:7], "big")


def plan(
    pairs: Sequence[tuple[Path, tuple[Path, ...]]],
    outs: Sequence[Path | None],
    size_of: Callable[[Path], tuple[int, int] | None],
    settings: Mapping[str, Any],
    *,
    seed: int = 0,
    largest: int = 1,
    threads: int = 1,
    before: Batch | None = None,
) -> Batch:
    """Freeze a batch: one job a pair, jobs of the same styles and of equal size in groups of at most `largest`.

    `size_of`: the (height, width) that a content is worked at, None where it cannot be read: such a one is alone, so
    that it spoils nobody's group. `before`: a plan that was frozen earlier and is kept as it is, pairs that it lacks in
    groups of their own behind it.
    """
    groups: list[Group] = [] if before is None else list(before.groups)
    known = {(job.content, job.styles) for group in groups for job in group.jobs}
    index = sum(len(group.jobs) for group in groups)
    waiting: dict[Any, list[Job]] = {}
    for (content, styles), out in zip(pairs, outs, strict=True):
        if (content, styles) in known:
            continue
        job = Job(index, content, styles, job_seed(seed, content, styles), out)
        index += 1
        size = size_of(content)
        waiting.setdefault((styles, size) if size is not None else (styles, index), []).append(job)
    for jobs in waiting.values():
        for first in range(0, len(jobs), largest):
            groups.append(Group(len(groups), tuple(jobs[first : first + largest])))
    return Batch(tuple(groups), settings, threads if before is None else before.threads)


def file_digests(job: Job) -> tuple[str, ...]:
    """`file_digest` of each file that a job reads."""
    return tuple(file_digest(path) for path in (job.content, *job.styles))


def file_digest(path: Path) -> str:
    """16 hexadecimal digits of the SHA-256 of a file; "" for what cannot be read as one."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""
