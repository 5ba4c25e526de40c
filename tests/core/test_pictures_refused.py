"""Files that are refused in one sentence, and damaged ones whose pixels are sound, which are read."""

from __future__ import annotations

import os
import struct
import sys
import time
import zlib

import pytest
import torch
from PIL import Image

from swf_core import pictures
from swf_core.errors import UserError

from support.drawn_pictures import as_tensor, gradient


def animation(path):
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "green", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)


def refusal(tmp_path, name) -> str:
    with pytest.raises(UserError) as error:
        pictures.load(tmp_path / name)
    text = str(error.value)
    assert "\n" not in text and name in text and text.endswith(".")
    return text


def test_unreadable_files_are_refused_in_one_sentence(tmp_path):
    gradient(640, 480).save(tmp_path / "good.jpg")
    whole = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    gradient(640, 480).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "rot.png").write_bytes(whole[:60] + b"\0\1\2\3" * 20 + whole[140:])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "head.png").write_bytes(whole[:20])
    gradient(7, 64).save(tmp_path / "thin.png")
    (tmp_path / "folder.png").mkdir()
    assert "does not exist" in refusal(tmp_path, "missing.png")
    assert "folder" in refusal(tmp_path, "folder.png")
    for name in ("cut.jpg", "cut.png", "rot.png"):
        assert "broken" in refusal(tmp_path, name)
    for name in ("empty.png", "text.png", "head.png"):
        refusal(tmp_path, name)
    assert "7x64" in refusal(tmp_path, "thin.png")


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animations_are_refused(tmp_path, name):
    animation(tmp_path / name)
    assert "animated" in refusal(tmp_path, name)


def test_several_pages_are_refused(tmp_path):
    animation(tmp_path / "a.tif")
    assert "pages" in refusal(tmp_path, "a.tif")


def test_a_still_gif_is_read(tmp_path):
    gradient().quantize(64).save(tmp_path / "a.gif")
    assert pictures.load(tmp_path / "a.gif").size == (48, 32)


@pytest.mark.parametrize("side", [13_000, 30_000])
def test_a_decompression_bomb_is_refused_by_its_head(tmp_path, side):
    Image.new("1", (64, 64)).save(tmp_path / "bomb.png")
    data = bytearray((tmp_path / "bomb.png").read_bytes())
    data[16:24] = struct.pack(">II", side, side)  # what the head promises, with its checksum
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "bomb.png").write_bytes(data)
    started = time.process_time()
    assert "megapixels" in refusal(tmp_path, "bomb.png")
    assert time.process_time() - started < 1


def png_chunk(kind: bytes, data: bytes, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + data) ^ (not sound)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


DAMAGED_EXIF = {
    "no TIFF": b"garbage that is none",
    "empty": b"",
    "head alone": b"MM\0*\0\0\0\x08",
    "far offset": b"II*\0\xff\xff\xff\x7f",
    "many entries": b"MM\0*\0\0\0\x08\xff\xff" + bytes(5),
    "orientation a text": b"MM\0*\0\0\0\x08\0\1\x01\x12\0\2\0\0\0\3ab\0\0\0\0\0\0",
}


@pytest.mark.parametrize("damage", DAMAGED_EXIF)
@pytest.mark.parametrize("kind", ["png", "webp", "jpg"])
def test_damaged_exif_is_left_out_where_the_pixels_are_sound(tmp_path, kind, damage, recwarn):
    path = tmp_path / f"a.{kind}"
    if kind == "png":
        gradient().save(path)
        data = path.read_bytes()
        path.write_bytes(data[:33] + png_chunk(b"eXIf", DAMAGED_EXIF[damage]) + data[33:])
    else:
        gradient().save(path, exif=b"Exif\0\0" + DAMAGED_EXIF[damage], **({"lossless": True} if kind == "webp" else {}))
    recwarn.clear()
    pictures.check(path)
    picture = pictures.load(path)
    assert picture.size == (48, 32) and (picture.pixels - as_tensor(gradient())).abs().max() < 0.1
    assert not recwarn  # on the command line it would be a line that nobody asked for


@pytest.mark.parametrize("where", [33, -12], ids=["before the pixels", "after them"])
@pytest.mark.parametrize(
    ("kind", "data", "sound"),
    [
        (b"eXIf", b"MM\0*\0\0\0\x08\0\0", False),
        (b"tEXt", b"a\0b", False),
        (b"iTXt", b"a\0\1\0\0\0no zlib", False),
        (b"iCCP", b"x\0\0no zlib", False),
        (b"pHYs", b"\1", True),
        (b"gAMA", b"", True),
        (b"cHRM", b"\1", True),
        (b"sRGB", b"", True),
    ],
)
def test_a_png_with_a_damaged_chunk_beside_its_pixels_is_read(tmp_path, kind, data, sound, where):
    gradient().save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:where] + png_chunk(kind, data, sound) + whole[where:])
    pictures.check(tmp_path / "a.png")
    assert torch.equal(pictures.load(tmp_path / "a.png").pixels, as_tensor(gradient()))


def test_a_png_with_damaged_pixels_is_refused_still(tmp_path):
    gradient().save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    place = data.index(b"IDAT") + 4
    data[place : place + 40] = bytes(40)
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UserError, match="broken"):
        pictures.load(tmp_path / "a.png")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes with names in folders")
def test_links_in_circles_long_names_and_pipes_are_refused_in_one_sentence(tmp_path):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    for path, sentence in (
        (tmp_path / "loop.png", "leads back to itself"),
        (tmp_path / ("x" * 300 + ".png"), "longer than the file system takes"),
        (tmp_path / "pipe.png", "a pipe or a device"),
        (tmp_path / "none.png" / "x.png", "does not exist"),
    ):
        for read in (pictures.check, pictures.load):
            with pytest.raises(UserError, match=sentence) as error:
                read(path)
            assert "\n" not in str(error.value) and len(str(error.value)) < 300
