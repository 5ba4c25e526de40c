"""What the triple process must hold for any weights, on tiny SD1.5-, SD2-v- and SDXL-shaped models."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.contracts import AttentionEdit
from swf_core.transfer import (
    SampleOptions,
    randomness,
    sample,
)
from swf_core.transfer.inversion import invert_ddim
from swf_core.transfer.sigmas import schedule

from support.tiny_models import FAMILIES, picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, apart, run, with_prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_an_edit_with_own_keys_and_values_is_the_identity_and_leaves_no_trace(family):
    backend = tiny_backend(family)
    denoiser, cond = backend.denoiser, backend.text.encode(["a b"], 64, 64)
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(0))
    plain = denoiser.denoise(x, 2.0, cond)
    calls = []

    def own(layer, q, k, v, grid, scale):
        calls.append((layer.name, q.shape[-2] == grid[0] * grid[1]))
        return torch.softmax(q @ k.transpose(-1, -2) * scale, -1) @ v

    names = [layer.name for layer in denoiser.self_attention_layers]
    edited = denoiser.denoise(x, 2.0, cond, AttentionEdit(frozenset(names), own))
    assert torch.allclose(edited, plain, atol=1e-5)
    assert [name for name, _ in calls] == names and all(fits for _, fits in calls)

    def broken(layer, q, k, v, grid, scale):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        denoiser.denoise(x, 2.0, cond, AttentionEdit(frozenset(names[-1:]), broken))
    assert torch.equal(denoiser.denoise(x, 2.0, cond), plain)
    shouting = AttentionEdit(frozenset(names[-1:]), lambda layer, q, k, v, grid, scale: 5 * v)
    assert not torch.allclose(denoiser.denoise(x, 2.0, cond, shouting), plain, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_strength_0_is_the_plain_sampler_bit_for_bit(family):
    backend = tiny_backend(family)
    level = schedule(backend.denoiser.sigmas, 4)[0]
    noise = randomness.noise_like(torch.zeros(1, 4, 8, 8), 7, randomness.START)
    options = FAST.changed(strength=0.0, start="noise", adain=0.0, cfg=3.0)
    result = run(family, options, with_prompt("a red cat"), seed=7, negative="dull")
    plain = sample(backend, ["a red cat"], SampleOptions(4, cfg=3.0), negative="dull", start=noise * level)
    assert torch.equal(result.latents[0], plain.latents[0]) and torch.equal(result.images[0], plain.images[0])
    assert result.cost.counted == plain.cost.counted == 8
    # and from content: inverted latent, then the plain sampler
    clean, cond = backend.codec.encode(CONTENT[None]), backend.text.encode([""], 64, 64)
    path = invert_ddim(
        lambda x, sigma, own: backend.denoiser.denoise(x, sigma, cond),
        clean,
        schedule(backend.denoiser.sigmas, 4)[::-1],
        smallest=float(backend.denoiser.sigmas[0]),
    )
    plain = sample(backend, [""], SampleOptions(4, cfg=1.0), start=path.at(level))
    assert torch.equal(run(family, FAST.changed(strength=0.0, adain=0.0)).latents[0], plain.latents[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_result_is_continuous_in_strength(family):
    ends = run(family, FAST.changed(strength=0.0)), run(family, FAST.changed(strength=1.0))
    whole = apart(*ends)
    assert whole > 1e-2
    assert apart(run(family, FAST.changed(strength=1e-5)), ends[0]) < 1e-3 * max(1.0, whole)
    assert apart(run(family, FAST.changed(strength=1.0 - 1e-5)), ends[1]) < 1e-3 * max(1.0, whole)


@pytest.mark.parametrize("family", FAMILIES)
def test_style_equal_to_content_is_the_reconstruction(family):
    """With an exact trajectory nothing is left of inversion's error: the content comes back."""
    clean = tiny_backend(family).codec.encode(CONTENT[None])[0]
    exact = FAST.changed(tau=1.0, content_encoding="bdia", style_encoding="bdia", solver="bdia", steps=8)
    assert float((run(family, exact, styles=[CONTENT]).latents[0] - clean).abs().max()) < 1e-3
    assert float((run(family, exact.changed(tau=1.5), styles=[CONTENT]).latents[0] - clean).abs().max()) > 1e-2


def test_style_equal_to_content_is_the_ddim_reconstruction_within_its_error():
    clean = tiny_backend("sd2v").codec.encode(CONTENT[None])[0]
    for refinements, bound in ((0, None), (10, 2e-3)):
        same = FAST.changed(tau=1.0, steps=12, refinements=refinements)
        plain = run("sd2v", same.changed(strength=0.0), styles=[CONTENT]).latents[0]
        injected = run("sd2v", same, styles=[CONTENT]).latents[0]
        error = float((plain - clean).abs().max())
        assert float((injected - clean).abs().max()) < (3 * error if bound is None else bound)


@pytest.mark.parametrize("family", FAMILIES)
def test_content_rows_are_irrelevant_at_gamma_0(family):
    none = FAST.changed(gamma=0.0, start="noise")
    a, b = run(family, none), run(family, none, contents=[picture(9)])
    assert torch.equal(a.latents[0], b.latents[0])
    assert not any(part.name.startswith("content") for part in a.cost.parts)
    some = none.changed(gamma=0.5)
    assert apart(run(family, some), run(family, some, contents=[picture(9)])) > 1e-4


@pytest.mark.parametrize("features", ["capture", "lockstep"])
def test_references_are_never_altered_by_generation(features, monkeypatch):
    from swf_core.transfer import features as bank_module

    def record(options, **more):
        recorded = {}
        original = bank_module.FeatureBank.forget

        def forget(self, sigma):
            for layer in self.layers:
                for part in self.parts:
                    recorded[self.parts, sigma, layer, part] = self.get(sigma, layer, part).clone()
            original(self, sigma)

        with monkeypatch.context() as patch:
            patch.setattr(bank_module.FeatureBank, "forget", forget)
            run("sd15", options, **more)
        return recorded

    base = FAST.changed(features=features)
    quiet = record(base)
    loud = record(base.changed(cfg=9.0, tau=3.0), contents=with_prompt("something else entirely"), negative="x")
    assert quiet.keys() == loud.keys() and len(quiet) == 4 * 16 * 3
    assert all(torch.equal(quiet[key], loud[key]) for key in quiet)


@pytest.mark.parametrize("encoding", ["ddim", "stochastic", "bdia"])
def test_capture_and_lockstep_agree(encoding):
    base = FAST.changed(content_encoding=encoding, style_encoding=encoding)
    captured, walked = run("sd15", base), run("sd15", base.changed(features="lockstep"))
    assert apart(captured, walked) < 1e-5
    assert captured.cost.counted <= walked.cost.counted
    halved = run("sd15", base.changed(precision="fp16"))
    assert 0 < apart(halved, captured) < 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_concat_goes_from_plain_to_replace(family):
    plain, full = run(family, FAST.changed(strength=0.0)), run(family)
    assert torch.equal(run(family, FAST.changed(kv="concat", bias=-float("inf"))).latents[0], plain.latents[0])
    assert torch.equal(run(family, FAST.changed(kv="concat", bias=float("inf"))).latents[0], full.latents[0])
    between = run(family, FAST.changed(kv="concat"))
    assert apart(between, plain) > 1e-3 and apart(between, full) > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_same_seed_same_bytes(family):
    options = FAST.changed(style_encoding="stochastic", low_frequencies=0.7)
    a, b, c = (run(family, options, seed=seed) for seed in (5, 5, 6))
    assert a.images[0].numpy().tobytes() == b.images[0].numpy().tobytes()
    assert apart(a, c) > 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_style_guidance_takes_what_injection_adds_more_than_once(family):
    one_step = FAST.changed(steps=1)
    plain = run(family, one_step.changed(strength=0.0)).latents[0]
    styled = run(family, one_step).latents[0]
    twice = run(family, one_step.changed(style_guidance=1.0)).latents[0]
    assert float((styled - plain).abs().max()) > 1e-5
    assert torch.allclose(twice - styled, styled - plain, atol=1e-4)
    with pytest.raises(ValueError, match="style_guidance is -1.0; it must be between 0 and 10"):
        FAST.changed(style_guidance=-1.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_leak_guard_pushes_away_from_the_branch_that_asks_with_the_styles_queries(family):
    one_step = FAST.changed(steps=1)
    plain, half, full = (run(family, one_step.changed(leak_guard=w)) for w in (0.0, 0.5, 1.0))
    assert torch.equal(plain.latents[0], run(family, one_step).latents[0])
    push = full.latents[0] - plain.latents[0]
    assert float(push.abs().max()) > 1e-5
    assert torch.allclose(2 * (half.latents[0] - plain.latents[0]), push, atol=1e-4)  # linear in its weight
    other = run(family, one_step.changed(leak_guard=1.0), styles=(picture(5, 48, 80),))  # of another size and shape
    assert float((other.latents[0] - full.latents[0]).abs().max()) > 1e-6
    with pytest.raises(ValueError, match="leak_guard is 11.0; it must be between 0 and 10"):
        FAST.changed(leak_guard=11.0)


def test_progress_runs_to_1_and_can_cancel():
    values, previews = [], []

    def progress(value, preview):
        values.append(value)
        previews.append(preview)

    run("sd15", progress=progress)
    assert values == sorted(values) and values[-1] == 1.0
    assert sum(p is not None for p in previews) == 4

    def cancel(value, preview):
        if value > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("sd15", progress=cancel)
    assert apart(run("sd15"), run("sd15")) == 0.0
