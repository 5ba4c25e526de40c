"""Distances are scaled as promised, the scene classifier is right, and every bench of the table can be run."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from swf_core.cli import parser
from swf_core.errors import UserError
from swf_core.measure.benches import ALIASES, BENCHES
from swf_core.measure.benches.runner import bench_function
from swf_core.measure.benches.tables import read_rows, table_path, write_rows
from swf_core.measure.metrics.classifier import LABELS, load_classifier
from swf_core.measure.metrics.distances import bootstrap_difference, gram_distance, low_pass_distance, scaled
from swf_core.measure.metrics.pairs import make_pairs, picture
from swf_core.mini_build import degrade
from swf_core.world import STYLES, random_look, random_scene


@pytest.fixture(scope="module")
def pairs():
    return make_pairs(15, 12_345_000)


def stack(pairs, name: str) -> torch.Tensor:
    return torch.stack([getattr(p, name) for p in pairs])


def test_matched_pairs_share_ground_and_hour_but_not_the_object(pairs) -> None:
    for pair in pairs:
        assert (pair.scene.ground, pair.scene.time) == (pair.style_scene.ground, pair.style_scene.time)
        assert pair.scene.main.kind != pair.style_scene.main.kind
        assert pair.look.style != "photo"
    assert len({p.look.style for p in pairs}) == 15


@pytest.mark.parametrize("distance", [gram_distance, low_pass_distance])
def test_distances_are_zero_for_the_truth_and_smaller_for_another_render_than_for_the_content(pairs, distance) -> None:
    truth, other, content = (stack(pairs, n) for n in ("truth", "other", "content"))
    assert distance(truth, truth).abs().max() < 1e-5
    assert distance(other, truth).mean() < 0.5 * distance(content, truth).mean()


def test_the_scale_puts_content_at_one_and_another_render_at_zero(pairs) -> None:
    truth, other, content = (stack(pairs, n) for n in ("truth", "other", "content"))
    d_content, d_other = gram_distance(content, truth), gram_distance(other, truth)
    assert scaled(d_content, d_content, d_other).mean().item() == pytest.approx(1.0, abs=1e-5)
    assert scaled(d_other, d_content, d_other).mean().item() == pytest.approx(0.0, abs=1e-5)


def test_gram_measures_texture_and_low_pass_measures_color() -> None:
    scene = random_scene(12_400_000, second=False)
    plain = picture(scene, random_look("photo", 1))[None]
    hatched = picture(scene, random_look("mosaic", 1, "natural"))[None]
    tinted = plain * torch.tensor([1.0, 0.75, 0.75])[:, None, None]
    assert gram_distance(hatched, plain) > gram_distance(tinted, plain)
    assert low_pass_distance(tinted, plain) > 0.3 * low_pass_distance(hatched, plain)


def test_every_degradation_removes_fine_detail_and_keeps_the_mean() -> None:
    fine = torch.stack([picture(random_scene(12_500_000 + i), random_look("pencil", i)) for i in range(8)])
    degradations = (degrade.blur, degrade.median, degrade.resample, degrade.coarse_cosines)
    for degradation in degradations:
        worse = degradation(fine, np.random.default_rng(3))
        assert worse.shape == fine.shape
        detail = [(p[..., 1:] - p[..., :-1]).square().mean() for p in (fine, worse)]
        assert detail[1] < 0.9 * detail[0], degradation.__name__
        assert (worse - fine).mean((1, 2, 3)).abs().max() < 0.03, degradation.__name__
    mixed = degrade.degrade(fine, np.random.default_rng(4), plain=0.5)
    same = (mixed == fine).flatten(1).all(1)
    assert same.any() and not same.all()


def test_the_bootstrap_interval_contains_the_mean_and_is_reproducible() -> None:
    g = torch.Generator().manual_seed(0)
    a, b = torch.rand(60, generator=g), torch.rand(60, generator=g)
    mean, low, high = bootstrap_difference(a, b)
    assert low < mean < high and mean == pytest.approx((a - b).mean().item(), abs=1e-6)
    assert (mean, low, high) == bootstrap_difference(a, b)
    assert bootstrap_difference(a + 1, b)[1] > 0


def test_the_classifier_recognises_unseen_renders() -> None:
    classifier = load_classifier()
    factors = [
        (random_scene(12_500_000 + i, second=False), random_look(s, 12_500_000 + i, "natural"))
        for i, s in enumerate(list(STYLES) * 5)
    ]
    answers = classifier.answers(torch.stack([picture(*f) for f in factors]))
    right = {
        "style": [f[1].style for f in factors],
        "object": [f[0].main.kind for f in factors],
        "color": [f[0].main.color for f in factors],
        "ground": [f[0].ground for f in factors],
        "time": [f[0].time for f in factors],
    }
    for question, floor in (("style", 0.95), ("object", 0.9), ("color", 0.8), ("ground", 0.8), ("time", 0.8)):
        score = sum(a == b for a, b in zip(answers[question], right[question], strict=True)) / len(factors)
        assert score >= floor, (question, score)


def test_the_classifier_does_not_answer_style_from_color() -> None:
    """Greyed and color-swapped pictures keep their style."""
    classifier = load_classifier()
    looks = [random_look(s, 12_600_000 + i) for i, s in enumerate(list(STYLES) * 3)]
    pictures = torch.stack([picture(random_scene(12_600_000 + i), look) for i, look in enumerate(looks)])
    for changed in (pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1), pictures[:, [2, 0, 1]]):
        answers = classifier.answers(changed)["style"]
        assert sum(a == look.style for a, look in zip(answers, looks, strict=True)) / len(looks) > 0.85


def test_an_unreadable_classifier_is_named(tmp_path) -> None:
    (tmp_path / "classifier.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"cannot be read .* mini build"):
        load_classifier(tmp_path / "classifier.safetensors")
    assert set(LABELS) == {"style", "object", "color", "ground", "time"}


def test_the_table_of_benches_names_functions_that_exist_and_imports_no_torch() -> None:
    for name, bench in BENCHES.items():
        assert callable(bench_function(name)) and bench.help
    code = "import sys, swf_core.measure.benches; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", [*BENCHES, *ALIASES])
def test_every_bench_is_understood_by_its_name_and_by_its_former_name(name: str) -> None:
    assert parser().parse_args(["bench", name]).name == ALIASES.get(name, name)


def test_former_bench_names_are_not_offered(capsys) -> None:
    with pytest.raises((SystemExit, UserError)):
        parser().parse_args(["bench", "--help"])
    assert not set(ALIASES) & set(capsys.readouterr().out.replace(":", " ").split())
    with pytest.raises((SystemExit, UserError)):
        parser().parse_args(["bench", "nonsense"])


def test_a_table_continues_from_the_file_of_a_former_name(tmp_path) -> None:
    rows = [{"arm": "LoRA alone, words", "both": "1.0"}]
    write_rows(tmp_path / "taught.csv", rows, ("arm", "both"))
    table = table_path(tmp_path, "lora-transfer.csv", former="taught.csv")
    assert table.name == "taught.csv" and read_rows(table) == rows
    write_rows(tmp_path / "lora-transfer.csv", rows, ("arm", "both"))
    assert table_path(tmp_path, "lora-transfer.csv", former="taught.csv").name == "lora-transfer.csv"
    assert read_rows(tmp_path / "none.csv") == []
