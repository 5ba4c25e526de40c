"""What `stylize` does to results after the transfer: fine detail of the content, and the second pass."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..presets import FINE_DETAIL, fine_detail_of
from .argument_types import number, whole
from .progress import Bars

if TYPE_CHECKING:
    from torch import Tensor

    from ..pictures import Picture


def add_finish(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    group = parser.add_argument_group("after the transfer")
    group.add_argument(
        "--fine-detail",
        type=number(0, 1),
        metavar="A",
        help="put back what the autoencoder loses of the content, in the result's colors; default "
        f"{FINE_DETAIL:g}, and 0, which is off, with a published preset",
    )
    group.add_argument(
        "--second-pass",
        type=whole(0, 1000),
        default=0,
        metavar="N",
        help="so many iterations of Gatys' optimization, which bring marks that the model was never taught; 20 is "
        "plenty, 0 (the default) is off",
    )
    group.add_argument(
        "--features",
        default="vgg",
        metavar="SOURCE",
        help="of the second pass: vgg (weights of an installed package), embedded, or a file of VGG-19's weights in "
        "torchvision's layout",
    )


def features_of(args: argparse.Namespace) -> Any:
    """The features of the second pass, None without one. Raises UserError where they or a style picture is missing."""
    if not args.second_pass:
        return None
    if not args.style:
        raise UserError("--second-pass takes marks from pictures; give --style IMG, or leave it out.")
    from ..features import load_features

    return load_features(args.features)


@dataclass(frozen=True)
class Finish:
    """What is done to every result. `features`: of the second pass, None without one."""

    fine_detail: float
    iterations: int
    features: Any
    codec: Any
    progress: Callable[[float], None]

    def images(
        self, results: Sequence[Tensor], contents: Sequence[Picture], styles: Sequence[tuple[Picture, float]]
    ) -> list[Tensor]:
        """The results [3, H, W], each finished with its content and with the style pictures and their weights."""
        done = []
        for k, (result, content) in enumerate(zip(results, contents, strict=True)):
            done.append(self._image(result, content, styles, k / len(results), 1 / len(results)))
        return done

    def _image(
        self,
        result: Tensor,
        content: Picture,
        styles: Sequence[tuple[Picture, float]],
        begin: float,
        share: float,
    ) -> Tensor:
        from ..classics.second_pass import second_pass
        from ..color.fine_detail import with_fine_detail
        from ..pictures import resize, scaled

        height, width = result.shape[1:]
        image = with_fine_detail(result, resize(content.pixels, height, width), self.codec, self.fine_detail)
        if self.features is None:
            return image
        # As large as the result: marks come in the size they have there.
        sized = []
        for style, weight in styles:
            high, wide = scaled(style.pixels.shape[1], style.pixels.shape[2], max(height, width))
            sized.append((resize(style.pixels, high, wide), weight))
        # The features are on the CPU, wherever the model is.
        return second_pass(
            self.features, image.cpu(), sized, self.iterations, lambda value: self.progress(begin + share * value)
        )


def finish_of(args: argparse.Namespace, preset: str, features: Any, codec: Any, bars: Bars) -> Finish:
    """What was asked for; fine detail as the preset has it where nothing was."""
    amount = fine_detail_of(preset) if args.fine_detail is None else args.fine_detail
    return Finish(amount, args.second_pass, features, codec, bars("second pass"))
