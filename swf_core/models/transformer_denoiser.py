"""`Denoiser` from a diffusers SD3 or Flux transformer, and the editing of its joint attention.

Nothing here imports diffusers: the network is handed in, and only its module names and attributes are used. These are
rectified flows (`flow`); their attention is joint: text and picture ask all tokens of both. An edit decides what the
picture's tokens read; the text's own questions are answered as ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UserError
from .contracts import AttentionEdit, AttentionLayer, Conditioning, JointTokens
from .flow import flow_input, flow_sigmas, flow_time, x0_from_velocity
from .flow_training import FlowTraining
from .rope import RopeView

FLUX_PATCH = 2  # latent cells along a token's side; its network sees tokens alone


def find_joint_attention(network: Any) -> tuple[AttentionLayer, ...]:
    """The joint attention of a diffusers transformer in running order: "double.<i>" blocks hold text and picture apart,
    "single.<i>" blocks in one row of tokens. SD3.5's second attention, of the picture alone, is none of them."""
    patch = FLUX_PATCH if hasattr(network, "single_transformer_blocks") else network.config.patch_size
    layers = []
    for kind, blocks in (("double", "transformer_blocks"), ("single", "single_transformer_blocks")):
        for index, block in enumerate(getattr(network, blocks, ())):
            channels = block.attn.to_k.out_features
            layers.append(AttentionLayer(f"{kind}.{index}", int(math.log2(patch)), f"{blocks}.{index}.attn", channels))
    return tuple(layers)


class _EditedJointAttention:
    """A diffusers attention processor that lets a function decide what pictures read. Lives for one denoise call."""

    def __init__(self, layer: AttentionLayer, grid: tuple[int, int], edit: AttentionEdit, rope: RopeView | None):
        self.layer, self.grid, self.edit, self.rope = layer, grid, edit, rope

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
    ) -> Any:
        picture = [_heads(attn, hidden_states, part) for part in ("to_q", "to_k", "to_v")]
        picture = [_normed(attn, norm, x) for norm, x in zip(("norm_q", "norm_k", ""), picture)]
        if encoder_hidden_states is None:  # a single block: text stands before the picture
            length = hidden_states.shape[1] - self.grid[0] * self.grid[1]
            text = [x[:, :, :length] for x in picture]
            picture = [x[:, :, length:] for x in picture]
        else:
            text = [_heads(attn, encoder_hidden_states, part) for part in ("add_q_proj", "add_k_proj", "add_v_proj")]
            text = [_normed(attn, norm, x) for norm, x in zip(("norm_added_q", "norm_added_k", ""), text)]
        picture_out, text_out = self._attend(picture, text)
        if encoder_hidden_states is None:
            return _flat(torch.cat([text_out, picture_out], -2))
        answer = attn.to_out[1](attn.to_out[0](_flat(picture_out)))
        text_answer = _flat(text_out)
        return answer, text_answer if attn.context_pre_only else attn.to_add_out(text_answer)

    def _attend(self, picture: list[Tensor], text: list[Tensor]) -> tuple[Tensor, Tensor]:
        """What picture and text read, [B, heads, tokens, d] each. Text stands at 0 of every axis, and so unturned."""
        (q, k, v), (text_q, text_k, text_v) = picture, text
        joint, scale = JointTokens(text_k, text_v, self.rope, self.grid), q.shape[-1] ** -0.5
        out = self.edit.function(self.layer, q, k, v, self.grid, scale, joint)
        keys, values = torch.cat([text_k, joint.place(k)], -2), torch.cat([text_v, v], -2)
        if out is not None:
            return out.to(q.dtype), F.scaled_dot_product_attention(text_q, keys, values)
        both = F.scaled_dot_product_attention(torch.cat([text_q, joint.place(q)], -2), keys, values)
        return both[:, :, text_q.shape[-2] :], both[:, :, : text_q.shape[-2]]


def _heads(attn: Any, tokens: Tensor, projection: str) -> Tensor:
    """[B, N, C] -> [B, heads, N, d]."""
    return getattr(attn, projection)(tokens).unflatten(-1, (attn.heads, -1)).transpose(1, 2)


def _normed(attn: Any, norm: str, x: Tensor) -> Tensor:
    module = getattr(attn, norm, None) if norm else None
    return x if module is None else module(x)


def _flat(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class TransformerDenoiser(FlowTraining):
    """A diffusers SD3Transformer2DModel or FluxTransformer2DModel as a `Denoiser`.

    `shift`: of the table of noise levels, 3 for SD3 (`flow.flow_sigmas`). `guidance`: the strength that a network
    distilled from guidance is told (Flux dev). Latents whose sides are no multiples of a token's are continued to the
    right and below, and the result is cut. The edit of one call is installed as attention processors and taken out
    again before the call returns, also after an error. One call at a time per network.
    """

    def __init__(self, network: Any, shift: float = 1.0, guidance: float = 3.5):
        self._network, self._sigmas, self._guidance = network, flow_sigmas(shift), guidance
        self.timestep_shift = shift
        self._layers = find_joint_attention(network)
        self._names = {module: name for name, module in network.named_modules()}
        axes = getattr(network.config, "axes_dims_rope", None)
        self._rope = None if axes is None else RopeView(tuple(axes))
        self._patch = 2 ** self._layers[0].level

    @property
    def sigmas(self) -> Tensor:
        return self._sigmas

    @property
    def self_attention_layers(self) -> tuple[AttentionLayer, ...]:
        return self._layers

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
        gradients where they are on. `guidance`: what it is told instead of its own."""
        height, width = x_t.shape[-2:]
        padded = F.pad(x_t, (0, -width % self._patch, 0, -height % self._patch), mode="replicate")
        told = self._guidance if guidance is None else guidance
        with self._editing(edit, (height, width)):
            return self._run(padded, t, cond.repeat(x_t.shape[0]), told)[..., :height, :width]

    def _run(self, x_t: Tensor, rows: Tensor, cond: Conditioning, guidance: float) -> Tensor:
        """The network's velocity, float32. Raises ValueError (UserError) where the text has no pooled row."""
        if cond.pooled is None:
            raise UserError("This model reads a pooled text beside its tokens, and the text encoder gave none.")
        like = next(self._network.parameters())
        text = {
            "encoder_hidden_states": cond.tokens.to(like),
            "pooled_projections": cond.pooled.to(like),
            "return_dict": False,
        }
        rope, grid = self._rope, (x_t.shape[-2] // FLUX_PATCH, x_t.shape[-1] // FLUX_PATCH)
        if rope is None:
            return self._network(x_t.to(like), timestep=rows * 1000.0, **text)[0].float()
        told = torch.full_like(rows, guidance) if self._network.config.guidance_embeds else None
        tokens = self._network(
            F.pixel_unshuffle(x_t, FLUX_PATCH).flatten(2).transpose(1, 2).to(like),
            timestep=rows,
            img_ids=rope.grid_ids(*grid).float().to(like.device),
            txt_ids=torch.zeros(cond.tokens.shape[1], len(rope.axes), device=like.device),
            guidance=told,
            **text,
        )[0]
        return F.pixel_shuffle(tokens.transpose(1, 2).unflatten(-1, grid), FLUX_PATCH).float()

    @contextmanager
    def _editing(self, edit: AttentionEdit | None, latent_size: tuple[int, int]) -> Iterator[None]:
        by_name = {layer.name: layer for layer in self._layers}
        before: dict[Any, Any] = {}
        try:
            for name in edit.layers if edit is not None else ():
                layer = by_name[name]
                module: Any = self._network.get_submodule(layer.module)
                before[module] = module.processor
                processor = _EditedJointAttention(layer, layer.grid(*latent_size), edit, self._rope)  # type: ignore[arg-type]
                module.processor = processor
            yield
        finally:
            for module, processor in before.items():
                module.processor = processor
