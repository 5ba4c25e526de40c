"""Contact sheets: rows of pictures with labels, for the pages of benches, the demo and the model card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont, ImageOps

from .sizes import LANCZOS
from .writing import to_image


def sheet(
    rows: Sequence[Sequence[Any]],
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    cell_px: int = 192,
    title: str = "",
) -> Image.Image:
    """Lay pictures (tensors [3,H,W], Pillow images, or None for a gap) out on a white sheet with readable labels."""
    text = _Text(max(13, cell_px // 11))
    gap = max(4, cell_px // 24)
    columns = max([len(row) for row in rows] + [len(column_labels)])
    side = min(cell_px, text.widest(row_labels) + gap) if any(row_labels) else 0
    heads = [text.wrap(label, cell_px) for label in column_labels]
    sides = [text.wrap(label, side - gap) for label in row_labels]
    top = gap + (text.title_px + 2 * gap if title else 0)
    head = max([len(lines) for lines in heads], default=0) * text.line_px + (gap if heads else 0)
    width = gap + side + columns * (cell_px + gap)
    page = Image.new("RGB", (width, top + head + len(rows) * (cell_px + gap)), "white")
    draw = ImageDraw.Draw(page)
    if title:
        draw.text((gap, gap), title, fill="black", font=text.title_font)
    lefts = [gap + side + column * (cell_px + gap) for column in range(columns)]
    for left, lines in zip(lefts, heads):
        text.draw(draw, left, top, lines)
    for index, row in enumerate(rows):
        y = top + head + index * (cell_px + gap)
        if index < len(sides):
            text.draw(draw, gap, y + max(0, (cell_px - len(sides[index]) * text.line_px) // 2), sides[index])
        for left, item in zip(lefts, row):
            if item is not None:
                image = _fitted(item, cell_px)
                page.paste(image, (left + (cell_px - image.width) // 2, y + (cell_px - image.height) // 2))
    return page


class _Text:
    """The fonts of a sheet, and what their lines measure."""

    def __init__(self, text_px: int):
        self.font = ImageFont.load_default(text_px)
        self.title_px = round(text_px * 1.4)
        self.title_font = ImageFont.load_default(self.title_px)
        self.line_px = text_px + 4
        self._probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))

    def widest(self, labels: Sequence[str]) -> int:
        """Pixels of the widest line of these labels."""
        return round(max(self._length(part) for label in labels for part in str(label).split("\n")))

    def wrap(self, text: str, width: int) -> list[str]:
        """Lines of at most `width` pixels; a single longer word stays whole."""
        lines: list[str] = []
        for paragraph in str(text).split("\n"):
            current = ""
            for word in paragraph.split():
                longer = f"{current} {word}".strip()
                if current and self._length(longer) > width:
                    lines.append(current)
                    current = word
                else:
                    current = longer
            lines.append(current)
        return lines

    def draw(self, draw: ImageDraw.ImageDraw, left: int, top: int, lines: Sequence[str]) -> None:
        """Lines below each other."""
        for number, line in enumerate(lines):
            draw.text((left, top + number * self.line_px), line, fill="black", font=self.font)

    def _length(self, text: str) -> float:
        return self._probe.textlength(text, font=self.font)


def _fitted(item: Any, cell_px: int) -> Image.Image:
    """A tensor or image scaled to fit a cell; what is much smaller is enlarged without smoothing."""
    image = to_image(item) if isinstance(item, torch.Tensor) else ImageOps.exif_transpose(item).convert("RGB")
    small = image.width < cell_px // 2 and image.height < cell_px // 2
    return ImageOps.contain(image, (cell_px, cell_px), Image.Resampling.NEAREST if small else LANCZOS)
