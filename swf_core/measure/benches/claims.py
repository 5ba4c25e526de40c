"""`bench claims`: what arXiv 2506.15033 claims, claim by claim: holds, does not hold, or is not decided.

Each claim is a difference that it says is above 0, measured in pairs, with the 95 % interval of a bootstrap over them.
Two of them need trainings: their rows are those of `bench gap` and `bench feedback`, which run first unless quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...models.contracts import Backend
from ...transfer import preset
from ...world.seeds import TEST_SEED
from ..metrics.distances import bootstrap_difference
from ..metrics.pairs import make_pairs
from ..trials.arms import AUTO_WORDS, NO_WORDS, Arm, transfer_arm
from ..trials.engine import Trial, run_trial
from ..trials.prompts import Prompts
from ..trials.reader import PictureReader
from ..trials.summary import Table
from . import color_words, feedback, gap, learn, words_in_transfer
from .context import BenchContext, BenchResult
from .gap import verdict
from .tables import Row, read_rows, table_path

PAIRS, WORD_PAIRS, SEEDS = 105, 48, 3
TRIPLE, NO_QUERIES = "triple process", "without the content's queries"
SAYING = f"{TRIPLE}, {AUTO_WORDS}"
NO_STYLE, NO_CONTENT = "without the style's process", "without the content's process"
UNDECIDED = "not decided"


@dataclass(frozen=True)
class Claim:
    """`says`: the claim. `above_zero`: the difference that it says is above 0. `evidence`: that difference."""

    says: str
    above_zero: str
    evidence: Callable[[BenchContext], dict[str, Any]]


def run(context: BenchContext) -> BenchResult:
    """All of `CLAIMS`. Quick: a sixth of the pairs, one seed, and of the trainings the rows that are there."""
    return {"claims": {name: _judged(claim, context) for name, claim in CLAIMS.items()}}, {}


def _judged(claim: Claim, context: BenchContext) -> dict[str, Any]:
    return {"says": claim.says, "above zero": claim.above_zero} | claim.evidence(context)


def judged(difference: tuple[float, float, float], pairs: int, **more: Any) -> dict[str, Any]:
    """A difference with its interval, the number of pairs behind it, and the verdict."""
    mean, low, high = difference
    found = {"difference": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}
    return found | {"verdict": verdict(low, high), "pairs": pairs} | more


def trained(arms: tuple[str, str], measure: str, rows: Sequence[Row], bench: str) -> dict[str, Any]:
    """A claim on trainings from their rows, if there are any; the first arm less the second."""
    keys = [{(r["style"], r["picture"], r["seed"]) for r in rows if r["arm"] == arm} for arm in arms]
    if not keys[0] & keys[1]:
        return {"verdict": UNDECIDED, "pairs": 0, "note": f"no trainings are there; run bench {bench} into this folder"}
    found = gap.paired_difference(rows, arms, (measure,))
    return found[measure] | {"pairs": found["pairs"], "style pictures": found["pictures"]}


def semantic_gap(context: BenchContext) -> dict[str, Any]:
    """Trainings on stripped captions less those on full ones: style and object both right."""
    if not context.quick:
        gap.run(context)
    return trained(gap.ARMS, "both", read_rows(context.out / learn.TABLE), "gap")


def human_feedback(context: BenchContext) -> dict[str, Any]:
    """Two rounds with picks of the automatic picker less as many steps without: style and object both right."""
    if not context.quick:
        feedback.run(context)
    rows = [row for row in read_rows(context.out / "feedback.csv") if row["round"] == str(feedback.ROUNDS)]
    return trained(("picks", "no picks"), "both", rows, "feedback")


def transfer_arms(backend: Backend) -> dict[str, Arm]:
    """The triple process, and what is left without one of its parts. Words, where a part's absence needs them to say
    what is to be painted, are read from the pictures."""
    base = preset("wallfacer", backend)
    return {
        TRIPLE: transfer_arm(base, "ours", NO_WORDS),
        NO_QUERIES: transfer_arm(base.changed(gamma=0.0), "ours", NO_WORDS),
        SAYING: transfer_arm(base, "ours", AUTO_WORDS),
        NO_STYLE: transfer_arm(base.changed(strength=0.0, adain=0.0), "ours", AUTO_WORDS),
        NO_CONTENT: transfer_arm(base.changed(start="noise", gamma=0.0, adain=0.0), "ours", AUTO_WORDS),
    }


def _table(context: BenchContext) -> Table:
    pairs = make_pairs(context.share_of(PAIRS), TEST_SEED)
    seeds = context.seed_range(1 if context.quick else SEEDS)
    trial = Trial("claims", pairs, transfer_arms(context.backend), seeds)
    return Table(run_trial(context, trial, Prompts(PictureReader(context.bar))))


def query_preservation(context: BenchContext) -> dict[str, Any]:
    """Probability of the content's object, with the content's queries less without."""
    table = _table(context)
    beside = {
        name: [round(v, 4) for v in table.difference(TRIPLE, NO_QUERIES, name)]
        for name in ("edge_f1", "style_probability")
    }
    return judged(table.difference(TRIPLE, NO_QUERIES, "object_probability"), len(table.pairs(TRIPLE)), beside=beside)


def triple_against_two(context: BenchContext) -> dict[str, Any]:
    """What each outer process brings: the style's by the style's probability, the content's by nearness in color and
    layout to the truth. The claim holds where both do."""
    table = _table(context)
    pairs = len(table.pairs(SAYING))
    style = judged(table.difference(SAYING, NO_STYLE, "style_probability"), pairs)
    layout = judged(table.difference(NO_CONTENT, SAYING, "low_pass_truth"), pairs)
    verdicts = {style["verdict"], layout["verdict"]}
    both = "holds" if verdicts == {"holds"} else "does not hold" if "does not hold" in verdicts else UNDECIDED
    return {"verdict": both, "pairs": pairs, NO_STYLE: style, NO_CONTENT: layout}


def text_control(context: BenchContext) -> dict[str, Any]:
    """Share of pairs that show the color, ground or hour that was asked for, less the share where nothing was."""
    pairs = make_pairs(context.share_of(WORD_PAIRS), TEST_SEED + 6_000)
    rows, _ = words_in_transfer.word_rows(context, pairs, (words_in_transfer.ASKED,))
    asked, not_asked = (
        torch.tensor([float(row["takes"]) for row in rows if row["arm"] == arm], dtype=torch.float64)
        for arm in (words_in_transfer.ASKED, words_in_transfer.NOT_ASKED)
    )
    return judged(bootstrap_difference(asked, not_asked), len(pairs))


def color_editing(context: BenchContext) -> dict[str, Any]:
    """Degrees of hue by which words bring the object nearer to the truth in its new color."""
    color_words.run(context)
    rows = read_rows(table_path(context.out, color_words.TABLE, former=color_words.FORMER_TABLE))
    errors = {(row["arm"], row["case"]): float(row["hue_error"]) for row in rows}
    cases = sorted({row["case"] for row in rows}, key=int)
    before, after = (
        torch.tensor([errors[arm, case] for case in cases], dtype=torch.float64) for arm in ("unedited", "words")
    )
    return judged(bootstrap_difference(before, after), len(cases))


CLAIMS = {
    "semantic gap": Claim(
        "a style is learnt better from a caption that leaves it unsaid",
        "share of style and object both right, stripped less full captions",
        semantic_gap,
    ),
    "human feedback": Claim(
        "early samples that were picked and trained on keep the training from overfitting",
        "share of style and object both right, with picks less as many steps without",
        human_feedback,
    ),
    "query preservation": Claim(
        "queries of the content's process keep the content",
        "probability of the content's object, with them less without",
        query_preservation,
    ),
    "triple process": Claim(
        "three processes do what two cannot",
        "probability of the style, with the style's process less without; distance in color and layout to the truth, "
        "without the content's process less with it",
        triple_against_two,
    ),
    "text control": Claim(
        "text stays in control of what is painted",
        "share that shows the color, ground or hour asked for, less where nothing was asked",
        text_control,
    ),
    "color": Claim(
        "colors are edited by words during the transfer",
        "hue error in degrees of the object, without the words less with them",
        color_editing,
    ),
}
