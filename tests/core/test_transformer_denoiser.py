"""Diffusion transformers as denoisers: what an edit sees, what it moves, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from swf_core.errors import UserError
from swf_core.models.contracts import AttentionEdit, Conditioning
from swf_core.models.families import NAMES
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


@every
def test_layers_are_the_joint_blocks(family):
    blocks = ["block.0", "block.1", "block.2"]
    doubles, two_kinds = [name.replace("block", "double") for name in blocks], ["double.0", "double.1", "single.0"]
    expected = {
        "sd3": ["double.0", "double.0.second", "double.1", "double.2"],
        "flux": [*two_kinds, "single.1"],
        "qwen": doubles,
        "lumina2": blocks,
        "z-image": blocks,
        "flux2": [*two_kinds, "single.1"],
    }
    assert parts(family)[2] == expected[family]
    layer = parts(family)[0].self_attention_layers[-1]
    assert layer.channels == (48 if family == "lumina2" else 32)
    assert (layer.level, layer.grid(15, 12)) == ((0, (15, 12)) if family == "flux2" else (1, (8, 6)))


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
    grid = denoiser.self_attention_layers[0].grid(16, 12)
    assert {shape[-2] for shape in tokens} == {grid[0] * grid[1]} and bank.grid(names[0]) == grid  # of pictures alone
    assert {shape[1] * shape[3] for shape in tokens} == {denoiser.self_attention_layers[0].channels}


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
    block = denoiser.network.get_submodule(denoiser.self_attention_layers[0].module)
    count = 16 * 12 if family == "flux2" else 8 * 6

    def answers(edit):
        kept = []
        hook = block.register_forward_hook(lambda module, args, out: kept.append(out))
        try:
            x0 = denoiser.denoise(latents(), 2.0, cond, edit)
        finally:
            hook.remove()
        if isinstance(kept[0], tuple):
            return x0, *kept[0]
        row, start = kept[0], 0 if family == "z-image" else cond.tokens.shape[1]
        return x0, row[:, start : start + count], torch.cat([row[:, :start], row[:, start + count :]], 1)

    def shouting(layer, q, k, v, grid, scale, joint=None):
        return 5 * plainly(layer, q, k, v, grid, scale, joint) + 1.0

    plain, picture, text = answers(None)
    edited, edited_picture, edited_text = answers(AttentionEdit(frozenset(names[:1]), shouting))
    assert apart(edited_picture, picture) > 0.1 and apart(edited, plain) > 1e-3
    assert text.shape[1] >= cond.tokens.shape[1] and apart(edited_text, text) < 1e-5


@every
def test_rows_of_a_batch_do_not_meet_and_odd_sizes_are_continued(family):
    denoiser, cond, _ = parts(family)
    x = latents(3, 15, 11)
    both = denoiser.denoise(x, 1.0, cond)
    assert both.shape == x.shape and torch.isfinite(both).all()
    assert apart(both[1:2], denoiser.denoise(x[1:2], 1.0, cond)) < 1e-5


@pytest.mark.parametrize("family", ["sd3", "flux"])
def test_a_text_without_a_pooled_row_is_refused(family):
    denoiser, cond, _ = parts(family)
    with pytest.raises(ValueError, match="pooled text"):
        denoiser.denoise(latents(), 1.0, Conditioning(cond.tokens))


@every
def test_what_belongs_to_another_model_is_refused(family):
    denoiser, cond, _ = parts(family)
    name = NAMES[type(denoiser.network).__name__]
    with pytest.raises(UserError, match=f"This {name} network reads latents of 4 channels, and latents of 16 channels"):
        denoiser.denoise(latents().repeat(1, 4, 1, 1), 1.0, cond)
    with pytest.raises(UserError, match=f"This {name} network reads texts of width 32, and texts of width 48"):
        denoiser.denoise(latents(), 1.0, Conditioning(torch.zeros(1, 7, 48), cond.pooled))
