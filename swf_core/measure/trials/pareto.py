"""The Pareto picture: arms as numbered dots by probability of style and of object, the front as a line, a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    _axes(draw, font)
    places = {name: _place(*point) for name, point in points.items()}
    line = [places[name] for name in front]
    for (x, y), (right, below) in zip(line, line[1:], strict=False):
        draw.line([(x, y), (right, y), (right, below)], fill="#999999", width=2)
    order = sorted(points, key=lambda name: (-points[name][0], name))
    for number, name in enumerate(order, 1):
        color, (x, y) = COLORS[kinds[name]], places[name]
        _dot(draw, x, y, color, name in hollow)
        label = str(number)
        draw.text((x + DOT, y - DOT - 8), label, fill=color, font=font)
        top = MARGIN + (number - 1) * LINE
        left = SIDE + 2 * MARGIN
        _dot(draw, left, top + LINE // 2, color, name in hollow)
        on_front = " *" if name in front else ""
        draw.text((left + 16, top), f"{number}  {name}{on_front}", fill="black", font=font)
    _key(draw, font, MARGIN + (len(order) + 1) * LINE)
    return page


def _place(style: float, kept: float) -> tuple[int, int]:
    return round(MARGIN + style * SIDE), round(MARGIN + (1 - kept) * SIDE)


def _dot(draw: ImageDraw.ImageDraw, x: int, y: int, color: str, hollow: bool) -> None:
    box = (x - DOT // 2, y - DOT // 2, x + DOT // 2, y + DOT // 2)
    draw.ellipse(box, fill="white" if hollow else color, outline=color, width=2)


def _axes(draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    for tick in range(11):
        (x, _), (_, y) = _place(tick / 10, 0), _place(0, tick / 10)
        draw.line([(x, MARGIN), (x, MARGIN + SIDE)], fill="#eeeeee")
        draw.line([(MARGIN, y), (MARGIN + SIDE, y)], fill="#eeeeee")
        draw.text((x - 9, MARGIN + SIDE + 6), f"{tick / 10:g}", fill="black", font=font)
        draw.text((MARGIN - 30, y - 9), f"{tick / 10:g}", fill="black", font=font)
    draw.rectangle((MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE), outline="black")
    draw.text((MARGIN + SIDE // 3, MARGIN + SIDE + 28), "probability of the style", fill="black", font=font)
    draw.text((MARGIN - 50, MARGIN - 30), "probability of the content's object", fill="black", font=font)


def _key(draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, top: int) -> None:
    left = SIDE + 2 * MARGIN
    for k, (kind, color) in enumerate(COLORS.items()):
        draw.text((left + (k % 2) * 150, top + (k // 2) * LINE), kind, fill=color, font=font)
    draw.text((left, top + 2 * LINE), "ring: no words    *: on the front", fill="black", font=font)
