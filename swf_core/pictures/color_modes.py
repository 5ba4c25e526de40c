"""Any mode and profile that Pillow reads, brought to sRGB arrays: palettes, CMYK, LAB, 16 bit, float, keyed alpha."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageCms


def expand(image: Image.Image) -> Image.Image:
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


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
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


def to_arrays(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
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


def on_ground(pixels: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Put a transparent picture on white, or on grey where it is itself so bright that white would swallow it.

    The color stored under full transparency is arbitrary (often black) and must not reach the model.
    """
    weight = alpha.sum().clamp_min(1e-6)
    luma = (pixels.mean(0) * alpha).sum() / weight
    ground = 0.5 if luma > 0.75 else 1.0
    return pixels * alpha + ground * (1.0 - alpha)
