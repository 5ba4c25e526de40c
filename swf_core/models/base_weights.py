"""The weights under a LoRA in less memory while it is trained: in bfloat16, or in 8 bits; and blocks that run twice.

In 8 bits (float8_e4m3fn, as ComfyUI and sd-scripts store Flux) a linear layer's weight is widened to its input's
precision at each product, and forgotten. diffusers' layerwise casting is not used: it exchanges the parameter's data
before and after a call, and what the backward pass then reads is narrow. Biases, norms and embedders stay in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError

_DIGEST = "_swf_digest_as_loaded"
# Small, read at every layer, and by which denoisers tell the precision that a network reads in.
_KEPT_WIDE = ("embed", "norm", "time_", "conv_in", "conv_out")


class _NarrowProduct(torch.autograd.Function):
    """x W^T + b for a weight without a gradient; going back W is widened once more instead of being kept wide."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return F.linear(x, weight.to(x.dtype), bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return grads[0] @ weight.to(grads[0].dtype), None, None


class NarrowLinear(nn.Linear):
    """A linear layer whose weight is stored narrower than it is used."""

    def forward(self, input: Tensor) -> Tensor:
        """As `nn.Linear`'s."""
        return _NarrowProduct.apply(input, self.weight, self.bias)


def is_narrow(module: nn.Module) -> bool:
    """Whether a layer's narrow weight is widened when it is used; quantized weights of other makers are not."""
    return isinstance(module, NarrowLinear)


def store_weights(network: nn.Module, kind: str, digest: Callable[[], str]) -> None:
    """Keep a network's own weights, in place, as `TrainOptions.base_weights` says. To be called before a LoRA is put
    in, which stays in full precision. A network that is kept so already is left as it is.

    digest: what tells the network from others, asked before anything is changed, for `digest_as_loaded`.
    Raises UserError for a network that is kept otherwise already: what is rounded off does not come back.
    """
    if kind == "as_loaded":
        return
    stored = vars(network).get(_DIGEST)
    if stored is not None:
        if stored[0] != kind:
            raise UserError(f"The model is kept in {stored[0]} already; load it again to keep its weights in {kind}.")
        return
    if kind == "fp8" and not hasattr(torch, "float8_e4m3fn"):
        raise UserError("This version of torch knows no float8; keep the base weights in bf16, or update torch.")
    vars(network)[_DIGEST] = kind, digest()
    kept = tuple(getattr(network, "_keep_in_fp32_modules", None) or ())
    for name, parameter in network.named_parameters():
        if parameter.is_floating_point() and not any(word in name.split(".") for word in kept):
            parameter.data = parameter.data.to(torch.bfloat16)
    if kind == "fp8":
        for name, module in network.named_modules():
            if isinstance(module, nn.Linear) and can_be_narrow(name, module):
                module.requires_grad_(False)
                module.weight.data = module.weight.data.to(torch.float8_e4m3fn)
                module.__class__ = NarrowLinear


def can_be_narrow(name: str, module: nn.Module) -> bool:
    """Whether a module's weight is one of those that are stored in 8 bits."""
    return type(module) in (nn.Linear, NarrowLinear) and not any(word in name for word in _KEPT_WIDE)


def stored_bytes(network: nn.Module, kind: str) -> int:
    """What the weights of a network that holds no LoRA yet take up, kept as `store_weights` keeps them."""
    total = 0
    for name, module in network.named_modules():
        narrow = kind == "fp8" and can_be_narrow(name, module)
        for part, value in module.named_parameters(recurse=False):
            size = value.element_size() if kind == "as_loaded" else 1 if narrow and part == "weight" else 2
            total += value.numel() * size
    return total


def digest_as_loaded(network: nn.Module) -> str | None:
    """The digest of a network whose weights `store_weights` has changed since, None for others."""
    stored = vars(network).get(_DIGEST)
    return None if stored is None else stored[1]


def run_blocks_twice(network: Any) -> None:
    """Gradient checkpointing (Chen et al., arXiv 1604.06174): blocks keep their inputs alone and run again going back.

    Raises UserError for a network that cannot.
    """
    if not getattr(network, "_supports_gradient_checkpointing", False):
        raise UserError("This network cannot checkpoint gradients; leave gradient_checkpointing off.")
    network.enable_gradient_checkpointing()
