"""`bench transfer`, `unmatched` and `held-out`: the triple process beside StyleID and AdaIN, against the truth."""

from __future__ import annotations

from typing import Any

import torch

from ...models.contracts import Backend
from ...pictures import sheet
from ...transfer import TransferOptions, preset
from ...world import HELD_OUT
from ...world.seeds import TEST_SEED, TUNE_SEED
from ..metrics.fidelity import CAPTIONED, CAPTIONED_CFG, compare, repaint_pairs, share
from ..metrics.pairs import PAINTED, Pair, make_pairs
from .context import BenchContext, BenchResult

PAIRS = 105
# The grid of `--tune`, chosen on pairs that no figure is reported on.
GRID = (
    {"tau": 1.5},
    {"tau": 2.5},
    {"tau": 1.0},
    {"gamma": 0.3},
    {"gamma": 0.7},
    {"gamma": 0.6, "gamma_end": 0.0, "gamma_schedule": "cosine"},
    {"adain": 0.0},
    {"adain": 1.0},
    {"query_adain": 1.0},
    {"kv": "concat", "bias": 2.0},
    {"style_guidance": 1.0},
    {"style_guidance": 2.0},
    {"start": "stochastic", "denoise": 0.7},
    {"start": "stochastic", "denoise": 0.9},
)


def matched(context: BenchContext) -> BenchResult:
    """Pairs that share ground and hour: the style picture's colors are a fair target. Also with a caption as prompt."""
    pairs = _pairs(context, TEST_SEED)
    settings = _settings(context)
    if not context.tune:
        settings[CAPTIONED] = settings["wallfacer"].changed(cfg=CAPTIONED_CFG)
    return _compared(context, pairs, settings)


def unmatched(context: BenchContext) -> BenchResult:
    """Any content with any style picture."""
    return _compared(context, _pairs(context, TEST_SEED + 2_000, matched=False), _settings(context))


def held_out(context: BenchContext) -> BenchResult:
    """Styles that no model was trained on."""
    return _compared(context, _pairs(context, TEST_SEED + 4_000, HELD_OUT), _settings(context))


def _pairs(context: BenchContext, seed: int, styles: tuple[str, ...] = PAINTED, matched: bool = True) -> list[Pair]:
    count = context.share_of(PAIRS)
    if context.tune:
        return make_pairs(count // 3, TUNE_SEED, styles, matched=matched)
    return make_pairs(count, seed, styles, matched=matched)


def _settings(context: BenchContext) -> dict[str, TransferOptions]:
    """The presets, or with `tune` the grid around the first of them."""
    if not context.tune:
        return {name: preset(name, context.backend) for name in ("wallfacer", "styleid", "adain")}
    base = preset("wallfacer", context.backend)
    return {" ".join(f"{k} {v}" for k, v in changes.items()): base.changed(**changes) for changes in GRID}


def _compared(context: BenchContext, pairs: list[Pair], settings: dict[str, TransferOptions]) -> BenchResult:
    """All settings on all pairs: the table, the first setting's styles, and a page."""
    results = {}
    for k, (name, options) in enumerate(settings.items()):
        results[name] = repaint_pairs(
            context.backend,
            pairs,
            options,
            context.seed,
            lambda value, k=k: context.bar((k + value) / len(settings)),
            captioned=name == CAPTIONED,
        )
    rows = [[p.content, p.style, *(results[name][i] for name in settings), p.truth] for i, p in enumerate(pairs)]
    first = next(iter(settings))
    answers = context.classifier.answers(results[first])["style"]
    report = compare(
        pairs,
        context.classifier,
        results | _references(context.backend, pairs),
        first,
        *([CAPTIONED] if CAPTIONED in settings else []),
    )
    by_style: dict[str, Any] = {}
    for style in dict.fromkeys(p.look.style for p in pairs):
        by_style[style] = share([a == style for a, p in zip(answers, pairs, strict=True) if p.look.style == style])
    page = sheet(rows[:30], ["content", "style", *settings, "truth"], [p.look.style for p in pairs[:30]], cell_px=96)
    return report | {"pairs": len(pairs), "by_style": by_style}, {"": page}


def _references(backend: Backend, pairs: list[Pair]) -> dict[str, torch.Tensor]:
    """What results are measured beside: doing nothing, copying the style picture, and the best that is possible."""
    truth = torch.stack([p.truth for p in pairs])
    return {
        "content": torch.stack([p.content for p in pairs]),
        "style picture": torch.stack([p.style for p in pairs]),
        "another render": torch.stack([p.other for p in pairs]),
        "truth through the codec": backend.codec.decode(backend.codec.encode(truth)).clamp(0, 1),
    }
