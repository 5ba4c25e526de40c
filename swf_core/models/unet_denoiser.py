"""`Denoiser` from a diffusers UNet2DConditionModel, and the editing of its self-attention.

Nothing here imports diffusers: the network is handed in, and only its module names and attributes are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from .contracts import AttentionEdit, AttentionLayer, Conditioning
from .preconditioning import nearest_timestep, scale_model_input, x0_from_prediction

_ATTN1 = re.compile(
    r"(down_blocks|up_blocks|mid_block)(?:\.(\d+))?\.attentions\.(\d+)\.transformer_blocks\.(\d+)\.attn1"
)
PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")


def find_self_attention(network: Any) -> dict[str, AttentionLayer]:
    """diffusers name -> layer of a diffusers UNet, in running order."""
    modules: dict[str, Any] = dict(network.named_modules())
    own = [name for name, module in modules.items() if not getattr(module, "is_cross_attention", False)]
    found = name_self_attention(own, len(network.down_blocks))
    return {name: replace(layer, channels=modules[name].to_k.out_features) for name, layer in found.items()}


def name_self_attention(names: Iterable[str], blocks: int) -> dict[str, AttentionLayer]:
    """diffusers name -> layer, for those of the module `names` that are self-attention, in running order.

    `blocks`: down blocks of the network, which is its number of resolutions. The order is down, mid, up
    (named_modules() lists mid last). Their channels are not told by names.
    """
    rows = []
    for name in names:
        match = _ATTN1.fullmatch(name)
        if match is None:
            continue
        kind, block, index, depth = match[1], int(match[2] or 0), int(match[3]), int(match[4])
        rows.append((("down_blocks", "mid_block", "up_blocks").index(kind), block, index, depth, name))
    rows.sort()
    deepest: dict[tuple[int, int, int], int] = {}
    for kind, block, index, depth, _ in rows:
        deepest[kind, block, index] = max(depth, deepest.get((kind, block, index), 0))
    layers = {}
    for kind, block, index, depth, name in rows:
        front = ("down", "mid", "up")[kind] + ("" if kind == 1 else f".{block}") + f".{index}"
        level = (block, blocks - 1, blocks - 1 - block)[kind]
        several = deepest[kind, block, index] > 0
        layers[name] = AttentionLayer(f"{front}.{depth}" if several else front, level, name)
    return layers


class _EditedSelfAttention:
    """A diffusers attention processor that lets a function decide. Lives for one denoise call."""

    def __init__(self, layer: AttentionLayer, latent_size: tuple[int, int], edit: AttentionEdit):
        self.layer, self.grid, self.edit = layer, layer.grid(*latent_size), edit

    def __call__(self, attn: Any, hidden_states: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
        batch, tokens, _ = hidden_states.shape  # [B, N, C]

        def heads(x: Tensor) -> Tensor:
            return x.view(batch, tokens, attn.heads, -1).transpose(1, 2)  # [B, heads, N, d]

        q, k, v = heads(attn.to_q(hidden_states)), heads(attn.to_k(hidden_states)), heads(attn.to_v(hidden_states))
        q = q if attn.norm_q is None else attn.norm_q(q)
        k = k if attn.norm_k is None else attn.norm_k(k)
        scale = q.shape[-1] ** -0.5
        out = self.edit.function(self.layer, q, k, v, self.grid, scale)
        if out is None:
            out = nn.functional.scaled_dot_product_attention(q, k, v)
        out = out.to(q.dtype).transpose(1, 2).reshape(batch, tokens, -1)
        out = attn.to_out[1](attn.to_out[0](out))
        return out / attn.rescale_output_factor


class UNetDenoiser:
    """A diffusers UNet as a `Denoiser`.

    `sigmas` is the table [T]; `prediction_type` one of "epsilon", "v_prediction", "sample". The edit of one call is
    installed as attention processors on the chosen attn1 modules and taken out again before the call returns, also
    after an error. One call at a time per network: two threads must not share one.
    """

    def __init__(self, network: Any, sigmas: Tensor, prediction_type: str):
        if prediction_type not in PREDICTION_TYPES:
            raise UserError(
                f"Prediction type {prediction_type!r} is unknown; a model predicts one of {PREDICTION_TYPES}."
            )
        self._network = network
        self._sigmas = sigmas.double().cpu()
        self._log_sigmas = self._sigmas.log()
        self._prediction_type = prediction_type
        self._layers = find_self_attention(network)
        self._names = {module: name for name, module in network.named_modules()}
        self._attn1 = {self._layers[n].name: m for m, n in self._names.items() if n in self._layers}

    @property
    def sigmas(self) -> Tensor:
        return self._sigmas

    @property
    def self_attention_layers(self) -> tuple[AttentionLayer, ...]:
        return tuple(self._layers.values())

    @property
    def network(self) -> nn.Module:
        return self._network

    @property
    def module_names(self) -> Mapping[nn.Module, str]:
        return self._names

    @property
    def prediction_type(self) -> str:
        return self._prediction_type

    @property
    def device(self) -> torch.device:
        return next(self._network.parameters()).device

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None) -> Tensor:
        """x0 [B, C, h, w] float32 from x [B, C, h, w] at noise level sigma >= 0 (see the contract)."""
        weight = next(self._network.parameters())
        x = x.to(weight.device, torch.float32)
        t = torch.tensor(nearest_timestep(self._log_sigmas, sigma), device=weight.device)
        with self._editing(edit, (x.shape[-2], x.shape[-1])):
            prediction = self._run(scale_model_input(x, sigma), t, cond.repeat(x.shape[0]))
        return x0_from_prediction(self._prediction_type, x, sigma, prediction)

    def predict(self, noisy: Tensor, timesteps: Tensor, cond: Conditioning) -> Tensor:
        """See `Trainable`."""
        device = self.device
        return self._run(noisy.to(device, torch.float32), timesteps.to(device), cond.repeat(noisy.shape[0]))

    def _run(self, noisy: Tensor, timesteps: Tensor, cond: Conditioning) -> Tensor:
        """The network's own output, float32, for latents in its own scale."""
        weight = next(self._network.parameters())
        added = None
        if cond.pooled is not None and cond.size_ids is not None:
            pooled = cond.pooled.to(weight.device, weight.dtype)
            added = {"text_embeds": pooled, "time_ids": cond.size_ids.to(weight.device, weight.dtype)}
        return self._network(
            noisy.to(weight.dtype),
            timesteps,
            encoder_hidden_states=cond.tokens.to(weight.device, weight.dtype),
            added_cond_kwargs=added,
            return_dict=False,
        )[0].float()

    @contextmanager
    def _editing(self, edit: AttentionEdit | None, latent_size: tuple[int, int]) -> Iterator[None]:
        by_name = {layer.name: layer for layer in self._layers.values()}
        before: dict[Any, Any] = {}
        try:
            for name in edit.layers if edit is not None else ():
                module: Any = self._attn1[name]
                before[module] = module.processor
                module.processor = _EditedSelfAttention(by_name[name], latent_size, edit)  # type: ignore[arg-type]
            yield
        finally:
            for module, processor in before.items():
                module.processor = processor
