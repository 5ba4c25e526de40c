"""A LoRA on a network, by peft: put in, trained or loaded, switched off for a while, written to a file.

LoRA (Hu et al., arXiv 2106.09685): W x + alpha / rank * B A x, with A drawn and B zero, so that a new one changes
nothing. Modules go by diffusers names whatever network they sit in, and so in the file (`lora_file`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .contracts import AttentionEdit, Backend, Conditioning, Denoiser

ADAPTER = "style"


class Adapter:
    """A LoRA inside `network`. Made by `new` or `loaded`; the network is changed in place and keeps its own weights.

    `layers`: diffusers name -> peft's layer, in the network's order.
    """

    def __init__(self, network: nn.Module, modules: Mapping[nn.Module, str], rank: int, alpha: float):
        from peft import LoraConfig, inject_adapter_in_model

        own_names = {module: name for name, module in network.named_modules()}
        by_own_name = {own_names[module]: name for module, name in modules.items()}
        network.requires_grad_(False)
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(by_own_name))  # type: ignore[arg-type]
        inject_adapter_in_model(config, network, ADAPTER)
        self.layers: dict[str, Any] = {
            by_own_name[name]: module for name, module in network.named_modules() if name in by_own_name
        }
        self._ours = set(self.layers.values())
        self.network, self.rank, self.alpha = network, rank, float(alpha)
        for layer in self.layers.values():  # trained and kept in full precision whatever the network's is
            layer.lora_A[ADAPTER].float()
            layer.lora_B[ADAPTER].float()

    @classmethod
    def new(cls, network: nn.Module, modules: Mapping[nn.Module, str], rank: int, alpha: float, seed: int) -> Adapter:
        """A fresh one: A Kaiming-uniform as in peft but from a generator of its own, B zero."""
        adapter = cls(network, modules, rank, alpha)
        generator = torch.Generator("cpu").manual_seed(seed)
        with torch.no_grad():
            for layer in adapter.layers.values():
                down = layer.lora_A[ADAPTER].weight
                bound = 1 / math.sqrt(down[0].numel())  # kaiming_uniform_ with a = sqrt(5)
                drawn = torch.rand(down.shape, generator=generator) * 2 * bound - bound
                down.copy_(drawn)
                layer.lora_B[ADAPTER].weight.zero_()
        return adapter

    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by name: "<diffusers module>.down" and ".up", in order."""
        parameters = {}
        for name, layer in self.layers.items():
            parameters[f"{name}.down"] = layer.lora_A[ADAPTER].weight
            parameters[f"{name}.up"] = layer.lora_B[ADAPTER].weight
        return parameters

    @torch.no_grad()
    def load_values(self, values: Mapping[str, Tensor]) -> None:
        """Copy values, named as in `parameters`, into this one."""
        for name, parameter in self.parameters().items():
            parameter.copy_(values[name])

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The network without the LoRA, for a while."""
        for layer in self.layers.values():
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in self.layers.values():
                layer.enable_adapters(True)

    def remove(self) -> None:
        """Take the LoRA out of the network: its own layers stand there again, with their own weights."""
        for module in list(self.network.modules()):
            for child, layer in list(module.named_children()):
                if layer in self._ours:
                    adapted: Any = layer
                    setattr(module, child, adapted.get_base_layer())
        vars(self.network).pop("peft_config", None)  # or the next adapter would be taken for a second one

    def set_strength(self, strength: float) -> None:
        """Multiply what the LoRA adds: 1 is as trained, 0 is off."""
        for layer in self.layers.values():
            layer.set_scale(ADAPTER, strength)

    @contextmanager
    def at_strength(self, strength: float) -> Iterator[None]:
        """Another strength for a while, then as trained again."""
        self.set_strength(strength)
        try:
            yield
        finally:
            self.set_strength(1.0)

    @torch.no_grad()
    def norm(self) -> float:
        """The mean over its layers of |alpha / rank B A| / |W|, Frobenius norms: how far it moves the weights."""
        shares = []
        for layer in self.layers.values():
            down, up = layer.lora_A[ADAPTER].weight.flatten(1), layer.lora_B[ADAPTER].weight.flatten(1)
            # |BA| from two rank x rank products: the full matrix is never built.
            product = ((up.T @ up) * (down @ down.T)).sum().clamp_min(0).sqrt()
            weight = layer.get_base_layer().weight.float().norm().clamp_min(1e-12)
            shares.append(float(product / weight) * self.alpha / self.rank)
        return sum(shares) / len(shares)


class DenoiserWithoutLora:
    """The denoiser without its adapter: the unconditional branch of asymmetric guidance, and the plain model."""

    def __init__(self, denoiser: Denoiser, adapter: Adapter):
        self._denoiser, self._adapter = denoiser, adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._denoiser, name)

    def denoise(self, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None) -> Tensor:
        """As the contract says, with the adapter switched off."""
        with self._adapter.disabled():
            return self._denoiser.denoise(x, sigma, cond, edit)


def without_lora(backend: Backend, adapter: Adapter) -> Backend:
    """The same model with its adapter switched off."""
    return replace(backend, denoiser=DenoiserWithoutLora(backend.denoiser, adapter))
