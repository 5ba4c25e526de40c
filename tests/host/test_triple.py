"""Triple Diffusion Sampler, and what its neighbors share with it, on mini inside ComfyUI (triple_native.py): sizes
of pictures, presets, texts that are not connected."""

from __future__ import annotations

import json

import pytest

from support.comfy_host import INSIDE

EQUAL = {
    "size: as the command line scales": 1e-5,
    "size: a picture of native size as before": 0.0,
    "size: latents as they are": 0.0,
    "size: a mix": 1e-5,
    "preset wallfacer: a new sampler": 0.0,
    "preset wallfacer: a new patch": 0.0,
    "preset adain: strength 0 and all tones": 0.0,
    "preset masactrl: another style is the same": 0.0,
    "text: mini's own empty one": 0.0,
    "text: by clip": 0.0,
    "text: only a positive, cfg 3": 0.0,
    "text: of a trajectory": 0.0,
}
DIFFERENT = [
    "preset adain: the patch sets the start",
    "preset stylessp: the patch sets the start",
    "text: words matter",
]
SIZES = {
    "size: shape of two large photographs": [1, 4, 12, 16],
    "size: shape at 64": [1, 4, 6, 8],
    "size: shapes of a trajectory": [[1, 4, 12, 16], [1, 4, 12, 16]],
    "size: shapes on the patch": [[1, 4, 12, 16], [1, 4, 16, 12]],
}
REFUSALS = {
    "a thin content": ("Content", "too long and thin", "128 px"),
    "a thin style": ("Style", "too long and thin"),
    "a thin style of the patch": ("Style", "too long and thin"),
    "a thin picture": ("Picture", "too long and thin"),
    "a thin reference of colors": ("1 x 128 pixels", "at least 8"),
    "a size that is too small": ("8 px",),
    "grey pictures": ("content", "(1, 384, 512, 1)", "3 channels"),
    "a preset without content": ("'wallfacer'", "connect 'content'"),
    "adain without content": ("'adain'", "connect 'content'"),
    "masactrl without content": ("'masactrl'", "connect 'content'"),
    "settings that read the content": ("own keys and values", "connect 'content'"),
    "nothing of a preset's window": ("'cross-image'", "start_percent and end_percent"),
    "a preset and settings": ("settings", "'styleid'", "'custom'"),
    "no text on a checkpoint": ("'positive'", "'clip'"),
    "no negative at cfg 3": ("'negative'", "'clip'"),
}


def published(both: dict[str, str], sampler: dict[str, str] | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """The panels of a way that reads late layers plainly and has values of its own on both nodes."""
    shared = {"tau": "1", "layers": "late", **both}
    tones = {"query_preservation": "0", "style_strength": "1", "color_from_style": "0", **(sampler or {})}
    return tones | shared, {"gamma": "0", "strength": "1"} | shared


# What the panel says a preset has set, on mini.
PANELS = {
    "custom": ({}, {}),
    "wallfacer": (
        {"query_preservation": "0.5", "tau": "1.5", "layers": "all", "color_from_style": "0.5", "style_strength": "1"},
        {"gamma": "0.5", "tau": "1.5", "layers": "all", "strength": "1"},
    ),
    "styleid": (
        {"query_preservation": "0.75", "tau": "1.5", "layers": "late", "color_from_style": "1", "style_strength": "1"}
        | {"steps": "50", "cfg": "1", "denoise": "1", "sampler_name": "euler"},
        {"gamma": "0.75", "tau": "1.5", "layers": "late", "strength": "1"},
    ),
    "adain": ({"style_strength": "0", "color_from_style": "1"}, {"strength": "0"}),
    "style-keeper": published({"leak_guard": "2", "style_encoding": "stochastic", "calibration": "1 (50% to 80%)"}),
    "cross-image": published(
        {"contrast": "1.67", "style_guidance": "1.625", "calibration": "1 (52% to 100%)"}, {"denoise": "0.68"}
    ),
}


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("triple") / "report.json"
    run = host.run(INSIDE / "triple_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


@pytest.mark.parametrize("case", EQUAL)
def test_these_are_equal(report, case):
    assert report[case] <= EQUAL[case]


@pytest.mark.parametrize("case", DIFFERENT)
def test_these_differ(report, case):
    assert report[case] > 1e-2


@pytest.mark.parametrize("case", SIZES)
def test_pictures_are_scaled_to_the_models_own_size(report, case):
    assert report[case] == SIZES[case]


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_work_is_refused_with_its_reason(report, case):
    assert all(part in report[case] for part in REFUSALS[case]), report[case]


@pytest.mark.parametrize("preset", PANELS)
def test_a_node_says_what_its_preset_has_set(report, preset):
    for kind, values in zip(("sampler", "patch"), PANELS[preset]):
        rows = [row for row in report[f"preset {preset}: panel of the {kind}"] if row["kind"] == "preset"]
        assert rows == ([{"kind": "preset", "preset": preset, "values": values}] if values else [])


def test_a_published_way_brings_its_own_encoding_and_calibration_on_the_patch(report):
    assert report["preset visual-style-prompting: encoding"] == ["stochastic", 1.0]


def test_a_preset_keeps_the_window_of_steps(report):
    assert report["preset styleid: injection"] == ["late", 0.75, 1.5, True]


def test_without_a_clip_the_pictures_have_the_positives_text_at_cfg_1(report):
    assert report["text: the positive's for both at cfg 1 on a checkpoint"] == [True, True]
