"""Weights distilled for few steps: levels and steps are diffusers' own, the triple process works in 1 to 8 steps."""

from __future__ import annotations

import json
from dataclasses import replace

import diffusers
import numpy as np
import pytest
import torch

from swf_core.errors import UserError
from swf_core.pictures import png_bytes
from swf_core.presets import FEW_STEPS
from swf_core.transfer import Content, SampleOptions, TransferOptions, preset, randomness, sample, stylize
from swf_core.transfer.levels import plan_levels
from swf_core.transfer.noisy_steps import noisy_steps
from swf_core.transfer.sigmas import lcm_schedule, schedule, vp_scale

from support.cli import swf
from support.tiny_models import picture, tiny_backend

BACKEND = tiny_backend("sd15")
TABLE = BACKEND.denoiser.sigmas
STEPS = (1, 2, 4, 8)
SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def scheduler_of(kind: str):
    """diffusers' scheduler for a kind of weights, as its makers' pages set it up."""
    return {
        "lcm": lambda: diffusers.LCMScheduler(**SD),
        "tcd": lambda: diffusers.TCDScheduler(**SD),
        "turbo": lambda: diffusers.EulerAncestralDiscreteScheduler(**SD, timestep_spacing="trailing"),
        "lightning": lambda: diffusers.EulerDiscreteScheduler(**SD, timestep_spacing="trailing"),
        "hyper": lambda: diffusers.DDIMScheduler(**SD, timestep_spacing="trailing", clip_sample=False),
    }[kind]()


def scheduled(kind: str, steps: int):
    scheduler = scheduler_of(kind)
    if kind == "hyper" and steps == 1:
        scheduler = diffusers.LCMScheduler(**SD)
        scheduler.set_timesteps(timesteps=[800])
    else:
        scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", FEW_STEPS)
def test_levels_are_diffusers_own(kind, steps):
    times = scheduled(kind, steps).timesteps.long()
    levels = schedule(TABLE, steps, FEW_STEPS[kind].spacing)
    abar = scheduled(kind, steps).alphas_cumprod[times].double()
    assert levels == pytest.approx(((1 - abar) / abar).sqrt().tolist(), rel=1e-5)
    assert levels == [float(TABLE[t]) for t in times]
    if kind in ("turbo", "lightning"):
        assert levels == pytest.approx(scheduled(kind, steps).sigmas[:-1].tolist(), rel=1e-5)


def test_every_number_of_lcms_steps_and_every_share_is_diffusers_own():
    scheduler = diffusers.LCMScheduler(**SD)
    for share in (1.0, 0.77, 0.5):
        for steps in range(1, int(50 * share) + 1):
            scheduler.set_timesteps(steps, strength=share)
            assert lcm_schedule(TABLE, steps, share) == [float(TABLE[t]) for t in scheduler.timesteps]


def test_trailing_levels_are_diffusers_own_for_up_to_32_steps():
    scheduler = scheduler_of("lightning")
    for steps in range(1, 33):
        scheduler.set_timesteps(steps)
        mine = schedule(TABLE, steps, "trailing")
        np.testing.assert_allclose(mine, scheduler.sigmas[: len(mine)], rtol=1e-5)


def test_lcm_begins_where_denoise_says_whatever_the_steps():
    for steps in (1, 2, 4, 8):
        levels = plan_levels(TABLE, TransferOptions(spacing="lcm", steps=steps, denoise=0.6))
        assert levels.sampled[0] == float(TABLE[599]) and len(levels.sampled) == steps
        assert levels.full[0] == float(TABLE[999])
    with pytest.raises(UserError, match="of which a denoise of 0.1 runs 5; give 1 to 5 steps"):
        plan_levels(TABLE, TransferOptions(spacing="lcm", steps=8, denoise=0.1))


def network_output(z, t):
    """A network of a formula, the same for both sides."""
    return torch.tanh(z * (0.5 + t / 2000)) + 0.1


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", ["lcm", "tcd", "turbo"])
def test_each_step_is_diffusers_own(kind, steps):
    scheduler = scheduled(kind, steps)
    levels = schedule(TABLE, steps, FEW_STEPS[kind].spacing)
    shape = (2, 4, 8, 8)
    theirs, ours = (torch.Generator().manual_seed(5) for _ in range(2))
    noisy = noisy_steps(FEW_STEPS[kind].solver, TABLE, levels, lambda _: torch.randn(shape, generator=ours))
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * levels[0]
    z = x if kind == "turbo" else x / vp_scale(levels[0])
    for index, t in enumerate(scheduler.timesteps):
        here, there = levels[index], levels[index + 1] if index + 1 < steps else float(TABLE[0]) * (kind == "tcd")
        eps = network_output(scheduler.scale_model_input(z, t), float(t))
        z = scheduler.step(eps, t, z, generator=theirs, return_dict=False)[0]
        x = noisy.step(index, x, x - here * network_output(x / vp_scale(here), float(t)), here, there)
        scale = 1.0 if kind == "turbo" else vp_scale(there)
        torch.testing.assert_close(x / scale, z, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", FEW_STEPS)
def test_a_whole_sampling_is_that_of_diffusers_loop(kind, steps, monkeypatch):
    scheduler, seed = scheduled(kind, steps), 3
    unet, text = BACKEND.denoiser.network, BACKEND.text.encode(["a house"], 64, 64).tokens
    rows = [randomness.stream_seed(seed, randomness.SAMPLE, 0)]
    drawn = iter(range(steps))

    def our_noise(shape, **_):
        return randomness.noise_like(torch.zeros(shape), rows, randomness.STEP, next(drawn))

    module = __import__(type(scheduler).__module__, fromlist=["randn_tensor"])
    monkeypatch.setattr(module, "randn_tensor", our_noise)
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(7))
    z = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        model_input = scheduler.scale_model_input(z, t)
        with torch.no_grad():
            eps = unet(model_input, t, encoder_hidden_states=text, return_dict=False)[0]
        z = scheduler.step(eps, t, z, return_dict=False)[0]
    level = schedule(TABLE, steps, FEW_STEPS[kind].spacing)[0]
    start = noise * (float(scheduler.init_noise_sigma) if kind in ("turbo", "lightning") else vp_scale(level))
    options = SampleOptions(**FEW_STEPS[kind].sampling | {"steps": steps, "size_px": 64})
    result = sample(BACKEND, ["a house"], options, seed=seed, start=start)
    torch.testing.assert_close(result.latents[0], z[0], rtol=1e-4, atol=1e-4)
    assert result.cost.counted == result.cost.planned == steps


def few(kind: str, steps: int, **more) -> TransferOptions:
    return preset("wallfacer", BACKEND).changed(**FEW_STEPS[kind].transfer | {"steps": steps, "size_px": 0} | more)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", FEW_STEPS)
def test_the_triple_process_works_at_cfg_1(kind, steps):
    options = few(kind, steps)
    assert options.cfg == 1.0

    def painted(seed):
        return stylize(BACKEND, [Content(picture(1, 32, 32), "a")], [picture(2, 32, 32)], options, seed=seed)

    once, again, other = painted(1), painted(1), painted(2)
    assert once.cost.counted == once.cost.planned == 3 * steps
    assert torch.isfinite(once.images[0]).all()
    assert torch.equal(once.images[0], again.images[0]) and not torch.equal(once.images[0], other.images[0])


@pytest.mark.parametrize("kind", ["lcm", "lightning"])
def test_inverted_pictures_cost_what_they_always_do(kind):
    options = few(kind, 4, content_encoding="ddim", style_encoding="ddim")
    cost = stylize(BACKEND, [picture(1, 32, 32)], [picture(2, 32, 32)], options).cost
    assert cost.counted == cost.planned == 3 * 4 + 2


def test_a_result_does_not_depend_on_its_batch():
    contents = [Content(picture(n, 32, 32), "a", seed=n) for n in (1, 2)]
    together = stylize(BACKEND, contents, [picture(3, 32, 32)], few("lcm", 4))
    alone = [stylize(BACKEND, [content], [picture(3, 32, 32)], few("lcm", 4)) for content in contents]
    for row, one in enumerate(alone):
        torch.testing.assert_close(together.latents[row], one.latents[0], rtol=1e-4, atol=1e-4)
    two = sample(BACKEND, ["a", "a"], SampleOptions(4, 1.0, 32, "lcm", solver="lcm"), seed=3)
    one = sample(BACKEND, ["a", "a"], SampleOptions(4, 1.0, 32, "lcm", solver="lcm", batch=1), seed=3)
    torch.testing.assert_close(two.latents[1], one.latents[1], rtol=1e-4, atol=1e-4)
    assert (two.latents[0] - two.latents[1]).abs().max() > 0.1


class Watched:
    """A denoiser that notes the latents it is asked about."""

    def __init__(self, denoiser):
        self.denoiser, self.asked = denoiser, []

    def __getattr__(self, name):
        return getattr(self.denoiser, name)

    def denoise(self, x, sigma, cond, edit=None):
        self.asked.append((sigma, x.clone()))
        return self.denoiser.denoise(x, sigma, cond, edit)


def test_fresh_noise_is_generations_alone():
    asked = {}
    for solver in ("lcm", "euler"):
        watched = Watched(BACKEND.denoiser)
        backend = replace(BACKEND, denoiser=watched)
        stylize(backend, [picture(1, 32, 32)], [picture(2, 32, 32)], few("lcm", 4, solver=solver))
        asked[solver] = [row for _, rows in watched.asked for row in rows]
    same = [torch.equal(one, other) for one, other in zip(*asked.values(), strict=True)]
    # At each level content, style, generation, which starts from the same latent; at lower ones it alone is elsewhere.
    assert same == [True, True, True] + [True, True, False] * 3


def test_gamma_at_a_noise_level_is_the_same_in_any_number_of_steps():
    from swf_core.transfer.context import TransferContext
    from swf_core.transfer.inputs import Models

    contexts = {
        steps: TransferContext.plan(Models.of(BACKEND), few("lightning", steps), "", 0, None) for steps in (1, 2, 4, 8)
    }
    assert few("lightning", 4).injection.gamma_schedule == "cosine"
    for level in contexts[1].levels.full + contexts[2].levels.full + contexts[4].levels.full:
        assert len({round(context.gamma_at(level), 9) for context in contexts.values()}) == 1


@pytest.mark.parametrize("options", [dict(solver="ddpm"), dict(spacing="turbo")])
def test_unknown_rules_are_refused(options):
    with pytest.raises(UserError, match="use one of"):
        TransferOptions(**options)
    with pytest.raises(UserError, match="use one of"):
        sample(BACKEND, ["a"], SampleOptions(2, 1.0, 32, **options))


def test_the_command_line_takes_weights_for_few_steps(tmp_path):
    (tmp_path / "a.png").write_bytes(png_bytes(picture(1, 64, 64)))
    base = ["stylize", "--content", tmp_path / "a.png", "--style", tmp_path / "a.png", "--prompt", "a house", "--json"]
    done = swf(*base, "--few-steps", "lcm", "--steps", 2, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    chosen = {name: report["options"][name] for name in ("spacing", "solver", "steps", "cfg", "style_cfg")}
    assert chosen == {"spacing": "lcm", "solver": "lcm", "steps": 2, "cfg": 1.0, "style_cfg": 1.0}
    assert report["cost"]["counted"] == 6
    refused = swf(*base, "--few-steps", "lcm", "--refinements", 1, "--out", tmp_path / "no")
    assert refused.returncode == 2 and "leave out --refinements and --forward-first" in refused.stderr
    drawn = swf("sample", "--prompt", "a house", "--few-steps", "turbo", "--out", tmp_path / "s", "--json")
    report = json.loads(drawn.stdout.splitlines()[-1])
    assert (report["steps"], report["cfg"], report["cost"]["counted"]) == (4, 1.0, 4)
