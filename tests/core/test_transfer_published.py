"""Presets of published ways against their algorithms, written straight from the papers' formulas and measured in E."""

from __future__ import annotations

import math

import pytest
import torch

from swf_core.presets import ENTRIES
from swf_core.transfer import randomness

from support.published import adain, assert_same, latents_of, sampled, tokens_adain, transferred
from support.straight_line import StraightLine, logits, softmax_of, timesteps_of
from support.tiny_models import tiny_backend

LATE = {"sd15": ("up_blocks.2", "up_blocks.3"), "mini": ("up_blocks",)}
EVERY = ("down_blocks", "mid_block", "up_blocks")


@pytest.fixture(scope="module", params=["sd15", "mini"])
def model(request):
    """A small random UNet in Stable Diffusion's shape, and the embedded model."""
    if request.param == "sd15":
        return "sd15", tiny_backend("sd15")
    from swf_core.models import load

    return "mini", load("mini")


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
