"""`bench real`: real paintings and photographs, judged by features of a network trained on real pictures.

Every painting with every photograph, from two folders (`python -m swf_core pictures` fills them), center crops of 256
px; nothing is typed and no words are read: the embedded captioner knows its own world alone. Rows in real.csv
(real-quick.csv), from which a stopped bench continues; means, differences to the color shift, shares of pairs nearer in
style than that and than the default preset, and a sheet. By VGG-19, unless quick, also Gatys' optimization and
the second pass on twelve of the pairs.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...classics.gatys import GatysOptions, gatys
from ...classics.second_pass import ITERATIONS, second_pass
from ...color.fine_detail import with_fine_detail
from ...color.match import match
from ...errors import UserError
from ...features import Features
from ...features.distances import content_between, content_features, style_between, style_grams
from ...features.vgg19 import Vgg19
from ...files import write_files
from ...learn.dataset import ENDINGS
from ...models.contracts import Backend
from ...models.round_trip import round_trip
from ...pictures import load, picture_id, png_bytes, resize, sheet, to_image
from ...presets import FINE_DETAIL
from ...presets.own import OWN
from ...transfer import Content, TransferOptions, preset, stylize
from ..metrics.distances import bootstrap_difference
from ..trials.identity import model_digest, text_digest
from .context import BenchContext, BenchResult
from .real_pictures import PRESETS, RealPictures
from .tables import Row, as_text, read_rows, write_rows

FIELDS = ("arm", "painting", "photograph", "key", "style", "content", "evaluations", "seconds")
CONTENT, STYLE_PICTURE, ROUND_TRIP, ADAIN = "content", "style picture", "round trip", "pixel AdaIN"
DETAILED = ", fine detail"
SHEET_ROWS = 12  # and as many pairs of a slow arm

# (model, content, style, seed) -> result and its cost in E
Paint = Callable[[Backend, Tensor, Tensor, int], tuple[Tensor, int]]


@dataclass(frozen=True)
class _Arm:
    """Text that changes when results would, how it paints, and whether it paints `SHEET_ROWS` of the pairs alone."""

    settings: str
    paint: Paint
    slow: bool = False

    def pairs_of(self, pairs: Sequence[_Pair]) -> Sequence[_Pair]:
        return _evenly(pairs, SHEET_ROWS) if self.slow else pairs


@dataclass(frozen=True, eq=False)
class _Pair:
    painting: str
    photograph: str
    style: Tensor
    content: Tensor


def run(context: BenchContext) -> BenchResult:
    """8 paintings x 12 photographs, or as many as asked for. Quick: 4 x 3."""
    chosen = context.real
    pairs = pairs_of(chosen, context.quick)
    features = context.features
    arms = _arms(context.backend, chosen.presets)
    if isinstance(features, Vgg19) and not context.quick:
        own = [(name, arm) for name, arm in arms.items() if name.endswith(DETAILED)]
        arms |= {"Gatys": _gatys(features)} | {f"{name}, second pass": _refined(arm, features) for name, arm in own}
    name = "real-quick" if context.quick else "real"
    rows = _rows(context, name, pairs, arms, features)
    page = _page(context.out / f"{name}-pictures", pairs, list(arms))
    return {"features": features.name, "pairs": len(pairs), "size_px": chosen.size_px} | report_of(rows), {"": page}


def pairs_of(chosen: RealPictures, quick: bool) -> list[_Pair]:
    """Every chosen painting with every chosen photograph; of a longer folder those at even places, by name."""
    counts = (4, 3) if quick else (chosen.most_paintings, chosen.most_photographs)
    folders = ((chosen.paintings, "--paintings"), (chosen.photographs, "--photographs"))
    paths = [_evenly(_pictures(*folder), count) for folder, count in zip(folders, counts, strict=True)]
    paintings, photographs = ([(path.stem, _square(path, chosen.size_px)) for path in group] for group in paths)
    return [_Pair(one, other, style, content) for one, style in paintings for other, content in photographs]


def report_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Per arm the means of style and content with 95 % intervals, and the difference to the color shift in pairs."""
    names = list(dict.fromkeys(row["arm"] for row in rows))
    report: dict[str, Any] = {}
    for arm in names:
        places = [_place(row) for row in rows if row["arm"] == arm]
        entry: dict[str, Any] = {"pairs": len(places)}
        report[arm] = entry
        for k in ("style", "content"):
            column, shifted = (_column(rows, name, k, places) for name in (arm, ADAIN))
            entry[k] = [round(v, 4) for v in bootstrap_difference(column, torch.zeros_like(column))]
            entry[f"{k} less {ADAIN}'s"] = [round(v, 4) for v in bootstrap_difference(column, shifted)]
        for other in (ADAIN, *(name for name in names if name in PRESETS[:1])):
            nearer = _column(rows, arm, "style", places) < _column(rows, other, "style", places)
            entry[f"share of pairs nearer in style than {other}"] = round(float(nearer.float().mean()), 4)
        for k in ("evaluations", "seconds"):
            entry[k] = round(float(_column(rows, arm, k, places).mean()), 2)
    return {"arms": report}


def _place(row: Row) -> tuple[str, str]:
    return row["painting"], row["photograph"]


def _column(rows: Sequence[Row], arm: str, name: str, places: Sequence[tuple[str, str]]) -> Tensor:
    """A value of an arm at each of these pairs."""
    values = {_place(row): float(row[name]) for row in rows if row["arm"] == arm}
    return torch.tensor([values[place] for place in places], dtype=torch.float64)


def _arms(backend: Backend, presets: Sequence[str]) -> dict[str, _Arm]:
    """Controls and presets: text that changes when results would, and how each one paints."""

    arms = {
        CONTENT: _Arm("as it is", lambda model, content, style, seed: (content, 0)),
        STYLE_PICTURE: _Arm("as it is", lambda model, content, style, seed: (style, 0)),
        ROUND_TRIP: _Arm(
            "content through the autoencoder",
            lambda model, content, style, seed: (round_trip(model.codec, content), 0),
        ),
        ADAIN: _Arm(
            "reinhard in OKLab",
            lambda model, content, style, seed: (match(content, style, "reinhard").clamp(0, 1), 0),
        ),
    }
    transfers = _Transfers()
    arms |= {name: _transfer(backend, name, transfers) for name in presets}
    # As the command line gives our own.
    own = [name for name in presets if name in OWN]
    return arms | {name + DETAILED: _transfer(backend, name, transfers, FINE_DETAIL) for name in own}


def _gatys(features: Features) -> _Arm:
    options = GatysOptions()
    return _Arm(repr(options), lambda model, content, style, seed: (gatys(features, content, style, options), 0), True)


def _refined(arm: _Arm, features: Features) -> _Arm:
    """The second pass behind an arm. It lowers the very distances that results are judged by, as Gatys does."""

    def paint(model: Backend, content: Tensor, style: Tensor, seed: int) -> tuple[Tensor, int]:
        picture, cost = arm.paint(model, content, style, seed)
        return second_pass(features, picture, style), cost

    return _Arm(f"{arm.settings} second pass {ITERATIONS}", paint, slow=True)


def _transfer(backend: Backend, name: str, transfers: _Transfers, fine_detail: float = 0.0) -> _Arm:
    # Without words guidance has nothing to guide by.
    options = preset(name, backend).changed(size_px=0, cfg=1.0)

    def paint(model: Backend, content: Tensor, style: Tensor, seed: int) -> tuple[Tensor, int]:
        picture, cost = transfers(model, content, style, seed, options)
        return with_fine_detail(picture, content, model.codec, fine_detail), cost

    return _Arm(f"{options!r} fine detail {fine_detail:g}" if fine_detail else repr(options), paint)


class _Transfers:
    """Transfers of the pair that is being painted: arms that only differ in what follows a transfer share it."""

    def __init__(self):
        self._pictures: tuple[Tensor, Tensor] | None = None
        self._done: dict[TransferOptions, tuple[Tensor, int]] = {}

    def __call__(
        self, model: Backend, content: Tensor, style: Tensor, seed: int, options: TransferOptions
    ) -> tuple[Tensor, int]:
        """The result and its cost."""
        if self._pictures is None or self._pictures[0] is not content or self._pictures[1] is not style:
            self._pictures, self._done = (content, style), {}
        if options not in self._done:
            result = stylize(model, [Content(content)], [style], options, seed=seed)
            self._done[options] = result.images[0].clamp(0, 1), result.cost.counted
        return self._done[options]


def _rows(
    context: BenchContext,
    name: str,
    pairs: Sequence[_Pair],
    arms: dict[str, _Arm],
    features: Features,
) -> list[Row]:
    """All rows, pair by pair; those that are missing or out of date are made, and the table written after each."""
    table, model = context.out / f"{name}.csv", model_digest(context.backend)
    known = {(r["arm"], r["painting"], r["photograph"]): r for r in read_rows(table) if set(FIELDS) <= r.keys()}
    rows: list[Row] = []
    judge = _Judge(features)
    jobs = [(name, arm, pair) for pair in pairs for name, arm in arms.items() if pair in arm.pairs_of(pairs)]
    for arm, way, pair in jobs:
        place = (arm, pair.painting, pair.photograph)
        ids = picture_id(pair.style) + picture_id(pair.content)
        key = text_digest(model, way.settings, features.name, str(context.seed), ids)
        if known.get(place, {}).get("key") != key:
            began = time.perf_counter()
            result, cost = way.paint(context.backend, pair.content, pair.style, _seed(context.seed, ids))
            values = {"key": key, "evaluations": cost, "seconds": round(time.perf_counter() - began, 3)}
            distances = judge.distances(result, pair)
            write_files({_path(context.out / f"{name}-pictures", arm, pair): png_bytes(to_image(result))})
            known[place] = as_text(dict(zip(FIELDS[:3], place)) | values | distances)
            write_rows(table, list(known.values()), FIELDS)
        rows.append(known[place])
        context.bar(len(rows) / len(jobs), arm)
    return rows


def _seed(seed: int, ids: str) -> int:
    """A pair's seed, from its pictures: the same whichever other pairs are asked for."""
    return seed * 1_000_003 + int(hashlib.sha256(ids.encode()).hexdigest()[:8], 16)


class _Judge:
    """Distances of results, with what the features say of paintings and photographs computed once."""

    def __init__(self, features: Features):
        self.features = features
        self.grams: dict[str, list[Tensor]] = {}
        self.contents: dict[str, Tensor] = {}

    def distances(self, result: Tensor, pair: _Pair) -> dict[str, float]:
        """Style: to the painting; content: to the photograph."""
        if pair.painting not in self.grams:
            self.grams[pair.painting] = style_grams(self.features, pair.style[None])
        if pair.photograph not in self.contents:
            self.contents[pair.photograph] = content_features(self.features, pair.content[None])
        style = style_between(style_grams(self.features, result[None]), self.grams[pair.painting])
        content = content_between(content_features(self.features, result[None]), self.contents[pair.photograph])
        return {"style": round(float(style), 5), "content": round(float(content), 5)}


def _page(folder: Path, pairs: Sequence[_Pair], arms: Sequence[str]) -> Any:
    shown = [name for name in arms if name not in (CONTENT, STYLE_PICTURE)]
    rows = []
    for pair in _evenly(pairs, SHEET_ROWS):
        paths = [_path(folder, arm, pair) for arm in shown]
        rows.append([pair.content, pair.style, *(load(path).pixels if path.exists() else None for path in paths)])
    return sheet(rows, ["photograph", "painting", *shown], cell_px=192)


def _path(folder: Path, arm: str, pair: _Pair) -> Path:
    return folder / arm.replace(" ", "_") / f"{pair.painting}-{pair.photograph}.png"


def _pictures(folder: Path, option: str) -> list[Path]:
    """The picture files of a folder, by name."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS) if folder.is_dir() else []
    if not found:
        raise UserError(
            f"{option} '{folder}' holds no pictures; give a folder of them, or run: python -m swf_core pictures "
            "(it takes them out of the package gcompris-qt-data)."
        )
    return found


def _evenly(items: Sequence[Any], count: int) -> list[Any]:
    """At most `count` of the items, at even places from the first on."""
    return [items[k * len(items) // count] for k in range(count)] if len(items) > count else list(items)


def _square(path: Path, size_px: int) -> Tensor:
    """The middle of a picture, [3, size_px, size_px]."""
    pixels = load(path).pixels
    side = min(pixels.shape[1:])
    top, left = ((length - side) // 2 for length in pixels.shape[1:])
    return resize(pixels[:, top : top + side, left : left + side].contiguous(), size_px, size_px)
