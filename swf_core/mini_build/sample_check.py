"""What a base stage draws, style by style: what to look at when a stage is stopped half way, and at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..measure.metrics.classifier import load_classifier
from ..measure.metrics.fidelity import text_samples
from ..models.mini import load_mini
from ..world import TRAINED
from ..world.seeds import TUNE_SEED
from .training_loop import Progress

EACH = 10


def sample_check(folder: Path, each: int = EACH, progress: Progress | None = None) -> dict[str, Any]:
    """Shares of `each` samples a style, at cfg 4 in 25 steps as in `bench samples`, that the classifier names rightly.

    From tuning seeds and from few pictures: it says whether a stage goes well, not how good it is.
    """
    said = (lambda value: progress(value, "")) if progress else None
    report, _, _ = text_samples(
        load_mini(folder), load_classifier(), each * len(TRAINED), TUNE_SEED + 20_000, cfg=4.0, progress=said
    )
    by_style = {style: shares["style"] for style, shares in report["by_style"].items()}
    return {"style": report["style"], "object": report["object"], "by_style": by_style}
