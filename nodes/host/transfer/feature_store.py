"""What reference processes showed, for the next sampling: one store for all nodes of this ComfyUI, with one limit.

A picture shows the same features whenever model, patches, noise levels and text are the same, whatever is generated
beside it. So a new seed or prompt costs no evaluation of content and style, and another content none of the style.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch

from ....swf_core.transfer.features import FeatureBank
from ....swf_core.transfer.trajectory import Trajectory
from .denoiser import COLOR_KEY, REFERENCE_KEY, TRANSFER_KEY

# What all that is kept may take in memory. SD1.5 at 512 pixels, late layers, 30 steps: 1.4 GB a style and 0.7 GB a
# content in fp32, half in fp16.
LIMIT_BYTES = 2 << 30
_OWN_KEYS = {TRANSFER_KEY, REFERENCE_KEY, COLOR_KEY}


@dataclass(eq=False)
class Kept:
    """A picture's trajectory, None until it is found, and its features; `signature`: what they belong to.

    `in_use`: whether the sampling of now reads it, so that it does not go. `passing`: the levels beyond the limit whose
    features are there, last read last.
    """

    signature: Any
    bank: FeatureBank
    trajectory: Trajectory | None = None
    in_use: bool = True
    passing: list[float] = field(default_factory=list)


class FeatureStore:
    """Trajectories and features of pictures; what was used longest ago goes first.

    They take at most `limit_bytes`, and beside it the two levels that each picture of a sampling is read at.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES):
        self.limit_bytes = limit_bytes
        self._kept: list[Kept] = []  # used last stands last

    def __deepcopy__(self, memo: Any) -> FeatureStore:
        return self

    def begin(self) -> None:
        """A sampling begins: nothing is in use yet, and what an interrupted one left unfinished goes."""
        self._kept = [kept for kept in self._kept if kept.trajectory is not None]
        for kept in self._kept:
            kept.in_use = False

    def find(self, signature: Any) -> Kept | None:
        """What was kept under an equal signature; it is in use now."""
        for kept in reversed(self._kept):
            if equal_values(kept.signature, signature):
                self.drop(kept)
                return self._used(kept)
        return None

    def keep(self, signature: Any, bank: FeatureBank, model: Any) -> Kept:
        """A place for what is being found, in use; it takes that of an equal signature, and goes with the `model` that
        finds it, as when the host frees its memory."""
        self._kept = [kept for kept in self._kept if not equal_values(kept.signature, signature)]
        kept = self._used(Kept(signature, bank))
        weakref.finalize(model, _drop, weakref.ref(self), weakref.ref(kept))
        return kept

    def has_room(self) -> bool:
        """Whether features of one more level may be kept, after what is not in use has gone as far as needed."""
        while self.size_bytes() > self.limit_bytes:
            unused = next((kept for kept in self._kept if not kept.in_use), None)
            if unused is None:
                return False
            self.drop(unused)
        return True

    @property
    def pictures(self) -> int:
        """How many there are."""
        return len(self._kept)

    def size_bytes(self) -> int:
        """Memory that all features take."""
        return sum(kept.bank.size_bytes() for kept in self._kept)

    def clear(self) -> None:
        """Drop everything; by whom and when it may be asked: a sampling goes on with what it has."""
        self._kept = []

    def drop(self, gone: Kept | None) -> None:
        """Forget one."""
        self._kept = [kept for kept in self._kept if kept is not gone]

    def _used(self, kept: Kept) -> Kept:
        kept.in_use = True
        self._kept.append(kept)
        return kept


def _drop(store: weakref.ref[FeatureStore], kept: weakref.ref[Kept]) -> None:
    """By references alone: what waits for a model's end must not hold what went before it."""
    if (alive := store()) is not None:
        alive.drop(kept())


# Of all nodes.
STORE = FeatureStore()


def model_signature(patcher: Any, options: dict[str, Any]) -> list[Any]:
    """What of a MODEL decides what a picture shows: weights with their patches, other nodes' patches (of the sampling's
    parametrisation too), wrappers and hooks."""
    passing = {"sample_sigmas", "cond_or_uncond", "uuids", "sigmas", "wrappers", *_OWN_KEYS}
    inner = options.get("transformer_options", {})
    others = {
        kind: {key: hooks for key, hooks in by_key.items() if key not in _OWN_KEYS and hooks}
        for kind, by_key in inner.get("wrappers", {}).items()
    }
    return [
        [patcher.patches_uuid, patcher.object_patches, patcher.forced_hooks],
        {key: value for key, value in inner.items() if key not in passing},
        {kind: by_key for kind, by_key in others.items() if by_key},
        options.get("model_function_wrapper"),
    ]


def equal_values(a: Any, b: Any) -> bool:
    """Equality of nested lists, dicts and tensors; anything else is itself or equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal_values(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(equal_values(x, y) for x, y in zip(a, b))
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a is b or (a.shape == b.shape and a.dtype == b.dtype and bool(torch.equal(a.cpu(), b.cpu())))
    return a is b or bool(a == b)
