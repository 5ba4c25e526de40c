"""Rotary positions: what commutes with them, and that each cure lowers the pull of the same place."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxPosEmbed

from swf_core.models.contracts import JointTokens
from swf_core.models.rope import RopeView
from swf_core.transfer.injection import Injection, SelfAttention, StyleRows, inject
from swf_core.transfer.rope import POSITIONS, Untwist, key_positions
from swf_core.transfer.statistics import match_statistics

ROPE = RopeView((8, 12, 12))
GRID = (5, 7)
IDS = ROPE.grid_ids(*GRID)


def draw(seed, tokens=35, channels=32):
    return torch.randn(2, 3, tokens, channels, generator=torch.Generator().manual_seed(seed))


def apart(a, b):
    return float((a - b).abs().max())


def adain(x, like):
    def statistics(y):
        return y.mean(-2, keepdim=True), y.std(-2, keepdim=True)

    return match_statistics(x, statistics(x), statistics(like))


def test_it_turns_as_flux_does():
    cos, sin = FluxPosEmbed(10000, [8, 12, 12])(IDS.float())
    assert apart(ROPE.rotate(draw(0), IDS), apply_rotary_emb(draw(0), (cos, sin))) < 1e-6
    assert apart(ROPE.rotate(draw(0), IDS), draw(0)) > 0.5


def test_unrotation_restores():
    assert apart(ROPE.unrotate(ROPE.rotate(draw(0), IDS), IDS), draw(0)) < 1e-6


def test_a_shift_after_rotation_is_a_rotation_at_shifted_ids():
    moved = ROPE.shift(ROPE.rotate(draw(0), IDS), (0, 0, 7))
    assert apart(moved, ROPE.rotate(draw(0), ROPE.grid_ids(*GRID, left=7))) < 2e-6
    assert apart(moved, ROPE.rotate(draw(0), ROPE.grid_ids(*GRID, top=7))) > 0.1


def test_gains_before_rotation_are_gains_after():
    gains = Untwist().gains(ROPE, 0.3)
    assert apart(ROPE.rotate(draw(0) * gains, IDS), ROPE.rotate(draw(0), IDS) * gains) < 1e-6
    torn = gains.clone()
    torn[::2] *= 0.5  # the two of a pair apart: no longer so
    assert apart(ROPE.rotate(draw(0) * torn, IDS), ROPE.rotate(draw(0), IDS) * torn) > 0.1


def test_mixed_queries_commute_with_rotation():
    q, c = draw(0), draw(1)
    assert apart(ROPE.rotate(0.3 * q + 0.7 * c, IDS), 0.3 * ROPE.rotate(q, IDS) + 0.7 * ROPE.rotate(c, IDS)) < 1e-6


def test_adain_does_not_so_keys_are_unrotated_for_it():
    k, style = draw(0) + 2.0, 0.5 * draw(1) - 1.0
    before = ROPE.rotate(adain(k, style), IDS)
    assert apart(before, adain(ROPE.rotate(k, IDS), ROPE.rotate(style, IDS))) > 0.5
    turned = ROPE.rotate(k, IDS)
    assert apart(before, ROPE.rotate(adain(ROPE.unrotate(turned, IDS), style), IDS)) < 1e-5


def test_logits_know_distances_alone():
    q, k = draw(0), draw(1)
    far = ROPE.grid_ids(*GRID, top=40, left=9)
    near = ROPE.rotate(q, IDS) @ ROPE.rotate(k, IDS).transpose(-1, -2)
    assert apart(near, ROPE.rotate(q, far) @ ROPE.rotate(k, far).transpose(-1, -2)) < 2e-5


def test_gains_of_untwisting():
    first, last = Untwist().gains(ROPE, 0.0), Untwist().gains(ROPE, 1.0)
    assert torch.allclose(first[:8], torch.ones(8)) and torch.allclose(last[:8], torch.full((8,), 1.4))
    assert first[8].item() == pytest.approx(0.25) and first[19].item() == pytest.approx(1.0)
    assert first[10].item() == pytest.approx(0.25 + 0.75 * 0.2**2)  # d~ = 1/5, beta 2
    assert last[20].item() == pytest.approx(0.75) and last[31].item() == pytest.approx(1.4)
    matched = Untwist(flat_first=False).gains(ROPE, 0.0)
    assert matched[0].item() == pytest.approx(0.25)
    plain = Untwist((1.0, 1.0), (1.0, 1.0)).gains(ROPE, 0.5)
    assert torch.equal(plain, torch.ones(32))


def test_gains_are_typed_as_a_text():
    assert Untwist.parse(Untwist().typed()) == Untwist() and Untwist().typed() == "0.25-0.75,1-1.4,2"
    assert Untwist.parse("0, .6 - 1.5 ,50") == Untwist((0.0, 0.0), (0.6, 1.5), 50.0)
    assert Untwist.parse("1-0,1-3", flat_first=False) == Untwist((1.0, 0.0), (1.0, 3.0), 2.0, False)
    assert Untwist.parse("1,1").typed() == "1,1,2"
    for text in ("", "1", "1-2-3,1", "a,1", "-1,1", "1,1,1,1"):
        with pytest.raises(ValueError, match="give gains of the fast and of the slow pairs"):
            Untwist.parse(text)
    with pytest.raises(ValueError, match="A gain of untwist is 11; each must be between 0 and 10"):
        Untwist.parse("11,1")
    with pytest.raises(ValueError, match="beta of untwist is 0; it must be between 0.01 and 100"):
        Untwist.parse("1,1,0")


WIDE = RopeView((16, 56, 56))


def alike(side):
    """Queries and keys of a grid with what networks give them, a common part; a pull of the same place comes from that
    alone."""
    generator = torch.Generator().manual_seed(5)
    common = torch.randn(1, 8, 1, 128, generator=generator)
    return [common + torch.randn(1, 8, side * side, 128, generator=generator) for _ in range(2)]


def share_on_the_same_place(how, side, progress=0.5):
    """Of a query's attention on a style's tokens, the share on the one at its own place, times their number: 1 is
    even."""
    q, k = alike(side)
    positions = key_positions(how, WIDE, (side, side), (side, side), progress)
    asked = q if positions.ids is None else WIDE.rotate(q, WIDE.grid_ids(side, side))
    weights = torch.softmax(asked @ positions.place(k).transpose(-1, -2) * 128**-0.5, -1)
    return float(weights.diagonal(dim1=-2, dim2=-1).mean()) * side * side


# Times an even share, half way through a run, by the side of the grid.
MEASURED = {
    6: {"same": 2.36, "untwist": 1.62, "shift": 1.41, "free": 1.07},
    16: {"same": 5.15, "untwist": 2.58, "shift": 2.02, "free": 1.03},
    32: {"same": 9.45, "untwist": 3.67, "shift": 2.68, "free": 0.96},
}


@pytest.mark.parametrize("side", MEASURED)
def test_each_cure_takes_half_of_the_pull_of_the_same_place(side):
    """The larger the grid, the more of the pull is gone: of 32 x 32 tokens untwist leaves a third, shift a fifth."""
    share = {how: share_on_the_same_place(how, side) for how in POSITIONS}
    assert share == pytest.approx(MEASURED[side], abs=0.02)
    pull = {how: value - 1.0 for how, value in share.items()}
    assert pull["same"] > 1.0
    assert all(pull[how] < 0.5 * pull["same"] for how in ("shift", "untwist"))
    assert abs(pull["free"]) < 0.1 * pull["same"]


@pytest.mark.parametrize("how", POSITIONS)
@pytest.mark.parametrize("kv", ["replace", "concat", "shared"])
def test_injection_reads_the_same_place_by_that_share(how, kv):
    """Beside text and own tokens, in one softmax: of what goes to the style, values that name their token tell."""
    q, k = alike(6)
    named = torch.eye(36, 128).expand(1, 8, -1, -1)
    text = k[:, :, :5]  # unturned, as text is
    nothing = torch.zeros_like(text), torch.zeros_like(q)
    own = SelfAttention(q, alike(6)[1], nothing[1], 128**-0.5, JointTokens(text, nothing[0], WIDE, (6, 6)))
    rows = [StyleRows(k, named, positions=key_positions(how, WIDE, (6, 6), (6, 6), 0.5))]
    read = inject(own, None, rows, Injection(kv=kv, gamma=0.0, tau=1.0), gamma=0.0)[..., :36]
    among = read / read.sum(-1, keepdim=True)
    assert 0.0 < float(read.sum(-1).mean()) < 0.99  # text, and where own keys are read those, take the rest
    assert float(among.diagonal(dim1=-2, dim2=-1).mean()) * 36 == pytest.approx(MEASURED[6][how], abs=0.02)


def test_untwisting_lets_texture_in_late():
    """Both gains rise over a run, and with them the pull: layout first, texture late."""
    pull = [share_on_the_same_place("untwist", 16, progress) for progress in (0.0, 0.5, 1.0)]
    assert pull[0] < pull[1] < pull[2] < share_on_the_same_place("same", 16)


def test_unknown_positions_and_uneven_axes_are_refused():
    with pytest.raises(ValueError, match="positions is 'left'; use one of untwist, shift, free, same"):
        key_positions("left", ROPE, GRID, GRID, 0.0)
    with pytest.raises(ValueError, match="even number of channels"):
        RopeView((3, 8))
    with pytest.raises(ValueError, match="30 channels a head"):
        ROPE.rotate(draw(0, channels=30), IDS)


def test_channels_behind_the_axes_stay_and_rows_begin_where_they_do() -> None:
    """HiDream turns half a head; Qwen-Image counts from the middle; Lumina 2's pictures stand behind texts of their
    own lengths."""
    half = RopeView((2, 4, 4), rest=6)
    x = torch.randn(2, 3, 12, 16, generator=torch.Generator().manual_seed(5))
    turned = half.rotate(x, half.grid_ids(3, 4))
    assert torch.equal(turned[..., 10:], x[..., 10:]) and not torch.equal(turned[..., :10], x[..., :10])
    assert apart(half.unrotate(turned, half.grid_ids(3, 4)), x) < 1e-6
    centered = RopeView((2, 4, 4), centered=True)
    assert centered.grid_ids(3, 4)[:, 1:].mean(0).tolist() == [0.0, -0.5]
    assert torch.equal(centered.grid_ids(3, 4, left=4), centered.grid_ids(3, 4) + torch.tensor([0.0, 0.0, 4.0]))
    ids = half.grid_ids(3, 4, origin=torch.tensor([[5.0, 0, 0], [7.0, 0, 0]]))
    apart_rows = [half.rotate(x[row : row + 1], ids[row]) for row in range(2)]
    assert apart(half.rotate(x, ids), torch.cat(apart_rows)) < 1e-6
