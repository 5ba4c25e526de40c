"""`bench vae`: round trips through the autoencoder, style by style."""

from __future__ import annotations

from ...world.seeds import TEST_SEED
from ..metrics.fidelity import round_trips
from .context import BenchContext, BenchResult


def run(context: BenchContext) -> BenchResult:
    """PSNR and the style that the classifier recognises afterwards, 48 pictures a style."""
    styles = round_trips(context.backend, context.classifier, context.share_of(48), TEST_SEED + 40_000)
    return {"styles": styles}, {}
