"""The settings of a style transfer as JSON: what a style file carries from one person's graph to another's."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

from ....swf_core.errors import UserError
from ....swf_core.transfer.injection import Injection
from .plan import TransferPlan

GUIDANCE = ("style_guidance", "leak_guard")


def settings_of(plan: TransferPlan) -> dict[str, Any]:
    """The settings of a `TransferPlan`. Infinite ends of the sigma window are neutral, and left out."""
    values = asdict(plan.injection) | {name: getattr(plan, name) for name in GUIDANCE}
    return {k: v for k, v in values.items() if not (isinstance(v, float) and math.isinf(v))}


def read_settings(text: str) -> tuple[dict[str, Any], dict[str, float]]:
    """The JSON of `settings_of`, as values of the injection and values of the guidance.

    Raises UserError for anything that is not a JSON object of known settings, naming the first unknown one.
    """
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise UserError("The settings are not the JSON of a style file; connect the 'settings' output of Style Load.")
    known = {f.name for f in fields(Injection)}
    unknown = sorted(values.keys() - known - set(GUIDANCE))
    if unknown:
        raise UserError(f"The settings hold {unknown[0]!r}, which this version does not know; update the node pack.")
    for name, value in values.items():
        expected = str if name in ("layers", "kv", "gamma_schedule", "read") else (int, float)
        right = isinstance(value, expected) and not isinstance(value, bool) and value == value  # NaN is not itself
        if not right and not (name == "gamma_end" and value is None):
            raise UserError(f"The settings give {value!r} for {name!r}, which cannot be; ask for the style file anew.")
    injection = {k: v for k, v in values.items() if k in known}
    return injection, {k: float(v) for k, v in values.items() if k in GUIDANCE}
