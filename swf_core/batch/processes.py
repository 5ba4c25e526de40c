"""A crew of local processes: each makes its worker once, takes a group, gives the outcomes, takes the next.

A process that dies takes nothing with it but its group, which another one does; a group that kills two is given up.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from ..errors import UserError
from .jobs import Group, Outcome
from .run import MakeWorker, failed, outcomes_of, sentence_of, use_threads

# So often a group is begun before it is given up.
TRIES = 2
# So long a process has to take its unfinished files away, in seconds.
GRACE_S = 10.0


@dataclass(frozen=True)
class Processes:
    """A crew of `count` processes, no more than there are groups."""

    count: int

    def __call__(self, groups: Sequence[Group], make_worker: MakeWorker, threads: int) -> Iterator[Sequence[Outcome]]:
        """Do the groups. Raises UserError where a worker cannot be made."""
        waiting, tries = deque(groups), Counter[int]()
        # Spawned, not forked: a fork of a process that computed with threads can stand still.
        context = multiprocessing.get_context("spawn")
        crew: list[_Hand] = []
        try:
            while waiting or any(hand.group for hand in crew):
                while len(crew) < min(self.count, len(waiting) + sum(hand.group is not None for hand in crew)):
                    crew.append(_Hand.start(context, make_worker, threads))
                for hand in crew:
                    if hand.group is None and waiting:
                        hand.begin(waiting.popleft())
                for ready in wait([hand.pipe for hand in crew]):
                    hand = next(hand for hand in crew if hand.pipe is ready)
                    group, outcomes = hand.finish()
                    if outcomes is not None:
                        yield outcomes
                        continue
                    crew.remove(hand)
                    if group is not None:
                        tries[group.number] += 1
                        if tries[group.number] < TRIES:
                            waiting.appendleft(group)
                        else:
                            yield failed(
                                group, f"{TRIES} processes ended while they were at it ({hand.how_it_ended()})."
                            )
        finally:
            for hand in crew:
                hand.stop()


class _Hand:
    """One process, from outside: its pipe, and the group it is at."""

    def __init__(self, process: Any, pipe: Connection):
        self.process, self.pipe, self.group = process, pipe, None

    @classmethod
    def start(cls, context: Any, make_worker: MakeWorker, threads: int) -> _Hand:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, make_worker, threads), daemon=True)
        process.start()
        theirs.close()  # so that its end is seen here
        return cls(process, ours)

    def begin(self, group: Group) -> None:
        self.group = group
        with contextlib.suppress(OSError):  # it has ended: `finish` will see it
            self.pipe.send(group)

    def finish(self) -> tuple[Group | None, Sequence[Outcome] | None]:
        """The group it was at and its outcomes, None where the process has ended instead."""
        group, self.group = self.group, None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(GRACE_S)
            return group, None
        if isinstance(answer, str):  # no worker could be made
            raise UserError(answer)
        return group, answer

    def how_it_ended(self) -> str:
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self) -> None:
        self.pipe.close()
        if self.group is not None:
            self.process.terminate()
        self.process.join(GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _work(pipe: Connection, make_worker: MakeWorker, threads: int) -> None:
    """The process from inside."""
    # Ctrl-C goes to the whole group of processes; the one that was started answers it, and ends these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.suppress(EOFError, OSError):  # the other side is gone
        try:
            group = pipe.recv()
            use_threads(threads)
            worker = make_worker()
        except EOFError:
            return
        except Exception as error:
            pipe.send(sentence_of(error))
            return
        while True:
            pipe.send(outcomes_of(worker, group))
            group = pipe.recv()
