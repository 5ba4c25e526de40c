#!/bin/sh
# One would guess: Pillow treats a damaged EXIF block alike in every kind of file; JPEG pictures with one open, turn and
#   save without a word.
# It is so that: in a PNG or a WebP the same block makes `Image.getexif` and `ImageOps.exif_transpose` raise a
#   SyntaxError, though every pixel is sound and `load` succeeds; in a JPEG both give no tags. Whatever calls
#   exif_transpose on what people bring (loaders of image pipelines do) refuses such pictures.
# Pillow 13.0.0; PIL/Image.py `Exif.load`, PIL/JpegImagePlugin.py, PIL/PngImagePlugin.py.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pillow==13.0.0
"$folder/venv/bin/python" - <<'END'
import io, struct, zlib
import PIL
from PIL import Image, ImageOps

block = b"garbage that is no TIFF head"
picture = Image.linear_gradient("L").convert("RGB")


def jpeg():
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=b"Exif\0\0" + block)
    return file


def webp():
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=True, exif=b"Exif\0\0" + block)
    return file


def png():
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = file.getvalue()
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
    return io.BytesIO(data[:33] + chunk + data[33:])


def outcome(call):
    try:
        call()
        return "fine"
    except Exception as error:
        return type(error).__name__


print("Pillow", PIL.__version__)
seen = {}
for make in (jpeg, png, webp):
    image = Image.open(make())
    image.load()
    seen[image.format] = outcome(image.getexif), outcome(lambda: ImageOps.exif_transpose(Image.open(make())))
    print(f"{image.format}: load fine, getexif {seen[image.format][0]}, exif_transpose {seen[image.format][1]}")
assert seen == {k: ("fine",) * 2 if k == "JPEG" else ("SyntaxError",) * 2 for k in ("JPEG", "PNG", "WEBP")}, seen
END
