"""Training pictures of the embedded model, rendered once and cached beside the build as plain arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from ..world import (
    HELD_OUT,
    STYLES,
    TRAINED,
    Look,
    Mixture,
    Scene,
    random_look,
    random_mixture,
    random_scene,
    render,
    render_mixture,
)
from ..world.seeds import (
    CLASSIFIER_SEED,
    FURTHER_PARTNER_SEED,
    FURTHER_SEED,
    HELD_OUT_SEED,
    LESSON_PARTNER_SEED,
    LESSON_SEED,
    PARTNER_SEED,
    TRAIN_SEED,
    WORDS_FURTHER_SEED,
    WORDS_SEED,
)

SIZE = 128
# How often base-4 draws the styles that base-3's samples show least, where the other painters count once: strokes were
# recognised in 25 %, halftone in 70, oil and pixel in 85 (docs/figures.md).
FURTHER_WEIGHTS = {"strokes": 5.0, "halftone": 2.5, "oil": 2.0, "pixel": 2.0}
# How often vision-2 draws the styles whose media the captioner mistook, and those it took them for.
MISTAKEN_WEIGHTS = {"oil": 3.0, "pointillism": 3.0, "ink": 2.0, "comic": 2.0, "charcoal": 2.0, "pastel": 2.0}
MISTAKEN_WEIGHTS |= {"papercut": 2.0, "mosaic": 2.0, "strokes": 2.0, "halftone": 1.5, "pixel": 1.5}


def picture_seeds(index: int, styles: tuple[str, ...] = TRAINED, photo_share: float = 0.2) -> tuple[Scene, Look]:
    """Scene and look of training picture `index`: photos in `photo_share` of all, the other styles evenly."""
    rng = np.random.default_rng([index, 505])
    others = [s for s in styles if s != "photo"]
    photo = "photo" in styles and rng.random() < photo_share
    style = "photo" if photo else str(rng.choice(others))
    return random_scene(index), random_look(style, index)


def train_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of the set that UNet and text encoder learn from: never a held-out style."""
    return picture_seeds(TRAIN_SEED + index)


def partner_picture(index: int) -> tuple[Scene, Look]:
    """Another scene by the hand of training picture `index`: for paired attention."""
    return random_scene(PARTNER_SEED + index), train_picture(index)[1].reseeded(PARTNER_SEED + index)


def weighted_picture(
    seed: int, styles: tuple[str, ...], weights: Mapping[str, float], photo_share: float
) -> tuple[Scene, Look]:
    """Scene and look of a seed: photos in `photo_share` of all, the others by their weights (else 1)."""
    rng = np.random.default_rng([seed, 506])
    others = [s for s in styles if s != "photo"]
    shares = np.array([weights.get(s, 1.0) for s in others])
    style = "photo" if rng.random() < photo_share else str(rng.choice(others, p=shares / shares.sum()))
    return random_scene(seed), random_look(style, seed)


def further_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of base-4's own set: new seeds, a fifth photos, styles that samples show least more often."""
    return weighted_picture(FURTHER_SEED + index, TRAINED, FURTHER_WEIGHTS, photo_share=0.2)


def further_partner(index: int) -> tuple[Scene, Look]:
    """Another scene by the hand of base-4's picture `index`."""
    seed = FURTHER_PARTNER_SEED + index
    return random_scene(seed), further_picture(index)[1].reseeded(seed)


def lesson_picture(index: int) -> tuple[Scene, Mixture]:
    """Picture `index` of the reading lessons: each by a hand of its own, that no word names."""
    return random_scene(LESSON_SEED + index), random_mixture(LESSON_SEED + index)


def lesson_partner(index: int) -> tuple[Scene, Mixture]:
    """Another scene by the hand of lesson `index`."""
    seed = LESSON_PARTNER_SEED + index
    return random_scene(seed), random_mixture(LESSON_SEED + index).reseeded(seed)


def held_out_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of the held-out styles: for the autoencoder alone."""
    return picture_seeds(HELD_OUT_SEED + index, HELD_OUT)


def classifier_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of the classifier's own set: all styles evenly, scenes and looks that no other model sees."""
    return picture_seeds(CLASSIFIER_SEED + index, STYLES, photo_share=1 / len(STYLES))


def words_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of the set that captioner and CLIP learn from: every style, held-out ones too."""
    return picture_seeds(WORDS_SEED + index, STYLES, photo_share=0.15)


def words_further_picture(index: int) -> tuple[Scene, Look]:
    """Picture `index` of what vision-2 learns from beside them: new seeds, the media that were mistaken more often."""
    return weighted_picture(WORDS_FURTHER_SEED + index, STYLES, MISTAKEN_WEIGHTS, photo_share=0.1)


SETS: dict[str, Callable[[int], tuple[Scene, Look] | tuple[Scene, Mixture]]] = {
    "train": train_picture,
    "partner": partner_picture,
    "further": further_picture,
    "further_partner": further_partner,
    "lesson": lesson_picture,
    "lesson_partner": lesson_partner,
    "held_out": held_out_picture,
    "classifier": classifier_picture,
    "words": words_picture,
    "words_further": words_further_picture,
}


def _render_block(name: str, start: int, stop: int, size: int) -> np.ndarray:
    pictures = []
    for scene, hand in map(SETS[name], range(start, stop)):
        shown = render_mixture(scene, hand, size) if isinstance(hand, Mixture) else render(scene, hand, size)
        pictures.append((shown * 255 + 0.5).astype(np.uint8))
    return np.stack(pictures)


def rendered(
    name: str,
    count: int,
    folder: Path,
    workers: int | None = None,
    progress: Callable[..., None] | None = None,
    size: int = SIZE,
) -> np.ndarray:
    """The first `count` pictures of a set as uint8 [count, size, size, 3], memory-mapped from `folder`.

    Rendered in blocks by worker processes; an unfinished file is continued, a finished one is opened.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}_{count}" if size == SIZE else f"{name}_{size}px_{count}"
    path, done_path = folder / f"{stem}.npy", folder / f"{stem}.done"
    block = 256
    done = int(done_path.read_text()) if done_path.exists() and path.exists() else 0
    if done < count:
        shape = (count, size, size, 3)
        array = (
            np.lib.format.open_memmap(path, mode="r+")
            if done
            else np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        )
        starts = list(range(done, count, block))
        with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(_render_block, name, s, min(s + block, count), size) for s in starts]
            for start, job in zip(starts, jobs, strict=True):
                part = job.result()
                array[start : start + len(part)] = part
                array.flush()
                done_path.write_text(str(start + len(part)))
                if progress:
                    progress((start + len(part)) / count)
    return np.load(path, mmap_mode="r")
