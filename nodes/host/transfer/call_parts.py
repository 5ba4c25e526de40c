"""A call of the network in parts that share a conditioning each, and who says what self-attention does in each part."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ....swf_core.models.contracts import AttentionFunction


@dataclass(frozen=True)
class CallPart:
    """A part of a call's rows that shares one conditioning.

    `uuid`: of the conditioning (area prompts differ in place). `rows`: how many pictures it holds. `frames`: which
    pictures of the sampling those are, where a node samples windows of the batch; None for all.
    """

    uuid: Any
    rows: int
    frames: tuple[int, ...] | None


# The function for a part of the batch.
Chooser = Callable[[CallPart], AttentionFunction]


def attend_plainly(*_: Any) -> None:
    """The function that leaves a layer as it is."""


def call_parts(rows: int, options: dict[str, Any]) -> list[CallPart]:
    """The parts of a call of `rows` rows, in their order, from its transformer options."""
    uuids, frames = options.get("uuids") or [None], frames_of_window(options)
    return [CallPart(uuid, rows // len(uuids), frames) for uuid in uuids]


def frames_of_window(inner: dict[str, Any]) -> tuple[int, ...] | None:
    """Which pictures of the batch a call works on, where a node samples windows of it; None for all.

    Told by transformer options: `context_window` by the host's own context windows, `ad_params` by
    AnimateDiff-Evolved's.
    """
    window = inner.get("context_window")
    if window is not None and getattr(window, "dim", 0) == 0:
        return tuple(window.index_list)
    frames = (inner.get("ad_params") or {}).get("sub_idxs")
    return None if frames is None else tuple(frames)


class Running(threading.local):
    """The calls of the network that run in this thread, the innermost last; hosts with several GPUs run one in each."""

    def __init__(self) -> None:
        self.calls: list[Any] = []


def call_arguments(executor: Any, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """What the host's `apply_model` is called with, by its parameters' names, where it is given."""
    return {**dict(zip(_parameters(type(executor.class_obj).apply_model), args)), **named}


@cache
def _parameters(apply_model: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(apply_model).parameters)[1:]
