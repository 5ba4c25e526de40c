"""From sigma space to what a discrete-time network takes and says: the step nearest to a noise level, and x0."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_step(log_sigmas: Tensor, sigma: float) -> int:
    """The step whose noise level is nearest in log sigma; `log_sigmas` is the table's logarithm, float64 [T]."""
    wanted = torch.tensor(max(float(sigma), 1e-12), dtype=torch.float64).log()
    return int((log_sigmas - wanted).abs().argmin())


def scaled(x: Tensor, sigma: float) -> Tensor:
    """What the network is given: x / sqrt(sigma^2 + 1), by the exact sigma."""
    return x / (float(sigma) ** 2 + 1.0) ** 0.5


def x0_of(prediction: str, x: Tensor, sigma: float, said: Tensor) -> Tensor:
    """x0 from what the network said at x: "epsilon", "v_prediction" (Salimans and Ho, arXiv 2202.00512) or "sample"."""
    if prediction == "epsilon":
        return x - float(sigma) * said
    if prediction == "v_prediction":
        variance = float(sigma) ** 2 + 1.0
        return x / variance - (float(sigma) / variance**0.5) * said
    return said
