"""The work of `stylize`: a model, the words, and styles in which contents are painted and finished."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .arguments import transfer_options
from .checks import check_preset
from .finish import Finish, features_of, finish_of
from .lesson import learn_lesson
from .loading import check_sizes, load_guided
from .progress import Bars
from .transfer_words import PromptWriter

if TYPE_CHECKING:
    from torch import Tensor

    from ..learn.lesson import Lesson
    from ..pictures import Picture
    from ..transfer import FilmPainter, SharedStyles, TransferOptions, TransferResult


# Prompts, a content each, and what was read of the pictures, as data.
Said = tuple[list[str], list[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Painted:
    """What came of contents: finished images [3, H, W], their prompts with what was read, and the transfer's report."""

    images: list[Tensor]
    prompts: list[str]
    words: list[dict[str, Any]]
    result: TransferResult


class Studio:
    """What the arguments name but for pictures: words, features, and the model, which is loaded when words are read."""

    def __init__(self, args: argparse.Namespace, bars: Bars):
        from ..transfer import TransferOptions

        self.args, self.bars = args, bars
        self.preset, self.features = check_preset(args), features_of(args)
        transfer_options(TransferOptions(), args)  # the ranges, before a model is loaded
        self.writer = PromptWriter(args, bars)
        self._guided: tuple[Any, Any] | None = None

    def guided(self) -> tuple[Any, Any]:
        """The model, and the plain one where guidance is asymmetric."""
        if self._guided is None:
            self._guided = load_guided(self.args)
        return self._guided

    def styles(self, pictures: Sequence[Picture]) -> Styles:
        """Style pictures that together, and with --style-text, make one style."""
        return Styles(self, pictures)


class Styles:
    """One style of a studio. Its processes run once, for all contents.

    `preset`, `options`, `lesson`, `finish`: as they were used, once something was painted.
    """

    preset: str
    options: TransferOptions
    lesson: Lesson | None
    finish: Finish

    def __init__(self, studio: Studio, pictures: Sequence[Picture]):
        self._studio, self._pictures = studio, pictures
        text = studio.args.style_text
        self._inputs = [*(picture.pixels for picture in pictures), *([text] if text else [])]
        self._weights = studio.args.style_weight or [1.0] * len(self._inputs)
        self._shared: SharedStyles | None = None

    def read(self, contents: Sequence[Picture], paths: Sequence[Any]) -> Said:
        """What is said of contents: their prompts, and what was read where the pictures were."""
        pixels = [picture.pixels for picture in contents]
        return self._studio.writer.prompts_of(pixels, paths, self._inputs, self._weights)

    def paint(
        self, contents: Sequence[Picture], said: Said, seeds: Sequence[int] | None = None, *, last: bool
    ) -> Painted:
        """Paint and finish contents of which this was `said`; `seeds`: one each, None for the run's. `last`: none come
        after them."""
        from ..transfer import Content

        studio, (prompts, words) = self._studio, said
        pixels = [picture.pixels for picture in contents]
        shared = self._begin(prompts, bool(words))
        self._check_sizes(contents)
        rows = zip(pixels, prompts, seeds or [None] * len(pixels), strict=True)
        result = shared.stylize(
            [Content(picture, prompt, seed=seed) for picture, prompt, seed in rows],
            studio.bars("stylize"),
            last=last,
        )
        for note in result.notes:
            studio.bars.say(f"memory: {note}")
        return Painted(self._finished(result.images, contents), prompts, words, result)

    def paint_frames(self, frames: Sequence[Picture], prompt: str, read: bool, film: FilmPainter) -> list[Tensor]:
        """Paint and finish the next frames of a film; `read`: its prompt was read from the pictures."""
        shared = self._begin([prompt], read)
        self._check_sizes(frames)
        pixels = [frame.pixels for frame in frames]
        return self._finished(film.paint(shared, pixels, prompt, self._studio.bars("stylize")), frames)

    def _check_sizes(self, contents: Sequence[Picture]) -> None:
        backend, _ = self._studio.guided()
        if self._studio.args.size is None:
            check_sizes([*contents, *self._pictures], self.options.size_px or backend.native_size_px)

    def _finished(self, images: Sequence[Tensor], contents: Sequence[Picture]) -> list[Tensor]:
        studio = self._studio
        backend, _ = studio.guided()
        self.finish = finish_of(studio.args, self.preset, studio.features, backend.codec, studio.bars)
        return self.finish.images(images, contents, list(zip(self._pictures, self._weights)))

    def _begin(self, prompts: Sequence[str], read: bool) -> SharedStyles:
        """The styles' processes under the options that suit these prompts; those of the first ones are kept."""
        if self._shared is not None:
            return self._shared
        from .. import transfer
        from ..models.lora import without_lora
        from ..transfer.presets import DIALED
        from ..transfer.reference_cache import ReferenceCache
        from ..transfer.word_guidance import by_read_words, guided_by_words

        studio, args = self._studio, self._studio.args
        backend, plain = studio.guided()
        self.lesson = learn_lesson(args, backend, [picture.pixels for picture in self._pictures], studio.bars)
        plain = plain if self.lesson is None else without_lora(backend, self.lesson.adapter)
        models = transfer.Models(backend, content=plain, unconditional=plain)
        self.preset = studio.preset
        if read and plain is None and args.preset is None:
            self.preset, options = DIALED, by_read_words(models, args.freedom)
        else:
            options = transfer.preset(self.preset, models, args.freedom or 0.0)
            if any(prompts):
                options = guided_by_words(options, read, plain is not None, args.freedom is not None)
        self.options = transfer_options(options, args)
        styles = [transfer.StyleInput(style, w) for style, w in zip(self._inputs, self._weights, strict=True)]
        cache = ReferenceCache(args.style_cache) if args.style_cache else None
        self._shared = transfer.SharedStyles(
            models, styles, self.options, negative=args.negative, seed=args.seed, cache=cache
        )
        return self._shared
