"""The Gaussian low-pass of latents as it is defined, by the Fourier transform."""

from __future__ import annotations

import torch


def mirrored_fourier(x, cut):
    """The filter as it is defined: on the latent mirrored to twice its size, in cycles per long side."""
    doubled = torch.cat([x, x.flip(-1)], -1)
    doubled = torch.cat([doubled, doubled.flip(-2)], -2)
    fy, fx = (torch.fft.fftfreq(s, dtype=torch.float64) for s in doubled.shape[-2:])
    gain = torch.exp(-(fy[:, None] ** 2 + fx**2) * max(x.shape[-2:]) ** 2 / (2 * cut**2))
    return torch.fft.ifft2(torch.fft.fft2(doubled) * gain).real[..., : x.shape[-2], : x.shape[-1]]
