"""Which arithmetic a training uses on which device."""

from __future__ import annotations

import torch


def mixed_precision(device: torch.device | str = "cpu") -> torch.autocast:
    """bfloat16 matrix products where the device has them, full precision elsewhere.

    Weights that are trained, the optimizer and losses stay in float32 either way.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16, enabled=torch.cuda.is_bf16_supported())
    if kind != "cpu":
        return torch.autocast(kind, enabled=False)
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=native)
