"""`bench fidelity`: every preset with and without words from the pictures, and what they have to be better than.

Rows in fidelity.csv, from which a stopped bench continues; means, intervals, differences and the Pareto front in
fidelity.json; pages of the best arms, of each preset, and the Pareto picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...models.contracts import Backend
from ...presets import PRESETS
from ...presets.own import OWN
from ...world.seeds import TEST_SEED
from ..metrics.pairs import make_pairs
from ..trials.arms import AUTO_WORDS, RIVALS, Arm, arm_name, dial_arms, preset_arms
from ..trials.baselines import baselines, references
from ..trials.engine import Trial, run_trial
from ..trials.pages import arms_page, preset_pages
from ..trials.pareto import pareto_picture
from ..trials.prompts import Prompts
from ..trials.reader import PictureReader
from ..trials.report import trial_report
from ..trials.slow_arms import slow_arms
from ..trials.summary import Table, better_words, front_points
from .context import BenchContext, BenchResult

PAIRS, QUICK_PAIRS, SEEDS = 105, 5, 3


def run(context: BenchContext) -> BenchResult:
    """105 pairs; three seeds of ours and of four rivals, one of the rest. Quick: 5 pairs and one seed."""
    pairs = make_pairs(QUICK_PAIRS if context.quick else PAIRS, TEST_SEED)
    seeds = context.seed_range(1 if context.quick else SEEDS)
    trial = Trial("fidelity", pairs, all_arms(context.backend, context.quick), seeds)
    table = Table(run_trial(context, trial, Prompts(PictureReader(context))))
    own, rivals = better_words(table, tuple(OWN)), better_words(table, RIVALS)
    report = trial_report(trial, table, own, rivals)
    front: Sequence[str] = report["pareto front"]
    best = list(dict.fromkeys([*own, *front, *rivals, "pixel AdaIN", arm_name("img2img", AUTO_WORDS)]))
    points = front_points(table, trial.arms)
    kinds = {name: trial.arms[name].kind for name in points}
    silent = [name for name in points if not trial.arms[name].words]
    pages = {"": arms_page(context.out, trial, best), "-pareto": pareto_picture(points, kinds, front, silent)}
    return report, pages | preset_pages(context.out, trial, PRESETS)


def all_arms(backend: Backend, quick: bool = False) -> dict[str, Arm]:
    """References, baselines, presets with and without words, points of the dial, and unless quick the slow arms."""
    arms = references() | baselines() | preset_arms(backend) | dial_arms(backend)
    return arms if quick else arms | slow_arms(backend)
