"""What the triple process must hold for any weights, on tiny SD1.5-, SD2-v- and SDXL-shaped models."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.contracts import AttentionEdit
from swf_core.transfer import (
    Content,
    Injection,
    Models,
    SampleOptions,
    StyleInput,
    TransferOptions,
    randomness,
    sample,
    stylize,
)
from swf_core.transfer.sigmas import schedule
from swf_core.transfer.trajectory import invert_ddim

from support.tiny_models import FAMILIES, picture, tiny_backend

CONTENT, STYLE = picture(1), picture(2)
FAST = TransferOptions(Injection(gamma=0.4, tau=1.5), steps=4)


def run(family, options=FAST, contents=(CONTENT,), styles=(STYLE,), **more):
    return stylize(tiny_backend(family), contents, styles, options, **more)


def with_prompt(prompt):
    return [Content(CONTENT, prompt)]


def apart(a, b):
    return float((a.latents[0] - b.latents[0]).abs().max())


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
