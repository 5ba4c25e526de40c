"""What a transfer is given: contents, styles, and the model of each process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..errors import UserError
from ..models.contracts import Backend
from .sizes import check_picture


@dataclass(frozen=True, eq=False)
class Content:
    """What is repainted.

    * picture: [3, H, W] in 0..1; None: nothing, the result is sampled from noise and from the prompt alone.
    * prompt: text for the result; it acts most with `TransferOptions.cfg` above 1.
    * place: mask [h, w] in 0..1, at any resolution, of where the styles go; None is everywhere.
    * seed: of the noise that this one is drawn with; None is the run's.
    * noise: unit noise [C, h, w] of its latent by use (`randomness`: CONTENT, START, DAMPING), in place of a seed's.

    Raises ValueError (UserError) for a picture of another shape.
    """

    picture: Tensor | None
    prompt: str = ""
    place: Tensor | None = None
    seed: int | None = None
    noise: Mapping[int, Tensor] | None = None

    def __post_init__(self) -> None:
        if self.picture is not None:
            check_picture(self.picture)

    @classmethod
    def of(cls, content: Content | Tensor | None) -> Content:
        """A plain picture, or None, as a content without prompt or mask."""
        return content if isinstance(content, Content) else cls(content)


@dataclass(frozen=True, eq=False)
class StyleInput:
    """How it is painted: a picture [3, H, W] in 0..1, or a prompt.

    A prompt is sampled freely beside the transfer and its process is the style.

    * weight: >= 0, its share of the attention that all styles have together.
    * readable: mask [h, w] in 0..1 of what may be read of it; None is all.
    * place: mask [h, w] in 0..1 of where in the result it goes among the other styles; None is everywhere.

    Raises ValueError (UserError) for a weight that is negative or not finite, or a picture of another shape.
    """

    picture_or_text: Tensor | str
    weight: float = 1.0
    readable: Tensor | None = None
    place: Tensor | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise UserError(f"A style's weight is {self.weight}; each must be at least 0, and one above 0.")
        if not isinstance(self.picture_or_text, str):
            check_picture(self.picture_or_text)

    @classmethod
    def of(cls, style: StyleInput | Tensor | str) -> StyleInput:
        """A plain picture or prompt as a style of weight 1."""
        return style if isinstance(style, StyleInput) else cls(style)


@dataclass(frozen=True, eq=False)
class Models:
    """The model of generation, and of the processes that have weights of their own, of the same shape.

    arXiv 2506.15033 leaves open which weights run which process. `content` and `style` are generation's where they are
    None; so is `unconditional`, the branch of guidance without the prompt (the base model without a LoRA: asymmetric
    guidance).
    """

    generation: Backend
    content: Backend | None = None
    style: Backend | None = None
    unconditional: Backend | None = None

    @classmethod
    def of(cls, models: Models | Backend) -> Models:
        """A plain model as the model of all processes."""
        return models if isinstance(models, Models) else cls(models)
