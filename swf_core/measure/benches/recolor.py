"""`bench recolor`: palettes and references on real photographs, beside the `color-matcher` package."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...color.match import match
from ...color.palette import Palette, extract, parse, sampled_pixels
from ...color.spaces import from_oklab, to_oklab
from ...color.transport import palette_distance, repalette
from ...pictures import load as load_picture
from ...pictures import resize, sheet
from ..metrics.structure import lightness_ssim
from .context import Bar, BenchContext, BenchResult

# Photographs that come with scikit-image and scikit-learn.
PHOTOS = (
    "coffee.png",
    "astronaut.png",
    "chelsea.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "retina.jpg",
    "china.jpg",
    "flower.jpg",
)
SIDE_PX = 512
NAMED = {
    "five": "#264653, #2a9d8f, #e9c46a, #f4a261, #e76f51",
    "blues": "#03045e, #0077b6, #00b4d8, #90e0ef, #caf0f8",
    "earth": "#606c38, #283618, #fefae0, #dda15e, #bc6c25",
}
COLORS = 6
# A color that a person would edit: enough of the picture, and with a hue.
LEAST_SHARE, LEAST_CHROMA = 0.05, 0.04
# Our method beside the one of color-matcher that it answers to.
RIVALS = {"linear": "mkl", "reinhard": "reinhard", "histogram": "hm"}


def photographs(side_px: int = SIDE_PX) -> dict[str, Tensor]:
    """Name and picture [3, H, W] of each that is installed."""
    import skimage.data
    import sklearn.datasets

    folders = (Path(skimage.data.__file__).parent, Path(sklearn.datasets.__file__).parent / "images")
    paths = (folder / name for name in PHOTOS for folder in folders if (folder / name).exists())
    return {path.stem: load_picture(path, side_px).pixels for path in paths}


def clipped_share(result: Tensor, source: Tensor) -> float:
    """Share of pixels with a channel at 0 or 255 that no channel of the source pixel had there."""
    at_end = [((x * 255).round() <= 0) | ((x * 255).round() >= 255) for x in (result, source)]
    return float((at_end[0].any(0) & ~at_end[1].any(0)).float().mean())


def single_edits(palette: Palette) -> dict[str, Palette]:
    """What a person does to swatches: one color at a time turned by a third of the circle, either way, as far as the
    gamut goes at its lightness."""
    edits = {}
    for k, (color, share) in enumerate(zip(palette.colors, palette.weights())):
        if share < LEAST_SHARE or float(color[1:].norm()) < LEAST_CHROMA:
            continue
        for degrees in (120, 240):
            turn = torch.tensor(np.deg2rad(degrees))
            a, b = color[1], color[2]
            turned = torch.stack([color[0], a * turn.cos() - b * turn.sin(), a * turn.sin() + b * turn.cos()])
            colors = palette.colors.clone()
            colors[k] = to_oklab(from_oklab(turned[:, None]))[:, 0]
            edits[f"{palette.codes[k]} turned by {degrees}"] = Palette(colors, palette.shares)
    return edits


def distance_to_goal(picture: Tensor, result: Tensor, source: Palette, target: Palette) -> tuple[float, float]:
    """Mean OKLab distance, before and after, from each source color's pixels (their mean) to where it should go."""
    before, after = sampled_pixels(picture)[0], sampled_pixels(result)[0]
    nearest = torch.cdist(before, source.colors).argmin(1)
    distances = []
    for points in (before, after):
        mass = torch.zeros(len(source)).index_add_(0, nearest, torch.ones(len(points)))
        mean = torch.zeros(len(source), 3).index_add_(0, nearest, points) / mass.clamp_min(1)[:, None]
        distances.append(float((mass / mass.sum()) @ (mean - target.colors).norm(dim=1)))
    return distances[0], distances[1]


def scores(picture: Tensor, result: Tensor, before: float, after: float) -> dict[str, float]:
    """The figures of one edit, `before` and `after` being distances to its goal."""
    return {
        "before": before,
        "after": after,
        "falls": 1 - after / before,
        "ssim": lightness_ssim(result, picture),
        "clipped": clipped_share(result, picture),
    }


def palettes(photos: dict[str, Tensor], bar: Bar) -> tuple[dict[str, Any], list[list[Any]]]:
    """Edited swatches; palettes of others, hues alone and with their light and dark. The report, and a page's rows."""
    kinds = ("edited swatches", "foreign, lightness 0", "foreign, lightness 1")
    rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    page = []
    own = {name: extract(picture, COLORS) for name, picture in photos.items()}
    for number, (name, picture) in enumerate(photos.items()):
        edited = []
        for target in single_edits(own[name]).values():
            result = repalette(picture, target, source=own[name])
            distances = distance_to_goal(picture, result, own[name], target)
            rows["edited swatches"].append(scores(picture, result, *distances))
            edited.append(result)
        foreign = {other: palette for other, palette in own.items() if other != name}
        foreign |= {word: parse(text) for word, text in NAMED.items()}
        recolored = []
        for other, target in foreign.items():
            for lightness in (0.0, 1.0):
                result, row = _to_foreign(picture, target, lightness)
                rows[f"foreign, lightness {lightness:g}"].append(row)
                if other in ("five", "coffee"):
                    recolored.append(result)
        page.append([picture, *(edited if len(edited) < 3 else [*edited[:2], edited[-1]]), *recolored])
        bar(0.5 * (number + 1) / len(photos))
    return {kind: summary(each) for kind, each in rows.items()}, page


def _to_foreign(picture: Tensor, target: Palette, lightness: float) -> tuple[Tensor, dict[str, float]]:
    result = repalette(picture, target, lightness=lightness)
    extracted = [extract(p, len(target)) for p in (picture, result)]
    before, after = (palette_distance(*(p if lightness else hues(p) for p in (each, target))) for each in extracted)
    return result, scores(picture, result, before, after)


def hues(palette: Palette) -> Palette:
    """The palette at one lightness: what an edit of hues alone is measured by."""
    colors = palette.colors.clone()
    colors[:, 0] = 0.5
    return Palette(colors, palette.shares)


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means; the least fall and SSIM, the most clipping; how many fall by 80 %."""
    column = {k: np.array([row[k] for row in rows]) for k in rows[0]}
    report = {k: round(float(v.mean()), 4) for k, v in column.items()}
    report |= {
        "falls in all": round(float(1 - column["after"].sum() / column["before"].sum()), 4),
        "least fall": round(float(column["falls"].min()), 4),
        "least ssim": round(float(column["ssim"].min()), 4),
        "most clipped": round(float(column["clipped"].max()), 5),
        "fall by 80 %": round(float((column["falls"] >= 0.8).mean()), 4),
        "edits": len(rows),
    }
    return report


def color_distances(result: Tensor, reference: Tensor) -> dict[str, float]:
    """How far two pictures' colors are apart in OKLab: means, covariances, and sliced Wasserstein distance."""
    a, b = (sampled_pixels(x, None, 1 << 14)[0].double() for x in (result, reference))
    a, b = a[: min(len(a), len(b))], b[: min(len(a), len(b))]
    generator = torch.Generator().manual_seed(0)
    axes = torch.nn.functional.normalize(torch.randn((3, 32), generator=generator, dtype=torch.float64), dim=0)
    sliced = ((a @ axes).sort(0).values - (b @ axes).sort(0).values).abs().mean()
    return {
        "mean": float((a.mean(0) - b.mean(0)).norm()),
        "covariance": float((a.T.cov() - b.T.cov()).norm()),
        "sliced": float(sliced),
    }


def references(photos: dict[str, Tensor], bar: Bar) -> dict[str, Any]:
    """Each photograph after each other one, by us and by color-matcher where it is installed."""
    try:
        from color_matcher import ColorMatcher  # type: ignore[import-not-found]
    except ImportError:
        ColorMatcher = None
    rows: dict[str, list[dict[str, float]]] = {}

    def add_row(label: str, result: Tensor, picture: Tensor, reference: Tensor, seconds: float) -> None:
        row = color_distances(result, reference) | {
            "ssim": lightness_ssim(result, picture),
            "clipped": clipped_share(result, picture),
        }
        rows.setdefault(label, []).append(row | {"ms": 1000 * seconds})

    pairs = [(a, b) for a in photos for b in photos if a != b]
    for number, (name, other) in enumerate(pairs):
        picture, reference = photos[name], photos[other]
        for method in ("linear", "reinhard", "histogram", "sliced", "wavelet", "luminance"):
            began = time.perf_counter()
            result = match(picture, reference, method)
            add_row(method, result, picture, reference, time.perf_counter() - began)
        if ColorMatcher is not None:
            arrays = [(x.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for x in (picture, reference)]
            for rival in RIVALS.values():
                began = time.perf_counter()
                out = ColorMatcher().transfer(src=arrays[0], ref=arrays[1], method=rival)
                seconds = time.perf_counter() - began
                result = torch.from_numpy(np.clip(out, 0, 255).astype(np.float32) / 255).permute(2, 0, 1).contiguous()
                add_row(f"color-matcher {rival}", result, picture, reference, seconds)
        bar(0.5 + 0.45 * (number + 1) / len(pairs))
    return {k: {n: round(float(np.mean([r[n] for r in v])), 5) for n in v[0]} for k, v in rows.items()}


def speed(photos: dict[str, Tensor]) -> dict[str, float]:
    """Milliseconds for 1024 x 1024 on one core, the best of five."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    first, second = list(photos.values())[:2]
    picture, reference = (resize(x, 1024, 1024).clamp(0, 1).contiguous() for x in (first, second))
    target = parse(NAMED["five"])
    jobs: dict[str, Callable[[], Any]] = {
        "palette": lambda: repalette(picture, target),
        **{
            m: (lambda m=m: match(picture, reference, m))
            for m in ("linear", "reinhard", "histogram", "sliced", "wavelet", "luminance")
        },
    }
    best = {}
    for name, job in jobs.items():
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - began)
        best[name] = round(1000 * min(seconds), 1)
    torch.set_num_threads(before)
    return best


def run(context: BenchContext) -> BenchResult:
    """The report and a page of pictures; when quick, of three photographs."""
    photos = photographs()
    if context.quick:
        photos = dict(list(photos.items())[:3])
    report, page = palettes(photos, context.bar)
    report |= {"reference": references(photos, context.bar), "ms for 1024 x 1024, one core": speed(photos)}
    width = max(len(row) for row in page)
    small = [[resize(p, 160, round(160 * p.shape[2] / p.shape[1])) for p in row] for row in page]
    small = [row + [None] * (width - len(row)) for row in small]
    return report, {"": sheet(small, ["photograph"], list(photos), cell_px=170)}
