"""Trials: measures rank controls as they should, rows are kept and made again, the summary's arithmetic, the pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import ImageColor

from swf_core.cli import parser
from swf_core.errors import UserError
from swf_core.features import load_features
from swf_core.measure.benches.context import BenchContext
from swf_core.measure.benches.fidelity import all_arms
from swf_core.measure.benches.tables import read_rows
from swf_core.measure.benches.transfer import grid_arms, transfer_arms
from swf_core.measure.metrics.classifier import load_classifier
from swf_core.measure.metrics.fidelity import CAPTIONED_CFG
from swf_core.measure.metrics.measures import MEASURES, measured
from swf_core.measure.metrics.pairs import make_pairs
from swf_core.measure.trials.arms import AUTO_WORDS, NO_WORDS, SAID_WORDS, Arm, Painted, in_fewer_steps, preset_arms
from swf_core.measure.trials.baselines import baselines, references
from swf_core.measure.trials.engine import FIELDS, Trial, kept_picture, run_trial
from swf_core.measure.trials.pages import arms_page, preset_pages
from swf_core.measure.trials.pareto import COLORS, pareto_picture
from swf_core.measure.trials.prompts import Prompts
from swf_core.measure.trials.reader import PictureReader
from swf_core.measure.trials.report import trial_report
from swf_core.measure.trials.summary import Table, better_words, by_painter, pareto_front
from swf_core.models import load
from swf_core.presets import PRESETS
from swf_core.transfer import Content, stylize
from swf_core.words.caption import load_captioner
from swf_core.words.clip import load_clip
from swf_core.words.picture_words import WordReader, auto_prompts
from swf_core.world import caption
from swf_core.world.seeds import TEST_SEED

COUNT = 6


@pytest.fixture(scope="module")
def backend():
    return load("mini")


@pytest.fixture(scope="module")
def pairs():
    return make_pairs(COUNT, TEST_SEED + 91_000)


@pytest.fixture(scope="module")
def controls(backend, pairs) -> dict[str, dict[str, float]]:
    """Means of every measure over what is known to be right or wrong."""
    arms = references() | baselines()
    names = ("content", "style picture", "truth", "another render", "truth through the codec", "pixel AdaIN")
    means = {}
    for name in names:
        images = torch.stack([arms[name].paint(backend, pair, "", 0).picture for pair in pairs])
        rows = measured(load_classifier(), load_features(), pairs, images)
        means[name] = {measure: sum(row[measure] for row in rows) / len(rows) for measure in MEASURES}
    return means


def silent(pairs) -> list[str]:
    raise AssertionError("no arm of this trial reads words from pictures")


def context_of(tmp_path, backend, **values) -> BenchContext:
    context = BenchContext(tmp_path, **values)
    context.__dict__["backend"] = backend  # a cached property: the module's own model, loaded once
    return context


def test_every_measure_says_what_it_is_and_stays_in_its_range(controls) -> None:
    for name, measure in MEASURES.items():
        assert measure.what and measure.unit and measure.source and measure.better in ("more", "less", "")
        for means in controls.values():
            assert measure.low - 1e-6 <= means[name] <= measure.high + 1e-6, name


def test_the_truth_has_the_style_and_the_content_does_not(controls) -> None:
    truth, content = controls["truth"], controls["content"]
    assert truth["style_probability"] > content["style_probability"] + 0.5
    assert truth["style"] >= 0.8 and content["style"] == 0.0
    assert controls["truth through the codec"]["style_probability"] > content["style_probability"] + 0.5


def test_the_content_keeps_its_object_and_the_style_picture_shows_another(controls) -> None:
    content, copied = controls["content"], controls["style picture"]
    assert content["object_probability"] > copied["object_probability"] + 0.5
    assert copied["leak"] >= 0.8 and content["leak"] <= 0.2 and controls["truth"]["leak"] <= 0.2
    assert copied["both"] <= 0.2 and controls["truth"]["both"] >= 0.7


def test_distances_rank_the_truth_another_render_and_the_content(controls) -> None:
    for name in ("gram_truth", "features_truth", "low_pass_truth"):
        values = [controls[arm][name] for arm in ("truth", "another render", "content")]
        assert values[0] < 1e-4 and values == sorted(values) and values[2] > 1.5 * values[1], name
        assert controls["style picture"][name] > controls["another render"][name]
    for name in ("gram_style", "features_style"):
        assert controls["style picture"][name] < 1e-4
        assert controls["truth"][name] < controls["content"][name]


def test_structure_is_whole_in_the_content_and_least_in_the_style_picture(controls) -> None:
    content, copied, adain = (controls[arm] for arm in ("content", "style picture", "pixel AdaIN"))
    assert content["ssim"] == pytest.approx(1) and content["edge_f1"] == pytest.approx(1)
    assert content["self_similarity"] == pytest.approx(0, abs=1e-5)
    # colors shifted leave more of the structure than the truth's marks do, and another scene leaves least
    for name, sign in (("ssim", 1), ("edge_f1", 1), ("self_similarity", -1)):
        values = [sign * arm[name] for arm in (content, adain, controls["truth"], copied)]
        assert values == sorted(values, reverse=True), (name, values)


def test_every_preset_stands_in_the_trial_with_and_without_words(backend) -> None:
    arms = all_arms(backend)
    for name in PRESETS:
        plain, auto = arms[name], arms[f"{name}, {AUTO_WORDS}"]
        assert (plain.words, auto.words) == (NO_WORDS, AUTO_WORDS) and plain.kind == auto.kind
        assert auto.paint.options.cfg > 1 == plain.paint.options.cfg  # words guide, and no words do not
        assert plain.paint.options.size_px == 0
    assert arms["styleid"].kind == arms["adain"].kind == "rival" and arms["free"].seeded
    assert not arms["scheduled"].seeded and arms["scheduled"].kind == "published"
    assert set(references()) | set(baselines()) <= set(arms)
    assert transfer_arms(backend).keys() > preset_arms(backend, ("wallfacer", "styleid", "adain")).keys()
    assert len({arm.settings for arm in grid_arms(backend).values()}) == len(grid_arms(backend))


def test_an_arm_runs_with_several_seeds_where_they_make_a_difference(backend, pairs) -> None:
    arms = {name: in_fewer_steps(arm, 0.1) for name, arm in preset_arms(backend, ("wallfacer", "free"), ("",)).items()}
    for name, seeded in (("wallfacer", False), ("free", True)):
        first, second = (arms[name].paint(backend, pairs[0], "", seed).picture for seed in (0, 1))
        assert arms[name].seeded == seeded == (not torch.equal(first, second)), name


def test_words_by_source(pairs) -> None:
    asked = []

    def reader(some):
        asked.append(len(some))
        return [f"a woodcut of {pair.scene.main.kind}" for pair in some]

    prompts = Prompts(reader)
    assert prompts.of(NO_WORDS, pairs) == [""] * COUNT and not asked
    assert prompts.of(SAID_WORDS, pairs[:2]) == [caption(p.scene, p.look) for p in pairs[:2]] and not asked
    first = prompts.of(AUTO_WORDS, pairs[:2])
    assert prompts.of(AUTO_WORDS, pairs)[:2] == first and asked == [2, COUNT - 2]
    with pytest.raises(UserError, match="Words 'shouted' are unknown"):
        prompts.of("shouted", pairs)


def test_words_are_read_from_the_two_pictures_as_the_command_line_reads_them(pairs) -> None:
    bars: list[float] = []
    prompts = PictureReader(lambda value, *text: bars.append(value))(pairs[:1])
    assert prompts == auto_prompts(
        WordReader(load_captioner("mini"), load_clip("mini")), [pairs[0].content], [pairs[0].style]
    )
    assert prompts[0] and bars[-1] == 1.0


def counted(calls: list[tuple[int, int]]):
    """An arm's function that paints the content a little darker by seed, and notes what it was asked for."""

    def paint(backend, pair, prompt, seed):
        calls.append((pair.scene.seed, seed))
        return Painted((pair.content * (0.9 - 0.1 * (seed >= 10_000))).clamp(0, 1), 7)

    return paint


def test_a_trial_continues_and_makes_again_what_is_out_of_date(tmp_path, backend, pairs) -> None:
    calls: list[tuple[int, int]] = []
    arm = Arm(counted(calls), "one", "ours", seeded=True)
    arms = {
        "content": references()["content"],
        "ours": arm,
        "once": replace(arm, settings="once", seeded=False, most_pairs=2),
    }
    trial = Trial("trial", pairs[:3], arms, (0, 1))
    context = context_of(tmp_path, backend)
    rows = run_trial(context, trial, Prompts(silent))
    assert [row["arm"] for row in rows] == ["content"] * 3 + ["ours"] * 6 + ["once"] * 2
    assert len(calls) == 8 and read_rows(tmp_path / "trial.csv") == rows and set(rows[0]) == set(FIELDS)
    assert rows[3]["ssim"] != rows[6]["ssim"] and rows[3]["evaluations"] == "7"

    assert run_trial(context, trial, Prompts(silent)) == rows and len(calls) == 8  # all there
    more = replace(trial, pairs=pairs[:4])
    assert len(run_trial(context, more, Prompts(silent))) == 14 and len(calls) == 10
    changed = replace(more, arms=arms | {"ours": replace(arm, settings="two")})
    run_trial(context, changed, Prompts(silent))
    assert len(calls) == 18  # that arm alone
    assert len(read_rows(tmp_path / "trial.csv")) == 14  # in place of the old rows

    twin = replace(changed, arms=dict(changed.arms) | {"twin": changed.arms["ours"]})
    copied = [row for row in run_trial(context, twin, Prompts(silent)) if row["arm"] == "twin"]
    assert len(copied) == 8 and len(calls) == 18  # what another arm has done is not done again
    assert kept_picture(tmp_path, "trial", "twin", 0) is not None

    shown = kept_picture(tmp_path, "trial", "ours", 0)
    assert shown is not None and shown.shape == pairs[0].content.shape
    assert kept_picture(tmp_path, "trial", "never painted", 0) is None
    assert arms_page(tmp_path, changed, list(arms)).size[0] > 5 * 96
    assert preset_pages(tmp_path, changed, ("once", "none")).keys() == {"-once"}


def row(arm: str, pair: int, seed: int = 0, **values) -> dict[str, str]:
    zeros = dict.fromkeys((*MEASURES, "evaluations", "seconds"), 0.0)
    return {"arm": arm, "pair": str(pair), "seed": str(seed), "painter": "ink" if pair % 2 else "oil"} | {
        k: str(v) for k, v in (zeros | values).items()
    }


def table_of(**gram: list[float]) -> Table:
    rows = [
        row(arm.replace("_", " "), k, gram_truth=v, style=k % 2) for arm, vs in gram.items() for k, v in enumerate(vs)
    ]
    return Table(rows)


def test_distances_are_scaled_between_another_render_and_the_content() -> None:
    table = table_of(content=[3.0, 5.0], another_render=[1.0, 1.0], ours=[2.5, 2.5])
    assert table.column("content", "gram").mean() == pytest.approx(1)
    assert table.column("another render", "gram").mean() == pytest.approx(0)
    assert table.column("ours", "gram").tolist() == pytest.approx([0.5, 0.5])


def test_seeds_are_averaged_within_a_pair_before_pairs_are_compared() -> None:
    rows = [row("a", k, seed, style=float(seed == 0)) for k in range(4) for seed in range(2)]
    rows += [row("b", k, style=0.0) for k in range(3)]
    table = Table(rows)
    assert table.column("a", "style").tolist() == [0.5] * 4
    assert table.difference("a", "b", "style") == (0.5, 0.5, 0.5)  # over the three pairs of both
    assert by_painter(table, "a") == {"oil": [2, 4], "ink": [2, 4]}


def test_of_a_rival_the_better_of_its_two_ways_is_taken() -> None:
    values = {"content": [1.0] * 3, "another_render": [0.0] * 3, "styleid": [0.8] * 3}
    table = Table(
        [
            row(arm.replace("_", " "), k, gram_truth=v, low_pass_truth=v)
            for arm, vs in (values | {f"styleid, {AUTO_WORDS}": [0.4] * 3, "adain": [0.9] * 3}).items()
            for k, v in enumerate(vs)
        ]
    )
    assert better_words(table, ("styleid", "z-star", "adain")) == [f"styleid, {AUTO_WORDS}", "adain"]


def test_the_pareto_front_holds_what_nothing_beats() -> None:
    points = {"a": (0.2, 0.9), "b": (0.8, 0.5), "c": (0.2, 0.8), "d": (0.5, 0.5), "e": (0.8, 0.5)}
    assert pareto_front(points) == ["a", "b", "e"]


def test_the_pareto_picture_puts_right_what_has_more_style_and_up_what_keeps_the_object() -> None:
    def drawn():
        kinds = {"left": "ours", "right": "rival"}
        return pareto_picture({"left": (0.1, 0.9), "right": (0.9, 0.1)}, kinds, ["left", "right"], ["right"])

    page = drawn()
    ours = ImageColor.getrgb(COLORS["ours"])
    dots = [(x, y) for x in range(640) for y in range(720) if page.getpixel((x, y)) == ours]
    assert dots and max(x for x, _ in dots) < 250 and max(y for _, y in dots) < 250
    assert page.tobytes() == drawn().tobytes()


def test_a_report_of_a_real_trial(tmp_path, backend, pairs) -> None:
    """Two cheap arms of the model and the references: figures, differences with intervals, the front, a table."""
    quick = {
        name: in_fewer_steps(arm, 0.1)
        for name, arm in preset_arms(backend, ("wallfacer", "adain"), (SAID_WORDS,)).items()
    }
    assert all(arm.paint.options.steps == 3 and arm.paint.options.cfg == CAPTIONED_CFG for arm in quick.values())
    trial = Trial("report", pairs[:2], references() | baselines() | quick, (0,), {"gatys": "install it"})
    trial.arms.pop(f"img2img, {AUTO_WORDS}")
    table = Table(run_trial(context_of(tmp_path, backend), trial, Prompts(silent)))
    ours, rival = quick
    report = trial_report(trial, table, [ours], [rival])
    assert report["arms"]["content"]["gram"] == pytest.approx(1) and report["arms"]["content"]["style"] == 0
    assert report["arms"]["truth"]["object less the truth's"] == [0, 0, 0]
    mean, low, high = report["differences"][f"{ours} - {rival}"]["gram"]
    assert low <= mean <= high and low < high
    assert set(report["by_style"]) == {ours, rival} and report["missing"] == {"gatys": "install it"}
    assert set(report["pareto front"]) <= {ours, rival, *baselines()}
    said = [Content(pairs[0].content, table.rows(ours)[0]["prompt"])]
    cost = stylize(backend, said, [pairs[0].style], trial.arms[ours].paint.options).cost
    assert report["arms"][ours]["evaluations"] == cost.planned > 0
    assert any(line.startswith(f"| {ours} | ") and "%" in line for line in report["table"])


def test_the_number_of_seeds_is_the_benchs_own_or_the_one_that_was_given(tmp_path, capsys) -> None:
    assert BenchContext(tmp_path, seed=5).seed_range(3) == (5, 6, 7)
    assert BenchContext(tmp_path, seed=5, seeds=1).seed_range(3) == (5,)
    assert parser().parse_args(["bench", "transfer", "--seeds", "3"]).seeds == 3
    with pytest.raises(SystemExit):
        parser().parse_args(["bench", "transfer", "--seeds", "0"])
    assert "between 1 and 100" in capsys.readouterr().err
