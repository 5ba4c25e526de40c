"""Several processes in one network call: references beside each other, or beside generation.

The rows of a call know nothing of each other but through its edit of self-attention, so this changes nothing but the
last digits, which depend on how many rows a call has. It costs the same evaluations in fewer calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.contracts import AttentionEdit, AttentionLayer, Conditioning, Denoiser, JointTokens, join
from .attention_kinds import SelfAttention
from .cost import Meter


@dataclass(frozen=True, eq=False)
class Rows:
    """The part that one process has in a call: its latents [n, C, h, w], its text, one row or n, and its edit."""

    x: Tensor
    cond: Conditioning
    edit: AttentionEdit | None = None


def denoise_together(meter: Meter, denoiser: Denoiser, parts: Sequence[Rows], sigma: float) -> list[Tensor]:
    """x0 of each part, by one call. An edit sees what those before it have recorded in the same layer."""
    if len(parts) == 1:
        return [meter.denoise(denoiser, parts[0].x, sigma, parts[0].cond, parts[0].edit)]
    counts = [part.x.shape[0] for part in parts]
    cond = join([part.cond.repeat(count) for part, count in zip(parts, counts)])
    edit = rows_apart([part.edit for part in parts], counts)
    return list(meter.denoise(denoiser, torch.cat([part.x for part in parts]), sigma, cond, edit).split(counts))


def rows_apart(edits: Sequence[AttentionEdit | None], counts: Sequence[int]) -> AttentionEdit | None:
    """One edit of a call whose first counts[0] rows are edited by edits[0], and so on; None edits nothing."""
    layers = frozenset[str]().union(*(edit.layers for edit in edits if edit is not None))
    if not layers:
        return None

    def function(
        layer: AttentionLayer,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        grid: tuple[int, int],
        scale: float,
        joint: JointTokens | None = None,
    ) -> Tensor | None:
        beside = [None] * len(counts) if joint is None else joint.split(counts)
        split = zip(*(x.split(list(counts)) for x in (q, k, v)), beside)
        parts = [SelfAttention(own_q, own_k, own_v, scale, read) for own_q, own_k, own_v, read in split]
        outputs: list[Tensor | None] = [None] * len(parts)
        for n, (edit, own) in enumerate(zip(edits, parts)):
            if edit is not None and layer.name in edit.layers:
                read = () if own.joint is None else (own.joint,)
                outputs[n] = edit.function(layer, own.q, own.k, own.v, grid, scale, *read)
        if all(out is None for out in outputs):
            return None  # the network attends for all rows at once
        return torch.cat([own.output() if out is None else out for out, own in zip(outputs, parts)])

    return AttentionEdit(layers, function)
