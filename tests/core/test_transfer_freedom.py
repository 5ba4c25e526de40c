"""The presets `faithful` and `free`, and the dial between them."""

from __future__ import annotations

import pytest

from swf_core.transfer import Content, preset, stylize
from swf_core.transfer.presets import preset_of

from support.tiny_models import picture, tiny_backend

BACKEND = tiny_backend("sd15")
SMALL, OTHER = picture(1, 32, 32), picture(2, 32, 32)
FAMILIES = {"mini": {}, "SD1.x": {"late": "late"}}


def dial(family="mini", *freedoms):
    return [preset_of("faithful", family, FAMILIES[family], freedom=f) for f in freedoms]


def test_faithful_is_todays_default_and_the_dial_ends_at_free():
    for family, layers in FAMILIES.items():
        start, end = dial(family, 0.0, 1.0)
        assert start == preset_of("wallfacer", family, layers) and end == preset_of("free", family, layers)
        assert end.renoise == 1.0 and end.injection.gamma == 0.0 and not end.injection.needs_content
        assert end.guides_layout and not start.guides_layout and end.cfg == 2.0
    assert preset_of("free", "SD1.x", FAMILIES["SD1.x"]).injection.layers == "late"
    assert preset_of("free", "mini", {}, asymmetric=True).adain == 0.0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_contents_hold_falls_in_every_step_of_the_dial(family):
    steps = dial(family, 0.0, 0.25, 0.5, 0.75, 1.0)
    for less, more in zip(steps, steps[1:]):
        assert less.injection.gamma_at(0.0) > more.injection.gamma_at(0.0)
        assert less.injection.gamma_at(1.0) > more.injection.gamma_at(1.0)
        assert less.layout.weight < more.layout.weight and less.cfg <= more.cfg
        assert less.renoise < more.renoise


def test_the_dials_costs_and_ends_meet():
    def run(freedom):
        options = preset("faithful", BACKEND, freedom).changed(steps=4, size_px=0)
        return stylize(BACKEND, [Content(SMALL, "a b")], [OTHER], options)

    costs = {freedom: run(freedom).cost for freedom in (0.0, 0.5, 1.0)}
    assert [cost.counted for cost in costs.values()] == [4 + 1 + 4 + 1 + 4, 4 + 1 + 4 + 1 + 8, 4 + 1 + 8]
    assert all(cost.counted == cost.planned for cost in costs.values())
    near, end = run(0.9999), run(1.0)
    assert float((near.latents[0] - end.latents[0]).abs().max()) < 0.02 * float(end.latents[0].abs().max())


@pytest.mark.parametrize(
    ("name", "freedom", "words"), [("free", 0.5, "of the preset faithful alone"), ("faithful", 1.5, "1.5")]
)
def test_the_dial_is_checked(name, freedom, words):
    with pytest.raises(ValueError, match=words):
        preset(name, BACKEND, freedom)
