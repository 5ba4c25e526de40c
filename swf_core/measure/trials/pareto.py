"""The Pareto picture: arms as numbered dots by probability of style and of object, the front as a line, a legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

COLORS = {"ours": "#c0392b", "rival": "#1f5fa8", "published": "#2e8b57", "baseline": "#7a7a7a"}
SIDE, MARGIN, LEGEND, LINE, DOT = 640, 64, 330, 19, 9
TEXT_PX = 14


def pareto_picture(
    points: Mapping[str, tuple[float, float]], kinds: Mapping[str, str], front: Sequence[str], hollow: Sequence[str]
) -> Image.Image:
    """Points (style probability, object probability), both 0..1, more is better and right and up.

    `kinds`: of each name one of `COLORS`. `front`: the names on the front. `hollow`: names drawn as rings (here: arms
    without words).
    """
    height = max(SIDE + 2 * MARGIN, (len(points) + 6) * LINE + MARGIN)
    page = Image.new("RGB", (SIDE + 2 * MARGIN + LEGEND, height), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(TEXT_PX)
    axes = tuple(_Axis.of([point[k] for point in points.values()]) for k in (0, 1))
    _draw_axes(draw, font, *axes)
    places = {name: _place(point, *axes) for name, point in points.items()}
    line = [places[name] for name in front]
    for (x, y), (right, below) in zip(line, line[1:], strict=False):
        draw.line([(x, y), (right, y), (right, below)], fill="#999999", width=2)
    order = sorted(points, key=lambda name: (-points[name][0], name))
    for number, name in enumerate(order, 1):
        color, (x, y) = COLORS[kinds[name]], places[name]
        _dot(draw, x, y, color, name in hollow)
        draw.text((x + DOT, y - DOT - 8), str(number), fill=color, font=font)
        top, left = MARGIN + (number - 1) * LINE, SIDE + 2 * MARGIN
        _dot(draw, left, top + LINE // 2, color, name in hollow)
        draw.text((left + 16, top), f"{number}  {name}{' *' if name in front else ''}", fill="black", font=font)
    _key(draw, font, MARGIN + (len(order) + 1) * LINE)
    return page


@dataclass(frozen=True)
class _Axis:
    """The tenths from `low` to `high` that an axis shows: what lies beyond would press the points together."""

    low: int
    high: int

    @staticmethod
    def of(values: Sequence[float]) -> _Axis:
        low, high = math.floor(10 * min(values)), math.ceil(10 * max(values))
        return _Axis(min(low, 9), max(high, low + 1))

    def at(self, value: float) -> float:
        """0..1 along the axis."""
        return (10 * value - self.low) / (self.high - self.low)


def _place(point: tuple[float, float], style: _Axis, kept: _Axis) -> tuple[int, int]:
    return round(MARGIN + style.at(point[0]) * SIDE), round(MARGIN + (1 - kept.at(point[1])) * SIDE)


def _dot(draw: ImageDraw.ImageDraw, x: int, y: int, color: str, hollow: bool) -> None:
    box = (x - DOT // 2, y - DOT // 2, x + DOT // 2, y + DOT // 2)
    draw.ellipse(box, fill="white" if hollow else color, outline=color, width=2)


def _draw_axes(
    draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, style: _Axis, kept: _Axis
) -> None:
    for tick in range(style.low, style.high + 1):
        x, _ = _place((tick / 10, 0), style, kept)
        draw.line([(x, MARGIN), (x, MARGIN + SIDE)], fill="#eeeeee")
        draw.text((x - 9, MARGIN + SIDE + 6), f"{tick / 10:g}", fill="black", font=font)
    for tick in range(kept.low, kept.high + 1):
        _, y = _place((0, tick / 10), style, kept)
        draw.line([(MARGIN, y), (MARGIN + SIDE, y)], fill="#eeeeee")
        draw.text((MARGIN - 30, y - 9), f"{tick / 10:g}", fill="black", font=font)
    draw.rectangle((MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE), outline="black")
    draw.text((MARGIN + SIDE // 3, MARGIN + SIDE + 28), "probability of the style", fill="black", font=font)
    draw.text((MARGIN - 50, MARGIN - 30), "probability of the content's object", fill="black", font=font)


def _key(draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, top: int) -> None:
    left = SIDE + 2 * MARGIN
    for k, (kind, color) in enumerate(COLORS.items()):
        draw.text((left + (k % 2) * 150, top + (k // 2) * LINE), kind, fill=color, font=font)
    draw.text((left, top + 2 * LINE), "ring: no words    *: on the front", fill="black", font=font)
