"""What rows and captions are kept by: digits that change when weights or pictures do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import torch

from ...models.contracts import Backend


def weights_digest(name: str, modules: Iterable[Any]) -> str:
    """16 hexadecimal digits of the SHA-256 of a name and of all parameters of the modules among these."""
    digest = hashlib.sha256(name.encode())
    for module in modules:
        if isinstance(module, torch.nn.Module):
            for key, value in module.state_dict().items():
                digest.update(key.encode())
                digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def model_digest(backend: Backend) -> str:
    """Of the network and, where the codec shows it, the autoencoder."""
    return weights_digest(
        f"{backend.name} {backend.family}", (backend.denoiser.network, getattr(backend.codec, "vae", None))
    )


def text_digest(*parts: str) -> str:
    """12 hexadecimal digits of the SHA-256 of texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
