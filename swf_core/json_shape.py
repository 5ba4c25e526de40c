"""What a JSON file must look like, said as data, and one sentence for a file that looks otherwise.

A shape is a type (`str`, `int`, `float`, `bool`; a float may be written without a point), None, a range (`Whole`,
`Number`), `Texts` of a longest length, a compiled pattern that a text matches as a whole, `[shape]` for a list,
`{"key": shape}` for an object that has these keys (`"key?"` may be missing; further keys are left alone),
`Mapping(keys, values)` for one with keys of any name, and a tuple for one of several.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError

LARGEST_BYTES = 64_000_000
_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class Whole:
    """A whole number in low..high."""

    low: int
    high: int


@dataclass(frozen=True)
class Number:
    """A number in low..high."""

    low: float
    high: float


@dataclass(frozen=True)
class Mapping:
    """An object whose keys and values have these shapes."""

    keys: Any
    values: Any


@dataclass(frozen=True)
class Texts:
    """A text of at most so many characters."""

    longest: int


def read_json(path: Path, shape: Any, remedy: str = "restore it") -> Any:
    """What a JSON file holds, None when there is none.

    Raises UserError, naming the file and the first thing that is wrong, when it is not JSON or of another shape.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UserError(f"'{path}' has more than {LARGEST_BYTES // 1_000_000} MB and is no file of ours; {remedy}.")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"'{path}' cannot be read as JSON; {remedy}.") from error
    return parse_json(text, shape, f"'{path}'", remedy)


def parse_json(text: str, shape: Any, name: str, remedy: str = "restore it") -> Any:
    """A JSON text of this shape. `name`: what it is called in the sentence of the UserError that is raised."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # no JSON, a number of thousands of digits, brackets without end
        raise UserError(f"{name} cannot be read as JSON; {remedy}.") from error
    fault = first_fault(value, shape)
    if fault:
        raise UserError(f"{name} is damaged: {fault}; {remedy}.")
    return value


def first_fault(value: Any, shape: Any, where: str = "") -> str:
    """The first thing in which a value differs from a shape, in words; "" for none."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _fault(where, value, "a list")
        return _first(first_fault(item, shape[0], f"{where}[{k}]") for k, item in enumerate(value))
    if isinstance(shape, dict):
        return _fault_of_object(value, shape, where)
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return _fault(where, value, "an object")
        keys = (first_fault(key, shape.keys, f"the key {key!r}") for key in value)
        return _first(keys) or _first(
            first_fault(item, shape.values, _inner(where, key)) for key, item in value.items()
        )
    if isinstance(shape, tuple):
        return "" if any(not first_fault(value, one) for one in shape) else _fault(where, value, describe(shape))
    return "" if _is_single(value, shape) else _fault(where, value, describe(shape))


def describe(shape: Any) -> str:
    """A shape in words."""
    if isinstance(shape, tuple):
        return " or ".join(describe(one) for one in shape)
    if isinstance(shape, Whole):
        return f"a whole number from {shape.low} to {shape.high}"
    if isinstance(shape, Number):
        return f"a number from {shape.low:g} to {shape.high:g}"
    if isinstance(shape, Texts):
        return f"a text of at most {shape.longest} characters"
    if isinstance(shape, re.Pattern):
        return f"a text like {shape.pattern}"
    if isinstance(shape, list):
        return "a list"
    return "null" if shape is None else _NAMES.get(shape, "an object")


def _is_single(value: Any, shape: Any) -> bool:
    """Whether a value is what a shape without parts says."""
    if isinstance(shape, Whole):
        return _is_single(value, int) and shape.low <= value <= shape.high
    if isinstance(shape, Number):
        return _is_single(value, float) and shape.low <= value <= shape.high
    if isinstance(shape, Texts):
        return isinstance(value, str) and len(value) <= shape.longest and _is_single(value, str)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if shape is str:  # half a surrogate pair cannot be written again
        return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None if shape is None else isinstance(value, shape)


def _fault_of_object(value: Any, shape: dict[str, Any], where: str) -> str:
    if not isinstance(value, dict):
        return _fault(where, value, "an object")
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name not in value:
            if key == name:
                return f"{where or 'it'} lacks '{name}'"
            continue
        fault = first_fault(value[name], inner, _inner(where, name))
        if fault:
            return fault
    return ""


def _first(faults: Any) -> str:
    return next(filter(None, faults), "")


def _inner(where: str, key: str) -> str:
    name = key if len(key) <= 40 else key[:40] + "..."
    return f"{where}.{name}" if where else name


def _fault(where: str, value: Any, expected: str) -> str:
    if isinstance(value, list | dict):
        given = f"a list of {len(value)}" if isinstance(value, list) else "an object"
    elif isinstance(value, float) and not math.isfinite(value):
        given = str(value)
    else:
        given = json.dumps(value)  # in ASCII: what is odd about a text shows
    return f"{where or 'it'} is {given if len(given) <= 60 else given[:50] + '...'} and must be {expected}"
