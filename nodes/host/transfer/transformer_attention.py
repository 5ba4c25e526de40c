"""An edit of a transformer's joint attention, at the host's override of its attention, in a copy of the model options.

The host calls `optimized_attention_override` in every attention of a call, with queries and keys at their rotary
places and no word on which block it is. A wrapper around the call knows the sizes, replacements of blocks that do
nothing else say which one runs, and where the host replaces no blocks, calls are counted. Functions of the core get
the picture's tokens without a place, and what is beside them; what they answer are the picture's rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import comfy.model_patcher
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .call_parts import Chooser, Running, attend_plainly, call_arguments, call_parts
from .joint_attention import EditedAttention
from .network import Network
from .transformer_layout import CallSize, TransformerLayout, call_size

_KEY = "swf_attention"  # of the wrapper around the network
_OVERRIDE = "optimized_attention_override"
_RUNNING = Running()


def with_transformer_edit(
    options: dict[str, Any], network: Network, layers: Iterable[str], choose: Chooser
) -> dict[str, Any]:
    """A copy of model options with joint attention in `layers` computed by the function that `choose` returns.

    Other nodes' override of attention and replacements of blocks go on working: ours stands around them.
    """
    assert network.transformer is not None
    edited = comfy.model_patcher.create_model_options_clone(options)
    inner = edited.setdefault("transformer_options", {})
    replaced = inner["patches_replace"] = dict(inner.get("patches_replace", {}))
    blocks = replaced["dit"] = dict(replaced.get("dit", {}))
    around_call = _EditedCall(network.transformer, frozenset(layers), choose, inner.get(_OVERRIDE), dict(blocks))
    inner[_OVERRIDE] = _override
    for key in network.transformer.blocks:
        blocks[key] = _block(key)
    wrappers = inner["wrappers"] = dict(inner.get("wrappers", {}))
    wrappers[WrappersMP.APPLY_MODEL] = {**wrappers.get(WrappersMP.APPLY_MODEL, {}), _KEY: [around_call]}
    return edited


class _EditedCall:
    """Around a call of the network: what is edited in it, and by whom.

    `attention`, `blocks`: another node's override of attention and replacements of blocks, which go on working.
    """

    def __init__(
        self,
        layout: TransformerLayout,
        layers: frozenset[str],
        choose: Chooser,
        attention: Callable[..., Tensor] | None,
        blocks: dict[tuple[str, int], Any],
    ):
        self.layout, self.choose, self.attention, self.blocks = layout, choose, attention, blocks
        self.edited = {layer.name: layer for layer in layout.layers if layer.name in layers}

    def __call__(self, executor: Any, *args: Any, **named: Any) -> Any:
        arguments = call_arguments(executor, args, named)
        size = call_size(self.layout, arguments)
        _RUNNING.calls.append(_Call(self, size, arguments.get("transformer_options") or {}))
        try:
            return executor(*args, **named)
        finally:
            _RUNNING.calls.pop()


class _Call:
    """One call of the network that runs: which of its attention calls is next."""

    def __init__(self, around: _EditedCall, size: CallSize, options: dict[str, Any]):
        self.around, self.size, self.options = around, size, options
        self.block: list[str] | None = None  # layers of the block that runs, the next one first
        self.count = 0

    def next_layer(self) -> str | None:
        """The name of the layer whose attention is called now; None for one that is none of ours."""
        if self.around.layout.blocks:
            return self.block.pop(0) if self.block else None
        layers, (leading, more) = self.around.layout.layers, self.around.layout.leading
        index = self.count - leading - (more if self.size.references else 0)
        self.count += 1
        return layers[index].name if 0 <= index < len(layers) else None


@cache
def _block(key: tuple[str, int]) -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    """The replacement of a block that says which one runs; one for all calls, as a compiled network wants it."""

    def run(args: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
        if not _RUNNING.calls:
            return extra["original_block"](args)
        call = _RUNNING.calls[-1]
        before, call.block = call.block, list(call.around.layout.blocks[key])
        try:
            other = call.around.blocks.get(key)
            return extra["original_block"](args) if other is None else other(args, extra)
        finally:
            call.block = before

    return run


@torch.compiler.disable
def _override(
    attend: Callable[..., Tensor], q: Tensor, k: Tensor, v: Tensor, heads: int, *args: Any, **named: Any
) -> Tensor:
    """The host's attention, `attend`, in one call of it."""
    if not _RUNNING.calls:
        return attend(q, k, v, heads, *args, **named)
    call: _Call = _RUNNING.calls[-1]
    if call.around.attention is not None:
        attend = partial(call.around.attention, attend)
    layer = call.around.edited.get(call.next_layer() or "")
    parts = [] if layer is None else call_parts(q.shape[0], call.options)
    functions = [call.around.choose(part) for part in parts]
    if layer is None or all(function is attend_plainly for function in functions):
        return attend(q, k, v, heads, *args, **named)
    if args:  # the one argument that some of the host's models give by its place
        named["mask"] = args[0]
    out = EditedAttention(call.around.layout, call.size, layer, (q, k, v), heads, named).run(attend, functions)
    return attend(q, k, v, heads, **named) if out is None else out
