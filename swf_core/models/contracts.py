"""The contracts of a model: denoiser, text encoder, codec and steering, and the backend that bundles them.

Latents are in *sigma space*, k-diffusion's language: `x = x0 + sigma * eps`. The network itself
sees `x / sqrt(sigma^2 + 1)`; only a backend knows that. Pictures are `[B, 3, H, W]` in 0..1.
Two families of implementations are meant: diffusers (`diffusers_backend.py`) and, in the pack, the host's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError
from .rope import RopeView


@dataclass(frozen=True)
class AttentionLayer:
    """One self-attention layer of the network.

    `name` is ours, ordered as the network runs them: "down.<block>.<index>", "mid.<index>", "up.<block>.<index>",
    with a last ".<n>" where one block holds several transformer layers (SDXL); in transformers "double.<block>" where
    text and picture have streams of their own (with a last ".second" where the picture asks itself once more, SD3.5),
    then "single.<block>", or "block.<block>" where there are no others. `level` says how often the latent was
    halved there (rounding up): 0 is full latent resolution. `module` is the diffusers name. `channels`: of a token's
    key, all heads together.
    """

    name: str
    level: int
    module: str
    channels: int = 0

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of tokens for a latent of `height` x `width` cells."""
        for _ in range(self.level):
            height, width = (height + 1) // 2, (width + 1) // 2
        return height, width


@dataclass(frozen=True, eq=False)
class JointTokens:
    """What a picture's tokens read beside each other in a transformer's joint attention: the text's keys and values
    [B, heads, L, d], at their places already; L may be 0.

    * rope, grid: the picture's rotary positions and its rows and columns of tokens, where the network has such: its
      queries and keys are then handed over without a place. origin: [1 or B, axes], see `RopeView.grid_ids`.
    * bias: log-odds of each of the text's tokens [B, 1, 1, L], where a text is filled up to a length and what fills it
      must not be read; None where all are read alike.
    """

    k: Tensor
    v: Tensor
    rope: RopeView | None = None
    grid: tuple[int, int] = (0, 0)
    origin: Tensor | None = None
    bias: Tensor | None = None

    def place(self, x: Tensor) -> Tensor:
        """The picture's queries or keys [B, heads, tokens, d] at their places."""
        return x if self.rope is None else self.rope.rotate(x, self.rope.grid_ids(*self.grid, origin=self.origin))

    def split(self, counts: Sequence[int]) -> list[JointTokens]:
        """Rows apart: the first counts[0], and so on."""
        parts: list[Any] = [self.k.split(list(counts)), self.v.split(list(counts))]
        shared = self.origin is None or len(self.origin) == 1
        parts.append([self.origin] * len(counts) if shared else self.origin.split(list(counts)))  # type: ignore[union-attr]
        parts.append([None] * len(counts) if self.bias is None else self.bias.split(list(counts)))
        return [JointTokens(k, v, self.rope, self.grid, origin, bias) for k, v, origin, bias in zip(*parts)]


class AttentionFunction(Protocol):
    """Called in a chosen self-attention layer with q, k, v of [B, heads, tokens, d], the token grid (rows, columns) and
    the softmax scale; transformers add what their pictures read beside. Returns [B, heads, tokens, d], or None for
    "attend as you would have"."""

    def __call__(
        self,
        layer: AttentionLayer,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        grid: tuple[int, int],
        scale: float,
        joint: JointTokens | None = None,
        /,
    ) -> Tensor | None: ...


@dataclass(frozen=True)
class AttentionEdit:
    """What one denoise call does inside self-attention: `function` is called in `layers` and nowhere else."""

    layers: frozenset[str]
    function: AttentionFunction


@dataclass(frozen=True)
class Conditioning:
    """Text as a network reads it: `tokens` [B, L, D]; for SDXL also `pooled` [B, P] and `size_ids` [B, 6], for SD3 and
    Flux `pooled`.

    lengths: for transformers, how many tokens of each row are read, [B] whole numbers from 1 to L; those behind fill it
    up. None: all.
    """

    tokens: Tensor
    pooled: Tensor | None = None
    size_ids: Tensor | None = None
    lengths: Tensor | None = None

    def __len__(self) -> int:
        return self.tokens.shape[0]

    def pick(self, rows: Sequence[int]) -> Conditioning:
        """The rows named by index, repeats allowed."""
        index = torch.as_tensor(list(rows), dtype=torch.long, device=self.tokens.device)
        return Conditioning(*(None if part is None else part[index] for part in self._parts()))  # type: ignore[arg-type]

    def repeat(self, count: int) -> Conditioning:
        """`count` rows from one; unchanged when there are `count` already.

        Raises ValueError when there is more than one row and not `count` of them.
        """
        if len(self) == count:
            return self
        if len(self) != 1:
            raise UserError(f"{len(self)} prompts were given for {count} pictures: give one prompt, or one each.")
        return self.pick([0] * count)

    def _parts(self) -> tuple[Tensor | None, ...]:
        return self.tokens, self.pooled, self.size_ids, self.lengths


def join(conditionings: Sequence[Conditioning]) -> Conditioning:
    """Stack conditionings of one encoder along the batch.

    Texts of different lengths are repeated to a common one for cross-attention: attention over tokens that stand there
    several times is the same average as over each once. Beside a picture's tokens they would count several times, so
    where any has `lengths` all are filled up to the longest, and the lengths say so.
    """
    first = conditionings[0]
    counts, lengths = [c.tokens.shape[1] for c in conditionings], None
    if any(c.lengths is not None for c in conditionings):
        longest = max(counts)
        tokens = [F.pad(c.tokens, (0, 0, 0, longest - count)) for c, count in zip(conditionings, counts)]
        read = [torch.full((len(c),), n) if c.lengths is None else c.lengths for c, n in zip(conditionings, counts)]
        lengths = torch.cat([each.to(first.tokens.device) for each in read])
    else:
        tokens = [c.tokens.repeat(1, math.lcm(*counts) // count, 1) for c, count in zip(conditionings, counts)]
    return Conditioning(
        torch.cat(tokens),
        None if first.pooled is None else torch.cat([c.pooled for c in conditionings if c.pooled is not None]),
        None if first.size_ids is None else torch.cat([c.size_ids for c in conditionings if c.size_ids is not None]),
        lengths,
    )


class Denoiser(Protocol):
    """Predicts the clean latent."""

    @property
    def sigmas(self) -> Tensor:
        """The table sigma(t), [T] ascending, float64 on the CPU."""
        ...

    @property
    def self_attention_layers(self) -> tuple[AttentionLayer, ...]:
        """All self-attention layers in the order the network runs them."""
        ...

    @property
    def network(self) -> nn.Module:
        """The network itself, for training and for LoRA."""
        ...

    @property
    def module_names(self) -> Mapping[nn.Module, str]:
        """Each module of `network` with its diffusers name."""
        ...

    @property
    def device(self) -> torch.device: ...

    def denoise(self, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None) -> Tensor:
        """x0 [B, C, h, w] (float32) from `x` at noise level `sigma` >= 0; `edit` holds for this one call only."""
        ...


class Trainable(Denoiser, Protocol):
    """A denoiser whose network is the caller's own, to put a LoRA into and to train it there."""

    @property
    def prediction_type(self) -> str:
        """What the network predicts: "epsilon", "v_prediction" or "sample", or "flow", a rectified flow's velocity."""
        ...

    def predict(self, noisy: Tensor, timesteps: Tensor, cond: Conditioning) -> Tensor:
        """The network's own output [B, C, h, w], float32, with gradients where they are on.

        `noisy`: [B, C, h, w], unit variance: sqrt(abar) x0 + sqrt(1 - abar) eps. `timesteps`: [B], indices of `sigmas`.
        A flow's: (1 - t) x0 + t eps, and the times t, 0..1 (`flow_training`).
        """
        ...


class Steering(Protocol):
    """Moves generation's predicted x0 at the noise levels where it is active; knows latents, no model."""

    @property
    def prompts(self) -> Sequence[str]:
        """Texts whose predictions it wants at every active level: one evaluation each, as generation is evaluated."""
        ...

    def active(self, sigma: float) -> bool:
        """Whether it does anything at this noise level."""
        ...

    def begin(self) -> Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]:
        """The function of one sampling: (sigma, x0, x0 under generation's own prompt, x0 under each of `prompts`) ->
        x0."""
        ...


class TextEncoder(Protocol):
    """Turns prompts into what the network's cross-attention reads."""

    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """One row per text; the size is that of the picture to be made (SDXL reads it, others do not)."""
        ...


class Codec(Protocol):
    """Pictures to scaled latents and back."""

    @property
    def downscale(self) -> int:
        """Picture pixels per latent cell, along one side."""
        ...

    @property
    def channels(self) -> int:
        """Latent channels."""
        ...

    def encode(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1, sides multiples of `downscale` -> [B, C, H/f, W/f]: the posterior's mode, scaled."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """[B, C, h, w] -> pictures [B, 3, h*f, w*f] in 0..1, float32."""
        ...


@dataclass(frozen=True)
class Backend:
    """A model ready to run. `family` is "mini", "SD1.x", "SD2.x" or "SDXL", or a transformer's (`families.NAMES`).

    `layer_presets` maps a name a user may type ("all", "late", "SD1.5 late") to a layer selector
    (`swf_core.transfer.layers`). `native_size_px` is the long side the model was trained at.
    """

    denoiser: Denoiser
    text: TextEncoder
    codec: Codec
    name: str
    native_size_px: int
    family: str
    layer_presets: Mapping[str, str] = field(default_factory=dict)
