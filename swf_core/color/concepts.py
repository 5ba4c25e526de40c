"""Colors by words: "a blue house" where the model would have made a red one, as guidance during sampling.

Semantic guidance (SEGA, arXiv 2301.12247): what the model says of one text more than of another is a direction of
change, and it is strong where the thing is that the words differ in. Each concept costs one more evaluation a step, two
when it says what it is instead of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError
from ..masks import resize_mask

# The quantile of cells that counts as the strongest difference: the very largest is a single cell's.
PEAK = 0.97


@dataclass(frozen=True)
class Concept:
    """One color asked for in words.

    * target: text with the new color, best the generation's own prompt with that one word changed.
    * source: the same text with the old color, whose prediction is taken off; "" takes off the generation's own
      prompt's.
    * strength: 1 goes as far as the model does by itself when told so, which a content of the old color pulls
      back; 3, with guidance that begins a little before the middle, reaches the color (docs/figures.md); 0 is off.
    * focus: 0..1, how strongly the two texts must differ somewhere, against where they differ most, for anything to be
      changed there. 0 is the whole picture. (SEGA's threshold is a quantile: it changes as much of a picture whether
      the thing is large or small.)
    * mask: [H, W] in 0..1, where, instead of finding out.

    Raises ValueError (UserError) for values outside their range, or an empty text or mask.
    """

    target: str
    source: str = ""
    strength: float = 3.0
    focus: float = 0.4
    mask: Tensor | None = None

    def __post_init__(self) -> None:
        if not self.target.strip():
            raise UserError("A color concept has no words; write what should be seen, such as: a blue house.")
        if not 0.0 <= self.strength <= 20.0:
            raise UserError(f"The strength of {self.target!r} is {self.strength}; it must be between 0 and 20.")
        if not 0.0 <= self.focus < 1.0:
            raise UserError(f"The focus is {self.focus}; it must be at least 0 (everywhere) and below 1.")
        if self.mask is not None and float(self.mask.max()) <= 0.0:
            raise UserError("The mask is empty: it is 0 everywhere; leave some of the picture in it, or give no mask.")

    @property
    def texts(self) -> list[str]:
        """What the model is evaluated under."""
        return [self.target, self.source] if self.source else [self.target]


def parse_concepts(text: str, strength: float = 3.0, focus: float = 0.4, mask: Tensor | None = None) -> list[Concept]:
    """One concept a line: "red house -> blue house", or "blue house" alone; a strength of its own after a last colon.

    Raises ValueError (UserError) for a line that has an arrow and no words on both sides.
    """
    concepts = []
    for line in (piece.strip() for piece in text.splitlines()):
        if not line:
            continue
        numbered = re.fullmatch(r"(.+?)\s*:\s*(\d+(?:\.\d+)?)", line)
        line, amount = (numbered[1], float(numbered[2])) if numbered else (line, strength)
        before, arrow, after = line.partition("->")
        if arrow and not (before.strip() and after.strip()):
            raise UserError(f"{line!r} has words on one side of the arrow only; write: red house -> blue house.")
        target, source = (after.strip(), before.strip()) if arrow else (before.strip(), "")
        concepts.append(Concept(target, source, amount, focus, mask))
    return concepts


class ConceptMask:
    """Where a concept's texts differ: how much, on average over the steps so far, cut off at a share of its peak.

    Early steps say roughly where, later ones sharply; the mean of both is steadier than SEGA's mask of each step alone.
    """

    def __init__(self) -> None:
        self._total: Tensor | None = None

    def update(self, direction: Tensor, focus: float) -> Tensor:
        """[B, 1, h, w] in 0..1 for directions [B, C, h, w]; 0 below `focus` times the peak, with a soft edge."""
        size = direction.square().sum(1, keepdim=True).sqrt()
        size = F.avg_pool2d(F.pad(size, (1, 1, 1, 1), mode="replicate"), 3, 1)
        size = size / size.mean((2, 3), keepdim=True).clamp_min(1e-12)
        self._total = size if self._total is None else self._total + size
        edge = focus * torch.quantile(self._total.flatten(1), PEAK, 1)[:, None, None, None]
        return ((self._total - 0.9 * edge) / (0.2 * edge).clamp_min(1e-12)).clamp(0.0, 1.0)


def mask_on_cells(mask: Tensor, like: Tensor) -> Tensor:
    """A mask [H, W] on the grid of latents [B, C, h, w]: [1, 1, h, w]."""
    return resize_mask(mask[None, None], (like.shape[-2], like.shape[-1])).to(like)


def guidance_of(
    concepts: Sequence[Concept], masks: Sequence[ConceptMask], positive: Tensor, predictions: Sequence[Tensor]
) -> Tensor:
    """What all concepts together add to x0 [B, C, h, w].

    `positive`: the prediction under the generation's own prompt; `predictions`: those under each of the concepts'
    texts, in order.
    """
    total, rest = torch.zeros_like(positive), iter(predictions)
    for concept, mask in zip(concepts, masks, strict=True):
        target = next(rest)
        source = next(rest) if concept.source else positive
        direction = target - source
        if concept.mask is not None:
            direction = direction * mask_on_cells(concept.mask, positive)
        elif concept.focus > 0.0:
            direction = direction * mask.update(direction, concept.focus)
        total = total + concept.strength * direction
    return total
