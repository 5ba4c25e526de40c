"""Thumbnails of the shipped graphs: what their runs gave, as squares that fill the template browser's cards.

Each says in its corner and in its JPEG comment what made it: the embedded model, also for a graph of a large model,
whose own run needs gigabytes. The comment holds the digest of what was run, so that `--check` knows a stale one.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from making.prompt import Prompt

SIDE, INSET, BORDER = 512, 144, 4


def comment(mini: str, prompt: Prompt, twin: bool) -> str:
    """What a thumbnail's file says of its origin. `mini`: the graph that was run; `twin`: it stands for another."""
    digest = hashlib.sha256(json.dumps(prompt, sort_keys=True).encode()).hexdigest()[:16]
    return f"{label(twin)}: the graph '{mini}', {digest}"


def label(twin: bool) -> str:
    """What is drawn into a thumbnail's corner."""
    return "shown with mini" if twin else "made with mini"


def comment_of(path: Path) -> str:
    """What a thumbnail says of its origin; nothing where it is not there."""
    if not path.is_file():
        return ""
    with Image.open(path) as picture:
        return picture.info.get("comment", b"").decode("utf-8", "replace")


def thumbnail(results: list[Image.Image], inputs: list[Image.Image], words: list[str], twin: bool) -> Image.Image:
    """Results over the whole square, the pictures that went in as insets; words, where there are any, beneath."""
    card = Image.new("RGB", (SIDE, SIDE), "#202020")
    if words:
        half = SIDE // 2
        for i, picture in enumerate(results[:2]):
            card.paste(ImageOps.fit(picture.convert("RGB"), (half, half)), (i * half, 0))
        _write(card, words, half)
    else:
        across = 2 if len(results) >= 4 else 1
        cell = SIDE // across
        for i, picture in enumerate(results[: across**2]):
            fitted = ImageOps.fit(picture.convert("RGB"), (cell, cell), Image.Resampling.LANCZOS)
            card.paste(fitted, (i % across * cell, i // across * cell))
        for i, picture in enumerate(inputs):
            framed = ImageOps.expand(ImageOps.fit(picture.convert("RGB"), (INSET, INSET)), BORDER, "white")
            x = 12 if i == 0 else SIDE - 12 - framed.width if i == len(inputs) - 1 else (SIDE - framed.width) // 2
            card.paste(framed, (x, SIDE - 12 - framed.height))
    _sign(card, label(twin))
    return card


def save(card: Image.Image, path: Path, origin: str) -> None:
    """Write a thumbnail with its origin."""
    data = io.BytesIO()
    card.save(data, "JPEG", quality=88, comment=origin.encode())
    path.write_bytes(data.getvalue())


def _sign(card: Image.Image, text: str) -> None:
    draw, font = ImageDraw.Draw(card), ImageFont.load_default(22)
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    x = SIDE - (right - left) - 14
    draw.rectangle((x - 10, 0, SIDE, bottom - top + 18), fill="white")
    draw.text((x, 6 - top), text, "#202020", font)


def _write(card: Image.Image, paragraphs: list[str], top: int) -> None:
    draw, font, y = ImageDraw.Draw(card), ImageFont.load_default(24), top + 18
    for paragraph, color in zip(paragraphs, ("white", "#9ad0ff")):
        line = ""
        for word in paragraph.split():
            if draw.textlength(f"{line} {word}", font) > SIDE - 40:
                draw.text((20, y), line, color, font)
                line, y = "", y + 30
            line = f"{line} {word}".strip()
        draw.text((20, y), line, color, font)
        y += 46


def opened(base: Path, output: dict[str, Any]) -> list[Image.Image]:
    """The pictures that a node's output names."""
    return [Image.open(base / i["type"] / i["subfolder"] / i["filename"]).copy() for i in output.get("images", ())]
