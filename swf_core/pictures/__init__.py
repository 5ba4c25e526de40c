"""Pictures in and out: any file Pillow reads becomes a float tensor [3,H,W], sRGB in 0..1, and back.

Alpha is kept aside for the output. Working sizes and padding are the transfer's (`transfer/sizes.py`).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from ..errors import UserError
from ..files import write_files

SMALLEST_PX = 8
LARGEST_PIXELS = 150_000_000
LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Picture:
    """One picture in memory."""

    pixels: torch.Tensor  # [3,H,W], sRGB in 0..1
    alpha: torch.Tensor | None  # [H,W] in 0..1, None when the file had none
    path: Path | None
    original_size: tuple[int, int]  # width, height as a viewer shows it, before any scaling

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of `pixels`."""
        return self.pixels.shape[2], self.pixels.shape[1]


# ---------------------------------------------------------------- in


def load(path: Path | str, long_side: int | None = None) -> Picture:
    """Read a picture file; `long_side` bounds the size it is kept at (20 megapixels need not stay 20 megapixels)."""
    path = Path(path)
    image, original = _open(path, long_side)
    rgb, alpha = _to_arrays(image)
    pixels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    mask = None if alpha is None else torch.from_numpy(np.ascontiguousarray(alpha))
    if mask is not None:
        pixels = _on_ground(pixels, mask)
    if long_side is not None and max(pixels.shape[1:]) > long_side:
        height, width = scaled(pixels.shape[1], pixels.shape[2], long_side)
        pixels = resize(pixels, height, width)
        mask = None if mask is None else resize(mask[None], height, width)[0]
    return Picture(pixels, mask, path, original)


def check(path: Path | str) -> None:
    """Refuse what `load` would refuse by looking at the head of the file only."""
    with _opened(Path(path)):
        pass


class _opened:
    """Open a picture file and refuse by its head: not a file, not a picture, animated, too small, too large."""

    def __init__(self, path: Path):
        if path.is_dir():
            raise UserError(f"'{path}' is a folder; give a picture file.")
        if not path.exists():
            raise UserError(f"The picture '{path}' does not exist.")
        self.path = path

    def __enter__(self) -> Image.Image:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                self.image = Image.open(self.path)
        except PermissionError as error:
            raise UserError(f"No permission to read '{self.path}'.") from error
        except Image.DecompressionBombError as error:
            raise UserError(_too_large(self.path)) from error
        except UnidentifiedImageError as error:
            raise UserError(f"'{self.path}' is not a picture that can be read (PNG, JPEG, WebP, TIFF, ...).") from error
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(f"'{self.path}' is broken and cannot be read as a picture.") from error
        try:
            self._refuse()
        except BaseException:
            self.image.close()
            raise
        return self.image

    def _refuse(self) -> None:
        width, height = self.image.size
        if width * height > LARGEST_PIXELS:
            raise UserError(_too_large(self.path))
        if min(width, height) < SMALLEST_PX:
            needed = f"{SMALLEST_PX}x{SMALLEST_PX}"
            raise UserError(f"'{self.path}' is {width}x{height} pixels; at least {needed} are needed.")
        try:
            frames = getattr(self.image, "n_frames", 1)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise UserError(f"'{self.path}' is broken and cannot be read as a picture.") from error
        # An MPO file is a camera's JPEG with a second view behind it: the first view is the picture.
        if frames > 1 and self.image.format != "MPO":
            what = "has several pages" if self.image.format == "TIFF" else "is animated"
            raise UserError(f"'{self.path}' {what} ({frames}); save the one you mean as a picture of its own.")

    def __exit__(self, *_: object) -> None:
        self.image.close()


def _too_large(path: Path) -> str:
    return f"'{path}' has more than {LARGEST_PIXELS // 1_000_000} megapixels; scale it down first."


def _open(path: Path, long_side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Return the decoded picture, upright, in sRGB, roughly reduced when far larger than needed; and its size."""
    with _opened(path) as image:
        try:
            width, height = image.size
            if long_side is not None and image.format in ("JPEG", "MPO") and max(width, height) > 2 * long_side:
                image.draft(image.mode, _at_least(width, height, 2 * long_side))
            image.load()
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            profile = image.info.get("icc_profile")
            plain = _expand(image)
            if long_side is not None and plain.mode not in ("I;16", "I;16B", "I;16L", "I;16N"):
                factor = max(plain.size) // (2 * long_side)
                if factor > 1 and min(plain.size) // factor >= SMALLEST_PX:
                    plain = plain.reduce(factor)
            plain = _to_srgb(plain, profile)
            plain.info.pop("transparency", None)
            # by the exif as it stands after load(): Pillow itself has by then turned a TIFF, and cleared the mark
            method = _TURNS.get(image.getexif().get(0x0112, 1))
            plain = plain.transpose(method) if method is not None else plain.copy()
        except MemoryError as error:
            raise UserError(f"'{path}' does not fit into memory; scale it down first.") from error
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            raise UserError(f"'{path}' is broken or cut short and cannot be read as a picture.") from error
        return plain, (height, width) if turned else (width, height)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _at_least(width: int, height: int, long_side: int) -> tuple[int, int]:
    scale = long_side / max(width, height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _expand(image: Image.Image) -> Image.Image:
    """Bring palettes, bitmaps and keyed transparency to plain modes: L, LA, RGB, RGBA, CMYK, LAB, YCbCr, I, F, I;16."""
    keyed = "transparency" in image.info
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if keyed or image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if keyed and image.mode in ("L", "RGB"):
        return image.convert("RGBA")
    if image.mode in ("La", "RGBa"):
        return image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F") or image.mode.startswith("I;16"):
        return image
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the embedded color profile; a profile that is itself broken or of another color space is ignored."""
    if not profile or image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    color = image.convert({"LA": "L", "RGBA": "RGB"}.get(image.mode, image.mode))
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = str(getattr(source.profile, "xcolor_space", "")).strip()
        if space == "RGB" and color.mode == "L":
            color = color.convert("RGB")
        converted = ImageCms.profileToProfile(color, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _to_arrays(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return float32 colors [H,W,3] and alpha [H,W] or None, both in 0..1."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.float32)
        grey = np.nan_to_num(grey, nan=0.0, posinf=1.0, neginf=0.0)
        if image.mode != "F":
            top = 65535.0 if image.mode.startswith("I;16") or grey.max(initial=0) > 255 else 255.0
        else:  # floating point files carry no range of their own: 0..1, 0..255 or 0..65535, whichever holds them
            highest = grey.max(initial=0)
            top = 1.0 if highest <= 1.001 else 255.0 if highest <= 255.5 else 65535.0
        grey = np.clip(grey / top, 0.0, 1.0)
        return np.repeat(grey[:, :, None], 3, axis=2), None
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255.0
        if alpha.min() >= 1.0:
            alpha = None
    rgb = image.convert("RGBA").convert("RGB") if image.mode == "LA" else image.convert("RGB")
    return np.asarray(rgb, dtype=np.float32) / 255.0, alpha


def _on_ground(pixels: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Put a transparent picture on white, or on grey where it is itself so bright that white would swallow it.

    The color stored under full transparency is arbitrary (often black) and must not reach the model.
    """
    weight = alpha.sum().clamp_min(1e-6)
    luma = (pixels.mean(0) * alpha).sum() / weight
    ground = 0.5 if luma > 0.75 else 1.0
    return pixels * alpha + ground * (1.0 - alpha)


# ---------------------------------------------------------------- size


def scaled(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Return height and width with the same aspect and this long side."""
    scale = long_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Scale [C,H,W] with Lanczos in 32-bit float, clipped to 0..1."""
    if tuple(pixels.shape[1:]) == (height, width):
        return pixels
    source = pixels.detach().to("cpu", torch.float32).numpy()
    planes = [np.asarray(Image.fromarray(plane).resize((width, height), LANCZOS)) for plane in source]
    return torch.from_numpy(np.stack(planes)).clamp(0.0, 1.0)


def check_size(picture: Picture | torch.Tensor, size_px: int) -> tuple[int, int]:
    """Return height and width at a long side of `size_px`; refuse a picture so thin that nothing would be left."""
    pixels = picture.pixels if isinstance(picture, Picture) else picture
    height, width = scaled(pixels.shape[1], pixels.shape[2], size_px)
    if min(height, width) < SMALLEST_PX:
        name = f"'{picture.path}'" if isinstance(picture, Picture) and picture.path else "The picture"
        raise UserError(
            f"{name} is too long and thin for a size of {size_px} px: its short side would be {min(height, width)} px; "
            f"at least {SMALLEST_PX} are needed."
        )
    return height, width


# ---------------------------------------------------------------- out


def to_image(pixels: torch.Tensor, alpha: torch.Tensor | None = None) -> Image.Image:
    """Return an 8-bit Pillow image of [3,H,W]; alpha [h,w] of any size is scaled to it."""
    array = (pixels.detach().to("cpu", torch.float32).clamp(0, 1) * 255.0 + 0.5).to(torch.uint8)
    image = Image.fromarray(np.ascontiguousarray(array.permute(1, 2, 0).numpy()))
    if alpha is not None:
        mask = resize(alpha[None], pixels.shape[1], pixels.shape[2])[0]
        image.putalpha(Image.fromarray((mask * 255.0 + 0.5).to(torch.uint8).numpy()))
    return image


def png_bytes(image: Image.Image | torch.Tensor, alpha: torch.Tensor | None = None) -> bytes:
    """Encode as PNG; the same pixels give the same bytes."""
    if isinstance(image, torch.Tensor):
        image = to_image(image, alpha)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def save(path: Path | str, image: Image.Image | torch.Tensor, alpha: torch.Tensor | None = None) -> None:
    """Write a PNG whole or not at all."""
    write_files({Path(path): png_bytes(image, alpha)})


# ---------------------------------------------------------------- sheets


def sheet(
    rows: Sequence[Sequence[Any]],
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    cell_px: int = 192,
    title: str = "",
) -> Image.Image:
    """Lay pictures (tensors [3,H,W], Pillow images, or None for a gap) out on a white sheet with readable labels."""
    text_px = max(13, cell_px // 11)
    font, large = ImageFont.load_default(text_px), ImageFont.load_default(round(text_px * 1.4))
    gap = max(4, cell_px // 24)
    columns = max([len(row) for row in rows] + [len(column_labels)])
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    line = text_px + 4

    def wrap(text: str, width: int) -> list[str]:
        lines: list[str] = []
        for paragraph in str(text).split("\n"):
            current = ""
            for word in paragraph.split():
                longer = f"{current} {word}".strip()
                if current and probe.textlength(longer, font=font) > width:
                    lines.append(current)
                    current = word
                else:
                    current = longer
            lines.append(current)
        return lines

    side = 0
    if any(row_labels):
        side = min(
            cell_px,
            round(max(probe.textlength(part, font=font) for label in row_labels for part in str(label).split("\n")))
            + gap,
        )
    heads = [wrap(label, cell_px) for label in column_labels]
    sides = [wrap(label, side - gap) for label in row_labels]
    top = gap + (round(text_px * 1.4) + 2 * gap if title else 0)
    head = max([len(lines) for lines in heads], default=0) * line + (gap if heads else 0)
    width = gap + side + columns * (cell_px + gap)
    page = Image.new("RGB", (width, top + head + len(rows) * (cell_px + gap)), "white")
    draw = ImageDraw.Draw(page)
    if title:
        draw.text((gap, gap), title, fill="black", font=large)
    for column, lines in enumerate(heads):
        x = gap + side + column * (cell_px + gap)
        for number, text in enumerate(lines):
            draw.text((x, top + number * line), text, fill="black", font=font)
    for index, row in enumerate(rows):
        y = top + head + index * (cell_px + gap)
        if index < len(sides):
            start = y + max(0, (cell_px - len(sides[index]) * line) // 2)
            for number, text in enumerate(sides[index]):
                draw.text((gap, start + number * line), text, fill="black", font=font)
        for column, item in enumerate(row):
            if item is None:
                continue
            image = to_image(item) if isinstance(item, torch.Tensor) else ImageOps.exif_transpose(item).convert("RGB")
            small = image.width < cell_px // 2 and image.height < cell_px // 2
            image = ImageOps.contain(image, (cell_px, cell_px), Image.Resampling.NEAREST if small else LANCZOS)
            x = gap + side + column * (cell_px + gap)
            page.paste(image, (x + (cell_px - image.width) // 2, y + (cell_px - image.height) // 2))
    return page
