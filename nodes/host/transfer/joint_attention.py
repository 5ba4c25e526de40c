"""One attention of a transformer in the host of which functions of the core answer for the picture's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionFunction, AttentionLayer, JointTokens
from .transformer_layout import CallSize, PictureTokens, TransformerLayout, picture_tokens


class EditedAttention:
    """The queries, keys and values of one call of the host's attention, with what is known of the picture in them.

    `qkv`: as the host gives them, [B, T, heads * d] (SD3's values [B, T, heads, d]), or [B, heads, T, d] where `named`
    says `skip_reshape`. `named`: the host's further arguments, of which the mask is read.
    """

    def __init__(
        self,
        layout: TransformerLayout,
        size: CallSize,
        layer: AttentionLayer,
        qkv: Sequence[Tensor],
        heads: int,
        named: dict[str, Any],
    ):
        self.layout, self.size, self.layer, self.heads, self.named = layout, size, layer, heads, named
        apart = named.get("skip_reshape", False)
        self.q, self.k, self.v = (x if apart else x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in qkv)
        self.mask = _spread(named.get("mask"), self.q.dtype)

    def run(self, attend: Callable[..., Tensor], functions: Sequence[AttentionFunction]) -> Tensor | None:
        """What the host's attention is to return, where `functions` answer for as many parts of the rows; None where
        none of them does. `attend`: the host's attention, for what is none of the picture's."""
        parts = self._parts(functions)
        answers = [self._ask(function, rows, picture) for function, rows, picture in parts]
        if all(answer is None for answer in answers):
            return None
        out = torch.empty_like(self.q, memory_format=torch.contiguous_format)
        for (_, rows, picture), answer in zip(parts, answers):
            before, after = slice(0, picture.first), slice(picture.span.stop, self.q.shape[2])
            plain = [span for span in (before, after) if span.stop > span.start]
            if answer is None:
                plain.append(picture.span)
            else:
                out[rows, :, picture.span] = answer.to(out.dtype)
            for span in plain:
                out[rows, :, span] = self._plainly(attend, rows, span)
        return out if self.named.get("skip_output_reshape") else out.transpose(1, 2).flatten(2)

    def _parts(self, functions: Sequence[AttentionFunction]) -> list[tuple[AttentionFunction, slice, PictureTokens]]:
        """Each part's function, rows and picture; one part where these are the same."""
        rows, tokens = self.q.shape[0], self.q.shape[2]
        size = rows // len(functions)
        pictures = [picture_tokens(self.layout, self.size, part * size, tokens) for part in range(len(functions))]
        found = [picture for picture in pictures if picture is not None]
        if len(found) < len(pictures) or self.k.shape[2] != tokens:
            raise UserError(
                f"Another node's patch changed the tokens of layer {self.layer.name}; put it on a model without style "
                "transfer."
            )
        alike = all(picture.first == found[0].first for picture in found)
        if alike and all(function is functions[0] for function in functions):
            return [(functions[0], slice(0, rows), found[0])]
        spans = [slice(part * size, (part + 1) * size) for part in range(len(functions))]
        return list(zip(functions, spans, found))

    def _ask(self, function: AttentionFunction, rows: slice, picture: PictureTokens) -> Tensor | None:
        """What the picture's rows read, [rows, heads, N, d]."""
        rope, span = self.layout.rope, picture.span
        q, k, v = (x[rows, :, span] for x in (self.q, self.k, self.v))
        scale = q.shape[-1] ** -0.5
        if rope is None and self.q.shape[2] == q.shape[2]:  # the picture's own attention
            return function(self.layer, q, k, v, picture.grid, scale)
        if rope is not None:
            ids = rope.grid_ids(*picture.grid, origin=picture.origin)
            q, k = rope.unrotate(q, ids), rope.unrotate(k, ids)
        beside_k, beside_v = (
            torch.cat([x[rows, :, : span.start], x[rows, :, span.stop :]], 2) for x in (self.k, self.v)
        )
        joint = JointTokens(beside_k, beside_v, rope, picture.grid, picture.origin, self._bias(rows, span))
        return function(self.layer, q, k, v, picture.grid, scale, joint)

    def _plainly(self, attend: Callable[..., Tensor], rows: slice, span: slice) -> Tensor:
        """What the tokens of a span read without an edit, [rows, heads, tokens, d]."""
        named = self.named | {"skip_reshape": True, "skip_output_reshape": True}
        if self.mask is not None:
            mask = self.mask if len(self.mask) == 1 else self.mask[rows]
            named["mask"] = mask if mask.shape[2] == 1 else mask[:, :, span]
        return attend(self.q[rows, :, span], self.k[rows], self.v[rows], self.heads, **named)

    def _bias(self, rows: slice, span: slice) -> Tensor | None:
        """The host's mask as log-odds of the tokens beside the picture, [1 or rows, 1, 1, L]."""
        if self.mask is None:
            return None
        mask = (self.mask if len(self.mask) == 1 else self.mask[rows])[:, :1]
        if mask.shape[2] > 1:
            mask = mask[:, :, span]
            if not torch.equal(mask, mask[:, :, :1].expand_as(mask)):
                raise UserError(
                    "Another node masks what each place of the picture reads (regional prompts by attention masks); "
                    "use area prompts with style transfer instead."
                )
            mask = mask[:, :, :1]
        return torch.cat([mask[..., : span.start], mask[..., span.stop :]], -1)


def _spread(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """The host's mask as log-odds [1 or B, 1 or heads, 1 or T, T]: two dimensions are (queries, keys), three have rows
    before them."""
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, float("-inf"))
    if mask.dim() == 2:
        mask = mask[None]
    return mask[:, None] if mask.dim() == 3 else mask
