"""The editing of joint attention: a diffusers attention processor that lets a function decide what pictures read.

Attention is joint: text and picture ask all tokens of both. The text's own questions are answered as ever. A reader
takes an attention module's projections apart into picture and text, and lays what they read together again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contracts import AttentionFunction, AttentionLayer, JointTokens
from ..rope import RopeView


@dataclass(frozen=True, eq=False)
class Places:
    """Where the tokens of one call stand.

    * grid: rows and columns of a picture's tokens. rope, origin, bias: as in `JointTokens`; rope is None where
      attention knows no places.
    * text_ids: [L, axes], or [B, L, axes], of what is read beside the picture; None where all of it stands at 0.
    * starts: where the picture begins in a row that holds all tokens, for each row of the batch.
    """

    grid: tuple[int, int]
    rope: RopeView | None = None
    text_ids: Tensor | None = None
    origin: Tensor | None = None
    bias: Tensor | None = None
    starts: Sequence[int] = ()
    _orders: dict[int, Tensor] = field(default_factory=dict)

    def apart(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Rows [B, heads, tokens, d] of all tokens as picture and rest."""
        start, count = self.starts[0], self.grid[0] * self.grid[1]
        if len(set(self.starts)) == 1:
            rest = x[:, :, start + count :]
            return x[:, :, start : start + count], torch.cat([x[:, :, :start], rest], -2) if start else rest
        order = self._order(x)
        return _take(x, order[:, :count]), _take(x, order[:, count:])

    def together(self, picture: Tensor, rest: Tensor) -> Tensor:
        """The inverse of `apart`."""
        if len(set(self.starts)) == 1:
            start = self.starts[0]
            return torch.cat([rest[:, :, :start], picture, rest[:, :, start:]], -2)
        both = torch.cat([picture, rest], -2)
        return _take(both, self._order(both).argsort(-1))

    def _order(self, x: Tensor) -> Tensor:
        """Places in a row [B, tokens]: the picture's, then the others, in order."""
        length = x.shape[-2]
        if length not in self._orders:
            begin, index = torch.tensor(self.starts)[:, None], torch.arange(length)[None]
            outside = (index < begin) | (index >= begin + self.grid[0] * self.grid[1])
            self._orders[length] = outside.to(torch.uint8).argsort(dim=-1, stable=True).to(x.device)
        return self._orders[length]


# What an attention module answers, from what pictures and texts read, [B, heads, tokens, d] each.
Answer = Callable[[Tensor, Tensor], Any]


class Reader(Protocol):
    """From a module, its tokens [B, N, C] and its text's, where it has them apart: queries, keys and values of the
    picture, and those of what is read beside it, [B, heads, tokens, d], none placed yet."""

    def __call__(
        self, attn: Any, tokens: Tensor, text: Tensor | None, places: Places, /
    ) -> tuple[list[Tensor], list[Tensor], Answer]: ...


class EditedAttention:
    """An attention processor for one call of the network. `function` None: attend as ever, without what fills texts up.

    diffusers hands a processor those arguments alone that it has by name, and warns of others.
    """

    def __init__(self, layer: AttentionLayer, reader: Reader, places: Places, function: AttentionFunction | None):
        self.layer, self.reader, self.places, self.function = layer, reader, places, function

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
        freqs_cis: Any = None,
    ) -> Any:
        picture, text, answer = self.reader(attn, hidden_states, encoder_hidden_states, self.places)
        return answer(*self._attend(picture, text))

    def _attend(self, picture: list[Tensor], text: list[Tensor]) -> tuple[Tensor, Tensor]:
        """What picture and text read, [B, heads, tokens, d] each."""
        (q, k, v), (text_q, text_k, text_v), places = picture, text, self.places
        rope, ids, length = places.rope, places.text_ids, text_k.shape[-2]
        if rope is not None and ids is not None and length:
            text_q, text_k = rope.rotate(text_q, ids), rope.rotate(text_k, ids)
        bias = None if places.bias is None or length == 0 else places.bias.to(q.device)
        joint = JointTokens(text_k, text_v, rope, places.grid, places.origin, bias)
        scale, out = q.shape[-1] ** -0.5, None
        if self.function is not None:
            out = self.function(self.layer, q, k, v, places.grid, scale, joint)
        keys, values = torch.cat([text_k, joint.place(k)], -2), torch.cat([text_v, v], -2)
        bias = None if bias is None else F.pad(bias, (0, k.shape[-2])).to(q)
        if out is not None:
            return out.to(q.dtype), F.scaled_dot_product_attention(text_q, keys, values, bias)
        both = F.scaled_dot_product_attention(torch.cat([text_q, joint.place(q)], -2), keys, values, bias)
        return both[:, :, length:], both[:, :, :length]


def two_streams(
    attn: Any, tokens: Tensor, text: Tensor | None, places: Places
) -> tuple[list[Tensor], list[Tensor], Answer]:
    """Text and picture have projections of their own."""
    picture = _projected(attn, tokens, ("to_q", "to_k", "to_v"), ("norm_q", "norm_k"))
    beside = _projected(attn, text, ("add_q_proj", "add_k_proj", "add_v_proj"), ("norm_added_q", "norm_added_k"))

    def answer(out: Tensor, text_out: Tensor) -> tuple[Tensor, Tensor]:
        last = getattr(attn, "context_pre_only", False)  # the text ends in this block
        return _projected_out(attn, out), flat(text_out) if last else attn.to_add_out(flat(text_out))

    return picture, beside, answer


def one_row(
    attn: Any, tokens: Tensor, text: Tensor | None, places: Places
) -> tuple[list[Tensor], list[Tensor], Answer]:
    """All tokens stand in one row and have the same projections."""
    parts = [places.apart(x) for x in _projected(attn, tokens, ("to_q", "to_k", "to_v"), ("norm_q", "norm_k"))]

    def answer(out: Tensor, text_out: Tensor) -> Tensor:
        return _projected_out(attn, places.together(out, text_out))

    return [picture for picture, _ in parts], [rest for _, rest in parts], answer


def picture_alone(
    attn: Any, tokens: Tensor, text: Tensor | None, places: Places
) -> tuple[list[Tensor], list[Tensor], Answer]:
    """The picture asks itself; no text is read."""
    picture = _projected(attn, tokens, ("to_q", "to_k", "to_v"), ("norm_q", "norm_k"))
    return picture, [x[:, :, :0] for x in picture], lambda out, text_out: _projected_out(attn, out)


def heads(x: Tensor, size: int) -> Tensor:
    """[B, N, C] -> [B, heads, N, size]."""
    return x.unflatten(-1, (-1, size)).transpose(1, 2)


def flat(x: Tensor) -> Tensor:
    """[B, heads, N, d] -> [B, N, C]."""
    return x.transpose(1, 2).flatten(2)


def _projected(attn: Any, tokens: Any, projections: Sequence[str], norms: Sequence[str]) -> list[Tensor]:
    """Queries, keys and values, normalized, as many heads each: keys that several queries share are repeated."""
    q, k, v = (getattr(attn, name)(tokens) for name in projections)
    size = q.shape[-1] // attn.heads
    q, k, v = heads(q, size), heads(k, size), heads(v, size)
    norm_q, norm_k = (getattr(attn, name, None) for name in norms)
    q, k = q if norm_q is None else norm_q(q), k if norm_k is None else norm_k(k)
    shared = q.shape[1] // k.shape[1]
    return [q, k, v] if shared == 1 else [q, k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)]


def _projected_out(attn: Any, out: Tensor) -> Tensor:
    """Through the module's last projection, where it has one (Flux's single blocks have it behind)."""
    last = getattr(attn, "to_out", None)
    return flat(out) if last is None else last[1](last[0](flat(out)))


def _take(x: Tensor, index: Tensor) -> Tensor:
    """Tokens [B, heads, N, d] by their places [B, n]."""
    return torch.take_along_dim(x, index[:, None, :, None], -2)
