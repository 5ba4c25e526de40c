"""LoRA files by the makers themselves, LyCORIS and peft, for tiny random models; and what the makers compute."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from support.tiny_models import fresh_backend

# LyCORIS's preset "full" of version 4.1.3 names a UNet's time embedding twice and stops; this one names all but that.
_PRESET = """
enable_conv = true
unet_target_module = ["Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D"]
unet_target_name = ["conv_in", "conv_out"]
text_encoder_target_module = ["CLIPAttention", "CLIPMLP"]
text_encoder_target_name = []
[module_algo_map]
"""


def by_lycoris(
    family: str, path: Path, *, algo: str, dim: int = 2, alpha: float = 1.0, preset: str = "", **options: Any
) -> Any:
    """Write a file of LyCORIS in kohya's names and give the backend whose modules LyCORIS has changed.

    `options` are those of its command line (dora_wd, use_tucker, train_norm, ...), `preset` more lines of its preset.
    """
    from lycoris.kohya import create_network
    from lycoris.logging import logger

    logger.setLevel(logging.ERROR)
    backend = fresh_backend(family)
    texts = list(backend.text.models)
    settings = path.with_suffix(".toml")
    settings.write_text(_PRESET + preset)
    text = texts if len(texts) > 1 else texts[0]
    options |= {"algo": algo, "preset": str(settings)}
    network = create_network(1.0, dim, alpha, None, text, backend.denoiser.network, **options)
    network.apply_to(texts, backend.denoiser.network, True, True)
    shake(network, 0.3 if algo in ("loha", "lokr") else 0.1)
    network.save_weights(str(path), torch.float32, None)
    network.eval()
    return backend


def by_peft(family: str, folder: Path, config: Any, *, text_model: int | None = None) -> Any:
    """Save an adapter by peft, and give the backend with it inside: of the UNet, or of one text model."""
    from peft import get_peft_model

    backend = fresh_backend(family)
    network: Any = backend.denoiser.network if text_model is None else backend.text.models[text_model]
    network.requires_grad_(False)
    adapter = get_peft_model(network, config)
    shake(adapter, 0.1)
    adapter.save_pretrained(str(folder))
    return backend


@torch.no_grad()
def shake(module: nn.Module, size: float) -> None:
    """Add noise to what is trained, so that no adapter is in its first state, in which it may do nothing."""
    generator = torch.Generator().manual_seed(11)
    for parameter in module.parameters():
        if parameter.requires_grad:
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))


def probe(module: Any, seed: int) -> Tensor:
    """A random input of the size that a layer takes."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(module, nn.Conv2d):
        return torch.randn((2, module.in_channels, 5, 5), generator=generator)
    if isinstance(module, nn.GroupNorm):
        return torch.randn((2, module.num_channels, 4, 4), generator=generator)
    width = module.normalized_shape[0] if isinstance(module, nn.LayerNorm) else module.in_features
    return torch.randn((3, width), generator=generator)


def networks(backend: Any) -> list[nn.Module]:
    return [backend.denoiser.network, *backend.text.models]


@torch.no_grad()
def answers(backend: Any, plain: Any) -> Iterator[tuple[str, Tensor]]:
    """What each layer of `backend` answers to its probe; `plain` is the model without an adapter."""
    for index, (network, original) in enumerate(zip(networks(backend), networks(plain))):
        layers = dict(network.named_modules())
        for number, (name, module) in enumerate(original.named_modules()):
            if isinstance(module, nn.Linear | nn.Conv2d | nn.GroupNorm | nn.LayerNorm):
                yield f"{index}.{name}", layers[name](probe(module, number))


def apart(ours: Any, makers: Any, plain: Any) -> tuple[float, int]:
    """The greatest difference between the layers of two models, relative to the layer's greatest answer; and how many
    layers the maker had changed."""
    worst, changed = 0.0, 0
    for (_, a), (_, b), (_, c) in zip(answers(ours, plain), answers(makers, plain), answers(plain, plain), strict=True):
        worst = max(worst, float((a - b).abs().max() / b.abs().max().clamp_min(1e-6)))
        changed += bool((b - c).abs().max() > 1e-4)
    return worst, changed
