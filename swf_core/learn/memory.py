"""The memory that a training will need, estimated before its first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..models.contracts import Backend
from ..models.lora_targets import choose_modules
from .latent_cache import Batch
from .options import TrainOptions

# A weight of the LoRA in full precision, its gradient, and AdamW's two moments.
BYTES_A_WEIGHT = 16


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes: of the network, of LoRA and optimizer, of what a forward pass keeps for the backward pass."""

    network: int
    lora: int
    activations: int

    @property
    def total(self) -> int:
        return self.network + self.lora + self.activations

    def __str__(self) -> str:
        parts = ((self.network, "network"), (self.lora, "LoRA and optimizer"), (self.activations, "activations"))
        shares = ", ".join(f"{size / 2**30:.2f} GB {name}" for size, name in parts)
        return f"about {self.total / 2**30:.2f} GB ({shares})"


@torch.no_grad()
def memory_needed(backend: Backend, options: TrainOptions, batch: Batch) -> MemoryNeed:
    """Estimated from one forward pass of a single row: what every layer puts out is held, times the batch."""
    network: Any = backend.denoiser
    activations = 0

    def count(module: nn.Module, inputs: Any, out: Any) -> None:
        nonlocal activations
        if isinstance(out, Tensor):
            activations += out.numel() * out.element_size()

    leaves = [m for m in network.network.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(count) for m in leaves]
    try:
        network.predict(batch.latents[:1], torch.zeros(1, dtype=torch.long), batch.text.pick([0]))
    finally:
        for hook in hooks:
            hook.remove()
    weights = sum(p.numel() * p.element_size() for p in network.network.parameters())
    lora = 0
    for module in choose_modules(network.module_names, options.targets):
        weight: Any = module.weight
        lora += options.rank * (weight[0].numel() + weight.shape[0])
    return MemoryNeed(weights, BYTES_A_WEIGHT * lora, activations * options.batch)
