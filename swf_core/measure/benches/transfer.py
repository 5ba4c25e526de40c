"""`bench transfer`, `unmatched` and `held-out`: our presets beside four rivals, against the truth.

`held-out`, on styles that no model was trained on, has our default after a lesson too.

Nothing is typed: words are read from the two pictures by the captioner, its errors included. Rows in NAME.csv, from
which a stopped bench continues.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...features.vgg19 import Vgg19
from ...models.contracts import Backend
from ...presets import PRESETS
from ...presets.own import OWN
from ...transfer.presets import DEFAULT_PRESET, preset
from ...world import HELD_OUT
from ...world.seeds import TEST_SEED, TUNE_SEED
from ..metrics.pairs import PAINTED, Pair, make_pairs
from ..trials.arms import (
    AUTO_WORDS,
    NO_WORDS,
    NOTHING_TYPED,
    RIVALS,
    SAID_WORDS,
    Arm,
    arm_name,
    dial_arms,
    preset_arms,
    transfer_arm,
)
from ..trials.baselines import references
from ..trials.engine import Trial, run_trial
from ..trials.pages import arms_page
from ..trials.prompts import Prompts
from ..trials.reader import PictureReader
from ..trials.report import trial_report
from ..trials.slow_arms import REFINED, lesson_arms, refined
from ..trials.summary import Table, better_words
from .context import BenchContext, BenchResult

PAIRS, HELD_OUT_PAIRS = 105, 90
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
    """Pairs that share ground and hour: the style picture's colors are a fair target."""
    return _compared(context, "transfer", _pairs(context, TEST_SEED), _arms(context))


def unmatched(context: BenchContext) -> BenchResult:
    """Any content with any style picture."""
    return _compared(context, "unmatched", _pairs(context, TEST_SEED + 2_000, matched=False), _arms(context))


def held_out(context: BenchContext) -> BenchResult:
    """Styles that no model was trained on: 90 pairs, from the pictures and after a lesson of each style picture."""
    pairs = _pairs(context, TEST_SEED + 4_000, HELD_OUT, count=HELD_OUT_PAIRS)
    arms = _arms(context)
    if not context.tune:
        arms |= lesson_arms(context.backend, PictureReader(context.bar))
        if isinstance(context.features, Vgg19):
            arms[REFINED] = refined(arms[NOTHING_TYPED], context.features)
    return _compared(context, "held-out", pairs, arms)


def _pairs(
    context: BenchContext, seed: int, styles: tuple[str, ...] = PAINTED, matched: bool = True, count: int = PAIRS
) -> list[Pair]:
    count = context.share_of(count)
    if context.tune:
        return make_pairs(count // 3, TUNE_SEED, styles, matched=matched)
    return make_pairs(count, seed, styles, matched=matched)


def transfer_arms(backend: Backend) -> dict[str, Arm]:
    """Our presets and the rivals without words and with those read from the pictures, points of the dial with these;
    the default also with the truth's own caption, which is what words can do at best."""
    said = arm_name(DEFAULT_PRESET, SAID_WORDS)
    rivals = tuple(name for name in RIVALS if name in PRESETS)
    said_arm = transfer_arm(preset(DEFAULT_PRESET, backend), "reference", SAID_WORDS)
    return preset_arms(backend, (*OWN, *rivals)) | dial_arms(backend) | {said: said_arm}


def grid_arms(backend: Backend) -> dict[str, Arm]:
    """With `--tune`: the grid around the default preset, from the pictures alone and with words read from them."""
    base = preset(DEFAULT_PRESET, backend)
    return {
        arm_name(" ".join(f"{k} {v}" for k, v in changes.items()), words): transfer_arm(
            base.changed(**changes), "ours", words
        )
        for changes in GRID
        for words in (NO_WORDS, AUTO_WORDS)
    }


def _arms(context: BenchContext) -> dict[str, Arm]:
    return grid_arms(context.backend) if context.tune else transfer_arms(context.backend)


def _compared(context: BenchContext, name: str, pairs: list[Pair], arms: dict[str, Arm]) -> BenchResult:
    """All arms on all pairs: the report and a page."""
    seeds = context.seed_range(1)
    trial = Trial(f"{name}-tune" if context.tune else name, pairs, references() | arms, seeds)
    table = Table(run_trial(context, trial, Prompts(PictureReader(context.bar))))
    firsts: Sequence[str] = list(arms)[:1] if context.tune else [NOTHING_TYPED, *better_words(table, tuple(OWN))]
    rivals = list(arms) if context.tune else better_words(table, RIVALS)
    report = {"features": context.features.name} | trial_report(trial, table, firsts, rivals)
    return report, {"": arms_page(context.out, trial, list(arms))}
