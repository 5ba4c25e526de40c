"""FlowEdit: the published equations, its identities, and styles in the target."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from swf_core.transfer import Content, TransferOptions, stylize
from swf_core.transfer.randomness import EDIT, noise_like

from support.tiny_models import picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE, apart
from support.tiny_transformers import TRANSFORMERS, tiny_transformer_backend

EDITED = FAST.changed(start="flowedit", adain=0.0, style_encoding="stochastic")
PLAIN = EDITED.changed(strength=0.0, gamma=0.0)
families = pytest.mark.parametrize("family", ["sd15", "sd2v", *TRANSFORMERS])


def backend_of(family):
    return tiny_transformer_backend(family) if family in TRANSFORMERS else tiny_backend(family)


def run(family, options, prompt="", contents=None, styles=(STYLE,), **more):
    contents = [Content(CONTENT, prompt)] if contents is None else contents
    result = stylize(backend_of(family), contents, styles, options, **more)
    assert result.cost.counted == result.cost.planned
    return result


def clean(family):
    return backend_of(family).codec.encode(CONTENT[None])[0]


@families
@pytest.mark.parametrize("solver", ["euler", "midpoint", "fireflow"])
def test_without_a_change_it_is_the_picture_to_the_bit(family, solver):
    same = PLAIN.changed(solver=solver, content_prompt="a tree", edit_average=2)
    assert torch.equal(run(family, same, "a tree").latents[0], clean(family))
    guided = same.changed(cfg=3.0, source_cfg=3.0)
    assert torch.equal(run(family, guided, "a tree").latents[0], clean(family))


@families
def test_words_guidance_and_styles_each_change_it(family):
    plain = run(family, PLAIN)
    words = run(family, PLAIN, "a horse")
    guided = run(family, PLAIN.changed(cfg=4.0, source_cfg=1.5), "a horse")
    styled, other = run(family, EDITED), run(family, EDITED, styles=[picture(3)])
    assert all(apart(result, plain) > 1e-3 for result in (words, guided, styled, other))
    assert apart(words, guided) > 1e-3 and apart(styled, other) > 1e-3
    toned = run(family, PLAIN.changed(adain=1.0))
    assert apart(toned, plain) > 1e-3


@families
def test_it_is_the_published_algorithm(family):
    """Written as in the paper, in z and t, with V = (z - x0) / t."""
    backend, options = backend_of(family), PLAIN.changed(steps=3, edit_average=2, denoise=0.7)
    source, target = (backend.text.encode([text], 64, 64) for text in ("a tree", "a horse"))
    content = clean(family)[None]
    with_levels = run(family, options.changed(content_prompt="a tree"), "a horse", seed=4)
    levels = plan(backend, options)
    z, draw = content.clone(), 0

    def velocity(z_t, sigma, cond):
        t = sigma / (1.0 + sigma)
        return (z_t - backend.denoiser.denoise(z_t * (1.0 + sigma), sigma, cond)) / t

    for sigma, below in zip(levels, [*levels[1:], 0.0]):
        t, t_below = sigma / (1.0 + sigma), below / (1.0 + below)
        change = torch.zeros_like(z)
        for _ in range(2):
            z_src = (1.0 - t) * content + t * noise_like(content, 4, EDIT, draw)
            draw += 1
            change = change + velocity(z + z_src - content, sigma, target) - velocity(z_src, sigma, source)
        z = z + (t_below - t) * change / 2
    changed = float((z - content).abs().max())
    assert torch.allclose(with_levels.latents[0], z[0], atol=1e-5) and changed > 0.01


def plan(backend, options):
    from swf_core.transfer.levels import plan_levels

    return plan_levels(backend.denoiser.sigmas, options).sampled


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 4 + 4 + 4),  # style's features, source, target
        ({"edit_average": 3}, 4 + 12 + 12),
        ({"cfg": 3.0}, 4 + 4 + 8),
        ({"cfg": 3.0, "source_cfg": 2.0}, 4 + 8 + 8),
        ({"denoise": 0.5}, 2 + 2 + 2),
        ({"solver": "fireflow"}, 5 + 5 + 5),
        ({"style_guidance": 1.0, "edit_average": 2}, 4 + 8 + 8 + 8),
    ],
)
def test_counted_is_planned(more, expected):
    assert run("sd15", EDITED.changed(**more), "a").cost.counted == expected


def test_contents_queries_come_from_the_sources_own_evaluation():
    with_queries, without = run("sd15", EDITED), run("sd15", EDITED.changed(gamma=0.0))
    assert apart(with_queries, without) > 1e-3
    assert with_queries.cost.counted == without.cost.counted
    asked = EDITED.changed(gamma=0.4, source_cfg=2.0, edit_average=2)
    guided = run("sd15", asked, "a", contents=[Content(CONTENT, "a"), Content(picture(3), "b")])
    assert apart(guided, run("sd15", asked, "a")) < 1e-3
    itself = EDITED.changed(read="content", gamma=1.0, tau=1.0)  # reads what the source shows: nothing changes
    assert float((run("sd15", itself).latents[0] - clean("sd15")).abs().max()) < 1e-3


def test_seeds_and_batches():
    one, again, other = (run("sd15", EDITED, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.latents[0], again.latents[0]) and apart(one, other) > 1e-3
    both = [Content(CONTENT), Content(picture(3))]
    assert apart(run("sd15", EDITED, contents=both, seed=1), one) < 1e-3


def test_more_draws_scatter_less():
    def spread(average):
        options = PLAIN.changed(edit_average=average)
        found = torch.stack([run("sd15", options, "a horse", seed=seed).latents[0] for seed in range(4)])
        return float(found.std(0).mean())

    assert spread(8) < 0.6 * spread(1)


def test_refusals():
    refused = partial(pytest.raises, ValueError)
    with refused(match="start 'flowedit' goes with solver euler, midpoint, fireflow"):
        EDITED.changed(solver="bdia")
    with refused(match="start 'flowedit' goes with solver"):
        EDITED.changed(solver="lcm")
    with refused(match="start 'flowedit' has no noisy latent"):
        EDITED.changed(renoise=0.5)
    with refused(match="edit_average is 0; it must be a whole number of at least 1"):
        TransferOptions(edit_average=0)
    with refused(match="source_cfg is -1; it must be between 0 and 100"):
        TransferOptions(source_cfg=-1)
    assert "source_cfg" not in repr(TransferOptions()) and "edit_average" not in repr(TransferOptions())
    assert EDITED.without_content().start == "noise"
