"""Asymmetric guidance in a graph: a LoRA, as a hook, on the positive prompt alone."""

from __future__ import annotations

from typing import Any

from comfy.hooks import EnumHookType


def lora_on_prompt_alone(positive: Any, negative: Any) -> bool:
    """Whether weights are hooked to a positive CONDITIONING and none to the negative."""
    return _has_weight_hooks(positive) and not _has_weight_hooks(negative)


def _has_weight_hooks(conditioning: Any) -> bool:
    groups = (settings.get("hooks") for _, settings in conditioning)
    return any(group is not None and group.get_type(EnumHookType.Weight) for group in groups)
