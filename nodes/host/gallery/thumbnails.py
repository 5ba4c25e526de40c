"""The pictures of a run as bytes for the page: whole PNG files, and small WebP copies held in memory."""

from __future__ import annotations

import functools
import io
from pathlib import Path

from ....swf_core.errors import UserError
from ....swf_core.learn.run_summary import picture_file
from .request_checks import Refused

THUMBNAIL_PX = (64, 1024)


def encoded_picture(folder: Path, picture_id: str, px: int) -> tuple[bytes, str]:
    """A picture's bytes and their content type; with `px` above 0 at most that many pixels wide and high."""
    try:
        file = picture_file(folder, picture_id)
        if px:
            return _thumbnail(file, file.stat().st_mtime_ns, px), "image/webp"
        return file.read_bytes(), "image/png"
    except UserError as error:
        raise Refused(404, str(error)) from None
    except OSError:
        raise Refused(404, "The picture's file is missing.") from None


@functools.lru_cache(maxsize=2048)
def _thumbnail(file: Path, _modified_ns: int, px: int) -> bytes:
    from PIL import Image

    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((px, px))
    data = io.BytesIO()
    small.save(data, "WEBP", quality=85, method=1)
    return data.getvalue()
