"""Colors while sampling: the predicted clean latent is moved at every step, so that the model answers the new colors.

By words (`concepts`), towards a palette, or towards a reference's mean and covariance. The last two work on latents
through the codec's color axes, one color a cell, and ask the network nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .axes import Axes
from .concepts import Concept, ConceptMask, guidance_of, mask_on_cells
from .match import Gaussian
from .palette import Palette, summary
from .transport import map_points

# Colors that stand for a step's latents, and cells that are read: a step's map has to cost next to nothing.
STEP_COLORS, STEP_CELLS, STEP_ITERATIONS = 10, 1024, 6
# Steps that follow one map of colors: x0 changes slowly, and the map is most of what a step's guidance costs.
REFRESHED = 3
ColorMap = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ColorGuidance:
    """What colors a sampling is to have: a `Steering` for any sampler.

    * concepts: by words.
    * palette: colors to move to; `source`: those it was edited from (see `repalette`); `lightness` 0..1.
    * reference: mean and covariance to have, of one color a latent cell (`reference_of`).
    * axes: the codec's, needed for palette and reference.
    * amount: 0..1, how far palette or reference are followed at each step.
    * mask: [H, W] in 0..1, where palette and reference act; concepts have masks of their own.
    * sigma_low, sigma_high: noise levels between which anything is done, ends included.

    Raises ValueError (UserError) for values outside their range, or a palette or reference without axes.
    """

    concepts: tuple[Concept, ...] = ()
    palette: Palette | None = None
    source: Palette | None = None
    reference: Gaussian | None = None
    axes: Axes | None = None
    amount: float = 1.0
    lightness: float = 0.0
    mask: Tensor | None = None
    sigma_low: float = 0.0
    sigma_high: float = math.inf

    def __post_init__(self) -> None:
        if not 0.0 <= self.amount <= 1.0:
            raise UserError(f"The amount is {self.amount}; it must be between 0 (off) and 1.")
        if not 0.0 <= self.lightness <= 1.0:
            raise UserError(f"lightness is {self.lightness}; it must be between 0 (hues alone) and 1.")
        if not 0.0 <= self.sigma_low <= self.sigma_high:
            raise UserError(
                f"The sigma window is {self.sigma_low} to {self.sigma_high}; give 0 <= sigma_low <= sigma_high."
            )
        if self.mask is not None and float(self.mask.max()) <= 0.0:
            raise UserError("The mask is empty: it is 0 everywhere; leave some of the picture in it, or give no mask.")
        if (self.palette or self.reference) and self.axes is None:
            raise UserError("A palette or a reference while sampling needs the codec's color axes; give `axes`.")

    @property
    def prompts(self) -> Sequence[str]:
        """Texts that the model is evaluated under at every active step, one evaluation each."""
        return [text for concept in self.active_concepts for text in concept.texts]

    @property
    def active_concepts(self) -> tuple[Concept, ...]:
        """The concepts that do anything."""
        return tuple(concept for concept in self.concepts if concept.strength > 0.0)

    def active(self, sigma: float) -> bool:
        """Whether anything is done at this noise level."""
        return self.sigma_low <= sigma <= self.sigma_high and (self.moves_colors or bool(self.active_concepts))

    def begin(self) -> Callable[[float, Tensor, Tensor, Sequence[Tensor]], Tensor]:
        """The function of one sampling: (sigma, x0, x0 under the own prompt, x0 under each of `prompts`) -> x0."""
        masks, maps, step = [ConceptMask() for _ in self.active_concepts], [], 0

        def steer(sigma: float, x0: Tensor, positive: Tensor, predictions: Sequence[Tensor]) -> Tensor:
            nonlocal maps, step
            if predictions:
                x0 = x0 + guidance_of(self.active_concepts, masks, positive, predictions)
            if not self.moves_colors:
                return x0
            if step % REFRESHED == 0 or len(maps) != len(x0):
                maps = self.color_maps(x0)
            step += 1
            return self.apply_maps(x0, maps)

        return steer

    @property
    def moves_colors(self) -> bool:
        """Whether a palette or a reference is followed."""
        return self.amount > 0.0 and (self.palette is not None or self.reference is not None)

    def move_colors(self, x0: Tensor) -> Tensor:
        """x0 [B, C, h, w] with its colors moved to the palette or reference, each picture by itself."""
        return self.apply_maps(x0, self.color_maps(x0)) if self.moves_colors else x0

    def color_maps(self, x0: Tensor) -> list[ColorMap]:
        """For each picture of x0, where its colors go: a function of OKLab planes [3, n] on the CPU."""
        assert self.axes is not None
        mask = None if self.mask is None else mask_on_cells(self.mask, x0).flatten().cpu()
        maps: list[ColorMap] = []
        for each in self.axes.colors(x0):
            points = each.flatten(1).T.float().cpu()
            weights = torch.ones(len(points)) if mask is None else mask
            if self.palette is None:
                assert self.reference is not None
                maps.append(Gaussian.of_points(points, weights).linear_to(self.reference))
                continue
            stride = -(-len(points) // STEP_CELLS)
            points, weights = points[::stride], weights[::stride]
            fine = summary(points, weights, STEP_COLORS, STEP_ITERATIONS)
            maps.append(map_points(points, weights, self.palette, fine, self.source, self.lightness))
        return maps

    def apply_maps(self, x0: Tensor, maps: Sequence[ColorMap]) -> Tensor:
        """x0 with each picture's colors moved by its map."""
        assert self.axes is not None
        colors = self.axes.colors(x0)
        planes = [each.flatten(1).float().cpu() for each in colors]
        moves = torch.stack([color_map(each) - each for color_map, each in zip(maps, planes, strict=True)])
        moves = moves.view(colors.shape).to(colors)
        if self.mask is not None:
            moves = moves * mask_on_cells(self.mask, x0)
        return x0 + self.axes.change(self.amount * moves)


def reference_of(latents: Tensor, axes: Axes) -> Gaussian:
    """Mean and covariance of a reference picture's latents [1, C, h, w], one color a cell."""
    return Gaussian.of_points(axes.colors(latents)[0].flatten(1).T.float().cpu())
