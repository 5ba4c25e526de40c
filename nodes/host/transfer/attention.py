"""An edit of self-attention carried out by the host: replacements of chosen layers, in a copy of the model options.

One mechanism for reading and for injecting: `patches_replace`, which gets queries, keys and values after the
host's projections with whatever LoRA, ControlNet or patch came before, exactly as the core's own backend has them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import comfy.model_patcher
import torch
from comfy.ldm.modules.attention import optimized_attention
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionFunction, AttentionLayer
from .unet import Unet


@dataclass(frozen=True)
class CallPart:
    """A part of a call's rows that shares one conditioning.

    `uuid`: of the conditioning (area prompts differ in place). `rows`: how many pictures it holds. `frames`: which
    pictures of the sampling those are, where a node samples windows of the batch; None for all.
    """

    uuid: Any
    rows: int
    frames: tuple[int, ...] | None


# The function for a part of the batch.
Chooser = Callable[[CallPart], AttentionFunction]


def with_edit(options: dict[str, Any], unet: Unet, layers: Iterable[str], choose: Chooser) -> dict[str, Any]:
    """A copy of model options with self-attention in `layers` computed by the function that `choose` returns.

    Raises UserError, naming the layer, where another patch has replaced it already.
    """
    edited = comfy.model_patcher.create_model_options_clone(options)
    replaced = edited.setdefault("transformer_options", {}).setdefault("patches_replace", {})
    attention = replaced["attn1"] = dict(replaced.get("attn1", {}))
    for name in layers:
        key = unet.keys[name]
        if key in attention or key[:2] in attention:
            raise UserError(
                f"Another node's patch already replaces self-attention layer {name} (block {key[0]} {key[1]}); remove "
                "that node, or leave this layer out of 'layers'."
            )
        attention[key] = _Replacement(unet.layers[name], choose)
    return edited


class _Replacement:
    """The host's call for one layer, given to the core's function as [B, heads, tokens, d]."""

    def __init__(self, layer: AttentionLayer, choose: Chooser):
        self.layer, self.choose = layer, choose

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """What newer hosts may hand over beside the options is nothing that a UNet's self-attention needs."""
        extra = extra_options
        heads, d = extra["n_heads"], extra["dim_head"]
        rows, tokens, _ = q.shape
        height, width = extra["activations_shape"][-2:]
        if height * width != tokens or k.shape[1] != tokens:
            raise UserError(
                "Another node's patch (such as HyperTile, token merging or a reference ControlNet) changed the tokens "
                f"of layer {self.layer.name}; put it on a model without style transfer."
            )
        uuids, frames = extra.get("uuids") or [None], frames_of_window(extra)
        size = rows // len(uuids)
        functions = [self.choose(CallPart(uuid, size, frames)) for uuid in uuids]
        if all(function is functions[0] for function in functions):
            functions, size = functions[:1], rows
        upcast = extra.get("attn_precision") == torch.float32
        split = [x.view(rows, tokens, heads, d).transpose(1, 2) for x in (q, k, v)]
        split = [x.float() if upcast else x for x in split]
        out = []
        for part, function in enumerate(functions):
            own = slice(part * size, (part + 1) * size)
            result = function(self.layer, split[0][own], split[1][own], split[2][own], (height, width), d**-0.5)
            if result is None:
                options = {"attn_precision": extra.get("attn_precision"), **_attention_options(extra)}
                out.append(optimized_attention(q[own], k[own], v[own], heads, **options))
            else:
                out.append(result.to(q.dtype).transpose(1, 2).reshape(size, tokens, heads * d))
        return torch.cat(out) if len(out) > 1 else out[0]


def _attention_options(extra: dict[str, Any]) -> dict[str, Any]:
    """The host's options for its attention, where that takes them: another node may have put its own in its place."""
    return {"transformer_options": extra} if _takes_options(optimized_attention) else {}


@cache
def _takes_options(attention: Callable[..., Tensor]) -> bool:
    parameters = inspect.signature(attention).parameters.values()
    return any(p.kind is inspect.Parameter.VAR_KEYWORD or p.name == "transformer_options" for p in parameters)


def frames_of_window(inner: dict[str, Any]) -> tuple[int, ...] | None:
    """Which pictures of the batch a call works on, where a node samples windows of it; None for all.

    Told by transformer options: `context_window` by the host's own context windows, `ad_params` by
    AnimateDiff-Evolved's.
    """
    window = inner.get("context_window")
    if window is not None and getattr(window, "dim", 0) == 0:
        return tuple(window.index_list)
    frames = (inner.get("ad_params") or {}).get("sub_idxs")
    return None if frames is None else tuple(frames)
