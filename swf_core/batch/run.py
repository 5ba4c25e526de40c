"""Doing a batch: the groups that are not done yet, by this process or by others, each recorded when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from .jobs import Batch, Group, Outcome
from .manifest import Manifest, still_counts

# Does a group and says how each of its jobs ended; it writes what comes of them itself. Made once a process.
Worker = Callable[[Group], Sequence[Outcome]]
MakeWorker = Callable[[], Worker]
# Called with the share done, in 0..1, and a sentence on how it goes.
Progress = Callable[[float, str], None]


class Crew(Protocol):
    """Whoever has groups done: it gives the outcomes of each as it ends, in any order."""

    def __call__(self, groups: Sequence[Group], make_worker: MakeWorker, threads: int) -> Iterator[Sequence[Outcome]]:
        """Do the groups."""
        ...


@dataclass(frozen=True)
class Report:
    """How a batch ended: outcomes by index, and how many of them this run did; `seconds` of wall clock."""

    outcomes: tuple[Outcome, ...]
    done_now: int
    seconds: float

    @property
    def failed(self) -> list[Outcome]:
        """What could not be done."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]


def run_batch(
    batch: Batch,
    make_worker: MakeWorker,
    record: Manifest,
    *,
    crew: Crew | None = None,
    anew: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Do what of a batch is not done; `record` is where it is remembered, and where a batch that was stopped goes on.

    `crew`: None is this process alone. `anew`: what was done before counts for nothing. A job that fails is an outcome
    with its error and does not stop the others; only what keeps every worker from beginning is raised. When all are
    done the record is written anew, a line a job.
    """
    began = time.perf_counter()
    known = record.outcomes() if record.exists() and not anew else {}
    to_do, kept = [], {}
    for group in batch.groups:
        if all(still_counts(job, known.get(job.index)) for job in group.jobs):
            kept |= {job.index: known[job.index] for job in group.jobs}
        else:
            to_do.append(group)
    record.begin(batch, kept.values())
    done, total = dict(kept), len(batch.jobs)
    for outcomes in (crew or alone)(to_do, make_worker, batch.threads):
        record.add(outcomes)
        done |= {outcome.index: outcome for outcome in outcomes}
        if progress is not None:
            progress(len(done) / total, _how_it_goes(done, total, len(done) - len(kept), began))
    ordered = tuple(done[index] for index in sorted(done))
    record.begin(batch, ordered)
    return Report(ordered, len(done) - len(kept), time.perf_counter() - began)


def alone(groups: Sequence[Group], make_worker: MakeWorker, threads: int) -> Iterator[Sequence[Outcome]]:
    """The crew of one: this process."""
    if not groups:
        return
    import torch

    before = torch.get_num_threads()
    try:
        use_threads(threads)
        worker = make_worker()
        for group in groups:
            yield outcomes_of(worker, group)
    finally:
        use_threads(before)


def outcomes_of(worker: Worker, group: Group) -> Sequence[Outcome]:
    """What a worker makes of a group; whatever it raises is the outcome of all jobs of it."""
    began = time.perf_counter()
    try:
        return worker(group)
    except Exception as error:  # one group must not end the batch
        return failed(group, sentence_of(error), time.perf_counter() - began)


def failed(group: Group, error: str, seconds: float = 0.0) -> list[Outcome]:
    """The outcomes of a group that nothing came of."""
    return [Outcome.of(job, group.number, seconds / len(group.jobs), error) for job in group.jobs]


def sentence_of(error: BaseException) -> str:
    """An error as one line; of one that nobody foresaw, with its kind."""
    said = " ".join(str(error).split())
    return said if isinstance(error, ValueError | OSError) and said else f"{type(error).__name__}: {said}"


def use_threads(threads: int) -> None:
    """How many threads this process computes with from now on."""
    import torch

    torch.set_num_threads(threads)


def _how_it_goes(done: dict[int, Outcome], total: int, now: int, began: float) -> str:
    minutes = max(time.perf_counter() - began, 1e-3) / 60
    failures = _failures(done.values())
    return f"{len(done)} of {total}, {now / minutes:.1f} a minute" + (f", {failures} failed" if failures else "")


def _failures(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.error is not None for outcome in outcomes)
