"""Every kind of file a person may hand over, really written with Pillow and read back."""

from __future__ import annotations

import struct
import time
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from swf_core import pictures
from swf_core.errors import UserError
from swf_core.models.round_trip import pad_to_cells
from swf_core.transfer.sizes import to_long_side

from support.drawn_pictures import as_tensor, gradient


def test_a_plain_png_is_read_exactly(tmp_path):
    gradient().save(tmp_path / "a.png")
    picture = pictures.load(tmp_path / "a.png")
    assert picture.pixels.dtype == torch.float32 and picture.alpha is None
    assert picture.original_size == picture.size == (48, 32)
    assert torch.equal(picture.pixels, as_tensor(gradient()))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
def test_a_picture_is_turned_upright_by_its_exif_orientation(tmp_path, orientation, kind):
    upright = gradient()
    # how a camera held that way stores the upright picture: the inverse of the turn a viewer makes
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}
    stored.save(tmp_path / f"a.{kind}", exif=exif, **options)
    picture = pictures.load(tmp_path / f"a.{kind}")
    assert picture.size == picture.original_size == (48, 32)
    assert (picture.pixels - as_tensor(upright)).abs().max() < (0.05 if kind == "jpg" else 1e-6)


def test_sixteen_bit_grey_keeps_more_than_eight_bits(tmp_path):
    values = np.linspace(0, 65535, 32 * 48).reshape(32, 48).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values).save(tmp_path / "a.tif")
    expected = torch.from_numpy(values.astype(np.float32) / 65535)
    for name in ("a.png", "a.tif"):
        picture = pictures.load(tmp_path / name)
        assert picture.pixels.shape == (3, 32, 48)
        assert (picture.pixels - expected).abs().max() < 1e-4  # finer than 8 bits: nothing was thrown away


def test_a_sixteen_bit_color_png_is_read_at_eight_bits(tmp_path):
    y, x = np.mgrid[0:16, 0:24]
    rgb = np.stack([x * 2800, y * 4000, 0 * x + 30000], axis=2).astype(">u2")

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    head = struct.pack(">IIBBBBB", 24, 16, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    picture = pictures.load(tmp_path / "a.png")
    expected = torch.from_numpy(rgb.astype(np.float32).transpose(2, 0, 1) / 65535)
    assert (picture.pixels - expected).abs().max() < 1.01 / 255  # Pillow hands on the upper eight bits


def test_a_float_tiff_is_read_exactly(tmp_path):
    values = np.linspace(0, 1, 32 * 48, dtype=np.float32).reshape(32, 48)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert (pictures.load(tmp_path / "a.tif").pixels[0] - torch.from_numpy(values)).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["jpg", "tif"])
def test_cmyk_becomes_rgb(tmp_path, kind):
    Image.new("RGB", (32, 32), (200, 30, 30)).convert("CMYK").save(tmp_path / f"a.{kind}")
    assert Image.open(tmp_path / f"a.{kind}").mode == "CMYK"
    red = pictures.load(tmp_path / f"a.{kind}").pixels.mean(dim=(1, 2))
    assert (red - torch.tensor([200, 30, 30]) / 255).abs().max() < 0.03


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "LAB"])
def test_other_modes_become_rgb(tmp_path, mode):
    image = gradient()
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    else:
        image = image.convert(mode)
    name = tmp_path / ("a.tif" if mode in ("YCbCr", "LAB") else "a.png")
    image.save(name)
    pixels = pictures.load(name).pixels
    assert pixels.shape == (3, 32, 48)
    if mode in ("1", "L"):
        assert torch.equal(pixels[0], pixels[1]) and pixels[0, 16, -8:].mean() > pixels[0, 16, :8].mean()
    else:
        assert (pixels - as_tensor(gradient())).abs().mean() < 0.08


def test_alpha_survives_and_the_color_under_transparency_does_not(tmp_path):
    image = gradient().convert("RGBA")
    pixels = np.asarray(image).copy()
    pixels[:, :24] = (255, 0, 255, 0)  # loud color under full transparency
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = pictures.load(tmp_path / "a.png")
    assert picture.alpha is not None and picture.alpha[:, :24].max() == 0 and picture.alpha[:, 24:].min() == 1
    assert torch.equal(picture.pixels[:, :, :24], torch.ones(3, 32, 24))
    assert torch.equal(picture.pixels[:, :, 24:], as_tensor(gradient())[:, :, 24:])
    pictures.save(tmp_path / "b.png", picture.pixels, picture.alpha)
    again = pictures.load(tmp_path / "b.png")
    assert torch.equal(again.pixels, picture.pixels) and torch.equal(again.alpha, picture.alpha)


def test_a_white_logo_on_transparency_stays_visible(tmp_path):
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (8, 8, 24, 24))
    image.save(tmp_path / "a.png")
    pixels = pictures.load(tmp_path / "a.png").pixels
    assert pixels[0, 16, 16] == 1 and pixels[0, 0, 0] == 0.5


def test_grey_alpha_palette_alpha_and_keyed_color_give_alpha(tmp_path):
    mask = Image.new("L", (48, 32), 255)
    mask.paste(0, (0, 0, 24, 32))
    grey = gradient().convert("L")
    grey.putalpha(mask)
    grey.save(tmp_path / "la.png")
    color = gradient()
    color.putalpha(mask)
    color.quantize(32, method=Image.Quantize.FASTOCTREE).save(tmp_path / "pa.png")
    keyed = Image.new("RGB", (48, 32), (255, 0, 0))
    keyed.paste((0, 255, 0), (0, 0, 24, 32))
    keyed.save(tmp_path / "key.png", transparency=(0, 255, 0))
    flat = keyed.quantize(4)
    flat.save(tmp_path / "key.gif", transparency=flat.getpixel((0, 0)))
    assert Image.open(tmp_path / "la.png").mode == "LA" and Image.open(tmp_path / "pa.png").mode == "P"
    for name in ("la.png", "pa.png", "key.png", "key.gif"):
        alpha = pictures.load(tmp_path / name).alpha
        assert alpha is not None and alpha[:, :24].max() < 0.01 and alpha[:, 24:].min() > 0.99, name


def test_an_embedded_color_profile_is_applied(tmp_path):
    # a profile whose red and blue are swapped is easier to see than AdobeRGB; build one from sRGB's bytes
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    Image.new("RGB", (32, 32), (255, 0, 0)).save(tmp_path / "a.png", icc_profile=bytes(profile))
    pixels = pictures.load(tmp_path / "a.png").pixels[:, 16, 16]
    assert pixels[2] > 0.95 and pixels[0] < 0.1
    Image.new("RGB", (32, 32), (255, 0, 0)).save(tmp_path / "b.png", icc_profile=b"not a profile at all")
    assert pictures.load(tmp_path / "b.png").pixels[0, 16, 16] == 1


def test_twenty_megapixels_are_read_small_and_fast(tmp_path):
    gradient().resize((5472, 3648)).save(tmp_path / "a.jpg", quality=80)
    started = time.process_time()
    picture = pictures.load(tmp_path / "a.jpg", long_side=512)
    seconds = time.process_time() - started
    assert picture.original_size == (5472, 3648) and picture.size == (512, 341)
    assert seconds < 5
    small = as_tensor(gradient().resize((512, 341)))
    assert (picture.pixels - small).abs().mean() < 0.01


def test_twenty_megapixels_with_alpha_are_read_small(tmp_path):
    Image.new("RGBA", (5000, 4000), (10, 200, 30, 128)).save(tmp_path / "a.png")
    picture = pictures.load(tmp_path / "a.png", long_side=128)
    assert picture.size == (128, 102) and picture.alpha.shape == (102, 128)
    assert abs(float(picture.alpha.mean()) - 128 / 255) < 0.01


@pytest.mark.parametrize("width,height", [(48, 32), (31, 97), (640, 480), (100, 100), (9, 90)])
@pytest.mark.parametrize("multiple", [1, 8, 64])
def test_working_sizes_neither_squash_nor_crop(width, height, multiple):
    pixels = as_tensor(gradient(width, height))
    scaled = to_long_side(pixels, 128)
    assert max(scaled.shape[1:]) == 128
    assert abs(scaled.shape[2] / scaled.shape[1] - width / height) < 0.05 * width / height
    for y, x in [(0, 0), (0, -1), (-1, 0), (-1, -1)]:  # the corners are still the picture's corners
        assert (scaled[:, y, x] - pixels[:, y, x]).abs().max() < 0.1
    padded = pad_to_cells(scaled, multiple)
    assert padded.shape[1] % multiple == 0 and padded.shape[2] % multiple == 0
    assert torch.equal(padded[:, : scaled.shape[1], : scaled.shape[2]], scaled)
    assert torch.equal(padded[:, -1, : scaled.shape[2]], scaled[:, -1]) and 0 <= float(padded.min())


def test_a_picture_too_thin_for_the_size_is_refused():
    with pytest.raises(UserError, match="long and thin"):
        pictures.check_size(torch.rand(3, 8, 1000), 128)


def test_upsampling_stays_within_0_to_1():
    assert float(pictures.resize((torch.rand(3, 9, 9) > 0.5).float(), 90, 90).max()) <= 1


def test_the_same_pixels_give_the_same_png_bytes():
    pixels = torch.rand(3, 20, 30)
    assert pictures.png_bytes(pixels) == pictures.png_bytes(pixels.clone())


def test_a_sheet_has_its_size_and_black_text(tmp_path):
    row = [torch.rand(3, 64, 96), gradient(), None]
    columns = ["content", "style", "a rather long column label that wraps"]
    page = pictures.sheet([row, row], columns, ["first", "second"], cell_px=160, title="A sheet")
    assert page.width > 3 * 160 and page.height > 2 * 160
    assert np.asarray(page).min() < 60  # there is black text
