"""Inputs checked at the pack's own edge: numbers against their widgets, and that something arrives where it must.

The host compares a typed number with its widget's range, where NaN passes, and a linked one with nothing; and a node
that has no result for an output hands on None.
"""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

import torch
from comfy_api.latest import io

from ...swf_core.errors import UserError

# What a value of these types can do, where it is one.
_ABILITIES = {"MODEL": ("clone", "model"), "CLIP": ("tokenize",), "VAE": ("encode", "decode")}
_TENSORS = {"IMAGE": (4,), "MASK": (2, 3, 4)}
_PLAIN = frozenset(("INT", "FLOAT", "BOOLEAN", "STRING", "COMBO", "*"))  # types of which a number or a text is one


def check_inputs(node: type) -> type:
    """The node, whose `execute` raises UserError, naming the input, for what its schema does not allow."""
    inner: Any = node.execute.__func__  # pyright: ignore[reportAttributeAccessIssue]
    if getattr(inner, "checks_inputs", False):
        return node
    if inspect.iscoroutinefunction(inner):
        raise TypeError(f"{node.__name__}.execute is a coroutine, which is not checked yet.")

    @functools.wraps(inner)
    def execute(cls: type, *given: Any, **named: Any) -> Any:
        _check(node, named)
        return inner(cls, *given, **named)

    execute.checks_inputs = True  # pyright: ignore[reportFunctionMemberAccess]
    node.execute = classmethod(execute)  # pyright: ignore[reportAttributeAccessIssue]
    return node


def _check(node: Any, named: dict[str, Any]) -> None:
    schema = node.define_schema()
    checks_itself = getattr(node, "NAMES_MODELS", ())  # `caption_models` says what is missing, and where to put it
    for spec in schema.inputs:
        if spec.id not in named or spec.id in checks_itself:
            continue
        value = named[spec.id]
        values = value if schema.is_input_list and isinstance(value, list) else [value]
        for each in values:
            if each is not None:
                _check_value(spec, each)
            elif not spec.optional:
                raise UserError(
                    f"Nothing arrives at '{spec.id}'; what is connected gives none (is it bypassed?): connect "
                    f"{spec.get_io_type().replace(',', ', ')}."
                )


def _check_value(spec: Any, value: Any) -> None:
    kind = spec.get_io_type()
    if isinstance(spec, (io.Float.Input, io.Int.Input)):
        low, high = (-math.inf if spec.min is None else spec.min), (math.inf if spec.max is None else spec.max)
        if not isinstance(value, (int, float)) or not low <= value <= high or math.isinf(value):
            raise UserError(f"{spec.id} is {value}; it must be a number from {low} to {high}.")
    elif isinstance(spec, io.Combo.Input):
        if spec.options and value not in spec.options:
            raise UserError(f"{spec.id} is {value!r}; choose one of {', '.join(map(str, spec.options))}.")
    elif kind in _ABILITIES:
        if not all(hasattr(value, ability) for ability in _ABILITIES[kind]):
            raise _wrong(spec, value)
    elif isinstance(value, torch.Tensor):
        if kind in _TENSORS and value.dim() not in _TENSORS[kind]:
            raise UserError(f"'{spec.id}' has shape {tuple(value.shape)}, which no {kind} has; connect a {kind}.")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(f"'{spec.id}' holds NaN or infinite values; connect one that the node before made whole.")
    elif kind in _TENSORS:
        raise _wrong(spec, value)
    elif kind == "CONDITIONING":
        if not isinstance(value, list) or not all(isinstance(entry, (list, tuple)) for entry in value):
            raise _wrong(spec, value)
    elif isinstance(value, (bool, int, float, str)) and _PLAIN.isdisjoint(kind.split(",")):
        raise _wrong(spec, value)
    elif isinstance(value, dict) and "LATENT" in kind.split(",") and not isinstance(value.get("samples"), torch.Tensor):
        raise UserError(f"The LATENT at '{spec.id}' holds no samples; connect one of VAE Encode or a sampler.")


def _wrong(spec: Any, value: Any) -> UserError:
    kinds = spec.get_io_type().replace(",", ", ")
    return UserError(f"A {type(value).__name__} was given for '{spec.id}'; connect a {kinds}.")
