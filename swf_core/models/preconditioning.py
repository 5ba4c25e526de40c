"""From sigma space to a discrete-time network and back: the timestep nearest to a noise level, its input, and x0."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_timestep(log_sigmas: Tensor, sigma: float) -> int:
    """The timestep whose noise level is nearest in log sigma; `log_sigmas` is the table's logarithm, float64 [T]."""
    log_sigma = torch.tensor(max(float(sigma), 1e-12), dtype=torch.float64).log()
    return int((log_sigmas - log_sigma).abs().argmin())


def scale_model_input(x: Tensor, sigma: float) -> Tensor:
    """The network's input: x / sqrt(sigma^2 + 1), by the exact sigma."""
    return x / (float(sigma) ** 2 + 1.0) ** 0.5


def x0_from_prediction(prediction_type: str, x: Tensor, sigma: float, prediction: Tensor) -> Tensor:
    """x0 from the network's output at x: "epsilon", "v_prediction" (Salimans and Ho, arXiv 2202.00512) or "sample"."""
    if prediction_type == "epsilon":
        return x - float(sigma) * prediction
    if prediction_type == "v_prediction":
        variance = float(sigma) ** 2 + 1.0
        return x / variance - (float(sigma) / variance**0.5) * prediction
    return prediction
