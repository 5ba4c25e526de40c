"""What `train` begins a run with: the pictures of --style, their captions, and the prompts of its samples."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from .loading import device_of, load_pictures
from .progress import Bars


def style_pictures(args: argparse.Namespace) -> tuple[list[Any], list[int]]:
    """The pictures of --style, folders in place of which their pictures stand then, and how often each counts."""
    from ..learn.dataset import pictures_in_folder

    found: list[tuple[Path, int]] = []
    for path in args.style:
        found += pictures_in_folder(path) if os.path.isdir(path) else [(path, 1)]
    args.style = [path for path, _ in found]
    return load_pictures(args.style, None), [repeats for _, repeats in found]


def items_of_style(args: argparse.Namespace, pictures: list[Any], bars: Bars) -> Any:
    """The data set: each picture with its caption, stripped of style words unless they are to stay."""
    from ..learn.dataset import caption_beside, items_of
    from ..words.strip import UNREAD, strip

    captions, media = args.caption, ()
    if captions is None:
        captions = [caption_beside(path, "") for path in args.style]
        missing = [k for k, text in enumerate(captions) if not text]
        if missing:
            from ..words.caption import caption_pictures, load_captioner
            from ..words.clip import load_clip

            captioner = load_captioner(args.captioner, device_of(args.device))
            clip = load_clip("mini") if args.captioner == "mini" else None
            results = caption_pictures(
                captioner, [pictures[k].pixels for k in missing], None, clip, args.seed, bars("caption")
            )
            media = captioner.media
            for k, result in zip(missing, results):
                captions[k] = result.caption
    if not args.keep_style_words:
        results = [strip(text, media=media) for text in captions]
        captions = [result.stripped for result in results]
        for each in (result for result in results if result.note == UNREAD):
            bars.say(f"train: the caption {each.caption[:60]!r} is learnt with all its words: {each.note}.")
    return items_of([p.pixels for p in pictures], captions)


def prompts_of(args: argparse.Namespace, family: str) -> Any:
    """What is sampled on the way: --prompt, else things of everyday life that the family knows."""
    from ..learn.run import Prompt
    from ..learn.samples import default_prompts

    if args.prompt is None:
        return default_prompts(family, args.seed)
    return tuple(Prompt(text, args.seed + k) for k, text in enumerate(args.prompt))
