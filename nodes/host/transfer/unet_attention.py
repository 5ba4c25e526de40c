"""An edit of a UNet's self-attention: replacements of chosen layers, in a copy of the model options.

One mechanism for reading and for injecting: `patches_replace`, which gets queries, keys and values after the
host's projections with whatever LoRA, ControlNet or patch came before, exactly as the core's own backend has them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import comfy.model_patcher
import torch
from comfy.ldm.modules.attention import optimized_attention
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionLayer
from .call_parts import Chooser, Running, call_arguments, call_parts
from .network import Network

_KEY = "swf_attention"  # of the wrapper around the network
_RUNNING = Running()


def with_unet_edit(options: dict[str, Any], network: Network, layers: Iterable[str], choose: Chooser) -> dict[str, Any]:
    """A copy of model options with self-attention in `layers` computed by the function that `choose` returns.

    Raises UserError, naming the layer, where another patch has replaced it already.
    """
    edited = comfy.model_patcher.create_model_options_clone(options)
    inner = edited.setdefault("transformer_options", {})
    replaced = inner.setdefault("patches_replace", {})
    attention = replaced["attn1"] = dict(replaced.get("attn1", {}))
    for name in layers:
        key = network.keys[name]
        if key in attention or key[:2] in attention:
            raise UserError(
                f"Another node's patch already replaces self-attention layer {name} (block {key[0]} {key[1]}); remove "
                "that node, or leave this layer out of 'layers'."
            )
        attention[key] = _replacement(network.layers[name])
    wrappers = inner["wrappers"] = dict(inner.get("wrappers", {}))
    around = wrappers[WrappersMP.APPLY_MODEL] = dict(wrappers.get(WrappersMP.APPLY_MODEL, {}))
    around[_KEY] = [_Choosing(choose)]
    return edited


class _Choosing:
    """Around a call of the network: by whom its functions are chosen, and the call's own options."""

    def __init__(self, choose: Chooser):
        self.choose = choose

    def __call__(self, executor: Any, *args: Any, **named: Any) -> Any:
        options = call_arguments(executor, args, named).get("transformer_options", {})
        _RUNNING.calls.append((self.choose, options))
        try:
            return executor(*args, **named)
        finally:
            _RUNNING.calls.pop()


_LAYERS: list[AttentionLayer] = []


@cache
def _replacement(layer: AttentionLayer) -> _Replacement:
    """One for all calls: a compiled network asks whether it is the very same, or would be compiled again."""
    _LAYERS.append(layer)
    return _Replacement(len(_LAYERS) - 1)


class _Replacement:
    """The host's call for one layer, by its number. A compiled network has it as an operator that it does not look
    into."""

    def __init__(self, number: int):
        self.number = number

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """What newer hosts may hand over beside the options is nothing that a UNet's self-attention needs."""
        heads, (height, width) = extra_options["n_heads"], extra_options["activations_shape"][-2:]
        upcast = extra_options.get("attn_precision") == torch.float32
        if torch.compiler.is_compiling():
            return attend_compiled(q, k, v, self.number, heads, height, width, upcast)
        return _attend((q, k, v), _LAYERS[self.number], heads, (height, width), upcast, extra_options)


def _attend_compiled(
    q: Tensor, k: Tensor, v: Tensor, number: int, heads: int, height: int, width: int, upcast: bool
) -> Tensor:
    return _attend((q, k, v), _LAYERS[number], heads, (height, width), upcast, _RUNNING.calls[-1][1])


def _operator(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function as an operator of torch: a compiled network calls it without a break in its graph."""
    tag = getattr(torch.Tag, "cudagraph_unsafe", None)  # what is read changes from call to call
    more = {} if tag is None else {"tags": (tag,)}
    operator = torch.library.custom_op("stylewallfacer::attend_edited", function, mutates_args=(), **more)
    operator.register_fake(lambda q, *_: torch.empty_like(q, memory_format=torch.contiguous_format))
    return operator


attend_compiled = _operator(_attend_compiled)


def _attend(
    qkv: tuple[Tensor, Tensor, Tensor],
    layer: AttentionLayer,
    heads: int,
    grid: tuple[int, int],
    upcast: bool,
    options: dict[str, Any],
) -> Tensor:
    """Self-attention [rows, tokens, channels] as the functions want it that are chosen for this call, which are given
    [rows, heads, tokens, d], in float32 where the host wants that (`upcast`)."""
    (rows, tokens, channels), d = qkv[0].shape, qkv[0].shape[-1] // heads
    if grid[0] * grid[1] != tokens or qkv[1].shape[1] != tokens:
        raise UserError(
            "Another node's patch (such as HyperTile, token merging or a reference ControlNet) changed the tokens of "
            f"layer {layer.name}; put it on a model without style transfer."
        )
    parts = call_parts(rows, options)
    size, functions = parts[0].rows, [_RUNNING.calls[-1][0](part) for part in parts]
    if all(function is functions[0] for function in functions):
        functions, size = functions[:1], rows
    split = [x.view(rows, tokens, heads, d).transpose(1, 2) for x in qkv]
    split = [x.float() if upcast else x for x in split]
    out = []
    for part, function in enumerate(functions):
        own = slice(part * size, (part + 1) * size)
        result = function(layer, split[0][own], split[1][own], split[2][own], grid, d**-0.5)
        if result is None:
            more = {"attn_precision": torch.float32 if upcast else None, **_attention_options(options)}
            out.append(optimized_attention(*(x[own] for x in qkv), heads, **more))
        else:
            out.append(result.to(qkv[0].dtype).transpose(1, 2).reshape(size, tokens, channels))
    return torch.cat(out) if len(out) > 1 else out[0]


def _attention_options(extra: dict[str, Any]) -> dict[str, Any]:
    """The host's options for its attention, where that takes them: another node may have put its own in its place."""
    return {"transformer_options": extra} if _takes_options(optimized_attention) else {}


@cache
def _takes_options(attention: Callable[..., Tensor]) -> bool:
    parameters = inspect.signature(attention).parameters.values()
    return any(p.kind is inspect.Parameter.VAR_KEYWORD or p.name == "transformer_options" for p in parameters)
