"""Which arithmetic a training uses on which device."""

from __future__ import annotations

import torch


def mixed_precision(device: torch.device | str = "cpu") -> torch.autocast:
    """bfloat16 matrix products where the device is much faster at them, full precision elsewhere.

    Of processors that is those with AMX: with AVX-512's bfloat16 alone the embedded model trains a fifth slower than in
    full precision, and the weights' copies cost a UNet of SD1.5's shape 1.2 GB (docs/figures.md, Time and memory).
    Weights that are trained, the optimizer and losses stay in float32 either way.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16, enabled=torch.cuda.is_bf16_supported())
    if kind != "cpu":
        return torch.autocast(kind, enabled=False)
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.cpu._is_amx_tile_supported())
