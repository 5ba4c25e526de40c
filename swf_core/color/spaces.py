"""sRGB to OKLab and back, and colors that no screen can show brought back into its gamut.

Everything works on planes [3, ...] in float32 or float64. OKLab: Ottosson, "A perceptual color space for image
processing" (2020): lightness 0..1, a green to red, b blue to yellow; equal steps look about equally large, and a line
of constant hue looks so, which CIELAB's blues do not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

# Linear sRGB to the cones' responses, and their cube roots to L, a, b (Ottosson 2020).
_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # Y of linear sRGB (ITU-R BT.709)
# Pixels of a block: large enough that calls cost nothing, small enough for a core's cache (measured).
BLOCK = 1 << 16
# Saturation relative to the gamut's border, from which on it is compressed; and what no channel then falls below or
# rises above, in linear light: the darkest and lightest steps of eight bits are left to what had them before.
KNEE, DARKEST, LIGHTEST = 0.90, 2e-4, 0.994
# A difference in linear light that is rounding.
UNCHANGED = 1e-5


@cache
def _matrix(name: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    rows = {"cones": _TO_CONES, "lab": _TO_LAB}[name.removeprefix("from ")]
    exact = torch.tensor(rows, dtype=torch.float64)
    return (torch.linalg.inv(exact) if name.startswith("from ") else exact).to(device, dtype)


def _times(name: str, planes: Tensor) -> Tensor:
    return (_matrix(name, planes.dtype, planes.device) @ planes.flatten(1)).view(planes.shape)


def _power(x: Tensor, exponent: float) -> Tensor:
    """x ** exponent for x >= 0. By logarithm: a third of the time of `pow`, and as exact as float32 needs."""
    return x.clamp_min(1e-12).log_().mul_(exponent).exp_()


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB in 0..1 to linear light (IEC 61966-2-1)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, _power((srgb + 0.055) / 1.055, 2.4))


def from_linear(linear: Tensor) -> Tensor:
    """Linear light to sRGB; below 0 stays on the straight part."""
    return torch.where(linear <= 0.0031308, 12.92 * linear, _power(linear, 1 / 2.4).mul_(1.055).sub_(0.055))


def linear_to_oklab(linear: Tensor) -> Tensor:
    """Linear sRGB planes [3, ...] to OKLab."""
    return _times("lab", _power(_times("cones", linear), 1 / 3))


def oklab_to_linear(lab: Tensor) -> Tensor:
    """OKLab planes [3, ...] to linear sRGB, which lies outside 0..1 for colors that no screen shows."""
    roots = _times("from lab", lab)
    return _times("from cones", roots * roots * roots)


def to_oklab(srgb: Tensor) -> Tensor:
    """sRGB planes [3, ...] in 0..1 to OKLab."""
    return linear_to_oklab(to_linear(srgb))


def from_oklab(lab: Tensor) -> Tensor:
    """OKLab planes [3, ...] to sRGB in 0..1, colors beyond the gamut brought to its border."""
    return from_linear(into_gamut(oklab_to_linear(lab), knee=1.0)).clamp(0.0, 1.0)


def _extremes(linear: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Luminance Y, and the lowest and highest channel, [...] each."""
    red, green, blue = linear
    y = _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue
    return y, torch.minimum(torch.minimum(red, green), blue), torch.maximum(torch.maximum(red, green), blue)


def saturation(linear: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance Y [...], and how far each color is from the grey of its luminance to the gamut's border, 1 at it."""
    y, lowest, highest = _extremes(linear)
    y = y.clamp(1e-6, 1.0 - 1e-6)
    return y, torch.maximum((highest - y) / (1.0 - y), (y - lowest) / y).clamp_min(0.0)


def into_gamut(linear: Tensor, source: Tensor | None = None, knee: float = KNEE) -> Tensor:
    """Linear sRGB with colors beyond the gamut mixed with the grey of their own luminance, which stays.

    Saturation (see `saturation`) above `knee` is compressed smoothly towards the border, so that different colors stay
    different; at knee 1 it is cut there. `source`: the colors before an edit; what has not changed is left alone, and
    what was saturated already may stay so.
    """
    y, lowest, highest = _extremes(linear)
    # Few pixels are near the border: this test, which misses none of them, is all that the others cost. For these y the
    # border of eight bits (`_full`) is at 0.94 or more.
    threshold = 0.94 * knee
    out_of_range = (lowest < (1 - threshold) * y) | (1 - highest < (1 - threshold) * (1 - y)) | (y < 0.01) | (y > 0.9)
    place = out_of_range.nonzero()
    if not len(place):
        return linear
    if 4 * len(place) > out_of_range.numel():  # picking so many out would cost more than it saves
        return _compressed(linear, source, knee)
    beyond = (slice(None), *place.T)
    out = linear.clone()
    out[beyond] = _compressed(linear[beyond], None if source is None else source[beyond], knee)
    return out


def _compressed(linear: Tensor, source: Tensor | None, knee: float) -> Tensor:
    """`into_gamut` without its short cut."""
    y, before = saturation(linear)
    if knee >= 1.0:
        after = before.clamp_max(1.0)
    else:
        full = _full(y)
        start = full * knee
        if source is not None:
            start = torch.maximum(start, torch.minimum(saturation(source)[1], full))
        room = (full - start).clamp_min(1e-4)
        after = torch.where(before > start, start + _soft(before - start, room), before)
        if source is not None:
            after = torch.where((linear - source).abs().amax(0) > UNCHANGED, after, before)
    return y + (linear - y) * (after / before.clamp_min(1e-6)).clamp_max(1.0)


def _soft(beyond: Tensor, room: Tensor) -> Tensor:
    """`beyond` >= 0 squeezed into 0..room: slope 1 at 0, never reaching the end."""
    return beyond * room / (beyond + room)


def _full(y: Tensor) -> Tensor:
    """The saturation at which, under luminance y, a channel reaches `DARKEST` or `LIGHTEST`."""
    return 1.0 - torch.maximum(DARKEST / y, (1.0 - LIGHTEST) / (1.0 - y)).clamp_max(1.0)


def _compress_lightness(moved: Tensor, before: Tensor) -> Tensor:
    """Lightness kept off black and white, smoothly, where it was not there already."""
    place = ((moved > 0.94) | (moved < 0.14)).nonzero(as_tuple=True)
    if not len(place[0]):
        return moved
    x, unmoved = moved[place], before[place]
    for sign, edge, knee in ((1.0, 0.997, 0.94), (-1.0, -0.075, -0.14)):
        x, start = sign * x, (sign * unmoved).clamp_min(knee)
        room = (edge - start).clamp_min(1e-4)
        x = sign * torch.where(x > start, start + _soft(x - start, room), x)
    return moved.index_put(place, x.clamp(0.0, 1.0))


def oklab_planes(picture: Tensor) -> Tensor:
    """A picture [3, H, W] as OKLab planes [3, n] in float32 on the CPU, block by block."""
    flat = picture.reshape(3, -1).float().cpu()
    out = torch.empty_like(flat)
    for first in range(0, flat.shape[1], BLOCK):
        out[:, first : first + BLOCK] = to_oklab(flat[:, first : first + BLOCK])
    return out


def edit_colors(
    picture: Tensor,
    move: Callable[[Tensor, slice], Tensor],
    strength: float = 1.0,
    mask: Tensor | None = None,
    lab: Tensor | None = None,
) -> Tensor:
    """A picture [3, H, W], sRGB in 0..1, with its OKLab colors moved by `move(planes [3, n], which pixels)`.

    `strength` 0..1 and `mask` [H, W] in 0..1 say how far; where either is 0 the picture is the very same, bit for bit.
    `lab`: its `oklab_planes`, where they are known. Works in blocks, on the CPU; colors that leave the gamut come back
    by `into_gamut`.
    """
    if strength == 0.0 or picture.numel() == 0:
        return picture
    flat = picture.reshape(3, -1).float().cpu()
    amounts = None if mask is None else mask.reshape(-1).to(flat)
    out = torch.empty_like(flat)
    for first in range(0, flat.shape[1], BLOCK):
        part = slice(first, first + BLOCK)
        source = flat[:, part]
        if lab is None:
            linear = to_linear(source)
            before = linear_to_oklab(linear)
        else:
            before = lab[:, part]
            linear = oklab_to_linear(before)
        moved = move(before, part)
        amount = strength if amounts is None else strength * amounts[part]
        if amounts is not None or strength != 1.0:
            moved = before + amount * (moved - before)
        moved[0] = _compress_lightness(moved[0], before[0])
        result = from_linear(into_gamut(oklab_to_linear(moved), linear)).clamp_(0.0, 1.0)
        out[:, part] = result if amounts is None else torch.where(amounts[part] > 0.0, result, source)
    return out.view(picture.shape).to(picture.device)
