"""Presets of published ways against their algorithms, written straight from the papers' formulas and measured in E."""

from __future__ import annotations

import math

import pytest
import torch

from swf_core.presets import ENTRIES, PRESETS
from swf_core.transfer import Content, Models, StyleInput, preset, randomness, stylize
from swf_core.transfer.contents import content_batches
from swf_core.transfer.context import TransferContext
from swf_core.transfer.generation import Generation
from swf_core.transfer.style_planning import style_references

from support.cli import swf
from support.straight_line import CLEAN, StraightLine, logits, softmax_of, timesteps_of
from support.tiny_models import picture, tiny_backend

LATE = {"sd15": ("up_blocks.2", "up_blocks.3"), "mini": ("up_blocks",)}
EVERY = ("down_blocks", "mid_block", "up_blocks")
CONTENT, STYLE = picture(1), picture(2)


@pytest.fixture(scope="module", params=["sd15", "mini"])
def model(request):
    """A small random UNet in Stable Diffusion's shape, and the embedded model."""
    if request.param == "sd15":
        return "sd15", tiny_backend("sd15")
    from swf_core.models import load

    return "mini", load("mini")


def latents_of(backend):
    return backend.codec.encode(CONTENT[None]), backend.codec.encode(STYLE[None])


def transferred(backend, name, **changes):
    """The preset's result at 64 px and its cost."""
    result = stylize(backend, [CONTENT], [STYLE], preset(name, backend).changed(size_px=64, **changes))
    assert result.cost.counted == result.cost.planned
    return result.latents[0][None], result.cost.counted


def assert_same(ours, published, clean):
    assert float((ours - published).abs().max() / published.abs().max()) < 1e-4
    assert float((ours - clean).abs().max()) > 0.05  # something was done


def channels(z):
    return z.mean((-2, -1), keepdim=True), z.std((-2, -1), keepdim=True)


def adain(z, target):
    (mean, deviation), (target_mean, target_deviation) = channels(z), channels(target)
    return (z - mean) / deviation * target_deviation + target_mean


def tokens_adain(x, target):
    def statistics(y):
        return y.mean(-2, keepdim=True), y.std(-2, keepdim=True, correction=0)

    (mean, deviation), (target_mean, target_deviation) = statistics(x), statistics(target)
    return (x - mean) / deviation.clamp_min(1e-6) * target_deviation + target_mean


def sampled(line, z, timesteps, predict):
    """DDIM down the rising `timesteps`, with predict(index, z, t) -> eps."""
    falling = timesteps[::-1]
    for index, (t, target) in enumerate(zip(falling, [*falling[1:], CLEAN])):
        z = line.move(z, predict(index, z, t), t, target)
    return z.float()


@torch.no_grad()
def test_styleid_on_both_models(model):
    name, backend = model
    with StraightLine(backend, LATE[name]) as line:
        z_c, z_s = latents_of(backend)
        t_sampled = timesteps_of(50)
        ends, kept = [], []
        for z in (z_c, z_s):  # the clean latent counts as t = 1 already, the last target is 999
            shown = {}
            for here, there in zip(t_sampled, [*t_sampled[1:], 999]):
                e = line.eps(z, here)
                shown[here], z = list(line.seen), line.move(z, e, here, there)
            ends.append(z)
            kept.append(shown)
        z = adain(*ends)
        for t in t_sampled[-2::-1]:  # start_step 49: the first of the 50 steps is left out

            def formula(layer, q, k, v, t=t):
                q = 0.75 * kept[0][t][layer][0] + 0.25 * q
                return softmax_of(1.5 * logits(q, kept[1][t][layer][1])) @ kept[1][t][layer][2]

            z = line.move(z, line.eps(z, t, formula), t, t - 20 if t > 1 else 0)
    ours, evaluations = transferred(backend, "styleid")
    assert evaluations == line.evaluations == ENTRIES["styleid"].evaluations == 149
    assert_same(ours, z, z_c)


@torch.no_grad()
def test_z_star_puts_both_attentions_under_one_softmax(model):
    name, backend = model
    with StraightLine(backend, LATE[name]) as line:
        z_c, z_s = latents_of(backend)
        timesteps = timesteps_of(30)
        (content, _), (_, style) = line.invert(z_c, timesteps), line.invert(z_s, timesteps)

        def predict(index, z, t):
            def formula(layer, q, k, v):
                _, k_s, v_s = style[t][layer]
                return softmax_of(1.2 * logits(q, k_s), logits(q, k)) @ torch.cat([v_s, v], -2)

            return line.eps(z, t, formula if 5 <= index <= 29 else None)

        published = sampled(line, content[timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, "z-star")
    assert evaluations == line.evaluations == ENTRIES["z-star"].evaluations
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_style_aligned_shares_attention_in_the_styles_range(model):
    _, backend = model
    with StraightLine(backend, EVERY) as line:
        z_c, z_s = latents_of(backend)
        timesteps = timesteps_of(50)
        (content, _), (z_style, style) = line.invert(z_c, timesteps), line.invert(z_s, timesteps)
        style[timesteps[-1]] = line.features(z_style[timesteps[-1]], timesteps[-1])

        def predict(index, z, t):
            def formula(layer, q, k, v):
                q_s, k_s, v_s = style[t][layer]
                q, k = tokens_adain(q, q_s), tokens_adain(k, k_s)
                return softmax_of(logits(q, k), logits(q, k_s) + math.log(2.0)) @ torch.cat([v, v_s], -2)

            return line.eps(z, t, formula)

        published = sampled(line, content[timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, "style-aligned")
    assert evaluations == line.evaluations == ENTRIES["style-aligned"].evaluations
    assert_same(ours, published, z_c)


@torch.no_grad()
@pytest.mark.parametrize("name", ["visual-style-prompting", "style-keeper"])
def test_visual_style_prompting_swaps_and_style_keeper_is_guided_away_from_the_swapped_query(name):
    backend, steps = tiny_backend("sd15"), 20
    weight, (first, last) = {"visual-style-prompting": (0.0, (0.85, 0.9)), "style-keeper": (2.0, (0.5, 0.8))}[name]
    with StraightLine(backend, LATE["sd15"]) as line:
        z_c, z_s = latents_of(backend)
        timesteps, noise = timesteps_of(steps), randomness.noise_like(z_s, 0, randomness.STYLE)
        content, _ = line.invert(z_c, timesteps)

        def predict(index, z, t):
            style = line.features(line.noised(z_s, noise, t), t)  # stochastic encoding
            e = line.eps(z, t, lambda layer, q, k, v: softmax_of(logits(q, style[layer][1])) @ style[layer][2])
            if weight:
                leak = line.eps(z, t, lambda layer, q, k, v: softmax_of(logits(style[layer][0], k)) @ v)
                e = (1 + weight) * e - weight * leak
            if first <= (timesteps[-1] - t) / (timesteps[-1] - 1) <= last:  # color calibration of x0
                a, s = line.level(t)
                e = (z - a * adain(line.clean(z, e, t), z_s)) / s
            return e

        published = sampled(line, content[timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, name, steps=steps)
    assert evaluations == line.evaluations
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_cross_image_sharpens_attention_and_is_guided_by_what_the_swap_changes():
    backend = tiny_backend("sd15")
    with StraightLine(backend, LATE["sd15"]) as line:
        z_c, z_s = latents_of(backend)
        timesteps = timesteps_of(20)[:14]  # 0.68 of the schedule
        (content, _), (z_style, style) = line.invert(z_c, timesteps), line.invert(z_s, timesteps)
        style[timesteps[-1]] = line.features(z_style[timesteps[-1]], timesteps[-1])
        line.evaluations -= 1  # nothing is swapped at the first step

        def predict(index, z, t):
            def formula(layer, q, k, v):
                weights = softmax_of(logits(q, style[t][layer][1]))
                mean = weights.mean(-1, keepdim=True)
                return ((weights - mean) * 1.67 + mean).clamp(0, 1) @ style[t][layer][2]

            e = line.eps(z, t)
            if t < (1 - 0.425) * 999:
                e = e + 2.625 * (line.eps(z, t, formula) - e)
            if (951 - t) / 950 >= 0.52:
                a, s = line.level(t)
                e = (z - a * adain(line.clean(z, e, t), z_s)) / s
            return e

        published = sampled(line, content[timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, "cross-image", steps=20)
    assert evaluations == line.evaluations
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_masactrl_reads_the_contents_own_keys_and_values_and_no_style():
    backend, steps = tiny_backend("sd15"), 50
    with StraightLine(backend, LATE["sd15"]) as line:
        z_c, _ = latents_of(backend)
        timesteps = timesteps_of(steps)
        content, shown = line.invert(z_c, timesteps)

        def predict(index, z, t):
            def formula(layer, q, k, v):
                return softmax_of(logits(q, shown[t][layer][1])) @ shown[t][layer][2]

            return line.eps(z, t, formula if index >= 4 else None)

        published = sampled(line, content[timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, "masactrl")
    assert evaluations == line.evaluations == ENTRIES["masactrl"].evaluations
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_adaattn_takes_mean_and_deviation_at_each_point():
    backend, steps = tiny_backend("sd15"), 6
    with StraightLine(backend, EVERY) as line:
        z_c, z_s = latents_of(backend)
        timesteps = timesteps_of(steps)
        traces = [line.invert(z, timesteps) for z in (z_c, z_s)]
        for latents, shown in traces:
            shown[timesteps[-1]] = line.features(latents[timesteps[-1]], timesteps[-1])

        def predict(index, z, t):
            def formula(layer, q, k, v):
                (q_c, _, _), (q_s, k_s, v_s) = (shown[t][layer] for _, shown in traces)
                weights = softmax_of(logits(tokens_adain(q_c, q_s), k_s))
                mean = weights @ v_s
                deviation = (weights @ v_s.square() - mean.square()).clamp_min(0).sqrt()
                spread = v.std(-2, keepdim=True, correction=min(1, v.shape[-2] - 1))
                return deviation * (v - v.mean(-2, keepdim=True)) / (spread + 1e-5) + mean

            return line.eps(z, t, formula)

        published = sampled(line, traces[0][0][timesteps[-1]], timesteps, predict)
    ours, evaluations = transferred(backend, "adaattn", steps=steps)
    assert evaluations == line.evaluations
    assert_same(ours, published, z_c)


def test_scheduled_is_styleid_with_a_falling_gamma():
    backend = tiny_backend("sd15")
    scheduled, styleid = preset("scheduled", backend), preset("styleid", backend)
    assert [scheduled.injection.gamma_at(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.75, 0.5625, 0.375])
    assert scheduled.changed(gamma_end=None, gamma_schedule="constant") == styleid


@torch.no_grad()
def test_attenst_refines_each_inversion_step_and_starts_with_mixed_statistics():
    backend, steps = tiny_backend("sd15"), 4
    with StraightLine(backend, ("none",)) as line:
        z_c, z_s = latents_of(backend)
        ends = []
        for z in (z_c, z_s):
            for here, there in zip([CLEAN, *timesteps_of(steps)], timesteps_of(steps)):
                start = z
                z = line.move(z, line.eps(line.level(0)[0] * z if here == CLEAN else z, max(here, 0)), here, there)
                for _ in range(5):
                    z = line.move(start, line.eps(z, there), here, there)
            ends.append(z)
        (mean_c, deviation_c), (mean_s, deviation_s) = (channels(z) for z in ends)
        z = (ends[0] - mean_c) / deviation_c * (0.6 * deviation_s + 0.4 * deviation_c) + 0.6 * mean_s + 0.4 * mean_c
        published = sampled(line, z, timesteps_of(steps), lambda index, z, t: line.eps(z, t))
    # its attention is StyleID's, which has a test above
    injection = preset("attenst", backend).injection
    assert injection == preset("styleid", backend).injection
    ours, evaluations = transferred(backend, "attenst", steps=steps, strength=0.0)
    assert evaluations == line.evaluations == 2 * 6 * steps + steps
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_stylessp_starts_with_less_of_the_low_frequencies():
    backend, steps = tiny_backend("sd15"), 4
    with StraightLine(backend, ("none",)) as line:
        z_c, _ = latents_of(backend)
        timesteps = timesteps_of(steps)
        z = line.invert(z_c, timesteps)[0][timesteps[-1]].float()
        spectrum, share = torch.fft.fft2(z), torch.fft.fftfreq(z.shape[-1]) * 2
        low = torch.fft.ifft2(spectrum * torch.exp(-(share[:, None] ** 2 + share**2) / (2 * 0.3**2))).real
        noise = randomness.noise_like(z, 0, randomness.DAMPING) * z.std((-3, -2, -1), keepdim=True)
        z = (z - low) + 0.7 * low + 0.3 * noise
        published = sampled(line, z, timesteps, lambda index, z, t: line.eps(z, t))
    ours, _ = transferred(backend, "stylessp", steps=steps, strength=0.0)
    assert_same(ours, published, z_c)


def test_every_preset_says_what_it_is_and_what_it_costs():
    backend = tiny_backend("sd15")
    stated = {name: entry for name, entry in ENTRIES.items() if entry.source}
    assert len(stated) == len(ENTRIES) - 3  # our own: wallfacer, faithful, free
    for name, entry in stated.items():
        assert entry.departs and "\n" not in entry.line
        # planned; that it is what is counted, the tests above measure
        context = TransferContext.plan(Models.of(backend), preset(name, backend), "", 0, None)
        styles = [style for style, _ in style_references([StyleInput(STYLE)], context)]
        (batch,) = content_batches([Content(CONTENT)], context)
        Generation(context, batch, styles)
        assert context.meter.planned == entry.evaluations, name


def test_help_has_a_line_for_each():
    text = swf("stylize", "--help").stdout
    lines = [line.strip().split(": ")[0] for line in text[text.index("\npresets:\n") :].splitlines()]
    assert set(PRESETS) <= set(lines)
