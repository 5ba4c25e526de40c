"""Hooks of this pack on a MODEL: a clone of it that has ours, in place of those that an earlier node put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comfy.patcher_extension import WrappersMP

_BEFORE_GUIDANCE, _AFTER_GUIDANCE = "sampler_pre_cfg_function", "sampler_post_cfg_function"


@dataclass(frozen=True, eq=False)
class Hook:
    """A function on a MODEL, called with `data` before the host's own arguments. Copies of the MODEL share it.

    `key`: whose hook it is. The host keeps functions after guidance in one list for all nodes.
    """

    key: str
    function: Callable[..., Any]
    data: Any

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(self.data, *arguments, **named)

    def __deepcopy__(self, memo: Any) -> Hook:
        return self


def with_hooks(
    model: Any,
    key: str,
    data: Any = None,
    *,
    around_sampling: Callable[..., Any] | None = None,
    around_call: Callable[..., Any] | None = None,
    before_guidance: Callable[..., Any] | None = None,
    after_guidance: Callable[..., Any] | None = None,
    before: str | None = None,
) -> Any:
    """A clone of a MODEL without the hooks it had under `key`, and with those that are given.

    `around_sampling`: SAMPLER_SAMPLE wrapper; `around_call`: CALC_COND_BATCH wrapper; `before_guidance`: pre-CFG
    function; `after_guidance`: post-CFG function, which runs before that of our key `before` where the MODEL has one.
    Each gets `data` first.
    """
    clone = model.clone()
    wrappers = ((WrappersMP.SAMPLER_SAMPLE, around_sampling), (WrappersMP.CALC_COND_BATCH, around_call))
    for kind, function in wrappers:
        clone.remove_wrappers_with_key(kind, key)
        if function is not None:
            clone.add_wrapper_with_key(kind, key, Hook(key, function, data))
    options = clone.model_options
    for kind in (_BEFORE_GUIDANCE, _AFTER_GUIDANCE):
        if kind in options:
            options[kind] = [f for f in options[kind] if not (isinstance(f, Hook) and f.key == key)]
    if before_guidance is not None:
        clone.set_model_sampler_pre_cfg_function(Hook(key, before_guidance, data))
    if after_guidance is not None:
        clone.set_model_sampler_post_cfg_function(Hook(key, after_guidance, data))
        *others, own = clone.model_options[_AFTER_GUIDANCE]
        later = [f for f in others if isinstance(f, Hook) and f.key == before]
        clone.model_options[_AFTER_GUIDANCE] = [*(f for f in others if f not in later), own, *later]
    return clone


def hook_data(model: Any, key: str) -> Any:
    """What the hooks of `key` around a MODEL's calls act on; None without any."""
    wrappers = model.get_wrappers(WrappersMP.CALC_COND_BATCH, key)
    return wrappers[0].data if wrappers else None
