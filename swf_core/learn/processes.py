"""One training by several processes, as `accelerate launch` starts them: each learns from its own rows of a step.

All draw the same batch, noise and levels, as one process would; each computes the gradient of the rows that are its
own, and the sum of all is what every one of them steps with (data parallelism; Li et al., arXiv 2006.15704). So they
hold the same weights at every step. The first writes; what one of them meets, a stop or a failure, ends all.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..errors import UserError

WAIT_SECONDS = 1800.0  # for any of the others at any one time; one that ends is noticed at once
# Whoever starts several processes says so by these: torchrun, on which accelerate stands, and MPI.
_SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
_GOES_ON, _ENDS = 0, 1  # what a process says of itself


class PeerStopped(KeyboardInterrupt):
    """Another process was asked to stop."""


def launched() -> bool:
    """Whether this process is one of several that were started together; read from the environment, in no time."""
    sizes = [os.environ.get(name, "") for name in _SIZES]
    return any(size.isdigit() and int(size) > 1 for size in sizes)


def join_others(device: str, wait_seconds: float = WAIT_SECONDS) -> Together:
    """Meet the processes that were started with this one. `device`: "auto", "cpu" or "cuda", each on a GPU of its own.

    Raises UserError where accelerate is missing or cannot bring them together, and for a device that all would share.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"Several processes cannot train on the device '{device[:60]}'; give --device cpu or cuda.")
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise UserError(
            "A training by several processes needs the package accelerate; install it, or start one process."
        ) from error
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    try:
        state = PartialState(cpu=on_cpu, timeout=timedelta(seconds=wait_seconds))
    except Exception as error:  # whatever torch's way of meeting raises
        raise UserError(f"The processes did not find each other: {' '.join(str(error).split())[:200]}") from error
    if state.num_processes < 2:
        raise UserError(
            "Several processes were started and accelerate knows of one alone; give --device cpu where there is no GPU."
        )
    return Together(state.process_index, state.num_processes, str(state.device))


class Processes:
    """One process, which does all by itself. What `Together` does for several is here what it is for one."""

    rank, count = 0, 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def own_rows(self, part: int, batch: int) -> list[int] | None:
        """Which rows of a pass over `batch` rows are this process's, None for all; `part` counts a step's passes."""
        return None

    def add_up(self, parameters: Sequence[Any], work: Callable[[], float]) -> float:
        """Run `work`, which leaves gradients and returns a loss; both are the sums over all processes afterwards."""
        return work()

    def told(self, value: int) -> int:
        """The first process's `value`, in all of them."""
        return value

    def check(self, own: Callable[[], None]) -> None:
        """Call `own`, which may raise, in all processes: what it raises in one ends all."""
        own()

    def in_first(self, work: Callable[[], Any], check: Callable[[], None]) -> None:
        """Run `work` in the first process alone. It calls `busy` now and then, which the others answer meanwhile."""
        work()

    def busy(self, check: Callable[[], None]) -> None:
        """What the first process calls within `in_first`: it is still at work."""
        check()

    def begin_alike(self, step: int, weights: Mapping[str, Any], rows: int) -> None:
        """Raise UserError unless all stand at the same step with the same weights, and a step has a row for each."""

    def fail(self, failure: BaseException) -> None:
        """Tell the others, wherever they wait next, that this process has failed or was stopped."""


ALONE = Processes()


class Together(Processes):
    """This process among several. `rank`: 0 for the first; `device`: this one's own."""

    def __init__(self, rank: int, count: int, device: str):
        self.rank, self.count, self.device = rank, count, device
        self.is_over = False  # whether all know that the training has ended

    def own_rows(self, part: int, batch: int) -> list[int] | None:
        """Every `count`th row of a step, over its passes."""
        return [row for row in range(batch) if (part * batch + row) % self.count == self.rank]

    def add_up(self, parameters: Sequence[Any], work: Callable[[], float]) -> float:
        """One exchange of all gradients, in float32. What `work` raises in one is raised in all."""
        import torch

        failure: BaseException | None = None
        loss = 0.0
        try:
            loss = work()
        except BaseException as error:
            failure = error
        sizes = [p.numel() for p in parameters]
        flat = torch.zeros(sum(sizes) + 2, device=self.device)
        if failure is None:
            for place, p in zip(flat.split([*sizes, 2]), parameters):
                if p.grad is not None:
                    place.copy_(p.grad.flatten())
        flat[-2], flat[-1] = loss, float(failure is not None)
        self._waited(lambda: torch.distributed.all_reduce(flat))
        if float(flat[-1]):
            self._end_all(failure)
        for place, p in zip(flat.split([*sizes, 2]), parameters):
            p.grad = place.view_as(p).to(p.dtype)
        return float(flat[-2])

    def told(self, value: int) -> int:
        """As for one process; where another has failed or was stopped, that is raised."""
        return self._exchanged(value)[0]

    def check(self, own: Callable[[], None]) -> None:
        """As for one process."""
        self._checked(own, 0)

    def in_first(self, work: Callable[[], Any], check: Callable[[], None]) -> None:
        """The others wait, and look for stops of their own whenever the first one says that it is busy."""
        if self.is_first:
            work()
            self.told(0)
        else:
            while self._checked(check, 0):
                pass

    def busy(self, check: Callable[[], None]) -> None:
        """As for one process."""
        self._checked(check, 1)

    def begin_alike(self, step: int, weights: Mapping[str, Any], rows: int) -> None:
        """As for one process."""
        if rows < self.count:
            raise UserError(
                f"{self.count} processes share a step of {rows} rows (batch x accumulate), and each needs one; begin "
                f"the run with --batch {self.count} or more, or start at most {rows}."
            )
        digest = zlib.crc32(str(step).encode())
        for value in weights.values():
            digest = zlib.crc32(value.detach().cpu().float().numpy().tobytes(), digest)
        if len(set(self._exchanged(digest))) > 1:
            raise UserError(
                "The processes do not begin from the same weights; all machines must see the same run folder and model."
            )

    def fail(self, failure: BaseException) -> None:
        """As for one process; nothing where all know already."""
        if not self.is_over:
            with contextlib.suppress(UserError, KeyboardInterrupt, type(failure)):
                self._exchanged(0, failure)

    def _checked(self, own: Callable[[], None], value: int) -> int:
        """The first one's `value`, once `own` has raised nothing in any process."""
        failure: BaseException | None = None
        try:
            own()
        except BaseException as error:
            failure = error
        return self._exchanged(value, failure)[0]

    def _exchanged(self, value: int, failure: BaseException | None = None) -> list[int]:
        """The values of all processes, in order. Where one gives a failure, it is raised in all."""
        import torch

        code = _GOES_ON if failure is None else _ENDS
        own = torch.tensor([code, value], dtype=torch.int64, device=self.device)
        every = [torch.empty_like(own) for _ in range(self.count)]
        self._waited(lambda: torch.distributed.all_gather(every, own))
        codes, values = zip(*(pair.tolist() for pair in every))
        if any(codes):
            self._end_all(failure)
        return list(values)

    def _end_all(self, failure: BaseException | None) -> None:
        """Raise this process's failure, or where it has none the first one that another has."""
        import torch

        self.is_over = True
        own = "" if failure is None else "stopped" if isinstance(failure, KeyboardInterrupt) else _sentence(failure)
        said: list[Any] = [None] * self.count
        self._waited(lambda: torch.distributed.all_gather_object(said, own))
        if failure is not None:
            raise failure
        rank = next(k for k, text in enumerate(said) if text)
        if said[rank] == "stopped":
            raise PeerStopped
        raise UserError(said[rank] if rank == 0 else f"{said[rank]} (in process {rank} of {self.count})")

    def _waited(self, exchange: Callable[[], Any]) -> None:
        """Run a call that waits for the others. Raises UserError when one of them is gone."""
        try:
            exchange()
        except RuntimeError as error:  # a closed connection, or nothing heard in `WAIT_SECONDS`
            self.is_over = True
            raise UserError(
                "Another process of this training has ended or does not answer; start all again, and the run goes on "
                "from its last checkpoint."
            ) from error


def _sentence(failure: BaseException) -> str:
    text = " ".join(str(failure).split())[:500]
    return text if isinstance(failure, UserError) else f"{type(failure).__name__}: {text}"
