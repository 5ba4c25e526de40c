"""A crew on Ray: one actor a worker, on this machine or on many, each holding its model; Ray is an optional package.

Groups travel as paths, not as tensors. A machine that does not see this one's files is sent their bytes, and sends the
results' back. An actor that dies takes nothing with it but its group, which another one does; a group that ends two is
given up. Every wait has an end.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import write_files
from .jobs import Group, Outcome
from .processes import TRIES
from .run import MakeWorker, Worker, failed, outcomes_of, sentence_of, use_threads

# So long a first actor may take to be placed, and a group to be done, in seconds.
PLACED_WITHIN_S, DONE_WITHIN_S = 180.0, 3600.0
FETCHED_WITHIN_S = 120.0  # an answer that is there, results and all
POLL_S = 1.0
Files = dict[str, bytes]


def import_ray() -> Any:
    """The package. Raises UserError where it is not installed."""
    try:
        import ray  # type: ignore[import-not-found]
    except ImportError as error:
        raise UserError(
            "--ray needs the package ray, which is not installed; install it, or use --workers N."
        ) from error
    return ray


@dataclass(frozen=True)
class RayCrew:
    """A crew of actors on the cluster at `address`; "auto": the one that runs here, else one begun for this run.

    * count: how many, None for as many as the cluster has room for.
    * ships: whether files are sent as bytes; None: to those machines alone that do not see them.
    * done_within_s: seconds after which a group is taken for lost.
    """

    address: str = "auto"
    count: int | None = None
    ships: bool | None = None
    done_within_s: float = DONE_WITHIN_S

    def __call__(self, groups: Sequence[Group], make_worker: MakeWorker, threads: int) -> Iterator[Sequence[Outcome]]:
        """Do the groups. Raises UserError where there is no cluster, no room in it, or a worker cannot be made."""
        if not groups:
            return
        ray, begun = import_ray(), _connect(self.address)
        crew = _Crew(ray, self, make_worker, threads, min(len(groups), self.count or _room(ray, threads)))
        try:
            yield from crew.do(groups)
        finally:
            crew.end()
            if begun:
                ray.shutdown()


class _Crew:
    """The actors of a run, the groups they are at, and since when."""

    def __init__(self, ray: Any, options: RayCrew, make_worker: MakeWorker, threads: int, count: int):
        self.ray, self.options, self.count = ray, options, count
        resources: dict[str, Any] = {"num_cpus": threads, "max_restarts": 0, "max_task_retries": 0}
        if ray.cluster_resources().get("GPU"):
            resources["num_gpus"] = 1
        self._make = lambda: ray.remote(_Actor).options(**resources).remote(make_worker, threads, os.getcwd())
        self.idle: list[Any] = []
        self.blind: set[Any] = set()  # actors that do not see the files of this machine
        self.at: dict[Any, tuple[Any, Group, float]] = {}  # what is awaited: by whom, of what, since when

    def do(self, groups: Sequence[Group]) -> Iterator[Sequence[Outcome]]:
        waiting, tries = deque(groups), Counter[int]()
        placed = False
        began = time.monotonic()
        while waiting or self.at:
            while waiting and len(self.at) < self.count:
                self._begin(waiting.popleft())
            ready, _ = self.ray.wait(list(self.at), num_returns=1, timeout=POLL_S)
            for answer in ready:
                placed = True
                actor, group, _ = self.at.pop(answer)
                try:
                    outcomes, results = self.ray.get(answer, timeout=FETCHED_WITHIN_S)
                except self.ray.exceptions.RayTaskError as error:  # no worker could be made there
                    raise UserError(sentence_of(error.cause)) from error
                except self.ray.exceptions.RayError as error:  # it died, or its answer does not arrive
                    self._kill(actor)
                    yield from self._lost(group, waiting, tries, _why(error))
                    continue
                if outcomes is None:
                    self.blind.add(actor)
                    self._send(actor, group)
                    continue
                self.idle.append(actor)
                write_files({Path(name): data for name, data in results.items()})
                yield outcomes
            if not placed and time.monotonic() - began > PLACED_WITHIN_S:
                raise UserError("No machine of the Ray cluster has room for a worker; wait, or give fewer --threads.")
            for answer, (actor, group, since) in list(self.at.items()):
                if time.monotonic() - since > self.options.done_within_s:
                    del self.at[answer]
                    self._kill(actor)
                    yield from self._lost(group, waiting, tries, "no answer in time")

    def _begin(self, group: Group) -> None:
        actor = self.idle.pop() if self.idle else self._make()
        if self.options.ships:
            self.blind.add(actor)
        self._send(actor, group)

    def _send(self, actor: Any, group: Group) -> None:
        if actor in self.blind:
            answer = actor.do_shipped.remote(group, {str(path): path.read_bytes() for path in _inputs(group)})
        else:
            sizes = None if self.options.ships is False else {str(p): p.stat().st_size for p in _inputs(group)}
            answer = actor.do.remote(group, sizes)
        self.at[answer] = (actor, group, time.monotonic())

    def _lost(self, group: Group, waiting: deque[Group], tries: Counter[int], why: str) -> Iterator[Sequence[Outcome]]:
        tries[group.number] += 1
        if tries[group.number] < TRIES:
            waiting.appendleft(group)
        else:
            yield failed(group, f"{TRIES} workers were lost while they were at it ({why}).")

    def _kill(self, actor: Any) -> None:
        with contextlib.suppress(Exception):  # it may be gone, and the cluster too
            self.ray.kill(actor)

    def end(self) -> None:
        for actor in [*self.idle, *(actor for actor, _, _ in self.at.values())]:
            self._kill(actor)


class _Actor:
    """A worker, on whatever machine it was placed."""

    def __init__(self, make_worker: MakeWorker, threads: int, folder: str):
        with contextlib.suppress(OSError):  # another machine: paths are absolute there, or bytes come
            os.chdir(folder)
        use_threads(threads)
        self._make_worker = make_worker
        self._worker: Worker | None = None

    def do(self, group: Group, sizes: dict[str, int] | None) -> tuple[Sequence[Outcome] | None, Files]:
        """The outcomes of a group; None where its files, with these sizes, are not seen here."""
        if sizes is not None and not _sees(group, sizes):
            return None, {}
        return outcomes_of(self._begun(), group), {}

    def do_shipped(self, group: Group, files: Files) -> tuple[Sequence[Outcome], Files]:
        """The outcomes of a group from the bytes of its files, and the bytes of its results."""
        with tempfile.TemporaryDirectory() as folder:
            return _do_shipped(self._begun(), group, files, Path(folder))

    def _begun(self) -> Worker:
        self._worker = self._worker or self._make_worker()
        return self._worker


def _do_shipped(worker: Worker, group: Group, files: Files, folder: Path) -> tuple[Sequence[Outcome], Files]:
    """A group done in a folder of this machine, from the bytes of its pictures; errors speak of the names given."""
    here: dict[Path, Path] = {}
    for number, (name, data) in enumerate(files.items()):
        here[Path(name)] = folder / str(number) / Path(name).name
        write_files({here[Path(name)]: data})
    (folder / "out").mkdir()
    moved = []
    for job in group.jobs:
        content, *styles = (here.get(path, folder / "missing" / path.name) for path in (job.content, *job.styles))
        out = None if job.out is None else folder / "out" / job.out.name
        moved.append(replace(job, content=content, styles=tuple(styles), out=out))
    outcomes, results = [], {}
    original = {job.index: job for job in group.jobs}
    for outcome in outcomes_of(worker, Group(group.number, tuple(moved))):
        job = original[outcome.index]
        out = None if job.out is None else str(job.out)
        if outcome.error is None and outcome.out is not None and out is not None:
            results[out] = Path(outcome.out).read_bytes()
        error = outcome.error
        for given, moved_to in here.items():
            error = error and error.replace(str(moved_to), str(given))
        styles = tuple(str(style) for style in job.styles)
        outcomes.append(replace(outcome, content=str(job.content), styles=styles, out=out, error=error))
    return outcomes, results


def _inputs(group: Group) -> list[Path]:
    """The files of a group, those that are there."""
    paths = dict.fromkeys(path for job in group.jobs for path in (job.content, *job.styles))
    return [path for path in paths if os.access(path, os.R_OK) and path.is_file()]


def _sees(group: Group, sizes: dict[str, int]) -> bool:
    """Whether this machine has the same files, and the folders that results go to."""
    outs = [job.out.parent for job in group.jobs if job.out is not None]
    try:
        return all(os.stat(name).st_size == size for name, size in sizes.items()) and all(out.is_dir() for out in outs)
    except OSError:
        return False


def _connect(address: str) -> bool:
    """Join a cluster; True where one was begun here for it. Raises UserError where there is none at `address`."""
    ray = import_ray()
    if ray.is_initialized():
        return False
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    options: dict[str, Any] = {"runtime_env": {"env_vars": {"PYTHONPATH": paths}}, "log_to_driver": False}
    try:
        ray.init(address=address, logging_level="ERROR", **options)
        return True
    except ConnectionError as error:
        if address != "auto":
            raise UserError(f"No Ray cluster answers at '{address}'; start one, or give --ray auto.") from error
    ray.init(include_dashboard=False, logging_level="ERROR", **options)
    return True


def _why(error: Exception) -> str:
    """The last line of what Ray says, which holds the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200]


def _room(ray: Any, threads: int) -> int:
    resources = ray.cluster_resources()
    return max(1, int(resources.get("GPU") or resources.get("CPU", 1) // threads))
