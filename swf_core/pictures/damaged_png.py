"""PNG files in which something beside the pixels is damaged: what the picture needs is kept, the rest left out."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
KEPT = (b"tRNS", b"iCCP", b"eXIf")  # transparency, color profile, orientation, where they are sound
LARGEST_BYTES = 500_000_000


def with_pixels_alone(source: Path | bytes) -> bytes | None:
    """The PNG file without the chunks (PNG specification, section 5.3) that no pixel needs; those of `KEPT` stay where
    their checksum is right. None when it is no PNG, or nothing could be left out."""
    try:
        if isinstance(source, Path) and source.stat().st_size > LARGEST_BYTES:
            return None
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError:
        return None
    if not data.startswith(SIGNATURE):
        return None
    kept, place = [SIGNATURE], len(SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, end = data[place + 4 : place + 8], place + 12 + length
        sound = zlib.crc32(data[place + 4 : end - 4]) == int.from_bytes(data[end - 4 : end], "big")
        if kind in PIXELS or (kind in KEPT and sound):
            kept.append(data[place:end])
        place = end
    smaller = b"".join(kept)
    return smaller if len(smaller) < len(data) else None
