"""`bench fidelity`: every preset with and without words from the pictures, and what they have to be better than.

Rows in fidelity.csv (fidelity-quick.csv), from which a stopped bench continues; means, intervals, differences and the
Pareto front in fidelity.json; pages of the best arms, of each preset, and the Pareto picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...features.vgg19 import Vgg19
from ...models.contracts import Backend
from ...presets import PRESETS
from ...presets.own import OWN
from ...world.seeds import TEST_SEED
from ..metrics.pairs import make_pairs
from ..trials.arms import AUTO_WORDS, NOTHING_TYPED, RIVALS, Arm, arm_name, dial_arms, in_fewer_steps, preset_arms
from ..trials.baselines import baselines, references
from ..trials.engine import Trial, run_trial
from ..trials.pages import arms_page, preset_pages
from ..trials.pareto import pareto_picture
from ..trials.prompts import Prompts
from ..trials.reader import PictureReader
from ..trials.report import trial_report
from ..trials.slow_arms import REFINED, gatys_arm, refined, slow_arms
from ..trials.summary import Table, better_words, front_points
from .context import BenchContext, BenchResult

PAIRS, SEEDS = 105, 3
# Quick is a look, not a measurement: few pairs, and a third of each way's steps.
QUICK_PAIRS, QUICK_SHARE = 7, 1 / 3


def run(context: BenchContext) -> BenchResult:
    """105 pairs; three seeds of ours and of four rivals where they draw noise, one of the rest. Quick: 7 pairs, one
    seed, a third of the steps."""
    pairs = make_pairs(QUICK_PAIRS if context.quick else PAIRS, TEST_SEED)
    seeds = context.seed_range(1 if context.quick else SEEDS)
    arms, missing = all_arms(context.backend, context.quick), {}
    if isinstance(context.features, Vgg19) and not context.quick:
        arms["Gatys"] = gatys_arm(context.features)
        arms[REFINED] = refined(arms[NOTHING_TYPED], context.features)
    else:
        why = f"not in the quick trial, and only by VGG-19; the features are {context.features.name}"
        missing |= {"Gatys": why, REFINED: why}
    trial = Trial("fidelity-quick" if context.quick else "fidelity", pairs, arms, seeds, missing)
    table = Table(run_trial(context, trial, Prompts(PictureReader(context.bar))))
    own, rivals = [NOTHING_TYPED, *better_words(table, tuple(OWN))], better_words(table, RIVALS)
    report = {"features": context.features.name} | trial_report(trial, table, own, rivals)
    front: Sequence[str] = report["pareto front"]
    best = list(dict.fromkeys([*own, *front, *rivals, "pixel AdaIN", arm_name("img2img", AUTO_WORDS)]))
    points = front_points(table, trial.arms)
    kinds = {name: trial.arms[name].kind for name in points}
    silent = [name for name in points if not trial.arms[name].words]
    pages = {"": arms_page(context.out, trial, best), "-pareto": pareto_picture(points, kinds, front, silent)}
    return report, pages | preset_pages(context.out, trial, PRESETS)


def all_arms(backend: Backend, quick: bool = False) -> dict[str, Arm]:
    """References, baselines, presets with and without words, points of the dial; the slow arms unless quick."""
    transfers = preset_arms(backend) | dial_arms(backend)
    if not quick:
        return references() | baselines() | transfers | slow_arms(backend)
    return references() | {name: in_fewer_steps(arm, QUICK_SHARE) for name, arm in (baselines() | transfers).items()}
