"""High dynamic range as standard range, by one stated rule, so that a network sees the colors it was taught.

PQ and HLG become display light in BT.2020 (ITU-R BT.2100, HLG for a screen of 1,000 cd/m2), reference white, 203 cd/m2
(ITU-R BT.2408), becomes 1; what is brighter is compressed by Reinhard's extended curve (2002, equation 4) on luminance,
so that the screen's peak is white; BT.2020's primaries become BT.709's, what lies outside is clipped; then sRGB.
"""

from __future__ import annotations

import torch
from torch import Tensor

WHITE, PEAK = 203.0, 1000.0
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_LUMINANCE = (0.2627, 0.6780, 0.0593)  # BT.2020
# BT.2020 to BT.709, linear light (ITU-R BT.2087).
_TO_709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))


def display_light(signal: Tensor, transfer: str) -> Tensor:
    """Signal [3, H, W] in 0..1, "pq" or "hlg", as display light in cd/m2."""
    if transfer == "pq":  # BT.2100, table 4
        root = signal.clamp(0, 1) ** (1 / _M2)
        return 10000.0 * ((root - _C1).clamp_min(0) / (_C2 - _C3 * root)) ** (1 / _M1)
    scene = torch.where(signal <= 0.5, signal.square() / 3, (((signal - _C) / _A).exp() + _B) / 12)  # table 5
    luminance = _weighed(scene).clamp_min(1e-6)
    return PEAK * luminance**0.2 * scene  # the system gamma of a screen of 1,000 cd/m2 is 1.2


def standard_range(signal: Tensor, transfer: str) -> Tensor:
    """A picture [3, H, W] of a film with this transfer as sRGB in 0..1; "sdr" is as it is."""
    if transfer == "sdr":
        return signal
    light = display_light(signal.double(), transfer) / WHITE
    y, most = _weighed(light).clamp_min(1e-6), PEAK / WHITE
    light = light * ((1 + y / most**2) / (1 + y))
    matrix = torch.tensor(_TO_709, dtype=light.dtype)
    linear = (matrix @ light.reshape(3, -1)).view(light.shape).clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).float()


def _weighed(light: Tensor) -> Tensor:
    return _LUMINANCE[0] * light[0] + _LUMINANCE[1] * light[1] + _LUMINANCE[2] * light[2]
