"""Diffusion transformers as denoisers: what an edit sees, what it moves, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from swf_core.models.contracts import AttentionEdit, Conditioning
from swf_core.models.flow import flow_time
from swf_core.transfer.attention_kinds import SelfAttention
from swf_core.transfer.features import FeatureBank

from support.tiny_transformers import TRANSFORMERS, tiny_transformer_backend

every = pytest.mark.parametrize("family", TRANSFORMERS)


def latents(rows=1, height=16, width=12, seed=0):
    return torch.randn(rows, 4, height, width, generator=torch.Generator().manual_seed(seed))


def parts(family):
    backend = tiny_transformer_backend(family)
    denoiser = backend.denoiser
    return denoiser, backend.text.encode(["a tree"], 64, 64), [layer.name for layer in denoiser.self_attention_layers]


def apart(a, b):
    return float((a - b).abs().max())


def plainly(layer, q, k, v, grid, scale, joint=None):
    return SelfAttention(q, k, v, scale, joint).output()


def test_layers_are_the_joint_blocks():
    assert parts("sd3")[2] == ["double.0", "double.1", "double.2"]
    assert parts("flux")[2] == ["double.0", "double.1", "single.0", "single.1"]
    layer = parts("flux")[0].self_attention_layers[-1]
    assert (layer.level, layer.channels, layer.grid(15, 12)) == (1, 32, (8, 6))


@every
def test_it_is_the_network_in_sigma_space(family):
    denoiser, cond, _ = parts(family)
    x, sigma = latents(2), 1.5
    t = flow_time(sigma)
    x_t, text = x / (1 + sigma), dict(encoder_hidden_states=cond.tokens.repeat(2, 1, 1), return_dict=False)
    text["pooled_projections"] = cond.pooled.repeat(2, 1)
    with torch.no_grad():
        if family == "sd3":
            v = denoiser.network(x_t, timestep=torch.full((2,), 1000 * t), **text)[0]
        else:
            tokens = x_t.view(2, 4, 8, 2, 6, 2).permute(0, 2, 4, 1, 3, 5).reshape(2, 48, 16)  # diffusers' packing
            ids = torch.zeros(8, 6, 3)
            ids[..., 1] += torch.arange(8)[:, None]
            ids[..., 2] += torch.arange(6)[None]
            told = dict(guidance=torch.full((2,), 3.5), img_ids=ids.view(48, 3), txt_ids=torch.zeros(7, 3))
            v = denoiser.network(tokens, timestep=torch.full((2,), t), **told, **text)[0]
            v = v.view(2, 8, 6, 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(2, 4, 16, 12)
    assert apart(denoiser.denoise(x, sigma, cond), x_t - t * v) < 1e-5


@every
def test_looking_on_changes_nothing(family):
    denoiser, cond, names = parts(family)
    x = latents(3)
    bank = FeatureBank(names, "qkv")
    plain = denoiser.denoise(x, 2.0, cond)
    assert apart(denoiser.denoise(x, 2.0, cond, bank.recorder(2.0)), plain) < 1e-5
    assert apart(denoiser.denoise(x, 2.0, cond, AttentionEdit(frozenset(names), plainly)), plain) < 1e-5
    assert torch.equal(denoiser.denoise(x, 2.0, cond), plain)  # nothing is left behind
    tokens = [bank.get(2.0, name, "k").shape for name in names]
    assert {shape[-2] for shape in tokens} == {8 * 6} and bank.grid(names[0]) == (8, 6)  # of the picture alone


@every
def test_processors_go_after_an_error(family):
    denoiser, cond, names = parts(family)
    plain = denoiser.denoise(latents(), 2.0, cond)

    def broken(*_):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        denoiser.denoise(latents(), 2.0, cond, AttentionEdit(frozenset(names[-1:]), broken))
    assert torch.equal(denoiser.denoise(latents(), 2.0, cond), plain)


@every
def test_the_texts_rows_of_the_first_layer_are_its_own(family):
    """An edit moves what pictures read and no row of the text, in the layer itself; in the next ones text reads it."""
    denoiser, cond, names = parts(family)
    block = denoiser.network.transformer_blocks[0].attn

    def answers(edit):
        kept = []
        hook = block.register_forward_hook(lambda module, args, out: kept.append([part.clone() for part in out]))
        try:
            x0 = denoiser.denoise(latents(), 2.0, cond, edit)
        finally:
            hook.remove()
        return x0, *kept[0]

    def shouting(layer, q, k, v, grid, scale, joint=None):
        return 5 * plainly(layer, q, k, v, grid, scale, joint) + 1.0

    plain, picture, text = answers(None)
    edited, edited_picture, edited_text = answers(AttentionEdit(frozenset(names[:1]), shouting))
    assert apart(edited_picture, picture) > 0.1 and apart(edited, plain) > 1e-3
    assert apart(edited_text, text) < 1e-5


@every
def test_rows_of_a_batch_do_not_meet_and_odd_sizes_are_continued(family):
    denoiser, cond, _ = parts(family)
    x = latents(3, 15, 11)
    both = denoiser.denoise(x, 1.0, cond)
    assert both.shape == x.shape and torch.isfinite(both).all()
    assert apart(both[1:2], denoiser.denoise(x[1:2], 1.0, cond)) < 1e-5


@every
def test_a_text_without_a_pooled_row_is_refused(family):
    denoiser, cond, _ = parts(family)
    with pytest.raises(ValueError, match="pooled text"):
        denoiser.denoise(latents(), 1.0, Conditioning(cond.tokens))
