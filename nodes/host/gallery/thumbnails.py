"""The pictures of a run as bytes for the page: whole PNG files, and small WebP copies held in memory."""

from __future__ import annotations

import functools
import io
from pathlib import Path

from ....swf_core.errors import UserError
from ....swf_core.learn.run_summary import picture_file
from .request_checks import Refused

THUMBNAIL_PX = (64, 1024)
MAX_BYTES = 256 * 2**20
MAX_PIXELS = 64_000_000
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encoded_picture(folder: Path, picture_id: str, px: int) -> tuple[bytes, str]:
    """A picture's bytes and their content type; with `px` above 0 at most that many pixels wide and high."""
    try:
        file = picture_file(folder, picture_id)
        if px:
            return _thumbnail(file, file.stat().st_mtime_ns, px), "image/webp"
        return _png(file), "image/png"
    except UserError as error:
        raise Refused(404, str(error)) from None
    except OSError:
        raise Refused(404, f"The picture '{picture_id}' has no file that can be read.") from None


def _png(file: Path) -> bytes:
    """A whole PNG file as it is. Raises OSError for another kind of file, and for one that no page could take."""
    if file.stat().st_size > MAX_BYTES:
        raise OSError(f"{file.name} has more than {MAX_BYTES} bytes")
    data = file.read_bytes()
    if not data.startswith(PNG_SIGNATURE):
        raise OSError(f"{file.name} is no PNG file")
    return data


@functools.lru_cache(maxsize=2048)
def _thumbnail(file: Path, _modified_ns: int, px: int) -> bytes:
    from PIL import Image

    try:
        with Image.open(file, formats=("PNG",)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise OSError(f"{file.name} has more than {MAX_PIXELS // 1_000_000} megapixels")
            small = picture.convert("RGB")
    except (Image.DecompressionBombError, SyntaxError, ValueError, EOFError) as error:
        raise OSError(f"{file.name} is a broken PNG file") from error
    small.thumbnail((px, px))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=85, method=1)
    return data.getvalue()
