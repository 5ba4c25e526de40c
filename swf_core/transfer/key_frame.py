"""A key frame: what generation showed in self-attention while it painted one picture, read while others are painted.

Text2Video-Zero (arXiv 2303.13439, section 3.3.2) lets every frame of a film read the first one's keys and values in
place of its own. Here own keys are replaced by the style's already, so the key frame's stand beside them in one
softmax, with the odds of its weight among the styles'. Its generation's features are kept as they pass by: 0 E. A key
frame may read itself, layer by layer, so that a frame after it that shows the same is painted the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..models.contracts import AttentionEdit, AttentionLayer, JointTokens
from .context import TransferContext
from .features import FeatureBank, parts_read
from .styles import Style


class KeyFrame:
    """A `StyleProcess` whose features are those of generation; empty until a picture was painted to show them."""

    def __init__(self) -> None:
        self._bank: FeatureBank | None = None

    @property
    def bank(self) -> FeatureBank:
        """What it shows. Raises RuntimeError before a picture was painted."""
        if self._bank is None:
            raise RuntimeError("The key frame was not painted yet.")
        return self._bank

    def begin(self, bank: FeatureBank) -> None:
        """Show what will be in this bank."""
        self._bank = bank

    def ensure(self, *sigmas: float) -> None:
        """Nothing: it has the levels of the run that painted it."""

    def statistics_at(self, sigma: float) -> Tensor:
        """A key frame gives no tones. Raises RuntimeError."""
        raise RuntimeError("Tones are the styles', not the key frame's.")


@dataclass(frozen=True, eq=False)
class KeyFrames:
    """The key frame that is `read`, its `weight` beside the styles' (they have 1 each if nobody says), and the one that
    the picture is to `show`, which may be the same; None for neither.

    Raises ValueError (UserError) for a weight that is negative.
    """

    read: KeyFrame | None = None
    weight: float = 1.0
    show: KeyFrame | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < float("inf"):
            raise UserError(f"The key frame's weight is {self.weight}; it must be at least 0, which is off.")

    def begin(self, context: TransferContext, rows: int) -> None:
        """Begin a run of so many pictures. Raises ValueError where more than one is to be the key frame."""
        if self.show is None:
            return
        if rows != 1:
            raise ValueError(f"A key frame is one picture; {rows} were given.")
        # every level, for a key frame reads itself at each before it has come to the next
        parts, room = parts_read(context.options.injection, 0.0), len(context.injected_levels())
        self.show.begin(FeatureBank(context.layer_names, parts, context.options.precision, room=room))

    def read_as_style(self, styles: Sequence[Style]) -> list[Style]:
        """What is read as one more style, where any of the styles goes; nothing at weight 0."""
        if self.read is None or self.weight == 0.0:
            return []
        return [Style(self.read, self.weight, None, _everywhere_of(styles))]

    def shown(self, edit: AttentionEdit, sigma: float) -> AttentionEdit:
        """The same edit, which keeps what generation shows under its prompt at this level: the last of a call's rows,
        for the other half of guidance stands before it, and the first call's."""
        if self.show is None:
            return edit
        record, kept = self.show.bank.recorder(sigma).function, set[str]()

        def function(
            layer: AttentionLayer,
            q: Tensor,
            k: Tensor,
            v: Tensor,
            grid: tuple[int, int],
            scale: float,
            joint: JointTokens | None = None,
        ) -> Tensor | None:
            if layer.name not in kept:
                kept.add(layer.name)
                record(layer, q[-1:], k[-1:], v[-1:], grid, scale)
            return edit.function(layer, q, k, v, grid, scale, *(() if joint is None else (joint,)))

        return AttentionEdit(edit.layers, function)


def _everywhere_of(styles: Sequence[Style]) -> Tensor | None:
    """The union of the styles' places; None where one of them goes everywhere."""
    places = [style.place for style in styles]
    if not places or any(place is None for place in places):
        return None
    return torch.stack([place for place in places if place is not None]).amax(0)
