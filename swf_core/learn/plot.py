"""A run's curves as a picture: the loss of the steps and of validation above, the signals of the samples below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from .signals import mean

WIDTH, HEIGHT, LEFT, RIGHT = 720, 480, 56, 120
# One color a curve, told apart by people who see few colors too (Okabe and Ito).
COLORS = {
    "loss": (150, 150, 150),
    "validation": (0, 114, 178),
    "style": (0, 158, 115),
    "prompt": (230, 159, 0),
    "copying": (213, 94, 0),
    "diversity": (204, 121, 167),
}


def plot(losses: Sequence[float], signals: Sequence[dict[str, Any]], title: str = "") -> Image.Image:
    """Draw a run's losses, one a step, and the signals of its evaluations."""
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    draw.text((LEFT, 6), title or f"{len(losses)} steps", fill="black")
    upper, lower = (28, HEIGHT // 2 - 14), (HEIGHT // 2 + 14, HEIGHT - 30)
    last = max([len(losses), *(s["step"] for s in signals), 1])
    curves: dict[str, list[tuple[float, float]]] = {
        "loss": [(k + 1.0, v) for k, v in zip(range(len(losses)), smooth(losses))],
        "validation": [(s["step"], s["validation"]) for s in signals],
    }
    _chart(draw, upper, curves, last)
    lower_curves = {
        name: [(s["step"], _value(s[name])) for s in signals if name in s and s[name] != []]
        for name in ("style", "prompt", "copying", "diversity")
    }
    _chart(draw, lower, {name: points for name, points in lower_curves.items() if points}, last)
    draw.text((LEFT, HEIGHT - 20), "0", fill="black")
    draw.text((WIDTH - RIGHT - 30, HEIGHT - 20), f"step {last}", fill="black")
    return page


def smooth(values: Sequence[float]) -> list[float]:
    """Exponential mean with the memory of a thirtieth of the curve; no step is left out."""
    keep, means, now = 1 - 1 / max(1.0, len(values) / 30), [], None
    for value in values:
        now = value if now is None else keep * now + (1 - keep) * value
        means.append(now)
    return means


def _value(signal: Any) -> float:
    return mean(signal) if isinstance(signal, list) else float(signal)


def _chart(
    draw: ImageDraw.ImageDraw, span: tuple[int, int], curves: dict[str, list[tuple[float, float]]], last: int
) -> None:
    """One chart between two heights, with its curves' names at their ends."""
    top, bottom = span
    values = [v for points in curves.values() for _, v in points]
    if not values:
        return
    low, high = float(np.min(values)), float(np.max(values))
    room = max(high - low, 1e-6)
    draw.rectangle((LEFT, top, WIDTH - RIGHT, bottom), outline=(200, 200, 200))
    draw.text((4, top), f"{high:.3g}", fill="black")
    draw.text((4, bottom - 10), f"{low:.3g}", fill="black")
    for n, (name, points) in enumerate(curves.items()):
        where = [
            (LEFT + (WIDTH - RIGHT - LEFT) * step / last, bottom - (bottom - top) * (value - low) / room)
            for step, value in points
        ]
        if len(where) > 1:
            draw.line(where, fill=COLORS[name], width=2)
        if name != "loss":
            for x, y in where:
                draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=COLORS[name])
        draw.text((WIDTH - RIGHT + 8, top + 14 * n), name, fill=COLORS[name])
