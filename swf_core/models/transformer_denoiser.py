"""`Denoiser` from a diffusion transformer of diffusers, of any family that `families` knows.

Nothing here imports diffusers: the network is handed in. These are rectified flows (`flow`); their attention is joint:
text and picture ask all tokens of both. An edit decides what the picture's tokens read; the text's own questions are
answered as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .contracts import AttentionEdit, AttentionLayer, Conditioning
from .families import family_of
from .families.attention import EditedAttention, Places
from .families.family import check_fits
from .flow import flow_input, flow_sigmas, flow_time, x0_from_velocity
from .flow_training import FlowTraining


class TransformerDenoiser(FlowTraining):
    """A diffusion transformer as a `Denoiser`. Raises ValueError (UserError) for a family that is not known.

    `shift`: of the table of noise levels, 3 for SD3 (`flow.flow_sigmas`). `guidance`: the strength that a network
    distilled from guidance is told (Flux dev). Latents whose sides are no multiples of a token's are continued to the
    right and below, and the result is cut. The edit of one call is installed as attention processors and taken out
    again before the call returns, also after an error. One call at a time per network.
    """

    def __init__(self, network: Any, shift: float = 1.0, guidance: float = 3.5):
        self._network, self._sigmas, self._guidance = network, flow_sigmas(shift), guidance
        self.timestep_shift = shift
        self._family = family_of(network)
        self._names = {module: name for name, module in network.named_modules()}

    @property
    def sigmas(self) -> Tensor:
        return self._sigmas

    @property
    def self_attention_layers(self) -> tuple[AttentionLayer, ...]:
        return self._family.layers

    @property
    def network(self) -> nn.Module:
        return self._network

    @property
    def module_names(self) -> Mapping[nn.Module, str]:
        return self._names

    @property
    def device(self) -> torch.device:
        return next(self._network.parameters()).device

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None) -> Tensor:
        """x0 [B, C, h, w] float32 from x [B, C, h, w] at noise level sigma >= 0 (see the contract)."""
        x_t = flow_input(x.to(self.device, torch.float32), sigma)
        t = torch.full((x.shape[0],), flow_time(sigma), device=x_t.device)
        return x0_from_velocity(x_t, sigma, self.velocity(x_t, t, cond, edit))

    def velocity(
        self,
        x_t: Tensor,
        t: Tensor,
        cond: Conditioning,
        edit: AttentionEdit | None = None,
        guidance: float | None = None,
    ) -> Tensor:
        """The network's eps - x0, [B, C, h, w] float32, of x_t = (1 - t) x0 + t eps at the times t [B] in 0..1; with
        gradients where they are on. `guidance`: what it is told instead of its own.

        Raises ValueError (UserError) for latents of other channels, or a text of another width or without what the
        network reads.
        """
        check_fits(self._family, x_t, cond)
        height, width = x_t.shape[-2:]
        patch, cond = self._family.patch, cond.repeat(x_t.shape[0])
        padded = F.pad(x_t, (0, -width % patch, 0, -height % patch), mode="replicate")
        places = self._family.places((padded.shape[-2] // patch, padded.shape[-1] // patch), cond)
        with self._editing(edit, places):
            told = self._guidance if guidance is None else guidance
            return self._family.velocity(padded, t, cond, told)[..., :height, :width]

    @contextmanager
    def _editing(self, edit: AttentionEdit | None, places: Places) -> Iterator[None]:
        """An edit in place, and where a network cannot leave out what fills texts up, that in every layer."""
        edited = frozenset[str]() if edit is None else edit.layers
        by_name = {layer.name: layer for layer in self._family.layers}
        masked = places.bias is not None and not self._family.masks
        before: dict[Any, Any] = {}
        try:
            for name in by_name if masked else edited:
                layer = by_name[name]
                module: Any = self._network.get_submodule(layer.module)
                before[module] = module.processor
                function = edit.function if edit is not None and name in edited else None
                module.processor = EditedAttention(layer, self._family.reader(layer), places, function)
            yield
        finally:
            for module, processor in before.items():
                module.processor = processor
