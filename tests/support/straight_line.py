"""A diffusers UNet in the papers' own terms, for algorithms written straight from their formulas.

z = sqrt(abar) x0 + sqrt(1 - abar) eps on integer timesteps, DDIM moves, and self-attention as explicit matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

CLEAN = -1  # the timestep of a latent without noise
Features = list[tuple[Tensor, Tensor, Tensor]]  # q, k, v [B, heads, tokens, d] of each layer
# (layer, q, k, v) -> [B, heads, tokens, d]
Formula = Callable[[int, Tensor, Tensor, Tensor], Tensor]


def softmax_of(*logits: Tensor) -> Tensor:
    """One softmax over the tokens of all parts."""
    return torch.softmax(torch.cat(logits, -1), -1)


def logits(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5


class Spy:
    """A layer's attention: keeps q, k, v, and answers by the line's formula where there is one."""

    def __init__(self, line: StraightLine, index: int):
        self.line, self.index = line, index

    def __call__(self, attn, x, encoder_hidden_states=None, attention_mask=None, **_):
        rows, tokens, _ = x.shape
        q, k, v = (
            y.view(rows, tokens, attn.heads, -1).transpose(1, 2) for y in (attn.to_q(x), attn.to_k(x), attn.to_v(x))
        )
        self.line.seen[self.index] = (q, k, v)
        formula = self.line.formula
        out = softmax_of(logits(q, k)) @ v if formula is None else formula(self.index, q, k, v)
        return attn.to_out[0](out.transpose(1, 2).reshape(rows, tokens, -1))


class StraightLine:
    """The network of a backend with spies in the self-attention layers whose module names begin with one of `layers`;
    a context manager. `evaluations` counts rows."""

    def __init__(self, backend, layers: Sequence[str], size: int = 64):
        self.backend, self.unet = backend, backend.denoiser.network
        self.text = backend.text.encode([""], size, size).tokens
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        self.abar = torch.cumprod(1 - betas, 0)
        names = [layer.module for layer in backend.denoiser.self_attention_layers]
        self.modules = [self.unet.get_submodule(name) for name in names if name.startswith(tuple(layers))]
        self.seen: Features = [(torch.empty(0),) * 3 for _ in self.modules]
        self.formula: Formula | None = None
        self.evaluations = 0

    def __enter__(self) -> StraightLine:
        self.before = [attn.processor for attn in self.modules]
        for index, attn in enumerate(self.modules):
            attn.processor = Spy(self, index)
        return self

    def __exit__(self, *_) -> None:
        for attn, processor in zip(self.modules, self.before):
            attn.processor = processor

    def level(self, t: int) -> tuple[Tensor, Tensor]:
        """sqrt(abar) and sqrt(1 - abar)."""
        abar = torch.ones((), dtype=torch.float64) if t == CLEAN else self.abar[t]
        return abar.sqrt(), (1 - abar).sqrt()

    def eps(self, z: Tensor, t: int, formula: Formula | None = None) -> Tensor:
        """The predicted noise; what the layers showed is in `seen` afterwards."""
        self.formula, self.evaluations = formula, self.evaluations + z.shape[0]
        out = self.unet(z.float(), torch.tensor(t), encoder_hidden_states=self.text, return_dict=False)[0]
        if self.backend.denoiser.prediction_type == "epsilon":
            return out
        a, s = self.level(t)
        return a * out + s * z

    def clean(self, z: Tensor, e: Tensor, t: int) -> Tensor:
        """The predicted x0."""
        a, s = self.level(t)
        return (z - s * e) / a

    def move(self, z: Tensor, e: Tensor, t: int, target: int) -> Tensor:
        """A DDIM step with eta 0."""
        a, s = self.level(target)
        return a * self.clean(z, e, t) + s * e

    def noised(self, z0: Tensor, e: Tensor, t: int) -> Tensor:
        a, s = self.level(t)
        return a * z0 + s * e

    def invert(self, z0: Tensor, timesteps: Sequence[int]) -> tuple[dict[int, Tensor], dict[int, Features]]:
        """DDIM inversion up the rising `timesteps`, eps at the present one (the clean latent's at 0): the latents, and
        what the layers showed at all timesteps but the last."""
        latents, features, z = {}, {}, z0
        for here, there in zip([CLEAN, *timesteps], timesteps):
            e = self.eps(self.level(0)[0] * z if here == CLEAN else z, max(here, 0))
            features[here] = list(self.seen)
            z = latents[there] = self.move(z, e, here, there)
        return latents, features

    def features(self, z: Tensor, t: int) -> Features:
        """What the layers show of a latent at `t`."""
        self.eps(z, t)
        return list(self.seen)


def timesteps_of(steps: int) -> list[int]:
    """1, 1 + T / steps, ..: Stable Diffusion's, rising."""
    return [1 + i * (1000 // steps) for i in range(steps)]
