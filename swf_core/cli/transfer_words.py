"""The words of `stylize`: typed, none, or read from the pictures by a captioner, which is what happens unasked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .argument_types import number
from .loading import device_of
from .progress import Bars

if TYPE_CHECKING:
    from torch import Tensor

    from ..words.picture_words import PictureWords, TransferWords, WordReader

AUTO, MINI, NONE = "auto", "mini", "none"


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add --prompt and what reads it from the pictures."""
    parser.add_argument(
        "--prompt",
        metavar="T",
        help="what the result should show; auto, the default, reads it from the pictures; '' means no words",
    )
    group = parser.add_argument_group("words", "who reads the pictures where no prompt is typed, and other texts")
    group.add_argument(
        "--captioner",
        metavar="mini|FOLDER",
        help="as --model of the verb caption; default: mini with the embedded model, which knows its small world",
    )
    group.add_argument(
        "--clip",
        metavar="mini|FOLDER|none",
        help="ranks captions and says how sure the medium is; default: mini with the captioner mini, else none",
    )
    group.add_argument(
        "--least-confidence",
        type=number(0, 1),
        metavar="P",
        help="how sure the medium must be to be said; 0 says every one (default 0.5)",
    )
    group.add_argument("--content-prompt", metavar="T", help="text of the content's own process; default none")
    group.add_argument("--style-prompt", metavar="T", help="text of the style pictures' own processes; default none")


def reads_pictures(args: argparse.Namespace) -> bool:
    """Whether the prompt comes from the pictures."""
    return args.prompt is None or args.prompt == AUTO


def check_words(args: argparse.Namespace) -> None:
    """Refuse a run whose words nobody can read, before anything is loaded."""
    if reads_pictures(args) and args.captioner is None and args.model != MINI:
        raise UserError(
            "No prompt was given, and only mini comes with a captioner; type --prompt T, give --captioner FOLDER with "
            "the files of a BLIP, or --prompt '' for no words."
        )


class PromptWriter:
    """Prompts as the arguments ask for them; the captioner is loaded when a picture is first read."""

    def __init__(self, args: argparse.Namespace, bars: Bars):
        self._args, self._bars = args, bars
        self._reader: WordReader | None = None

    def prompts_of(
        self,
        contents: Sequence[Tensor],
        paths: Sequence[Path],
        styles: Sequence[Tensor | str],
        weights: Sequence[float],
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """A prompt a content, and where the pictures were read what was read, as data; printed on stderr too."""
        if not reads_pictures(self._args):
            return [self._args.prompt] * len(contents), []
        self._reader = self._reader or _reader(self._args)
        bar, read = self._bars("words"), []
        for content in contents:
            read.append(self._reader.prompt_of(content, styles, weights))
            bar(len(read) / len(contents))
        for path, words in zip(paths, read, strict=True):
            _say(path, words, self._bars)
        return [words.prompt for words in read], [_data(path, words) for path, words in zip(paths, read)]


def stripped_captions(args: argparse.Namespace, pictures: Sequence[Tensor]) -> list[str]:
    """What style pictures show, without how: captions to learn a style by."""
    reader = _reader(args)
    return [reader.words_of(picture).stripped.stripped for picture in pictures]


def _reader(args: argparse.Namespace) -> WordReader:
    from ..words.caption import load_captioner
    from ..words.clip import load_clip
    from ..words.picture_words import LEAST_CONFIDENCE, WordReader

    device, captioner = device_of(args.device), args.captioner or MINI
    clip = args.clip or (MINI if captioner == MINI else NONE)
    least = LEAST_CONFIDENCE if args.least_confidence is None else args.least_confidence
    ranking = None if clip == NONE else load_clip(clip, device)
    return WordReader(load_captioner(captioner, device), ranking, least_confidence=least)


def _say(path: Path, words: TransferWords, bars: Bars) -> None:
    bars.say(f"{path.name}: {words.content.caption}")
    for style in words.styles:
        sure = "" if style.confidence is None else f" (medium {style.confidence:.2f})"
        bars.say(f"  style: {style.caption}{sure}")
    for note in words.notes:
        bars.say(f"  {note}")
    bars.say(f"  prompt: {words.prompt or '(none)'}")


def _data(path: Path, words: TransferWords) -> dict[str, Any]:
    return {
        "content": path,
        "prompt": words.prompt,
        "caption": words.content.caption,
        "styles": [_style_data(style) for style in words.styles],
        "notes": list(words.notes),
    }


def _style_data(style: PictureWords) -> dict[str, Any]:
    return {"caption": style.caption, "removed": list(style.stripped.removed), "confidence": style.confidence}
