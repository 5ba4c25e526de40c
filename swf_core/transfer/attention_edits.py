"""What generation does inside self-attention at one noise level, as edits that any denoiser can carry out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionEdit, AttentionLayer
from .features import Box, FeatureBank, mask_to_grid, to_grid
from .injection import Injection, inject
from .styles import Style


def injection_edit(
    layers: frozenset[str],
    options: Injection,
    *,
    sigma: float,
    gamma: float,
    rows: int,
    content: FeatureBank | None,
    styles: Sequence[Style],
    place: Tensor | None = None,
    box: Box | None = None,
) -> AttentionEdit:
    """Inject the styles' rows, asked with content's queries, into `rows` pictures of generation.

    `gamma` is the schedule's value here; `content` may be None when it is 0. `place`: mask [rows or 1, H, W] for all
    styles, beside the places that they have each. `box`: the part of the picture that generation works on (an area
    prompt), None for all of it. A call may hold the rows several times over (both halves of guidance).
    """

    def function(layer: AttentionLayer, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int], scale: float) -> Tensor:
        copies = q.shape[0] // rows
        asked = None
        if gamma > 0.0:
            assert content is not None
            asked = to_grid(content.get(sigma, layer.name, "q"), content.grid(layer.name), grid, box)
            asked = _rows(asked.to(q), rows, "content").repeat(copies, 1, 1, 1)

        def on_grid(mask: Tensor | None) -> Tensor | None:
            return None if mask is None else _rows(mask_to_grid(mask, grid, box), rows, "mask").repeat(copies, 1)

        shown = [style.rows(sigma, layer.name, on_grid(style.place)) for style in styles]
        return inject(q, k, v, asked, shown, options, gamma=gamma, scale=scale, place=on_grid(place))

    return AttentionEdit(layers, function)


def leaking_edit(layers: frozenset[str], sigma: float, styles: Sequence[Style]) -> AttentionEdit:
    """The branch to be guided away from: the style's queries on generation's own keys and values, which lays the style
    picture's layout over the result (StyleKeeper, arXiv 2510.06827: Q visual, K and V null).

    Differs from the paper: it is subtracted beside the text's guidance, not in place of its null branch.
    """
    total = sum(style.weight for style in styles)

    def function(layer: AttentionLayer, q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int], scale: float) -> Tensor:
        asked = torch.zeros_like(q)
        for style in styles:
            bank = style.process.bank
            shown = to_grid(bank.get(sigma, layer.name, "q"), bank.grid(layer.name), grid)
            asked = asked + (style.weight / total) * shown.to(q)
        return F.scaled_dot_product_attention(asked, k, v, scale=scale)

    return AttentionEdit(layers, function)


def _rows(tensor: Tensor, rows: int, what: str) -> Tensor:
    """One row for all, or one each. Raises ValueError (UserError) for any other number."""
    if tensor.shape[0] not in (1, rows):
        raise UserError(f"{tensor.shape[0]} of {what} were given for a batch of {rows}; give one for all, or one each.")
    return tensor.expand(rows, *tensor.shape[1:])
