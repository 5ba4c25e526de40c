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
from ...color.palette import Palette, extract, parse, pixels_seen
from ...color.spaces import from_oklab, to_oklab
from ...color.transport import palette_distance, repalette
from ...pictures import load as load_picture
from ...pictures import resize, sheet

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
    found = (folder / name for name in PHOTOS for folder in folders if (folder / name).exists())
    return {path.stem: load_picture(path, side_px).pixels for path in found}


def clipped(result: Tensor, source: Tensor) -> float:
    """Share of pixels with a channel at 0 or 255 that no channel of the source pixel had there."""
    at_end = [((x * 255).round() <= 0) | ((x * 255).round() >= 255) for x in (result, source)]
    return float((at_end[0].any(0) & ~at_end[1].any(0)).float().mean())


def structure(result: Tensor, source: Tensor) -> float:
    """SSIM of OKLab's lightness."""
    from skimage.metrics import structural_similarity

    one, other = (to_oklab(x)[0].numpy() for x in (source, result))
    return float(structural_similarity(one, other, data_range=1.0))  # type: ignore[arg-type]


def edits_of(palette: Palette) -> dict[str, Palette]:
    """What a person does to swatches: one color at a time turned by a third of the circle, either way, as far as the
    gamut goes at its lightness."""
    found = {}
    for k, (color, share) in enumerate(zip(palette.colors, palette.weights())):
        if share < LEAST_SHARE or float(color[1:].norm()) < LEAST_CHROMA:
            continue
        for degrees in (120, 240):
            turn = torch.tensor(np.deg2rad(degrees))
            a, b = color[1], color[2]
            turned = torch.stack([color[0], a * turn.cos() - b * turn.sin(), a * turn.sin() + b * turn.cos()])
            colors = palette.colors.clone()
            colors[k] = to_oklab(from_oklab(turned[:, None]))[:, 0]
            found[f"{palette.codes[k]} turned by {degrees}"] = Palette(colors, palette.shares)
    return found


def way_left(picture: Tensor, result: Tensor, source: Palette, target: Palette) -> tuple[float, float]:
    """Mean OKLab distance, before and after, from each source color's pixels (their mean) to where it should go."""
    before, after = pixels_seen(picture)[0], pixels_seen(result)[0]
    nearest = torch.cdist(before, source.colors).argmin(1)
    ways = []
    for points in (before, after):
        mass = torch.zeros(len(source)).index_add_(0, nearest, torch.ones(len(points)))
        mean = torch.zeros(len(source), 3).index_add_(0, nearest, points) / mass.clamp_min(1)[:, None]
        ways.append(float((mass / mass.sum()) @ (mean - target.colors).norm(dim=1)))
    return ways[0], ways[1]


def row_of(picture: Tensor, result: Tensor, before: float, after: float) -> dict[str, float]:
    """The figures of one edit."""
    return {
        "before": before,
        "after": after,
        "falls": 1 - after / before,
        "ssim": structure(result, picture),
        "clipped": clipped(result, picture),
    }


def palettes(photos: dict[str, Tensor], bar: Callable[..., None]) -> tuple[dict[str, Any], list[list[Any]]]:
    """Edited swatches; palettes of others, hues alone and with their light and dark."""
    kinds = ("edited swatches", "foreign, lightness 0", "foreign, lightness 1")
    rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    page = []
    own = {name: extract(picture, COLORS) for name, picture in photos.items()}
    for done, (name, picture) in enumerate(photos.items()):
        shown: list[Any] = [picture]
        for target in edits_of(own[name]).values():
            result = repalette(picture, target, source=own[name])
            rows["edited swatches"].append(row_of(picture, result, *way_left(picture, result, own[name], target)))
            shown = shown[:3] + [result] if len(shown) > 2 else [*shown, result]
        foreign = {other: palette for other, palette in own.items() if other != name}
        foreign |= {word: parse(text) for word, text in NAMED.items()}
        for other, target in foreign.items():
            for lightness in (0.0, 1.0):
                result = repalette(picture, target, lightness=lightness)
                seen = [extract(p, len(target)) for p in (picture, result)]
                ways = [palette_distance(*(p if lightness else hues(p) for p in (each, target))) for each in seen]
                rows[f"foreign, lightness {lightness:g}"].append(row_of(picture, result, ways[0], ways[1]))
                if other in ("five", "coffee"):
                    shown.append(result)
        page.append(shown)
        bar(0.5 * (done + 1) / len(photos))
    report = {kind: told(each) for kind, each in rows.items()}
    return report, page


def hues(palette: Palette) -> Palette:
    """The palette at one lightness: what an edit of hues alone is measured by."""
    colors = palette.colors.clone()
    colors[:, 0] = 0.5
    return Palette(colors, palette.shares)


def told(rows: list[dict[str, float]]) -> dict[str, float]:
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


def apart(result: Tensor, reference: Tensor) -> dict[str, float]:
    """How far two pictures' colors are apart in OKLab: means, covariances, and sliced Wasserstein distance."""
    a, b = (pixels_seen(x, None, 1 << 14)[0].double() for x in (result, reference))
    a, b = a[: min(len(a), len(b))], b[: min(len(a), len(b))]
    generator = torch.Generator().manual_seed(0)
    axes = torch.nn.functional.normalize(torch.randn((3, 32), generator=generator, dtype=torch.float64), dim=0)
    sliced = ((a @ axes).sort(0).values - (b @ axes).sort(0).values).abs().mean()
    return {
        "mean": float((a.mean(0) - b.mean(0)).norm()),
        "covariance": float((a.T.cov() - b.T.cov()).norm()),
        "sliced": float(sliced),
    }


def references(photos: dict[str, Tensor], bar: Callable[..., None]) -> dict[str, Any]:
    """Each photograph after each other one, by us and by color-matcher where it is installed."""
    try:
        from color_matcher import ColorMatcher  # type: ignore[import-not-found]
    except ImportError:
        ColorMatcher = None
    rows: dict[str, list[dict[str, float]]] = {}

    def keep(label: str, result: Tensor, picture: Tensor, reference: Tensor, seconds: float) -> None:
        row = apart(result, reference) | {"ssim": structure(result, picture), "clipped": clipped(result, picture)}
        rows.setdefault(label, []).append(row | {"ms": 1000 * seconds})

    pairs = [(a, b) for a in photos for b in photos if a != b]
    for done, (name, other) in enumerate(pairs):
        picture, reference = photos[name], photos[other]
        for method in ("linear", "reinhard", "histogram", "sliced", "wavelet", "luminance"):
            began = time.perf_counter()
            result = match(picture, reference, method)
            keep(method, result, picture, reference, time.perf_counter() - began)
        if ColorMatcher is not None:
            arrays = [(x.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for x in (picture, reference)]
            for rival in RIVALS.values():
                began = time.perf_counter()
                out = ColorMatcher().transfer(src=arrays[0], ref=arrays[1], method=rival)
                seconds = time.perf_counter() - began
                result = torch.from_numpy(np.clip(out, 0, 255).astype(np.float32) / 255).permute(2, 0, 1).contiguous()
                keep(f"color-matcher {rival}", result, picture, reference, seconds)
        bar(0.5 + 0.45 * (done + 1) / len(pairs))
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
    found = {}
    for name, job in jobs.items():
        took = []
        for _ in range(5):
            began = time.perf_counter()
            job()
            took.append(time.perf_counter() - began)
        found[name] = round(1000 * min(took), 1)
    torch.set_num_threads(before)
    return found


def recolor(quick: bool, bar: Callable[..., None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report and a page of pictures."""
    photos = photographs()
    if quick:
        photos = dict(list(photos.items())[:3])
    report, page = palettes(photos, bar)
    report |= {"reference": references(photos, bar), "ms for 1024 x 1024, one core": speed(photos)}
    width = max(len(row) for row in page)
    small = [[resize(p, 160, round(160 * p.shape[2] / p.shape[1])) for p in row] for row in page]
    small = [row + [None] * (width - len(row)) for row in small]
    return report, {"": sheet(small, ["photograph"], list(photos), cell_px=170)}
