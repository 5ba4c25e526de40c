"""What holds a film's frames together: flow, noise that goes along it and stays white, key frames, and a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from swf_core.errors import UserError
from swf_core.film import Frame, retouch, write_film
from swf_core.film.flow import Flow, flow_between
from swf_core.film.moving_noise import MovingNoise
from swf_core.transfer import FilmOptions, FilmPainter, Injection, SharedStyles, TransferOptions, randomness, stylize
from swf_core.transfer.inputs import Content
from swf_core.transfer.key_frame import KeyFrame, KeyFrames
from swf_core.words.picture_words import most_said

from support.tiny_models import picture, tiny_backend

OPTIONS = TransferOptions(Injection(gamma=0.5), steps=2, size_px=0, renoise=0.5)


def textured(height: int, width: int, seed: int = 0, grain: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // grain + 2, width // grain + 2, generator=generator)
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def moving(right: float, down: float, height: int = 64, width: int = 80) -> Flow:
    ways = torch.tensor([right, down]).expand(height, width, 2).contiguous()
    return Flow(ways, torch.ones(height, width, dtype=torch.bool))


@pytest.mark.parametrize("way", [(0, 0), (2, -1), (-5, 3)])
def test_the_flow_of_a_camera_that_moves_is_found(way: tuple[int, int]) -> None:
    right, down = way
    whole = textured(120, 140)
    here, there = whole[:, 20:100, 20:120], whole[:, 20 - down : 100 - down, 20 - right : 120 - right]
    flow = flow_between(here, there)
    error = (flow.ways - torch.tensor([float(right), float(down)])).norm(dim=-1)
    assert float(error[flow.seen].mean()) < 0.05 and float(flow.seen.float().mean()) > 0.7
    # What leaves the picture is not trusted.
    if right < 0:
        assert not flow.seen[:, : -right - 1].any()


def test_a_thing_that_moves_takes_no_ground_with_it_and_a_cut_is_seen() -> None:
    ground, thing = 0.6 * textured(96, 128), 0.4 + 0.6 * textured(96, 128, 1)
    mask = torch.zeros(96, 128, dtype=torch.bool)
    mask[30:70, 40:90] = True
    here = torch.where(mask, thing, ground)
    there = torch.where(mask.roll((1, 2), (0, 1)), thing.roll((1, 2), (1, 2)), ground)
    flow = flow_between(here, there)
    inner, outer = flow.ways[36:64, 46:84], flow.ways[:20]
    assert float((inner - torch.tensor([2.0, 1.0])).norm(dim=-1).mean()) < 0.1
    assert float(outer.norm(dim=-1).mean()) < 0.1
    assert float(flow_between(here, textured(96, 128, 7)).seen.float().mean()) < 0.1


def test_the_flow_of_a_large_picture_is_in_its_own_pixels() -> None:
    whole = textured(420, 520, grain=20)
    flow = flow_between(whole[:, 10:410, 10:510], whole[:, 10:410, 4:504])
    assert float((flow.ways - torch.tensor([6.0, 0.0])).norm(dim=-1)[40:-40, 40:-40].mean()) < 0.2


@pytest.mark.parametrize("zoom", [0.98, 1.0, 1.03])
def test_noise_stays_unit_and_white_however_it_is_carried(zoom: float) -> None:
    noise = MovingNoise(48, 64, 80, seed=3)
    rows, columns = torch.meshgrid(torch.arange(64.0) - 32, torch.arange(80.0) - 40, indexing="ij")
    spin = 0.02
    ways = torch.stack(
        [zoom * (columns - spin * rows) - columns + 0.4, zoom * (rows + spin * columns) - rows - 0.3], -1
    )
    seen = torch.rand(64, 80, generator=torch.Generator().manual_seed(0)) > 0.1
    for _ in range(25):
        noise.follow(Flow(ways, seen))
    cells = noise.of_cells(8)
    assert cells.shape == (48, 8, 10)
    for values, slack in ((noise.values, 0.02), (cells, 0.09)):
        assert abs(float(values.mean())) < slack and float(values.var()) == pytest.approx(1.0, abs=slack)
        for a, b in ((values[..., 1:], values[..., :-1]), (values[:, 1:], values[:, :-1])):
            assert abs(float((a * b).mean())) < slack
    # No value is there twice.
    assert noise.values.flatten(1).unique(dim=1).shape[1] == 64 * 80


def test_noise_goes_along_slow_ways_to_the_bit_and_what_is_not_trusted_stays() -> None:
    noise = MovingNoise(2, 64, 80, seed=0)
    before, cells = noise.values.clone(), noise.of_cells(8)
    for _ in range(40):
        noise.follow(moving(0.2, 0.4))
    assert torch.equal(noise.values[:, 16:, 8:], before[:, :-16, :-8])
    assert torch.equal(noise.of_cells(8)[:, 2:, 1:], cells[:, :-2, :-1])
    assert noise.known_for(40) == pytest.approx(48 * 72 / (64 * 80))
    still = noise.values.clone()
    noise.follow(replace(moving(3.0, 1.0), seen=torch.zeros(64, 80, dtype=torch.bool)))
    assert torch.equal(noise.values, still) and noise.known_for(1) == 0.0


def test_noise_is_the_same_bytes_for_the_same_seed_and_goes_on_as_it_was() -> None:
    one, other = MovingNoise(2, 64, 80, seed=5), MovingNoise(2, 64, 80, seed=5)
    for _ in range(3):
        one.follow(moving(0.7, 0.0))
        other.follow(moving(0.7, 0.0))
    again = MovingNoise.restored({name: value.clone() for name, value in one.state().items()}, 5)
    for each in (one, other, again):
        each.follow(moving(0.7, 0.0))
    assert torch.equal(one.values, other.values) and torch.equal(one.values, again.values)
    assert not torch.equal(one.values, MovingNoise(2, 64, 80, seed=6).values)


def test_a_content_may_bring_its_own_noise() -> None:
    backend, content, style = tiny_backend("sd15"), picture(1), picture(2)
    latents = backend.codec.encode(content[None])
    own = {use: randomness.noise_like(latents, 7, use)[0] for use in range(5)}
    seeded = stylize(backend, [Content(content, seed=7)], [style], OPTIONS).images[0]
    assert torch.equal(stylize(backend, [Content(content, noise=own)], [style], OPTIONS).images[0], seeded)
    assert not torch.equal(stylize(backend, [Content(content)], [style], OPTIONS).images[0], seeded)
    with pytest.raises(UserError, match="give its size"):
        small = {use: noise[:, 1:] for use, noise in own.items()}
        stylize(backend, [Content(content, noise=small)], [style], OPTIONS)


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_a_key_frame_is_read_beside_the_style_by_its_weight(cfg: float) -> None:
    backend, content, style = tiny_backend("sd15"), Content(picture(1), "a house"), picture(2)
    shared, key = SharedStyles(backend, [style], OPTIONS.changed(cfg=cfg)), KeyFrame()
    plain = [shared.stylize([content]) for _ in range(2)][-1]  # the style's own cost is the first's
    painted = shared.stylize([content], keys=KeyFrames(show=key))
    assert torch.equal(plain.images[0], painted.images[0]) and plain.cost == painted.cost
    sizes = {layer: key.bank.get(sigma, layer, "k").shape[0] for sigma, layer in key.bank._recorded}
    assert sizes and set(sizes.values()) == {1}
    other = Content(picture(3), "a house")
    by_weight = [shared.stylize([other], keys=KeyFrames(key, weight)).images[0] for weight in (0.0, 1e-6, 1.0, 1e6)]
    assert torch.equal(by_weight[0], shared.stylize([other]).images[0])
    assert torch.allclose(by_weight[0], by_weight[1], atol=1e-3)
    far = [float((image - by_weight[0]).abs().mean()) for image in by_weight]
    assert far[1] < far[2] < far[3]
    itself = KeyFrame()
    first = shared.stylize([content], keys=KeyFrames(itself, 1.0, itself)).images[0]
    after = shared.stylize([content], keys=KeyFrames(itself, 1.0)).images[0]
    assert torch.allclose(first, after, atol=1e-5) and not torch.allclose(first, plain.images[0], atol=1e-4)
    with pytest.raises(ValueError, match="one picture"):
        shared.stylize([content, other], keys=KeyFrames(show=KeyFrame()))


def frames_of_a_pan(count: int) -> list[Tensor]:
    whole = textured(64, 64 + 2 * count, 4)
    return [whole[:, :, 2 * k : 2 * k + 64].contiguous() for k in range(count)]


def test_a_film_is_the_same_bytes_after_a_stop() -> None:
    """In the middle of its second shot, with a key frame of its own that reads the first."""
    frames = [*frames_of_a_pan(3), *(1 - frame for frame in frames_of_a_pan(24))]
    backend, style = tiny_backend("sd15"), picture(2)

    def paint(painter: FilmPainter, some: list[Tensor]) -> list[Tensor]:
        shared = SharedStyles(backend, [style], OPTIONS)
        parts = [some[k : k + 4] for k in range(0, len(some), 4)]
        return [image for part in parts for image in painter.paint(shared, part, "a house")]

    whole = FilmPainter(FilmOptions(), 3)
    unbroken = paint(whole, frames)
    assert whole._first is not None and whole._first.number == 3
    assert whole._key is not None and whole._key.number > 3
    stopped = FilmPainter(FilmOptions(), 3)
    begun = paint(stopped, frames[:24])
    again = FilmPainter(FilmOptions(), 3)
    again.restore({name: value.clone() for name, value in stopped.state().items()})
    both = [*begun, *paint(again, frames[24:])]
    assert len(both) == len(unbroken) == 27
    assert all(torch.equal(a, b) for a, b in zip(both, unbroken, strict=True))


def test_a_film_s_options_are_checked() -> None:
    for wrong, said in (({"noise": "none"}, "flow or still"), ({"key_weight": -1.0}, "at least 0")):
        with pytest.raises(UserError, match=said):
            FilmOptions(**wrong)  # pyright: ignore[reportArgumentType]
    painter, shared = FilmPainter(FilmOptions()), SharedStyles(tiny_backend("sd15"), [picture(2)], OPTIONS)
    painter.paint(shared, [textured(64, 64)], "")
    with pytest.raises(UserError, match="differ in size"):
        painter.paint(shared, [textured(64, 80)], "")


def test_the_words_of_a_film_are_what_most_frames_say() -> None:
    assert most_said(["", "a cat", "a dog", "a dog", ""]) == "a dog" and most_said(["", ""]) == ""


class Fading:
    """Paints each frame darker than the one before, by a number that it carries; stops after `most` frames."""

    def __init__(self, most: int = 10**6):
        self.count, self._most = 0, most

    def __call__(self, frames: Sequence[Frame]) -> list[Tensor]:
        if self.count + len(frames) > self._most:
            raise KeyboardInterrupt
        self.count += len(frames)
        return [frame.pixels * (1 - 0.05 * (self.count - len(frames) + k)) for k, frame in enumerate(frames)]

    def state(self) -> dict[str, Tensor]:
        return {"count": torch.tensor(self.count)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.count = int(state["count"])


def test_what_is_carried_from_frame_to_frame_lies_beside_the_parts(tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    write_film(source, [(textured(48, 64), Fraction(k, 10)) for k in range(11)], Fraction(10))
    painter = Fading()
    retouch(source, tmp_path / "whole.mp4", painter, segment=3, batch=2, carried=painter)
    stopped = Fading(most=8)
    with pytest.raises(KeyboardInterrupt):
        retouch(source, tmp_path / "again.mp4", stopped, segment=3, batch=2, carried=stopped)
    parts = tmp_path / ".again.mp4.parts"
    assert sorted(path.name for path in parts.iterdir()) == [
        "000000.nut",
        "000001.nut",
        "000001.safetensors",
        "settings.json",
    ]
    # A part whose state was not written any more is painted again.
    (parts / "000002.nut").write_bytes((parts / "000001.nut").read_bytes())
    resumed = Fading()
    retouch(source, tmp_path / "again.mp4", resumed, segment=3, batch=2, carried=resumed)
    assert resumed.count == 11
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
