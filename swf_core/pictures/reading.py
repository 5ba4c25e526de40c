"""Pictures in: a file is opened, refused by its head where it must be, decoded, turned upright and brought to sRGB."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from ..errors import UserError
from .color_modes import expand, on_ground, to_arrays, to_srgb
from .picture import SMALLEST_PX, Picture
from .sizes import resize, scaled

LARGEST_PIXELS = 150_000_000
_EXIF_ORIENTATION = 0x0112  # the number of the tag
# What turns a picture upright, by that tag's value.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load(path: Path | str, long_side: int | None = None) -> Picture:
    """Read a picture file; `long_side` bounds the size it is kept at (20 megapixels need not stay 20 megapixels)."""
    path = Path(path)
    image, original = _decode(path, long_side)
    rgb, alpha = to_arrays(image)
    pixels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    mask = None if alpha is None else torch.from_numpy(np.ascontiguousarray(alpha))
    if mask is not None:
        pixels = on_ground(pixels, mask)
    if long_side is not None and max(pixels.shape[1:]) > long_side:
        height, width = scaled(pixels.shape[1], pixels.shape[2], long_side)
        pixels = resize(pixels, height, width)
        mask = None if mask is None else resize(mask[None], height, width)[0]
    return Picture(pixels, mask, path, original)


def check(path: Path | str) -> None:
    """Refuse what `load` would refuse by looking at the head of the file only."""
    with _opened(Path(path)):
        pass


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture file, open and not yet decoded; refused by its head: no file, no picture, animated, too small, too
    large."""
    if path.is_dir():
        raise UserError(f"'{path}' is a folder; give a picture file.")
    if not path.exists():
        raise UserError(f"The picture '{path}' does not exist.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except PermissionError as error:
        raise UserError(f"No permission to read '{path}'.") from error
    except Image.DecompressionBombError as error:
        raise UserError(_too_large(path)) from error
    except UnidentifiedImageError as error:
        raise UserError(f"'{path}' is not a picture that can be read (PNG, JPEG, WebP, TIFF, ...).") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"'{path}' is broken and cannot be read as a picture.") from error
    try:
        _check_head(image, path)
        yield image
    finally:
        image.close()


def _check_head(image: Image.Image, path: Path) -> None:
    """Raise UserError for a size that cannot be worked with, or more than one frame."""
    width, height = image.size
    if width * height > LARGEST_PIXELS:
        raise UserError(_too_large(path))
    if min(width, height) < SMALLEST_PX:
        needed = f"{SMALLEST_PX}x{SMALLEST_PX}"
        raise UserError(f"'{path}' is {width}x{height} pixels; at least {needed} are needed.")
    try:
        frames = getattr(image, "n_frames", 1)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"'{path}' is broken and cannot be read as a picture.") from error
    # An MPO file is a camera's JPEG with a second view behind it: the first view is the picture.
    if frames > 1 and image.format != "MPO":
        what = "has several pages" if image.format == "TIFF" else "is animated"
        raise UserError(f"'{path}' {what} ({frames}); save the one you mean as a picture of its own.")


def _too_large(path: Path) -> str:
    return f"'{path}' has more than {LARGEST_PIXELS // 1_000_000} megapixels; scale it down first."


def _decode(path: Path, long_side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Return the decoded picture, upright, in sRGB, roughly reduced when far larger than needed; and its size."""
    with _opened(path) as image:
        try:
            width, height = image.size
            if long_side is not None and image.format in ("JPEG", "MPO") and max(width, height) > 2 * long_side:
                image.draft(image.mode, _at_least(width, height, 2 * long_side))
            image.load()
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
            profile = image.info.get("icc_profile")
            plain = expand(image)
            if long_side is not None and plain.mode not in ("I;16", "I;16B", "I;16L", "I;16N"):
                factor = max(plain.size) // (2 * long_side)
                if factor > 1 and min(plain.size) // factor >= SMALLEST_PX:
                    plain = plain.reduce(factor)
            plain = to_srgb(plain, profile)
            plain.info.pop("transparency", None)
            # by the exif as it stands after load(): Pillow itself has by then turned a TIFF, and cleared the mark
            method = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1))
            plain = plain.transpose(method) if method is not None else plain.copy()
        except MemoryError as error:
            raise UserError(f"'{path}' does not fit into memory; scale it down first.") from error
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            raise UserError(f"'{path}' is broken or cut short and cannot be read as a picture.") from error
        return plain, (height, width) if turned else (width, height)


def _at_least(width: int, height: int, long_side: int) -> tuple[int, int]:
    scale = long_side / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))
