"""Pictures in: a file is opened, refused by its head where it must be, decoded, turned upright and brought to sRGB."""

from __future__ import annotations

import errno
import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from ..errors import UserError
from ..files import explain
from .color_modes import expand, on_ground, to_arrays, to_srgb
from .damaged_png import with_pixels_alone
from .picture import SMALLEST_PX, Picture
from .sizes import LANCZOS, resize, scaled

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
    image, original = _decode(path, f"'{path}'", long_side)
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


def from_png(data: bytes, name: str, long_side: int) -> torch.Tensor:
    """The pixels [3,H,W] of a PNG in memory, as they are up to `long_side`, scaled to it above.

    What the limits of a picture file refuse is refused here too. `name`: what the picture is called then. The memory
    needed beside the decoded picture is that of `long_side` squared.
    """
    image, _ = _decode(data, name, long_side, exactly=True)
    return torch.from_numpy(np.ascontiguousarray(to_arrays(image.convert("RGB"))[0].transpose(2, 0, 1)))


def check(path: Path | str) -> None:
    """Refuse what `load` would refuse by looking at the head of the file only."""
    with _opened(Path(path), f"'{path}'"):
        pass


def size_of(path: Path | str) -> tuple[int, int]:
    """Height and width as a viewer shows it, from the head of the file; refuses what `check` refuses."""
    with _opened(Path(path), f"'{path}'") as image:
        width, height = image.size
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


def _check_file(path: Path) -> None:
    """Refuse what is no file that can be read."""
    try:
        kind = os.stat(path).st_mode
    except PermissionError as error:
        raise UserError(f"No permission to read '{path}'.") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            raise explain(error, path) from error
        raise UserError(f"The picture '{path}' does not exist.") from error
    if stat.S_ISDIR(kind):
        raise UserError(f"'{path}' is a folder; give a picture file.")
    if not stat.S_ISREG(kind):  # reading a pipe would wait for ever
        raise UserError(f"'{path}' is no file but a pipe or a device; give a picture file.")


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[Image.Image]:
    """The picture, open and not yet decoded; refused by its head: no file, no picture, animated, too small, too large.

    A PNG in which something beside the pixels is damaged is opened without that.
    """
    if isinstance(source, Path):
        _check_file(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels, and of EXIF data that are damaged
            try:
                image = _open(source)
            except (SyntaxError, ValueError, OSError):
                pixels_alone = with_pixels_alone(source)
                if pixels_alone is None:
                    raise
                image = _open(pixels_alone)
    except PermissionError as error:
        raise UserError(f"No permission to read {name}.") from error
    except Image.DecompressionBombError as error:
        raise UserError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is not a picture that can be read (PNG, JPEG, WebP, TIFF, ...).") from error
    except Exception as error:  # Pillow's plugins raise whatever a damaged head leads to
        raise UserError(f"{name} is broken and cannot be read as a picture.") from error
    try:
        _check_head(image, name)
        yield image
    finally:
        image.close()


def _open(source: Path | bytes) -> Image.Image:
    """Pillow's image. What is in memory is one of our own PNG files."""
    return Image.open(io.BytesIO(source), formats=["PNG"]) if isinstance(source, bytes) else Image.open(source)


def _check_head(image: Image.Image, name: str) -> None:
    """Raise UserError for a size that cannot be worked with, or more than one frame."""
    width, height = image.size
    if width * height > LARGEST_PIXELS:
        raise UserError(_too_large(name))
    if min(width, height) < SMALLEST_PX:
        needed = f"{SMALLEST_PX}x{SMALLEST_PX}"
        raise UserError(f"{name} is {width}x{height} pixels; at least {needed} are needed.")
    try:
        frames = getattr(image, "n_frames", 1)
    except Exception as error:
        raise UserError(f"{name} is broken and cannot be read as a picture.") from error
    # An MPO file is a camera's JPEG with a second view behind it: the first view is the picture.
    if frames > 1 and image.format != "MPO":
        what = "has several pages" if image.format == "TIFF" else "is animated"
        raise UserError(f"{name} {what} ({frames}); save the one you mean as a picture of its own.")


def _too_large(name: str) -> str:
    return f"{name} has more than {LARGEST_PIXELS // 1_000_000} megapixels; scale it down first."


def _decode(
    source: Path | bytes, name: str, long_side: int | None, exactly: bool = False
) -> tuple[Image.Image, tuple[int, int]]:
    """Return the decoded picture, upright, in sRGB, roughly reduced when far larger than needed; and its size.

    `exactly`: scaled to `long_side` here, with its 8-bit values, so that no array of its full size is ever made.
    """
    with _opened(source, name) as image:
        try:
            return _plain(image, long_side, exactly)
        except MemoryError as error:
            raise UserError(f"{name} does not fit into memory; scale it down first.") from error
        except Exception as error:  # whatever a damaged file leads to
            pixels_alone = None if isinstance(source, bytes) else with_pixels_alone(source)
            broken = UserError(f"{name} is broken or cut short and cannot be read as a picture.")
            if pixels_alone is None:
                raise broken from error
    try:
        with _open(pixels_alone) as image:
            return _plain(image, long_side, exactly)
    except Exception as error:
        raise broken from error


def _plain(image: Image.Image, long_side: int | None, exactly: bool) -> tuple[Image.Image, tuple[int, int]]:
    """What `_decode` returns, from an open image."""
    width, height = image.size
    if long_side is not None and image.format in ("JPEG", "MPO") and max(width, height) > 2 * long_side:
        image.draft(image.mode, _at_least(width, height, 2 * long_side))
    image.load()
    turned = _orientation(image) in (5, 6, 7, 8)
    profile = image.info.get("icc_profile")
    plain = expand(image)
    if long_side is not None and plain.mode not in ("I;16", "I;16B", "I;16L", "I;16N"):
        factor = max(plain.size) // (2 * long_side)
        if factor > 1 and min(plain.size) // factor >= SMALLEST_PX:
            plain = plain.reduce(factor)
    if long_side is not None and exactly and max(plain.size) > long_side:
        rows, columns = scaled(plain.height, plain.width, long_side)
        plain = plain.resize((columns, rows), LANCZOS)
    plain = to_srgb(plain, profile)
    plain.info.pop("transparency", None)
    # by the exif as it stands after load(): Pillow itself has by then turned a TIFF, and cleared the mark
    method = _TURNS.get(_orientation(image))
    plain = plain.transpose(method) if method is not None else plain.copy()
    return plain, (height, width) if turned else (width, height)


def _orientation(image: Image.Image) -> int:
    """How the picture is turned, by its EXIF data; upright where those are damaged: the pixels are not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of the same
            value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # Pillow raises whatever the parts that it looks at lead to
        return 1
    return value if isinstance(value, int) else 1


def _at_least(width: int, height: int, long_side: int) -> tuple[int, int]:
    scale = long_side / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))
