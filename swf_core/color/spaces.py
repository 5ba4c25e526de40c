"""sRGB to OKLab and back, and colors that no screen can show brought back into its gamut.

Everything works on planes [3, ...] in float32 or float64. OKLab: Ottosson, "A perceptual color space for image
processing" (2020): lightness 0..1, a green to red, b blue to yellow; equal steps look about equally large, and a line
of constant hue looks so, which CIELAB's blues do not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
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


def _cube_roots(x: Tensor) -> Tensor:
    """The roots of x >= 0, in its place. By logarithm: a third of the time of `pow`, and as exact as float32 needs."""
    return x.clamp_min_(1e-12).log_().mul_(1 / 3).exp_()


# Where the straight part of sRGB's curve ends, in sRGB and in linear light, and what the power is there.
_KNOT, _LINEAR_KNOT = 0.04045, 0.0031308
_AT_KNOT, _AT_LINEAR_KNOT = ((_KNOT + 0.055) / 1.055) ** 2.4, 1.055 * _LINEAR_KNOT ** (1 / 2.4)
_BELOW = (_KNOT + 0.055) / 12.92 - _AT_KNOT


def _curve(srgb: Tensor) -> Tensor:
    """12.92 times linear light, less 12.92 `_BELOW`: the straight part up to the knot and the power from it, added, for
    choosing one of them for each pixel takes longer than both."""
    curved = (srgb + 0.055).clamp_min_(_KNOT + 0.055)
    return (srgb - curved).add_(curved.log_().mul_(2.4).exp_(), alpha=12.92 * 1.055**-2.4)


def to_linear(srgb: Tensor) -> Tensor:
    """sRGB in 0..1 to linear light (IEC 61966-2-1)."""
    return _curve(srgb).mul_(1 / 12.92).add_(_BELOW)


def from_linear(linear: Tensor) -> Tensor:
    """Linear light to sRGB; below 0 stays on the straight part."""
    curved = linear.clamp_min(_LINEAR_KNOT)
    straight = (linear - curved).mul_(12.92).add_(12.92 * _LINEAR_KNOT - _AT_LINEAR_KNOT)
    return straight.add_(curved.log_().mul_(1 / 2.4).exp_(), alpha=1.055)


def oklab_to_linear(lab: Tensor) -> Tensor:
    """OKLab planes [3, ...] to linear sRGB, which lies outside 0..1 for colors that no screen shows."""
    roots = _times("from lab", lab)
    return _times("from cones", (roots * roots).mul_(roots))


def to_oklab(srgb: Tensor, out: Tensor | None = None) -> Tensor:
    """sRGB planes [3, ...] in 0..1 to OKLab; into `out` [3, n], where planes [3, n] are to go there."""
    curve = _curve(srgb).flatten(1)
    matrix = _matrix("cones", curve.dtype, curve.device)
    cones = torch.addmm(_BELOW * matrix.sum(1, keepdim=True), matrix, curve, alpha=1 / 12.92)
    return torch.mm(_matrix("lab", curve.dtype, curve.device), _cube_roots(cones), out=out).view(srgb.shape)


def from_oklab(lab: Tensor) -> Tensor:
    """OKLab planes [3, ...] to sRGB in 0..1, colors beyond the gamut brought to its border."""
    return from_linear(into_gamut(oklab_to_linear(lab), knee=1.0)).clamp(0.0, 1.0)


def _extremes(linear: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Luminance Y, and the lowest and highest channel, [...] each."""
    red, green, blue = linear
    y = (_LUMINANCE[0] * red).add_(green, alpha=_LUMINANCE[1]).add_(blue, alpha=_LUMINANCE[2])
    return y, linear.amin(0), linear.amax(0)


def saturation(linear: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance Y [...], and how far each color is from the grey of its luminance to the gamut's border, 1 at it."""
    y, lowest, highest = _extremes(linear)
    y = y.clamp(1e-6, 1.0 - 1e-6)
    return y, torch.maximum((highest - y) / (1.0 - y), (y - lowest) / y).clamp_min(0.0)


def into_gamut(linear: Tensor, source: Callable[[Tensor | None], Tensor] | None = None, knee: float = KNEE) -> Tensor:
    """Linear sRGB [3, ...] with colors beyond the gamut mixed with the grey of their own luminance, which stays.

    Saturation (see `saturation`) above `knee` is compressed smoothly towards the border, so that different colors stay
    different; at knee 1 it is cut there. `source`: gives the colors before an edit, [3, n] of those at these places of
    the flattened planes, or of all (None); what has not changed is left alone, and what was saturated already may stay
    so.
    """
    planes = linear.flatten(1)
    y, lowest, highest = _extremes(planes)
    # Few pixels are near the border: finding them is all that the others cost.
    y.clamp_(1e-6, 1.0 - 1e-6)
    free = 1.0 - _full(y) * knee if knee < 1.0 else torch.zeros_like(y)
    room = torch.minimum(lowest.addcmul_(y, free, value=-1.0), (1.0 - highest).addcmul_(1.0 - y, free, value=-1.0))
    if not planes.numel() or float(room.amin()) >= 0.0:
        return linear
    place = _negative(room)
    if 2 * len(place) > planes.shape[1]:  # picking so many out would cost more than it saves
        return _compressed(planes, source and source(None), knee).view(linear.shape)
    mended = _compressed(planes.index_select(1, place), source and source(place), knee)
    return planes.index_copy(1, place, mended).view(linear.shape)


def _negative(x: Tensor) -> Tensor:
    """Where x [n] is below 0; numpy finds that several times as fast."""
    if x.device.type != "cpu":
        return (x < 0.0).nonzero()[:, 0]
    return torch.from_numpy(np.flatnonzero(x.numpy() < 0.0))


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
        after = torch.minimum(before, start).add_(
            _soft((before - start).clamp_min_(0.0), (full - start).clamp_min_(1e-4))
        )
        if source is not None:
            after = torch.where((linear - source).abs_().amax(0) > UNCHANGED, after, before)
    return y + (linear - y).mul_((after / before.clamp_min(1e-6)).clamp_max_(1.0))


def _soft(beyond: Tensor, room: Tensor) -> Tensor:
    """`beyond` >= 0 squeezed into 0..room: slope 1 at 0, never reaching the end."""
    return (beyond * room).div_(beyond + room)


def _full(y: Tensor) -> Tensor:
    """The saturation at which, under luminance y, a channel reaches `DARKEST` or `LIGHTEST`."""
    return 1.0 - torch.maximum(DARKEST / y, (1.0 - LIGHTEST) / (1.0 - y)).clamp_max(1.0)


def _compress_lightness(moved: Tensor, before: Tensor) -> Tensor:
    """Lightness [n] kept off black and white, smoothly, where it was not there already."""
    least, most = (float(end) for end in torch.aminmax(moved))
    if most > 0.94:
        moved = _below(moved, before.clamp_min(0.94), 0.997).clamp_max_(1.0)
    if least < 0.14:
        moved = _below(-moved, (-before).clamp_min_(-0.14), -0.075).neg_().clamp_min_(0.0)
    return moved


def _below(x: Tensor, start: Tensor, edge: float) -> Tensor:
    """`x`, squeezed towards `edge` from `start` on."""
    return torch.minimum(x, start).add_(_soft((x - start).clamp_min_(0.0), (edge - start).clamp_min_(1e-4)))


def oklab_planes(picture: Tensor) -> Tensor:
    """A picture [3, H, W] as OKLab planes [3, n] in float32 on the CPU, block by block."""
    flat = picture.reshape(3, -1).float().cpu()
    out = torch.empty_like(flat)
    for first in range(0, flat.shape[1], BLOCK):
        to_oklab(flat[:, first : first + BLOCK], out[:, first : first + BLOCK])
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
        before = to_oklab(source) if lab is None else lab[:, part]
        moved = move(before, part)
        amount = strength if amounts is None else strength * amounts[part]
        if amounts is not None or strength != 1.0:
            moved = before + amount * (moved - before)
        moved[0] = _compress_lightness(moved[0], before[0])

        def light(place: Tensor | None, source: Tensor = source) -> Tensor:
            return to_linear(source if place is None else source.index_select(1, place))

        result = torch.clamp(from_linear(into_gamut(oklab_to_linear(moved), light)), 0.0, 1.0, out=out[:, part])
        if amounts is not None:
            result.copy_(torch.where(amounts[part] > 0.0, result, source))
    return out.view(picture.shape).to(picture.device)
