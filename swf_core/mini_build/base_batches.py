"""What a step of stage "base" learns from: the shares of a batch, their captions, pairs that read, and noise levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..world import Look, Mixture, Scene, caption, describe

BATCH = 64
STEPS = 1000  # the noise schedule's timesteps
# How many of a batch's 64 captions are full, style-stripped (on photos), style only, empty: first 56, 25, 9 and 9 %.
# "No style words" must be in distribution, or a style cannot be taught later by what a caption leaves out. Later stages
# have more empty captions (19 %): with no words for the style, it is read from the picture itself by self-attention,
# which is what style transfer relies on.
_FIRST = {"full": 36, "stripped": 16, "style": 6, "empty": 6}
_LATER = {"full": 34, "stripped": 12, "style": 6, "empty": 12}
# "paired": pairs by the same hand (`paired_attention`), so twice as many pictures. The one that is read has an empty
# caption; so have half of those that read, the others a caption with or without the style.
_PAIRED = {"full": 28, "stripped": 8, "style": 4, "paired": 12}
# "lesson": pairs by a hand that no word names (`world.mixture`); the reader's caption is empty or says the content.
_LESSONS = {"full": 28, "stripped": 8, "style": 4, "paired": 4, "lesson": 8}
# Words say the style more often: for the styles that samples show least.
_WORDS = {"full": 40, "stripped": 6, "style": 6, "paired": 6}
CAPTIONS = {"base-1": _FIRST, "base-2": _LATER, "base-3": _PAIRED, "base-4": _LESSONS, "base-5": _WORDS}
# Which sets a stage draws from: pictures, the partners of as many first of them, lessons and their partners.
SETS = {"base-1": ("train",), "base-2": ("train",), "base-3": ("train", "partner")}
SETS |= {"base-4": ("further", "further_partner", "lesson", "lesson_partner")}
SETS |= {"base-5": ("further", "further_partner")}
# Noise levels are drawn as T u^k, u uniform in 0..1. Low levels make the marks: where base-3 goes on from the latents
# of strokes noised to t = 250, 6 of 12 are seen, from 400 two, from noise one at cfg 1 and five at cfg 4 (round trips:
# 10). It knows training pictures no better than others, and 100 steps or cfg 7 in sampling change nothing.
TIMESTEP_POWER = {"base-4": 1.5, "base-5": 1.25}
# Styles that the samples of the stage before drew least well; the stage draws their pictures twice as often.
HARD = {"base-3": ("strokes", "oil", "ink", "pixel", "halftone"), "base-5": ("strokes", "pixel")}


@dataclass(frozen=True)
class LatentSet:
    """Latents [N, 4, 16, 16] and the scene and hand of each.

    Pictures come first, then `partners` that pair with as many first of them, in order, then `lessons` and as many
    partners of these.
    """

    latents: Tensor
    factors: Sequence[tuple[Scene, Look | Mixture]]
    partners: int = 0
    lessons: int = 0

    @property
    def pictures(self) -> int:
        """How many come first: those that have words for their style."""
        return len(self.factors) - self.partners - 2 * self.lessons


class Batches:
    """Draws batches of a stage: a key of `CAPTIONS`, from the set that `SETS` names for it."""

    def __init__(self, data: LatentSet, stage: str):
        self.data, self.shares = data, CAPTIONS[stage]
        # Pairs of a batch: as many rows at its end read the rows before them.
        self.pairs = self.shares.get("paired", 0) + self.shares.get("lesson", 0)
        self._power = TIMESTEP_POWER.get(stage)
        styles = np.array([hand.style for _, hand in data.factors[: data.pictures] if isinstance(hand, Look)])
        pool = np.concatenate([np.arange(len(styles)), np.flatnonzero(np.isin(styles, HARD.get(stage, ())))])
        first = data.pictures + data.partners
        self._sources = {
            "stripped": np.flatnonzero(styles == "photo"),
            "paired": pool[pool < data.partners],
            "lesson": np.arange(first, first + 2 * data.lessons),
        }
        self._pool = pool

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
        """Indices of a batch's pictures and a caption for each, in the stage's shares.

        Stripped captions belong to photos. Pictures that are read come last but for their readers, without a caption.
        """
        index, captions = list[int](), list[str]()
        for kind, count in self.shares.items():
            source = self._sources.get(kind, self._pool)
            for i in source[rng.integers(0, len(source), count)]:
                index.append(int(i))
                captions.append("" if kind in ("empty", "paired", "lesson") else self._caption(int(i), kind, rng))
        for i in index[len(index) - self.pairs :]:
            reader, kinds = self._reader(i)
            kind = str(rng.choice(kinds))
            index.append(reader)
            captions.append(self._caption(reader, kind, rng) if kind else "")
        return np.array(index), captions

    def timesteps(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Timesteps [count] in 0..999; a picture is read at its reader's."""
        drawn = rng.integers(0, STEPS, count) if self._power is None else STEPS * rng.random(count) ** self._power
        timesteps = np.asarray(drawn, dtype=np.int64)
        if self.pairs:
            timesteps[-self.pairs :] = timesteps[-2 * self.pairs : -self.pairs]
        return timesteps

    def _reader(self, read: int) -> tuple[int, tuple[str, ...]]:
        """The picture that reads picture `read`, and the kinds of its caption, "" for none."""
        data, first = self.data, self.data.pictures + self.data.partners
        if read < data.pictures:
            return data.pictures + read, ("", "", "full", "stripped")
        # Of two pictures of a lesson each is read as often as the other.
        return read + (data.lessons if read < first + data.lessons else -data.lessons), ("", "stripped")

    def _caption(self, i: int, kind: str, rng: np.random.Generator) -> str:
        scene, hand = self.data.factors[i]
        return caption(scene, hand, kind, rng) if isinstance(hand, Look) else describe(scene, rng)
