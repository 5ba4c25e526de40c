"""What generation does inside self-attention at one noise level, as edits that any denoiser can carry out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionEdit, AttentionLayer, JointTokens
from ..models.flow import flow_time
from .features import Box, FeatureBank, mask_to_grid, to_grid
from .injection import Injection, SelfAttention, StyleRows, inject
from .rope import POSITIONS, KeyPositions, Untwist, key_positions
from .styles import Style


@dataclass(frozen=True, eq=False)
class InjectionStep:
    """One call of generation: its noise level, the schedule's `gamma` there, and how many pictures are its `rows`.

    `place`: mask [rows or 1, H, W] for all styles, beside the places that they have each. `box`: the part of the
    picture that this call works on (an area prompt), None for all of it. `frames`: which pictures of the sampling the
    rows are, where a call works on a window of them; None for all. `positions`, `untwist`: see
    `TransferOptions`.
    """

    sigma: float
    gamma: float
    rows: int
    place: Tensor | None = None
    box: Box | None = None
    frames: tuple[int, ...] | None = None
    positions: str = POSITIONS[0]
    untwist: Untwist = field(default_factory=Untwist)

    def own_rows(self, tensor: Tensor, what: str) -> Tensor:
        """One row for all, or one each, as `rows` rows. Raises ValueError (UserError) for any other number."""
        given, batch = tensor.shape[0], self.rows
        if self.frames is not None and given > 1:
            batch = max(given, max(self.frames) + 1)
            tensor = tensor[list(self.frames)] if batch == given else tensor
        if given not in (1, batch):
            raise UserError(f"{given} of {what} were given for a batch of {batch}; give one for all, or one each.")
        return tensor.expand(self.rows, *tensor.shape[1:])


def injection_edit(
    layers: frozenset[str],
    options: Injection,
    step: InjectionStep,
    content: FeatureBank | None,
    styles: Sequence[Style],
    beside: Sequence[Style] = (),
) -> AttentionEdit:
    """Inject the styles' keys and values (content's, where `options.read` says so), under queries mixed from content's,
    into generation. `beside`: what is read with either.

    `content` may be None when nothing of it is read at this step. A call may hold the rows several times over
    (both halves of guidance).
    """
    if content is None and (step.gamma > 0.0 or options.read == "content"):
        raise ValueError("Content is read at this step, and there is no content process.")

    def function(
        layer: AttentionLayer,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        grid: tuple[int, int],
        scale: float,
        joint: JointTokens | None = None,
    ) -> Tensor:
        copies = q.shape[0] // step.rows
        queries = None
        if content is not None and step.gamma > 0.0:
            queries = to_grid(content.get(step.sigma, layer.name, "q"), content.grid(layer.name), grid, step.box)
            queries = step.own_rows(queries.to(q), "content").repeat(copies, 1, 1, 1)

        def on_grid(mask: Tensor | None) -> Tensor | None:
            if mask is None:
                return None
            return step.own_rows(mask_to_grid(mask, grid, step.box), "mask").repeat(copies, 1)

        if content is not None and options.read == "content":
            q_read, k_read, v_read = (
                step.own_rows(content.get(step.sigma, layer.name, part), "content").repeat(copies, 1, 1, 1)
                for part in "qkv"
            )
            positions = _positions("same", joint, content.grid(layer.name), step)  # itself, where it is
            read, others = [StyleRows(k_read, v_read, q=q_read, positions=positions)], beside
        else:
            read, others = [], [*styles, *beside]
        for style in others:
            rows = style.rows(step.sigma, layer.name, on_grid(style.place))
            where = _positions(step.positions, joint, style.process.bank.grid(layer.name), step)
            read.append(rows if where is None else replace(rows, positions=where))
        own = SelfAttention(q, k, v, scale, joint)
        return inject(own, queries, read, options, gamma=step.gamma, place=on_grid(step.place))

    return AttentionEdit(layers, function)


def _positions(how: str, joint: JointTokens | None, grid: tuple[int, int], step: InjectionStep) -> KeyPositions | None:
    """Where keys of a `grid` stand at this noise level; None in a network without rotary positions."""
    if joint is None or joint.rope is None:
        return None
    progress = 1.0 - flow_time(step.sigma)
    return key_positions(how, joint.rope, grid, joint.grid, progress, joint.origin, step.untwist)


def leaking_edit(layers: frozenset[str], sigma: float, styles: Sequence[Style]) -> AttentionEdit:
    """The branch to be guided away from: the style's queries on generation's own keys and values, which lays the style
    picture's layout over the result (StyleKeeper, arXiv 2510.06827: Q visual, K and V null).

    Differs from the paper: it is subtracted beside the text's guidance, not in place of its null branch.
    """
    total = sum(style.weight for style in styles)

    def function(
        layer: AttentionLayer,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        grid: tuple[int, int],
        scale: float,
        joint: JointTokens | None = None,
    ) -> Tensor:
        queries = torch.zeros_like(q)
        for style in styles:
            bank = style.process.bank
            style_queries = to_grid(bank.get(sigma, layer.name, "q"), bank.grid(layer.name), grid)
            queries = queries + (style.weight / total) * style_queries.to(q)
        return SelfAttention(queries, k, v, scale, joint).output()

    return AttentionEdit(layers, function)
