"""The whole schedule of a sampling of which a sampler runs a part: KSampler (Advanced) from step to step, split sigmas.

A sampler hands over the noise levels it runs, and nothing of those that another one runs before or after it. References
and schedules of the injection need them all, or the parts would not add up to the whole.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import comfy.samplers
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.transfer.defaults import SCHEDULER

# Schedules of more steps are not looked through.
MOST_STEPS = 200
# Samplers for which KSampler leaves out the lowest level but one.
_DISCARDING = tuple(sorted(comfy.samplers.KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS))


def whole_schedule(
    sigmas: Tensor, begins: bool, sampler: Any, model_sampling: Any, given: Sequence[float] | None
) -> list[float]:
    """The falling noise levels above 0 of the whole sampling, of which the sampler runs `sigmas`.

    `begins`: whether it begins there; else it goes on with what another sampler left. `given`: the whole schedule,
    where a person connected it. Without it those of the host are looked through; where the part is of none of them, it
    stands for the whole, and a warning is logged. Raises UserError when the part is not one of `given`.
    """
    part = [float(s) for s in sigmas if float(s) > 0.0]
    falling = sorted(set(part), reverse=True)
    if given is not None:
        return _given_schedule(falling, given)
    if part != falling or not falling:
        return falling  # levels that rise: a sampler that goes up, or back and forth
    ends = float(sigmas[-1]) == 0.0
    highest = float(model_sampling.sigma_max)
    begins = begins or falling[0] > highest or _same(falling[0], highest)
    if begins and ends:
        return falling
    for whole in _host_schedules(len(falling), sampler, model_sampling):
        start = _place(falling, whole)
        if start is not None and ends == (start + len(falling) == len(whole)):
            return [*([] if begins else whole[:start]), *falling, *whole[start + len(falling) :]]
    logging.getLogger("StyleWallfacer").warning(
        "This sampler runs a part of a schedule that is none of ComfyUI's own; connect the whole to 'schedule' of the "
        "Query-Preserve Attention Patch, or the parts will not add up to an unsplit sampling."
    )
    return falling


def _given_schedule(falling: list[float], given: Sequence[float]) -> list[float]:
    if not all(any(_same(level, other) for other in given) for level in falling):
        raise UserError(
            "The noise levels of this sampler are not among those of 'schedule'; connect the SIGMAS that its part was "
            "cut from, or nothing."
        )
    # The sampler's own numbers where they are the same but for rounding: features are kept by them.
    own = {next((level for level in falling if _same(level, other)), float(other)) for other in given}
    return sorted((level for level in own if level > 0.0), reverse=True)


def _place(part: list[float], whole: list[float]) -> int | None:
    """Where in `whole` the levels of `part` stand, one after the other."""
    start = next((i for i, level in enumerate(whole) if _same(level, part[0])), None)
    if start is None or start + len(part) > len(whole):
        return None
    return start if all(_same(a, b) for a, b in zip(whole[start:], part)) else None


def _host_schedules(steps: int, sampler: Any, model_sampling: Any) -> Iterator[list[float]]:
    """All schedules of the host with at least `steps` steps, those of fewer steps first, falling, without 0.

    "normal" comes a step earlier than the others: sgm_uniform of n steps is "normal" of n + 1 without its last level.
    """
    function = getattr(sampler, "sampler_function", None)
    discards = any(function is comfy.samplers.sampler_object(name).sampler_function for name in _DISCARDING)
    others = [name for name in comfy.samplers.KSampler.SCHEDULERS if name != SCHEDULER]
    for count in range(steps, MOST_STEPS + 1):
        for name, length in ((SCHEDULER, count), (SCHEDULER, count + 1), *((other, count) for other in others)):
            try:
                if discards:
                    yield _levels(comfy.samplers.calculate_sigmas(model_sampling, name, length + 1))[:-1]
                yield _levels(comfy.samplers.calculate_sigmas(model_sampling, name, length))
            except Exception:  # another node's schedule, or one that needs more steps: whatever it raises
                continue


def _levels(sigmas: Tensor) -> list[float]:
    return [float(s) for s in sigmas if float(s) > 0.0]


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-5)
