"""Colors while sampling, on the embedded model: cost, identity, words, palette, reference."""

from __future__ import annotations

import pytest
import torch

from swf_core.color.axes import Axes
from swf_core.color.concepts import Concept, ConceptMask, parse_concepts
from swf_core.color.guidance import ColorGuidance, reference_of
from swf_core.color.palette import extract, parse
from swf_core.color.spaces import to_oklab
from swf_core.color.transport import palette_distance
from swf_core.errors import UserError
from swf_core.measure.metrics.pairs import picture
from swf_core.models import load
from swf_core.transfer import SampleOptions, preset, sample, stylize
from swf_core.world import random_look, random_scene


@pytest.fixture(scope="module")
def mini():
    return load("mini")


@pytest.fixture(scope="module")
def axes(mini):
    return Axes.of(mini.codec)


@pytest.fixture(scope="module")
def house():
    scene = random_scene(41, kind="house", color="red", ground="snow", time="noon", second=False)
    return picture(scene, random_look("photo", 41))


def hue(picture: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
    return to_oklab(picture)[1:, rows, columns].mean((1, 2))


def test_latents_hold_colors_along_the_axes(mini, axes):
    meadow = picture(random_scene(41, kind="house", ground="grass", time="noon"), random_look("photo", 41))
    latents = mini.codec.encode(meadow[None])
    change = torch.zeros(1, 3, *latents.shape[-2:])
    change[:, 2] = -0.08
    before, after = (mini.codec.decode(x)[0].clamp(0, 1) for x in (latents, latents + axes.change(change)))
    moved = (to_oklab(after) - to_oklab(before)).mean((1, 2))
    assert -0.11 < moved[2] < -0.04 and abs(moved[1]) < 0.03
    read = axes.colors(latents)[0]
    real = torch.nn.functional.avg_pool2d(to_oklab(meadow)[None], mini.codec.downscale)[0]
    assert torch.corrcoef(torch.stack([read[0].flatten(), real[0].flatten()]))[0, 1] > 0.8


def test_each_concept_costs_one_evaluation_a_step_and_none_outside_its_window(mini, house):
    options = preset("wallfacer", mini).changed(steps=4, size_px=0)
    plain = stylize(mini, [house], [house.flip(2)], options)
    half = float(mini.denoiser.sigmas[len(mini.denoiser.sigmas) // 2])
    for concepts, window, more in (
        ((Concept("a blue house"),), {}, 4),
        ((Concept("a blue house", "a red house"),), {}, 8),
        ((Concept("a blue house"), Concept("green snow", focus=0.0)), {}, 8),
        ((Concept("a blue house"),), {"sigma_high": half}, 2),
        ((Concept("a blue house", strength=0.0),), {}, 0),
    ):
        run = stylize(mini, [house], [house.flip(2)], options, steering=ColorGuidance(concepts, **window))
        assert run.cost.planned == run.cost.counted == plain.cost.counted + more
        assert torch.equal(run.images[0], plain.images[0]) == (more == 0)


def test_strength_zero_is_the_plain_run_bit_for_bit(mini, axes):
    plain = sample(mini, ["a red house in the snow"], SampleOptions(4), seed=3).images[0]
    off = ColorGuidance((Concept("a blue house", strength=0.0),), parse("navy"), axes=axes, amount=0.0)
    assert torch.equal(
        sample(mini, ["a red house in the snow"], SampleOptions(4), seed=3, steering=off).images[0], plain
    )
    on = ColorGuidance(palette=parse("navy"), axes=axes)
    first, again = (
        sample(mini, ["a red house in the snow"], SampleOptions(4), seed=3, steering=on).images[0] for _ in range(2)
    )
    assert torch.equal(first, again) and not torch.equal(first, plain)


def test_words_turn_a_red_house_blue_and_leave_the_snow(mini):
    prompt = "a photo of a red house in the snow at noon"
    plain = sample(mini, [prompt], SampleOptions(12, cfg=3.0), seed=5).images[0]
    steering = ColorGuidance(
        (Concept("a photo of a blue house in the snow at noon", strength=3.0),),
        sigma_high=float(mini.denoiser.sigmas[int(0.6 * len(mini.denoiser.sigmas))]),
    )
    edited = sample(mini, [prompt], SampleOptions(12, cfg=3.0), seed=5, steering=steering).images[0]
    middle = (slice(60, 100), slice(44, 84))
    assert hue(plain, *middle)[0] > 0.05 and hue(edited, *middle)[1] < -0.03 < hue(plain, *middle)[1]
    corners = (to_oklab(edited) - to_oklab(plain)).square().sum(0).sqrt()
    assert corners[:20, :14].mean() < 0.06 and corners[:20, -14:].mean() < 0.06


def test_a_palette_is_followed_while_sampling(mini, axes):
    target = parse("#1d3557, #a8dadc, #f1faee, #e63946")
    plain = sample(mini, ["a red house on the grass at noon"], SampleOptions(10), seed=2).images[0]
    steering = ColorGuidance(palette=target, axes=axes, lightness=1.0)
    guided = sample(mini, ["a red house on the grass at noon"], SampleOptions(10), seed=2, steering=steering).images[0]
    distances = [palette_distance(extract(p, 6), target) for p in (plain, guided)]
    assert distances[1] < 0.75 * distances[0], distances


def test_a_reference_is_followed_and_a_mask_bounds_it(mini, axes, house):
    reference = reference_of(mini.codec.encode(house[None]), axes)
    mask = torch.zeros(128, 128)
    mask[:, :64] = 1.0
    x0 = mini.codec.encode(picture(random_scene(7, ground="grass"), random_look("photo", 7))[None])
    moved = ColorGuidance(reference=reference, axes=axes).move_colors(x0)
    before, after = ((axes.colors(x)[0].flatten(1).mean(1) - reference.mean.float()).norm() for x in (x0, moved))
    assert after < 0.35 * before, (before, after)
    part = ColorGuidance(reference=reference, axes=axes, mask=mask).move_colors(x0)
    assert torch.equal(part[..., 8:], x0[..., 8:]) and not torch.equal(part[..., :8], x0[..., :8])


def test_a_concept_mask_is_where_the_texts_differ():
    direction = torch.zeros(1, 4, 16, 16)
    direction[:, :, 4:9, 4:9] = 1.0
    mask = ConceptMask().update(direction, 0.4)
    assert mask[0, 0, 5:8, 5:8].min() == 1.0 and mask[0, 0, 11:, 11:].max() == 0.0


def test_lines_become_concepts():
    first, second, third = parse_concepts("a red house -> a blue house : 2\n\n green tree\nsky: dusk", strength=1.5)
    assert (first.target, first.source, first.strength) == ("a blue house", "a red house", 2.0)
    assert (second.target, second.source, second.strength) == ("green tree", "", 1.5)
    assert (third.target, third.strength) == ("sky: dusk", 1.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Concept(" "), "has no words"),
        (lambda: Concept("x", strength=-1.0), "strength of 'x' is -1"),
        (lambda: Concept("x", focus=1.0), "focus is 1"),
        (lambda: Concept("x", mask=torch.zeros(4, 4)), "mask is empty"),
        (lambda: parse_concepts("-> blue house"), "one side of the arrow"),
        (lambda: ColorGuidance(palette=parse("red")), "color axes"),
        (lambda: ColorGuidance(amount=2.0), "amount is 2"),
        (lambda: ColorGuidance(sigma_low=2.0, sigma_high=1.0), "sigma window"),
        (lambda: ColorGuidance(mask=torch.zeros(4, 4)), "mask is empty"),
    ],
)
def test_impossible_settings_are_named(make, message):
    with pytest.raises(UserError, match=message):
        make()
