"""Pictures kept between samplings: what they cost, that nothing changes by it, the limit (store_native.py)."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("store") / "report.json"
    run = host.run(INSIDE / "store_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", ["first run", "second run", "another content", "over the limit", "sampler node"])
def test_kept_pictures_change_nothing(report, case):
    assert report[case] == 0.0


def test_inverted_pictures_show_their_features_on_the_way_up(report):
    """N for each picture and one more for its highest level, which no step of an inversion evaluates, and N to paint;
    then what is known costs nothing."""
    counts = report["E"]
    assert counts["nothing kept"] == 5 * 4 and counts["first"] == 3 * 4 + 2 and counts["second"] == 4
    assert counts["another content, known style"] == 2 * 4 + 1
    assert report["E, sampler node"] == [3 * 4 + 2, 4, 3 * 4 + 2]


def test_over_the_limit_what_fits_is_kept(report):
    counts = report["E"]
    assert counts["10 steps"] == 3 * 10 + 2
    assert 10 < counts["10 steps over the limit, again"] < counts["10 steps over the limit"] < 5 * 10
    # The limit is a third of ten levels; beside it stand two of each picture, and the one that went over it.
    assert 0.5 < report["share held over the limit"] <= 1.0 + 3 / (10 / 3)


def test_thinned_levels_cost_no_evaluation_and_are_said(report):
    """Every second level in half precision: a quarter of the memory, and no evaluation of the highest level."""
    counts = report["E"]
    assert counts["thinned"] == 3 * 16 and counts["thinned, again"] == 16
    assert 0.0 < report["thinned"] < 0.2 * report["plain"]
    assert report["thinned, levels"] * 4 == report["whole, levels"]
    sentences = " ".join(report["thinned, said"])
    assert "Features of the content" in sentences and "Features of the style" in sentences
    assert "every second is kept, in half precision" in sentences


def test_without_memory_levels_are_evaluated_when_they_are_read(report):
    """The trajectories stay; of features never more than two of the four levels of each picture."""
    assert report["no memory"] == 0.0 and report["E"]["no memory"] == 5 * 4
    assert "each is evaluated again when it is read" in " ".join(report["thinned, said"])
    assert report["no memory, levels"] * 8 <= report["whole, levels"]


def test_a_sampler_that_asks_between_thinned_levels_reads_the_nearest(report):
    """dpm_2 asks twice a step, but for the last."""
    assert report["E"]["between levels"] == 2 * 16 + (2 * 16 - 1)


def test_what_a_model_found_goes_with_it(report):
    assert report["kept once a model is gone"] == ["second"]
    assert report["held by a model that is there, once it was dropped"] is False


@pytest.mark.slow
def test_processor_time_is_that_of_the_evaluations(host, tmp_path_factory):
    """What kept pictures save, the machinery does not eat up: on mini, whose calls are short, and in SD1.5's shape."""
    path = tmp_path_factory.mktemp("speed") / "report.json"
    run = host.run(INSIDE / "speed_native.py", path, seconds=1200)
    assert run.returncode == 0, run.stdout
    report = json.loads(path.read_text())
    mini = {way: row["times plain"] for way, row in report["mini"].items() if way != "steps"}
    assert mini["first picture"] <= 3.3 and mini["another seed"] <= 1.10 and mini["another content"] <= 2.2
    shape = report["SD1.5 shape"]
    for way in ("first picture", "another seed", "another content"):
        assert shape[way]["times plain"] <= 1.03 * shape[way]["rows"] / shape["plain"]["rows"], way
