"""The bench of the paper's claims: verdicts from intervals, trainings from their rows, words that take and do not."""

from __future__ import annotations

import pytest

from swf_core.measure.benches import claims, words_in_transfer
from swf_core.measure.benches.context import BenchContext
from swf_core.measure.benches.tables import read_rows
from swf_core.measure.metrics.pairs import make_pairs
from swf_core.models import load
from swf_core.world.seeds import TEST_SEED


def trainings(values: dict[str, list[float]]) -> list[dict[str, str]]:
    return [
        {"arm": arm, "style": f"style {k // 2}", "picture": "0", "seed": str(k % 2), "both": str(v)}
        for arm, vs in values.items()
        for k, v in enumerate(vs)
    ]


def test_an_interval_above_zero_below_it_and_across_it() -> None:
    assert claims.judged((0.2, 0.1, 0.3), 9)["verdict"] == "holds"
    assert claims.judged((-0.2, -0.3, -0.1), 9)["verdict"] == "does not hold"
    assert claims.judged((0.05, -0.1, 0.2), 9) == {
        **{"difference": 0.05, "low": -0.1, "high": 0.2},
        **{"verdict": "not decided", "pairs": 9},
    }


@pytest.mark.parametrize(
    ("with_picks", "without", "verdict"),
    [
        ([0.9] * 6, [0.5] * 6, "holds"),
        ([0.4] * 6, [0.8] * 6, "does not hold"),
        ([0.4, 0.8] * 3, [0.6] * 6, "not decided"),
    ],
)
def test_claims_on_trainings_are_judged_by_paired_rows(with_picks, without, verdict) -> None:
    rows = trainings({"picks": with_picks, "no picks": without})
    found = claims.trained(("picks", "no picks"), "both", rows, "feedback")
    assert found["verdict"] == verdict and found["pairs"] == 6 and found["style pictures"] == 3


def test_a_quick_run_without_trainings_says_which_bench_makes_them(tmp_path) -> None:
    context = BenchContext(tmp_path, quick=True)
    for name, bench in (("semantic gap", "gap"), ("human feedback", "feedback")):
        (tmp_path / "feedback.csv").write_text("arm,round,style,picture,seed,both\n")
        found = claims.CLAIMS[name].evidence(context)
        assert found["verdict"] == "not decided" and f"run bench {bench}" in found["note"]


def test_the_six_claims_and_the_arms_that_lack_a_part() -> None:
    assert list(claims.CLAIMS) == [
        *("semantic gap", "human feedback", "query preservation", "triple process", "text control", "color"),
    ]
    arms = claims.transfer_arms(load("mini"))
    options = {name: arm.paint.options for name, arm in arms.items()}
    assert options[claims.NO_QUERIES] == options[claims.TRIPLE].changed(gamma=0.0)
    assert options[claims.NO_STYLE].injection.strength == 0.0 == options[claims.NO_STYLE].adain
    assert options[claims.NO_CONTENT].start == "noise" and options[claims.NO_CONTENT].injection.gamma == 0.0
    assert arms[claims.NO_CONTENT].words == arms[claims.SAYING].words != arms[claims.TRIPLE].words


def test_words_that_ask_are_told_from_words_that_do_not(tmp_path) -> None:
    """One pair with another color asked for, and with nothing asked; a second call paints nothing."""
    context = BenchContext(tmp_path)
    pairs = make_pairs(1, TEST_SEED + 6_000)
    rows, images = words_in_transfer.word_rows(context, pairs, (words_in_transfer.ASKED,))
    takes = {row["arm"]: row["takes"] for row in rows}
    assert takes == {words_in_transfer.ASKED: "1", words_in_transfer.NOT_ASKED: "0"} and len(images) == 2
    again, none = words_in_transfer.word_rows(context, pairs, (words_in_transfer.ASKED,))
    assert again == rows == read_rows(tmp_path / "words.csv") and not none
    assert words_in_transfer.dial_shares(rows)[words_in_transfer.ASKED]["color takes"] == 1.0
