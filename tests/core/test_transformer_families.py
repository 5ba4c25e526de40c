"""Families of diffusion transformers against diffusers' own calls: packing, time, places of tokens, lengths of text."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from diffusers.models.transformers.transformer_qwenimage import QwenEmbedRope

from swf_core.errors import UserError
from swf_core.models.contracts import AttentionEdit, Conditioning, join
from swf_core.models.families import NAMES, family_of
from swf_core.models.flow import flow_time
from swf_core.models.transformer_denoiser import TransformerDenoiser
from swf_core.transfer.attention_kinds import SelfAttention
from swf_core.transfer.injection import Injection, StyleRows, inject
from swf_core.transfer.rope import key_positions

from support.tiny_transformers import POOLED_WIDTH, TEXT_WIDTH, TRANSFORMERS, tiny_transformer, tiny_transformer_backend

every = pytest.mark.parametrize("family", TRANSFORMERS)
SIZES = [(16, 12), (10, 18), (15, 11)]
LENGTHS = (7, 3, 5)


def latents(rows=1, height=16, width=12, seed=0):
    return torch.randn(rows, 4, height, width, generator=torch.Generator().manual_seed(seed))


def text(length, seed=0):
    """One text of so many tokens, all of which are read."""
    tokens, pooled = (
        torch.randn(shape, generator=torch.Generator().manual_seed(seed + length))
        for shape in ((1, length, TEXT_WIDTH), (1, POOLED_WIDTH))
    )
    return Conditioning(tokens, pooled, lengths=torch.tensor([length]))


def apart(a, b):
    return float((a - b).abs().max())


def denoiser_of(family):
    return tiny_transformer_backend(family).denoiser


def squares(x, order):
    """[B, 4, h, w] as tokens of 2 x 2 cells, by diffusers' own order of what is in a token."""
    rows, columns = x.shape[-2] // 2, x.shape[-1] // 2
    return x.view(len(x), 4, rows, 2, columns, 2).permute(order).reshape(len(x), rows * columns, 16)


def own_call(family, network, x_t, t, cond):
    """The velocity as diffusers' pipelines ask for it."""
    count, (height, width) = len(x_t), x_t.shape[-2:]
    rows, columns = height // 2, width // 2
    time, words = torch.full((count,), t), dict(encoder_hidden_states=cond.tokens, return_dict=False)
    if family == "sd3":
        return network(x_t, timestep=1000 * time, pooled_projections=cond.pooled, **words)[0]
    if family == "lumina2":
        read = torch.ones(cond.tokens.shape[:2], dtype=torch.long)
        return -network(x_t, timestep=1 - time, encoder_attention_mask=read, **words)[0]
    if family == "z-image":
        return -torch.stack(network(list(x_t.unsqueeze(2)), 1 - time, list(cond.tokens), return_dict=False)[0])[:, :, 0]
    if family == "flux2":
        ids = torch.cartesian_prod(torch.arange(1), torch.arange(height), torch.arange(width), torch.arange(1))
        places = torch.cartesian_prod(*[torch.arange(1)] * 3, torch.arange(cond.tokens.shape[1]))
        told = dict(img_ids=ids, txt_ids=places, guidance=torch.full((count,), 3.5))
        v = network(x_t.flatten(2).transpose(1, 2), timestep=time, **told, **words)[0]
        return v.transpose(1, 2).reshape(x_t.shape)
    tokens = squares(x_t, (0, 2, 4, 1, 3, 5))
    if family == "qwen":
        v = network(tokens, timestep=time, img_shapes=[[(1, rows, columns)]] * count, **words)[0]
    else:
        ids = torch.zeros(rows, columns, 3)
        ids[..., 1] += torch.arange(rows)[:, None]
        ids[..., 2] += torch.arange(columns)[None]
        told = dict(img_ids=ids.view(-1, 3), txt_ids=torch.zeros(cond.tokens.shape[1], 3))
        told |= dict(guidance=torch.full((count,), 3.5), pooled_projections=cond.pooled)
        v = network(tokens, timestep=time, **told, **words)[0]
    return v.view(count, rows, columns, 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(x_t.shape)


@every
def test_it_is_the_network_in_sigma_space(family):
    denoiser, sigma, cond = denoiser_of(family), 1.5, text(7).repeat(2)
    x, t = latents(2), flow_time(1.5)
    with torch.no_grad():
        v = own_call(family, denoiser.network, x / (1 + sigma), t, cond)
    assert apart(denoiser.denoise(x, sigma, cond), x / (1 + sigma) - t * v) < 1e-5
    assert float(v.std()) > 0.05


@every
def test_texts_of_different_lengths_are_read_as_each_alone(family):
    denoiser, x = denoiser_of(family), latents(3)
    texts = [text(length) for length in LENGTHS] if family != "z-image" else [text(length) for length in (40, 3, 5)]
    together = join(texts)
    assert together.tokens.shape[1] == max(t.tokens.shape[1] for t in texts)
    looked_on = AttentionEdit(frozenset(layer.name for layer in denoiser.self_attention_layers), lambda *_: None)
    for edit in (None, looked_on):
        batch = denoiser.denoise(x, 1.5, together, edit)
        alone = torch.cat([denoiser.denoise(x[n : n + 1], 1.5, one) for n, one in enumerate(texts)])
        assert apart(batch, alone) < 1e-5
    assert apart(denoiser.denoise(x, 1.5, Conditioning(together.tokens, together.pooled)), alone) > 1e-4


def seen_and_given(family, x, cond):
    """What the network's own attention asks with, layer by layer, and what an edit is handed."""
    denoiser, seen, given = denoiser_of(family), [], []
    own = F.scaled_dot_product_attention

    def spy(query, key, *args, **kwargs):
        seen.append((query, key))
        return own(query, key, *args, **kwargs)

    F.scaled_dot_product_attention = spy
    try:
        denoiser.denoise(x, 1.5, cond)
    finally:
        F.scaled_dot_product_attention = own
    layers = denoiser.self_attention_layers

    def record(layer, q, k, v, grid, scale, joint):
        given.append((q, k, grid, joint))

    denoiser.denoise(x, 1.5, cond, AttentionEdit(frozenset(layer.name for layer in layers), record))
    return list(zip(seen[-len(layers) :], given, strict=True))  # those before refine text and picture apart


@every
@pytest.mark.parametrize("size", SIZES)
def test_places_are_the_networks_own(family, size):
    """Queries and keys that an edit is handed, placed as it places them, are those that the network compares."""
    lengths = (7, 7, 7) if family in ("sd3", "flux", "flux2") else LENGTHS if family != "z-image" else (40, 3, 5)
    cond = join([text(length) for length in lengths])
    for (q, k), (own_q, own_k, grid, joint) in seen_and_given(family, latents(3, *size), cond):
        count = grid[0] * grid[1]
        assert own_k.shape[-2] == count
        if joint.rope is not None:
            assert apart(joint.place(own_k), own_k) > 0.1
        for row, length in enumerate(lengths):
            start = {"sd3": 0, "z-image": 0, "lumina2": length}.get(family, joint.k.shape[-2])
            assert apart(joint.place(own_q)[row], q[row, :, start : start + count]) < 1e-4
            assert apart(joint.place(own_k)[row], k[row, :, start : start + count]) < 1e-4
            rest = torch.cat([k[row, :, :start], k[row, :, start + count :]], -2)
            read = slice(None) if joint.bias is None else joint.bias[row, 0, 0] == 0.0
            assert torch.allclose(joint.k[row][:, read], rest[:, read], atol=1e-4)


@every
@pytest.mark.parametrize("size", SIZES)
def test_replayed_own_keys_change_nothing(family, size):
    """Its own keys and values in the place of its own, where they stood, or beside them without any weight."""
    denoiser, x = denoiser_of(family), latents(3, *size)
    cond = join([text(length) for length in LENGTHS])
    plain, names = denoiser.denoise(x, 1.5, cond), frozenset(layer.name for layer in denoiser.self_attention_layers)

    def replay(**options):
        chosen = Injection(**{"gamma": 0.0, "tau": 1.0, **options})

        def function(layer, q, k, v, grid, scale, joint):
            where = None if joint.rope is None else key_positions("same", joint.rope, grid, grid, 0.5, joint.origin)
            own = SelfAttention(q, k, v, scale, joint)
            return inject(own, None, [StyleRows(k, v, positions=where)], chosen, gamma=0.0)

        return denoiser.denoise(x, 1.5, cond, AttentionEdit(names, function))

    assert plain.shape == x.shape and torch.isfinite(plain).all()
    assert apart(replay(), plain) < 2e-5
    assert apart(replay(strength=0.0), plain) < 2e-5
    assert apart(replay(kv="concat", bias=-math.inf), plain) < 2e-5
    assert apart(replay(tau=2.0), plain) > 1e-4


@every
def test_half_precision_loses_no_more_with_an_edit_than_without(family):
    """Positions and odds of tokens are kept in float32; what is handed over has the network's own dtype."""
    denoiser, cond, seen = TransformerDenoiser(tiny_transformer(family).bfloat16()), text(7).repeat(3), set()

    def look(layer, q, k, v, grid, scale, joint):
        seen.update(x.dtype for x in (q, k, v, joint.k, joint.v, joint.place(q)))

    edit = AttentionEdit(frozenset(layer.name for layer in denoiser.self_attention_layers), look)
    full = denoiser_of(family).denoise(latents(3), 1.5, cond)
    lost = [(denoiser.denoise(latents(3), 1.5, cond, each) - full).square().mean().sqrt() for each in (None, edit)]
    assert seen == {torch.bfloat16}
    assert 0.0 < lost[1] < 1.3 * lost[0] < 0.25 * full.std()


@pytest.mark.parametrize("grid", [(8, 6), (5, 9), (7, 3), (1, 1)])
def test_qwen_counts_from_the_middle_as_diffusers_does(grid):
    """Of odd grids too, whose middle lies elsewhere than ComfyUI's."""
    picture, words = QwenEmbedRope(10000, [4, 4, 8], scale_rope=True)([(1, *grid)], max_txt_seq_len=7)
    family = family_of(denoiser_of("qwen").network)
    places = family.places(grid, text(7))
    ones = torch.complex(torch.ones(1, 1, 1, 8), torch.zeros(1, 1, 1, 8))
    flat = torch.view_as_real(ones).flatten(-2)
    ids = places.rope.grid_ids(*grid, origin=places.origin)
    found = places.rope.rotate(flat.expand(1, 1, len(ids), -1), ids)[0, 0].unflatten(-1, (-1, 2))
    assert apart(torch.view_as_complex(found.contiguous()), picture) < 1e-5
    found = places.rope.rotate(flat.expand(1, 1, 7, -1), places.text_ids)[0, 0].unflatten(-1, (-1, 2))
    assert apart(torch.view_as_complex(found.contiguous()), words) < 1e-5


def test_another_network_is_refused_by_name():
    with pytest.raises(
        UserError, match="is a Linear; SD3, Flux, Qwen-Image, Lumina2, Z-Image and Flux.2 are supported"
    ):
        family_of(torch.nn.Linear(2, 2))
    assert len(NAMES) == 6
