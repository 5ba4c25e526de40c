"""Qt resource files (.rcc): the pictures in them, under the names that they have there, byte for byte.

Format: https://doc.qt.io/qt-6/resources.html, versions 1 to 3 as Qt's `rcc` writes them; all numbers big-endian. A
tree of entries, names in UTF-16, and data, each behind its length.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import UserError

SIGNATURES = {b"RIFF": ".webp", b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png"}
_COMPRESSED, _FOLDER, _ZSTD = 1, 2, 4
_LARGEST = 1 << 28  # bytes that one file may unpack to
_DEEPEST = 32


def pictures_in(path: Path | str) -> Iterator[tuple[str, bytes]]:
    """Name (with folders, "a/b.webp") and bytes of each WebP, JPEG and PNG, in the tree's order.

    Raises UserError for a file that is missing, is no resource file, or is broken.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"The resource file '{path}' cannot be read: {error.strerror or error}.") from error
    if data[:4] != b"qres":
        raise UserError(f"'{path}' is not a Qt resource file (.rcc); give one of the package's .rcc files.")
    try:
        version, tree, blobs, names = struct.unpack_from(">4I", data, 4)
        found = list(_files(data, _Places(tree, blobs, names, 14 if version == 1 else 22), 0, "", 0))
    except (struct.error, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"The resource file '{path}' is broken ({error}); install its package again.") from error
    yield from found


class _Places:
    """Where tree, data and names begin, and how many bytes an entry of the tree takes."""

    def __init__(self, tree: int, blobs: int, names: int, entry: int):
        self.tree, self.blobs, self.names, self.entry = tree, blobs, names, entry


def _files(data: bytes, at: _Places, number: int, above: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The pictures of entry `number` of the tree and below it."""
    place = at.tree + at.entry * number
    name_at, flags = struct.unpack_from(">IH", data, place)
    (length,) = struct.unpack_from(">H", data, at.names + name_at)
    start = at.names + name_at + 6  # behind the length and a hash
    name = data[start : start + 2 * length].decode("utf-16-be") if number else ""
    if flags & _FOLDER:
        count, first = struct.unpack_from(">2I", data, place + 6)
        if depth > _DEEPEST or first <= number or count > len(data):
            raise ValueError("a folder leads nowhere")
        for child in range(first, first + count):
            yield from _files(data, at, child, f"{above}{name}/" if number else "", depth + 1)
        return
    (blob,) = struct.unpack_from(">I", data, place + 10)
    content = _unpacked(data, at.blobs + blob, flags)
    if any(content.startswith(signature) for signature in SIGNATURES):
        yield above + name, content


def _unpacked(data: bytes, place: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", data, place)
    content = data[place + 4 : place + 4 + length]
    if len(content) != length:
        raise ValueError("a file in it is cut short")
    if flags & _ZSTD:
        return b""  # pictures are never packed that way: they would not get smaller
    if not flags & _COMPRESSED:
        return content
    unpacker = zlib.decompressobj()  # its first four bytes are the length again
    unpacked = unpacker.decompress(content[4:], _LARGEST)
    if unpacker.unconsumed_tail:
        raise ValueError("a file in it is too large")
    return unpacked
