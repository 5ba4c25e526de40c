"""Layout guidance: the low-pass, its ends, and what it leaves alone."""

from __future__ import annotations

import math

import pytest
import torch

from swf_core.transfer import Content, Injection, StyleInput, TransferOptions, stylize
from swf_core.transfer.layout_guidance import Layout, guided
from swf_core.transfer.low_pass import low_pass
from swf_core.transfer.start_latent import adain, renoised, toned

from support.fourier import mirrored_fourier
from support.tiny_models import FAMILIES, picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE, apart, run

NOISE = FAST.changed(renoise=1.0, gamma=0.0, adain=0.5)
WHOLE = Layout(1.0, math.inf, 1.0)
X = torch.randn((2, 4, 9, 7), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def latents_of(family, image):
    return tiny_backend(family).codec.encode(image[None])


@pytest.mark.parametrize("size", [(9, 7), (16, 16), (5, 12), (1, 3)])
@pytest.mark.parametrize("cut", [0.4, 4.0, 100.0])
def test_the_low_pass_is_the_gaussian_of_the_mirrored_latent(size, cut):
    x = torch.randn((2, 3, *size), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.allclose(low_pass(x, cut), mirrored_fourier(x, cut), atol=1e-10)
    level = torch.full_like(x, 0.7)
    assert torch.allclose(low_pass(level, cut), level, atol=1e-10)  # mirrored borders: a flat latent stays


def test_the_cut_means_the_same_at_every_size():
    """A wave of 4 cycles along the long side is let through by exp(-1/2) at cut 4, on 16 cells as on 128."""
    for cells in (16, 128):
        wave = torch.cos(math.pi * 8 / cells * (torch.arange(cells, dtype=torch.float64) + 0.5)).view(1, 1, 1, cells)
        assert torch.allclose(low_pass(wave, 4.0), math.exp(-0.5) * wave, atol=1e-10)


def test_the_ends_of_guidance():
    target = X.flip(0)
    assert torch.equal(guided(X, target, 1.0, math.inf), target)
    assert torch.equal(guided(X, target, 0.0, math.inf), X)
    assert torch.allclose(guided(X, target, 1.0, 1e6), target, atol=1e-9)
    assert torch.allclose(guided(X, target, 1.0, 1e-3), X + (target - X).mean((-2, -1), keepdim=True), atol=1e-9)


def test_the_weight_over_the_schedule():
    assert [Layout(0.8).weight_at(p) for p in (0.0, 0.5, 0.51, 1.0)] == [0.8, 0.8, 0.0, 0.0]
    assert Layout(1.0, end=1.0).weight_at(1.0) == 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_layout_0_leaves_the_result_bit_for_bit(family):
    for options in (FAST, NOISE):
        plain, off = run(family, options), run(family, options.changed(layout=Layout(0.0, 2.0, 1.0)))
        assert torch.equal(plain.latents[0], off.latents[0]) and plain.cost == off.cost


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("options", [FAST.changed(adain=0.5), NOISE], ids=["content", "noise"])
def test_guided_wholly_to_the_end_the_result_is_the_toned_content(family, options):
    content, style = picture(1, 56, 72), picture(2, 40, 64)  # not square, and odd cells: 7 x 9, 5 x 8
    result = run(family, options.changed(layout=WHOLE, size_px=0), [content], [style])
    assert torch.equal(result.latents[0], adain(*two(family, content, style), [1.0], 0.5)[0])


def two(family, content, style):
    return latents_of(family, content), [latents_of(family, style)]


def test_styles_guide_by_weight_and_place():
    left = torch.zeros(64, 64)
    left[:, :32] = 1.0
    other, place = picture(3), torch.full((64, 64), 0.5)
    styles = [StyleInput(STYLE, 2.0, place=left), StyleInput(other, 1.0)]
    options = NOISE.changed(layout=WHOLE, size_px=0)
    result = run("sd15", options, [Content(CONTENT, place=place)], styles)
    clean, style, third = (latents_of("sd15", p) for p in (CONTENT, STYLE, other))
    expected = toned(clean, [style, third], [2.0, 1.0], 0.5, [left[None], None], place[None])
    assert torch.allclose(result.latents[0], expected[0], atol=1e-6)
    untoned = run("sd15", options.changed(adain=0.0), [Content(CONTENT, place=place)], styles)
    assert torch.equal(untoned.latents[0], clean[0])


def test_a_picture_is_guided_alone_as_in_a_batch():
    options = NOISE.changed(layout=Layout(0.7, 2.0, 0.8), size_px=0)
    contents = [CONTENT, picture(5), picture(6, 48, 64)]
    together = run("sd15", options, contents)
    for k, content in enumerate(contents):
        assert torch.allclose(together.latents[k], run("sd15", options, [content]).latents[0], atol=1e-4)


def test_guidance_ends_with_its_window_and_asks_the_network_nothing():
    plain, guided_run = run("sd15", NOISE), run("sd15", NOISE.changed(layout=Layout(1.0, 4.0, 0.3)))
    assert plain.cost == guided_run.cost and apart(plain, guided_run) > 1e-3
    assert not any(part.name.startswith("content") for part in guided_run.cost.parts)
    tones_alone = NOISE.changed(strength=0.0, layout=WHOLE)
    assert run("sd15", tones_alone).cost.counted == tones_alone.steps  # the style is not inverted for its tones


def test_the_users_own_steering_has_the_last_word():
    class Gray:
        prompts = ()

        def active(self, sigma):
            return True

        def begin(self):
            return lambda sigma, x0, positive, predictions: torch.zeros_like(x0)

    result = run("sd15", NOISE.changed(layout=WHOLE), steering=Gray())
    assert torch.equal(result.latents[0], torch.zeros_like(result.latents[0]))


def test_without_a_content_there_is_no_layout():
    options = NOISE.changed(layout=WHOLE, size_px=64)
    backend = tiny_backend("sd15")
    empty = stylize(backend, [Content(None, "a")], [STYLE], options)
    plain = stylize(backend, [Content(None, "a")], [STYLE], options.changed(layout=Layout()))
    assert torch.equal(empty.latents[0], plain.latents[0])


def test_a_start_is_renoised_between_its_ends():
    noise = torch.randn(X.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert renoised(X, noise, 3.0, 0.0) is X and torch.equal(renoised(X, noise, 3.0, 1.0), 3.0 * noise)
    half = renoised(3.0 * X, noise, 3.0, 0.5)
    assert torch.allclose(half, 3.0 * math.sqrt(0.5) * (X + noise))
    content = FAST.changed(gamma=0.0, renoise=1.0, adain=0.0)
    assert torch.equal(run("sd15", content).latents[0], run("sd15", content.changed(start="noise")).latents[0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Layout(1.2), "weight is 1.2"),
        (lambda: Layout(1.0, 0.0), "cut is 0.0"),
        (lambda: Layout(1.0, math.nan), "cut is nan"),
        (lambda: Layout(1.0, 4.0, 0.0), "end is 0.0"),
        (lambda: TransferOptions(Injection(), renoise=-0.1), "renoise is -0.1"),
    ],
)
def test_layout_options_are_checked(make, words):
    with pytest.raises(ValueError, match=words):
        make()
