"""E, one evaluation of one latent: the number counted is the number the formula says."""

from __future__ import annotations

import pytest
import torch

from swf_core.transfer import Content, Injection, SampleOptions, TransferOptions, preset, sample, stylize
from swf_core.transfer.sigmas import schedule

from support.tiny_models import picture, tiny_backend

BACKEND = tiny_backend("sd15")
SIGMAS = schedule(BACKEND.denoiser.sigmas, 4)
SMALL = picture(1, 32, 32)
PICTURE = Injection(gamma=0.5, layers="up.3.2")

# N = 4 steps. Inverting from the clean picture visits 3 of the 4 levels the sampler reads: 1 is left for capture.
CASES = {
    "capture": (dict(), 4 + 1 + 4 + 1 + 4),
    "lockstep": (dict(features="lockstep"), 4 + 4 + 4 + 4 + 4),
    "stochastic style": (dict(style_encoding="stochastic"), 4 + 4 + 1 + 4),
    "all stochastic": (dict(style_encoding="stochastic", content_encoding="stochastic"), 3 * 4),
    "bdia": (dict(style_encoding="bdia", content_encoding="bdia", solver="bdia"), 4 + 4 + 3),
    "guidance": (dict(cfg=3.0), 4 + 1 + 4 + 1 + 8),
    "leak guard": (dict(leak_guard=1.0), 4 + 1 + 4 + 1 + 4 + 4),
    "style guidance": (dict(style_guidance=1.0), 4 + 1 + 4 + 1 + 4 + 4),
    "style guidance with text's": (dict(style_guidance=1.0, cfg=3.0), 4 + 1 + 4 + 1 + 8 + 8),
    "refined": (dict(refinements=2), 12 + 1 + 12 + 1 + 4),
    "first steps noised": (dict(forward_first=2), 2 + 2 + 2 + 2 + 4),
    "half": (dict(denoise=0.5), 2 + 1 + 2 + 1 + 2),
    "published": (dict(spacing="styleid"), 4 + 4 + 3),
    "no style": (dict(injection=Injection(strength=0.0), adain=0.0), 4 + 4),
    "no content queries": (dict(injection=Injection(gamma=0.0), start="stochastic"), 4 + 1 + 4),
    "window": (
        dict(injection=Injection(sigma_low=SIGMAS[2], sigma_high=SIGMAS[1]), features="lockstep"),
        4 + 2 + 4 + 2 + 4,
    ),
    "quiet window": (dict(injection=Injection(sigma_high=SIGMAS[1])), 4 + 4 + 4),
}


@pytest.mark.parametrize("name", CASES)
def test_counted_is_planned(name):
    options, expected = CASES[name]
    chosen = TransferOptions(**{"injection": PICTURE, "steps": 4, "size_px": 0, **options})
    cost = stylize(BACKEND, [Content(SMALL, "a")], [SMALL], chosen).cost
    assert cost.counted == cost.planned == expected == sum(part.total for part in cost.parts)
    assert cost.formula.endswith(f"= {expected} E")


def test_styles_are_paid_once_for_all_contents_and_references_once_under_guidance():
    options = TransferOptions(PICTURE, steps=4, size_px=0, cfg=2.0)
    contents = [Content(p, "a") for p in (SMALL, picture(2, 32, 32), picture(3, 24, 32))]
    cost = stylize(BACKEND, contents, [SMALL, picture(4, 32, 16)], options).cost
    assert cost.counted == cost.planned == 2 * 5 + 3 * 5 + 3 * 8
    walked = TransferOptions(PICTURE, steps=4, size_px=0, cfg=2.0, features="lockstep")
    assert stylize(BACKEND, contents, [SMALL], walked).cost.counted == 8 + 3 * 8 + 3 * 8


def test_guidance_between_the_same_words_is_left_out():
    plain, guided, worded = (
        stylize(BACKEND, [Content(SMALL, prompt)], [SMALL], TransferOptions(PICTURE, steps=4, size_px=0, cfg=cfg))
        for cfg, prompt in ((1.0, ""), (3.0, ""), (3.0, "a"))
    )
    assert guided.cost == plain.cost and torch.equal(guided.latents[0], plain.latents[0])
    assert worded.cost.counted == plain.cost.counted + 4


def test_style_of_words_and_plain_sampling():
    options = TransferOptions(PICTURE, steps=4, size_px=32, style_cfg=2.0, style_size_px=32)
    cost = stylize(BACKEND, [SMALL], ["oil"], options).cost
    assert cost.counted == cost.planned == 8 + 5 + 4
    assert sample(BACKEND, ["a", "b"], SampleOptions(3, size_px=32)).cost.counted == 12
    assert sample(BACKEND, ["a", "b"], SampleOptions(3, size_px=32, cfg=1.0)).cost.counted == 6


def test_sample_is_the_same_in_any_batch():
    a = sample(BACKEND, ["a", "b", "c"], SampleOptions(2, size_px=(32, 40)), seed=3)
    b = sample(BACKEND, ["a", "b", "c"], SampleOptions(2, size_px=(32, 40), batch=1), seed=3)
    assert all(torch.allclose(x, y, atol=1e-4) for x, y in zip(a.latents, b.latents))
    assert a.images[0].shape == (3, 32, 40) and not torch.equal(a.latents[0], a.latents[1])
    with pytest.raises(ValueError, match="multiples of 8"):
        sample(BACKEND, ["a"], SampleOptions(size_px=30))


def test_presets():
    assert preset("styleid", BACKEND).injection == Injection(layers="late", gamma=0.75, tau=1.5)
    assert preset("adain", BACKEND).injection.strength == 0.0
    default = preset("wallfacer", BACKEND).injection
    assert (default.gamma, default.gamma_end, default.gamma_schedule) == (0.75, 0.375, "cosine")
    with pytest.raises(ValueError, match="'monet' is unknown; use wallfacer, styleid, adain"):
        preset("monet", BACKEND)


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("up.9", "'up.9' is not in this model; it has down.0.0, .*up.3.2"),
        ("up.1,", "'' is not in this model"),
        ("SDXL late", "not for this model .SD1.x."),
    ],
)
def test_layers_are_checked_against_the_model(selector, words):
    with pytest.raises(ValueError, match=words):
        stylize(BACKEND, [SMALL], [SMALL], TransferOptions(Injection(layers=selector), steps=2))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(denoise=0.0), "denoise is 0.0"),
        (dict(steps=0), "steps is 0"),
        (dict(start="middle"), "content, stochastic, noise"),
        (dict(content_encoding="edict"), "ddim, stochastic, bdia"),
        (dict(adain=1.2), "adain is 1.2"),
        (dict(spacing="styleid", denoise=0.5), "spacing 'styleid'"),
        (dict(solver="bdia", steps=1), "at least 2 steps"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        TransferOptions(**options)
