"""`bench samples`: text to image on captions of unseen scenes, and a page of the first."""

from __future__ import annotations

from ...pictures import sheet
from ...world import TRAINED
from ...world.seeds import TEST_SEED
from ..metrics.fidelity import text_samples
from .context import BenchContext, BenchResult

EACH = 60


def run(context: BenchContext) -> BenchResult:
    """60 samples a style, styles in turn: the share of each factor that the classifier finds right."""
    count = context.share_of(EACH * len(TRAINED))
    report, pictures, _ = text_samples(
        context.backend, context.classifier, count, TEST_SEED + 20_000 + context.seed, cfg=4.0, progress=context.bar
    )
    rows = [list(pictures[i : i + 16]) for i in range(0, min(count, 96), 16)]
    return report | {"count": count}, {"": sheet(rows, [], [], cell_px=96)}
