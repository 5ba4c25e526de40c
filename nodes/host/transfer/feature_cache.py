"""The features of a patched MODEL's styles, from its last sampling for the next one.

A style shows the same features whenever model, patches, noise levels and its text are the same, whatever is generated
beside it: a new seed or prompt then costs no evaluation of the style. The features live with the patch that made them
and go with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from ....swf_core.transfer.features import FeatureBank
from ....swf_core.transfer.trajectory import Trajectory
from .denoiser import COLOR_KEY, TRANSFER_KEY

# What the features of one style may take in memory. SD1.5 at 512 pixels, late layers, 30 steps, fp16: about 0.9 GB.
LIMIT_BYTES = 2 << 30


@dataclass
class FeatureCache:
    """The trajectories and features of one transfer's styles, by their number, its content's trajectory, and what they
    belong to."""

    signature: Any = None
    content: Trajectory | None = None
    styles: dict[int, tuple[Trajectory, FeatureBank]] = field(default_factory=dict)

    def __deepcopy__(self, memo: Any) -> FeatureCache:
        return self

    def keep_only(self, signature: Any) -> None:
        """Empty the cache unless it belongs to `signature`; from now on it does."""
        if not equal_values(self.signature, signature):
            self.styles.clear()
            self.content = None
        self.signature = signature


def cache_signature(patcher: Any, options: dict[str, Any], sigmas: list[float], text: Any) -> Any:
    """Everything that decides what features a style shows: weights with their patches, other nodes' patches (of the
    sampling's parametrisation too), wrappers and hooks, noise levels, text."""
    passing = {"sample_sigmas", "cond_or_uncond", "uuids", "sigmas", TRANSFER_KEY, COLOR_KEY}
    inner = {k: v for k, v in options.get("transformer_options", {}).items() if k not in passing}
    model = [patcher.patches_uuid, patcher.object_patches, patcher.forced_hooks]
    return [model, sigmas, text.entry, inner, options.get("model_function_wrapper")]


def equal_values(a: Any, b: Any) -> bool:
    """Equality of nested lists, dicts and tensors; anything else is itself or equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal_values(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(equal_values(x, y) for x, y in zip(a, b))
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a is b or (a.shape == b.shape and a.dtype == b.dtype and bool(torch.equal(a.cpu(), b.cpu())))
    return a is b or bool(a == b)
