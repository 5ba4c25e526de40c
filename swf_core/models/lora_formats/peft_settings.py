"""What peft says beside the weights: rank, alpha and the patterns of both, in the file's header or a JSON file.

peft writes adapter_config.json next to adapter_model.safetensors; diffusers writes the same settings into the header
under "lora_adapter_metadata", each key with the part's name before it ("unet.lora_alpha").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import UserError
from .layouts import FileLayer

_HEADER = "lora_adapter_metadata"


def settings_of(metadata: Mapping[str, str], path: Path | None = None) -> dict[str, Any]:
    """peft's settings, flat; empty where there are none. Raises UserError when they are there and cannot be read."""
    text, where = metadata.get(_HEADER), "the header of the LoRA"
    if text is None and path is not None:
        beside = path.parent / "adapter_config.json"
        if path.name != "adapter_model.safetensors" or not beside.is_file():
            return {}
        where = f"'{beside}'"
        try:
            text = beside.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
    if text is None:
        return {}
    try:
        settings = json.loads(text)
        if isinstance(settings, dict):
            return settings
    except (ValueError, RecursionError):
        pass
    raise UserError(f"The settings in {where} are no JSON object; copy the LoRA again.")


def apply_settings(layer: FileLayer, settings: Mapping[str, Any], file: str) -> None:
    """Give a layer without an alpha the one of peft's settings, its rank, how both scale it, and the side of an IA3.

    Raises UserError for settings that are no numbers.
    """
    if not settings or layer.alpha is not None:
        return
    front = next((p for p in ("text_encoder_2.", "text_encoder.", "unet.") if layer.key.startswith(p)), "")

    def setting(name: str) -> Any:
        return settings.get(front + name, settings.get(name) if not front else None)

    def number(name: str, patterns: str) -> float | None:
        value = _by_pattern(setting(patterns), layer, setting(name), file)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
            raise UserError(
                f"The LoRA '{file}' has settings of peft in which '{name}' is {value!r}: it must be a number; save the "
                "LoRA again."
            )
        return float(value)

    alpha = number("lora_alpha", "alpha_pattern")
    layer.alpha = number("alpha", "alpha_pattern") if alpha is None else alpha
    rank = number("r", "rank_pattern")
    layer.rank = None if rank is None or rank < 1 else int(rank)
    layer.rank_stabilized = bool(setting("use_rslora"))
    inputs = setting("feedforward_modules")
    if isinstance(inputs, list):
        layer.on_input = any(_is_named(layer, str(name)) for name in inputs)


def _by_pattern(patterns: Any, layer: FileLayer, otherwise: Any, file: str) -> Any:
    """peft's rule: the first pattern that is the end of the module's name. Peft reads patterns as regular expressions;
    here they must be names (with peft's "^" for a whole one), for an expression of somebody else's can take for ever.
    """
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        plain = pattern.removeprefix("^")
        if not re.fullmatch(r"[\w.]+", plain):
            raise UserError(
                f"The LoRA '{file}' gives its ranks or alphas by a pattern {pattern!r}, which is no layer's name; save "
                "it with the names written out."
            )
        if _is_named(layer, plain):
            return value
    return otherwise


def _is_named(layer: FileLayer, end: str) -> bool:
    return layer.key == end or layer.key.endswith("." + end)
