"""What generation does inside self-attention at one noise level, as edits that any denoiser can carry out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionEdit, AttentionLayer
from .features import Box, FeatureBank, mask_to_grid, to_grid
from .injection import Injection, SelfAttention, StyleRows, inject
from .styles import Style


@dataclass(frozen=True, eq=False)
class InjectionStep:
    """One call of generation: its noise level, the schedule's `gamma` there, and how many pictures are its `rows`.

    `place`: mask [rows or 1, H, W] for all styles, beside the places that they have each. `box`: the part of the
    picture that this call works on (an area prompt), None for all of it. `frames`: which pictures of the sampling the
    rows are, where a call works on a window of them; None for all.
    """

    sigma: float
    gamma: float
    rows: int
    place: Tensor | None = None
    box: Box | None = None
    frames: tuple[int, ...] | None = None

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

    def function(layer: AttentionLayer, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int], scale: float) -> Tensor:
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
            read = [StyleRows(k_read, v_read, q=q_read)]
        else:
            read = [style.rows(step.sigma, layer.name, on_grid(style.place)) for style in styles]
        read += [style.rows(step.sigma, layer.name, on_grid(style.place)) for style in beside]
        own = SelfAttention(q, k, v, scale)
        return inject(own, queries, read, options, gamma=step.gamma, place=on_grid(step.place))

    return AttentionEdit(layers, function)


def leaking_edit(layers: frozenset[str], sigma: float, styles: Sequence[Style]) -> AttentionEdit:
    """The branch to be guided away from: the style's queries on generation's own keys and values, which lays the style
    picture's layout over the result (StyleKeeper, arXiv 2510.06827: Q visual, K and V null).

    Differs from the paper: it is subtracted beside the text's guidance, not in place of its null branch.
    """
    total = sum(style.weight for style in styles)

    def function(layer: AttentionLayer, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int], scale: float) -> Tensor:
        queries = torch.zeros_like(q)
        for style in styles:
            bank = style.process.bank
            style_queries = to_grid(bank.get(sigma, layer.name, "q"), bank.grid(layer.name), grid)
            queries = queries + (style.weight / total) * style_queries.to(q)
        return F.scaled_dot_product_attention(queries, k, v, scale=scale)

    return AttentionEdit(layers, function)
