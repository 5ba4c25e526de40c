"""What goes into the triple process: sizes, batches, masks, several styles, words, and models of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.transfer import (
    Content,
    Models,
    StyleInput,
    preset,
    stylize,
)

from support.tiny_models import FAMILIES, picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE, apart, run, with_prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_equals_one_by_one_also_of_other_sizes(family):
    pictures = [CONTENT, picture(3), picture(4, 40, 64)]
    contents = [Content(p, prompt) for p, prompt in zip(pictures, ["a cat", "two dogs", "sea"])]
    options = FAST.changed(cfg=2.0, style_encoding="stochastic", start="stochastic")
    together = run(family, options, contents)
    for index, content in enumerate(contents):
        alone = run(family, options, [content])
        assert float((together.latents[index] - alone.latents[0]).abs().max()) < 1e-4
        assert together.images[index].shape == content.picture.shape
    singly = run(family, options.changed(batch=1), contents)
    assert max(float((a - b).abs().max()) for a, b in zip(singly.latents, together.latents)) < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_non_square_and_unequal_sizes_keep_their_aspect(family):
    result = run(family, contents=[picture(1, 50, 61)], styles=[picture(2, 64, 33), picture(3, 20, 64)])
    assert result.images[0].shape == (3, 52, 64)  # long side to the native 64, short side in proportion
    assert result.latents[0].shape == (4, 7, 8)
    as_given = run(family, FAST.changed(size_px=0), contents=[picture(1, 50, 61)])
    assert as_given.images[0].shape == (3, 50, 61)
    assert torch.isfinite(result.latents[0]).all()


def test_content_of_another_process_size_is_resampled():
    """A style of another size changes the result, and its size alone decides nothing about the shape."""
    a = run("sd15", FAST.changed(style_size_px=32))
    assert a.latents[0].shape == (4, 8, 8) and apart(a, run("sd15")) > 1e-4


def test_masks():
    def placed(mask):
        return run("sd15", contents=[Content(CONTENT, place=mask)])

    mask = torch.zeros(64, 64)
    assert apart(placed(mask), run("sd15", FAST.changed(strength=0.0, adain=0.0))) < 1e-4
    assert apart(placed(mask + 1), run("sd15")) < 1e-4
    mask[:, :32] = 1.0
    assert apart(placed(mask), run("sd15")) > 1e-3
    assert apart(run("sd15", styles=[StyleInput(STYLE, readable=mask)]), run("sd15")) > 1e-3
    with pytest.raises(ValueError, match="0 everywhere"):
        run("sd15", styles=[StyleInput(STYLE, readable=torch.zeros(4, 4))])


def test_styles_with_a_place_each():
    left, right = torch.zeros(64, 64), torch.ones(64, 64)
    left[:, :32], right[:, :32] = 1.0, 0.0
    other = picture(5)

    def placed(*styles):
        return run("sd15", styles=[StyleInput(style, place=place) for style, place in styles])

    assert apart(placed((STYLE, left), (other, right)), run("sd15", styles=[STYLE, other])) > 1e-3
    assert apart(placed((STYLE, left), (STYLE, right)), run("sd15")) < 1e-3
    assert apart(placed((STYLE, None), (other, right * 0)), run("sd15")) < 1e-3
    nowhere = FAST.changed(strength=0.0, adain=0.0)
    assert apart(placed((STYLE, left * 0)), run("sd15", nowhere)) < 1e-4


def test_several_styles_and_their_weights():
    other = picture(5)
    one = run("sd15")
    assert apart(run("sd15", styles=[STYLE, StyleInput(other, 0.0)]), one) < 1e-6
    assert apart(run("sd15", styles=[STYLE, STYLE]), one) < 1e-3
    assert apart(run("sd15", styles=[STYLE, other]), one) > 1e-3
    for weight in (0.0, -1.0, float("inf")):
        with pytest.raises(ValueError, match="each must be at least 0"):
            run("sd15", styles=[StyleInput(STYLE, weight)])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_style_of_words(family):
    options = FAST.changed(style_cfg=2.0)
    a, b = run(family, options, styles=["an oil painting"]), run(family, options, styles=["blue glass"])
    assert apart(a, b) > 1e-4
    walked = run(family, options.changed(features="lockstep"), styles=["an oil painting"])
    assert apart(a, walked) < 1e-4


def test_text_acts_through_guidance_only_on_generation():
    guided = FAST.changed(cfg=4.0)
    a, b = (run("sd15", guided, with_prompt(text)) for text in ("a red house", "a blue boat"))
    assert apart(a, b) > 1e-4
    own_text = run("sd15", FAST.changed(style_prompt="an oil painting"))
    assert apart(own_text, run("sd15")) > 1e-5


@pytest.mark.parametrize("role", ["content", "style", "unconditional"])
def test_each_process_may_have_weights_of_its_own(role):
    options = FAST.changed(cfg=2.0)
    base = tiny_backend("sd15")

    def with_model(backend):
        return stylize(Models(base, **{role: backend}), with_prompt("a cat"), [STYLE], options)

    plain = run("sd15", options, with_prompt("a cat"))
    assert apart(with_model(base), plain) < 1e-4
    other = with_model(tiny_backend("sd15", seed=1))
    assert apart(other, plain) > 1e-4
    assert other.cost.counted == plain.cost.counted == other.cost.planned
    with pytest.raises(ValueError, match="other attention layers"):
        with_model(tiny_backend("sdxl"))


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_content_picture_the_result_is_sampled_from_noise_and_the_prompt(family):
    options = FAST.changed(cfg=2.0)
    empty = run(family, options, [Content(None, "a cat")], seed=3)
    assert empty.images[0].shape == (3, 64, 64)
    assert not any(part.name.startswith("content") for part in empty.cost.parts)
    gray = Content(torch.full((3, 64, 64), 0.5), "a cat")  # a picture of which nothing is read
    assert torch.equal(run(family, options.without_content(), [gray], seed=3).images[0], empty.images[0])
    assert apart(run(family, options, [Content(None, "two dogs")], seed=3), empty) > 1e-4
    with pytest.raises(ValueError, match="1 of 2 contents have no picture"):
        run(family, contents=[CONTENT, None])
    with pytest.raises(ValueError, match="must be a multiple of 8"):
        run(family, FAST.changed(size_px=60), contents=[None])


def test_pictures_of_another_shape_are_refused():
    for make in (Content, StyleInput):
        with pytest.raises(ValueError, match="it must be .3, height, width."):
            make(torch.zeros(64, 64, 3))


def test_with_a_model_of_its_own_for_the_unconditional_branch_the_start_keeps_the_contents_tones():
    backend = tiny_backend("sd15")
    asymmetric = preset("wallfacer", Models(backend, content=backend, unconditional=backend))
    assert asymmetric == replace(preset("wallfacer", backend), adain=0.0) and preset("wallfacer", backend).adain == 1.0
    assert preset("adain", Models(backend, unconditional=backend)).adain == 1.0
