"""Who may write into a run's folder: one training at a time, and one writer of picks.json at a time.

Both locks are the system's (`filelock`): they end with the process that holds them, however it ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import check_folder, explain, make_folders

TRAINING, PICKS = ".training.lock", ".picks.json.lock"
PICKS_SECONDS = 60.0  # a verdict is written in milliseconds

# The folders whose lock this flow of calls holds already: a verb locks what it plans, `train` what it trains.
_held: ContextVar[tuple[str, ...]] = ContextVar("folders_locked_for_training", default=())


@contextmanager
def training_lock(folder: Path) -> Iterator[None]:
    """Hold a run's folder for training. A folder that is not there is made, and goes again if it stays empty.

    Raises UserError at once when another process or graph trains it, or when it cannot be written.
    """
    name = os.path.realpath(folder)
    if name in _held.get():
        yield
        return
    check_folder(folder, "--run")
    made: list[Path] = []
    lock = _acquired(folder, made)
    token = _held.set((*_held.get(), name))
    try:
        yield
    finally:
        _held.reset(token)
        with contextlib.suppress(OSError):  # while nobody else can take it; Windows keeps a file that is open
            (folder / TRAINING).unlink()
        lock.release()
        for place in reversed(made):
            with contextlib.suppress(OSError):  # what holds something stays
                place.rmdir()


def _acquired(folder: Path, made: list[Path]) -> Any:
    """The lock, held; folders that had to be made for it are added to `made`."""
    from filelock import FileLock, Timeout

    busy = f"The run '{folder}' is being trained at this moment; wait until that training ends, or stop it."
    for _ in range(10):
        lock = FileLock(folder / TRAINING)
        try:
            make_folders(folder, made)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError(busy) from error
        except OSError as error:
            raise explain(error, folder / TRAINING) from error
        if (folder / TRAINING).exists():
            return lock
        lock.release()  # whoever held it took the file away at that moment: this lock would lock nobody out
    raise UserError(busy)


@contextmanager
def picks_lock(folder: Path) -> Iterator[None]:
    """Hold a run's picks.json. Raises UserError when it cannot be written, or another writer keeps it for a minute."""
    from filelock import FileLock, Timeout

    check_folder(folder, "--run")
    lock = FileLock(folder / PICKS)
    try:
        lock.acquire(timeout=PICKS_SECONDS)
    except Timeout as error:
        raise UserError(f"Another program keeps '{folder / PICKS}' locked; try again when it has ended.") from error
    except OSError as error:
        raise explain(error, folder / PICKS) from error
    try:
        yield
    finally:
        lock.release()
