"""The memory that a training will need, estimated before its first step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..models.base_weights import stored_bytes
from ..models.contracts import Backend
from ..models.lora_targets import choose_modules
from .latent_cache import Batch
from .losses import fixed_levels
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
    """Estimated from one forward pass of a single row, before the options' precision and checkpoints are in place.

    What every layer puts out is held, times the batch, and beside narrow weights the inputs of the LoRA's layers in its
    full precision. With `gradient_checkpointing` it is what every block puts out, and all of the largest block, which
    is run again. Of Flux's and SD3's shapes it is 1.1 to 1.3 times what autograd keeps; of Qwen-Image's, Lumina 2's and
    Z-Image's beside narrow weights two thirds, since what they norm and turn in full precision is not seen here.
    """
    network: Any = backend.denoiser
    modules = choose_modules(network.module_names, options.targets)
    first: Any = next(network.network.parameters())
    width = first.element_size() if options.base_weights == "as_loaded" else 2
    outside, blocks = _forward_pass(network, batch, width / first.element_size(), modules if width < 4 else ())
    activations = outside + sum(inside for inside, _ in blocks)
    if options.gradient_checkpointing and blocks:
        activations = outside + sum(out for _, out in blocks) + max(inside for inside, _ in blocks)
    lora = 0
    for module in modules:
        weight: Any = module.weight
        lora += options.rank * (weight[0].numel() + weight.shape[0])
    weights = stored_bytes(network.network, options.base_weights)
    return MemoryNeed(weights, BYTES_A_WEIGHT * lora, int(activations * options.batch))


def _forward_pass(
    network: Any, batch: Batch, share: float, widened: Collection[nn.Module]
) -> tuple[float, list[tuple[float, float]]]:
    """Bytes that the layers outside of blocks put out for one row; and for each block those inside it, and its own.

    share: of the bytes that are there now. widened: layers whose input is kept in full precision too.
    """
    lists = [child for child in network.network.children() if isinstance(child, nn.ModuleList)]
    blocks = [block for child in lists for block in child]
    owners = {module: k for k, block in enumerate(blocks) for module in block.modules()}
    outside, inside, own = [0.0], [0.0] * len(blocks), [0.0] * len(blocks)

    def count_leaf(module: nn.Module, inputs: Any, out: Any) -> None:
        block = owners.get(module)
        counts, place = (outside, 0) if block is None else (inside, block)
        counts[place] += share * _bytes(out) + (4 * inputs[0].numel() if module in widened else 0)

    def count_block(module: nn.Module, inputs: Any, out: Any) -> None:
        own[owners[module]] += share * _bytes(out)

    leaves = [m for m in network.network.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(count_leaf) for m in leaves]
    hooks += [block.register_forward_hook(count_block) for block in blocks]
    try:
        network.predict(batch.latents[:1], fixed_levels(network, [0.5]), batch.text.pick([0]))
    finally:
        for hook in hooks:
            hook.remove()
    return outside[0], list(zip(inside, own))


def _bytes(out: Any) -> int:
    if isinstance(out, Tensor):
        return out.numel() * out.element_size()
    return sum(_bytes(part) for part in out) if isinstance(out, tuple | list) else 0
