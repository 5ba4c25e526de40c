"""The semantic gap: how much style stripping took out of a caption, in CLIP space.

The gap between what a picture shows and what its stripped caption says is what a LoRA learns (arXiv 2506.15033). The
text gap is 1 - cos(T(caption), T(stripped)); the picture gap is cos(I, T(caption)) - cos(I, T(stripped)). The control
deletes as many words at random, several times: what a gap of that size means when it is not style that went.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .clip import Clip
from .strip import Stripped
from .strip.rules import is_chinese

NOTHING, USUAL, LOST = "nothing was removed", "usual", "content probably lost"
# A text gap is large from here on, and beyond so many times the gap of the removed words alone. Cosines of texts differ
# between CLIPs, so a fixed bound says little; but where the words taken out stand nearer to the caption than what is
# left of it, they said most of it. On the embedded CLIP: 10 % false alarms, 93 % of lost main objects found.
LARGE, TIMES = 0.35, 1.5


@dataclass(frozen=True)
class Gap:
    """The gap of one caption.

    * text: 1 - cosine of caption and stripped caption, 0 to 2.
    * picture: cosine of the picture to the caption less that to the stripped one; None without a picture. Above 0: the
      caption said of the style what the picture shows.
    * control_text, control_picture: the same when as many words are deleted at random, a mean.
    * interpretation: "nothing was removed", "usual" or "content probably lost".
    """

    text: float
    picture: float | None
    control_text: float
    control_picture: float | None
    interpretation: str


def semantic_gap(
    clip: Clip, stripped: Sequence[Stripped], pictures: Sequence[Tensor] | None = None, controls: int = 8, seed: int = 0
) -> list[Gap]:
    """The gap of each stripped caption, with its picture [3, H, W] in 0..1 where `pictures` are given (as many)."""
    if pictures is not None and len(pictures) != len(stripped):
        raise ValueError(
            f"There are {len(pictures)} pictures and {len(stripped)} captions; give one picture a caption."
        )
    return [
        _gap(clip, s, None if pictures is None else pictures[k], controls, seed + k) for k, s in enumerate(stripped)
    ]


def _gap(clip: Clip, stripped: Stripped, picture: Tensor | None, controls: int, seed: int) -> Gap:
    if not stripped.caption:
        return Gap(0.0, None if picture is None else 0.0, 0.0, None if picture is None else 0.0, NOTHING)
    others = random_deletions(stripped, controls, seed)
    removed_text = " ".join(stripped.removed) or stripped.caption
    vectors = clip.texts([stripped.caption, removed_text, stripped.stripped, *others])
    to_caption = 1 - vectors @ vectors[0]
    removed, text = float(to_caption[1]), float(to_caption[2])
    control = float(to_caption[3:].mean()) if others else 0.0
    gap = control_gap = None
    if picture is not None:
        cosines = vectors @ clip.pictures([picture])[0]
        gap = float(cosines[0] - cosines[2])
        control_gap = float(cosines[0] - cosines[3:].mean()) if others else 0.0
    return Gap(text, gap, control, control_gap, interpret(stripped, text, removed))


def interpret(stripped: Stripped, text: float, removed: float) -> str:
    """What a text gap means in plain words. `removed`: 1 - cosine of the caption and the words taken out."""
    if not stripped.spans:
        return NOTHING
    return LOST if text > max(LARGE, TIMES * removed) else USUAL


def random_deletions(stripped: Stripped, count: int, seed: int) -> list[str]:
    """The caption without as many of its words (characters in Chinese) as were deleted, drawn at random."""
    pattern = r"\w" if is_chinese(stripped.caption) else r"\S+"
    words = [m.span() for m in re.finditer(pattern, stripped.caption)]
    deleted = sum(any(a < end and start < b for a, b in stripped.spans) for start, end in words)
    if not deleted or deleted >= len(words):
        return []
    texts = []
    for k in range(count):
        deleted_words = set(np.random.default_rng([seed, k]).choice(len(words), deleted, replace=False).tolist())
        remaining = [stripped.caption[a:b] for n, (a, b) in enumerate(words) if n not in deleted_words]
        texts.append(("" if pattern == r"\w" else " ").join(remaining))
    return texts
