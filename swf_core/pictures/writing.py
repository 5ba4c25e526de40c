"""Pictures out: a tensor as an 8-bit image, as PNG bytes that are the same for the same pixels, and as a file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..files import write_files
from ..finite import check_finite
from .sizes import resize


def to_image(pixels: torch.Tensor, alpha: torch.Tensor | None = None) -> Image.Image:
    """Return an 8-bit Pillow image of [3,H,W]; alpha [h,w] of any size is scaled to it.

    Raises UserError for NaN and infinity, which would be written as black and white.
    """
    check_finite(pixels, "The picture")
    array = (pixels.detach().to("cpu", torch.float32).clamp(0, 1) * 255.0 + 0.5).to(torch.uint8)
    image = Image.fromarray(np.ascontiguousarray(array.permute(1, 2, 0).numpy()))
    if alpha is not None:
        mask = resize(alpha[None], pixels.shape[1], pixels.shape[2])[0]
        image.putalpha(Image.fromarray((mask * 255.0 + 0.5).to(torch.uint8).numpy()))
    return image


def png_bytes(
    image: Image.Image | torch.Tensor, alpha: torch.Tensor | None = None, text: PngInfo | None = None
) -> bytes:
    """Encode as PNG, with what is to be said of it; the same pixels and text give the same bytes."""
    if isinstance(image, torch.Tensor):
        image = to_image(image, alpha)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6, pnginfo=text)
    return buffer.getvalue()


def save(path: Path | str, image: Image.Image | torch.Tensor, alpha: torch.Tensor | None = None) -> None:
    """Write a PNG whole or not at all."""
    write_files({Path(path): png_bytes(image, alpha)})
