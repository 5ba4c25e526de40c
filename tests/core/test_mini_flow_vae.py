"""mini-flow's autoencoder: 16 channels in TAESD's layout, pictures of packages, copies of test pictures refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from swf_core.errors import UserError
from swf_core.mini_build.package_pictures import PackageSource, package_pictures
from swf_core.mini_build.stage_flow_vae import (
    FLOW_VAE_STAGES,
    FlowVaePictures,
    begin_with,
    crops,
    decibel_loss,
    shortened,
    train_by,
)
from swf_core.mini_build.training_loop import StageSettings
from swf_core.models.mini.autoencoder_tiny import load_autoencoder_tiny
from swf_core.models.mini.vae import from_taesd, to_taesd
from swf_core.models.mini.weight_files import WEIGHTS, read_weights
from swf_core.pictures import held_back
from swf_core.pictures.likeness import distance, likeness

MINI, _ = read_weights(WEIGHTS / "vae.safetensors")


def drawn(seed: int, height: int = 300, width: int = 400) -> np.ndarray:
    """A smooth picture [H, W, 3], uint8, like no other of another seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def pictures(*seeds: int) -> FlowVaePictures:
    real = [drawn(seed) for seed in seeds]
    return FlowVaePictures([np.stack([drawn(90, 128, 128), drawn(91, 128, 128)])], real, real[:1])


def test_it_begins_as_minis_whose_channels_are_its_first() -> None:
    torch.manual_seed(0)
    model, before = begin_with(MINI), from_taesd(MINI)
    batch = torch.from_numpy(drawn(1, 64, 64)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        assert torch.allclose(model.encode(batch)[:, :4], before.encode(batch), atol=1e-5)
    assert model.encode(batch).shape == (1, 16, 8, 8)


def test_the_file_is_read_by_every_loader_alike() -> None:
    """TAESD's layout at its full width: our own class, and diffusers' topology, which hosts load."""
    torch.manual_seed(0)
    model = begin_with(MINI).eval()
    file = to_taesd(model)
    assert file["taesd_decoder.1.weight"].shape[1] == 16
    batch = torch.from_numpy(drawn(2, 64, 64)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        latents = model.encode(batch)
        assert torch.allclose(from_taesd(file).encode(batch), latents, atol=1e-5)
        tiny = load_autoencoder_tiny(file)
        assert torch.allclose(tiny.encoder(batch * 2 - 1), latents, atol=1e-4)
        again = tiny.decoder(latents)
        assert torch.allclose(again.add(1).div(2), model.decode(latents), atol=1e-4)


def test_a_stage_lowers_its_loss_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    stage = shortened(FLOW_VAE_STAGES["flow-vae-1"], steps=40, batch=2)

    def trained(folder: str, *seconds: float | None) -> tuple[dict[str, torch.Tensor], list[dict]]:
        reports = []
        for limit in seconds:
            torch.manual_seed(0)
            model = begin_with(MINI)
            settings = StageSettings(tmp_path / folder, 3, max_seconds=limit)
            reports.append(train_by(model, pictures(1, 2, 3), stage, settings))
        return model.state_dict(), reports

    whole, (report,) = trained("whole", None)
    assert report["finished"]
    parts, reports = trained("parts", 0.0, None)
    assert not reports[0]["finished"] and reports[1]["finished"]
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    batch = crops(pictures(1, 2, 3), 4, 64, np.random.default_rng(5))
    errors = []
    for state in (begin_with(MINI).state_dict(), whole):
        model = begin_with(MINI).eval()
        model.load_state_dict(state)
        with torch.no_grad():
            errors.append(float(decibel_loss(model.decode(model.encode(batch)), batch, 0.0)))
    assert errors[1] < errors[0]


def test_copies_of_a_picture_are_alike_and_other_pictures_are_not() -> None:
    picture = drawn(7, 480, 640)
    smaller = np.asarray(Image.fromarray(picture).resize((213, 160), Image.Resampling.LANCZOS))
    assert distance(likeness(picture), likeness(smaller)) <= held_back.COPY_DISTANCE
    others = [likeness(drawn(seed)) for seed in range(20, 40)]
    assert min(distance(likeness(picture), other) for other in others) > 2 * held_back.COPY_DISTANCE
    kept = held_back.held_back_likeness()
    assert set(kept) == {each.name for each in held_back.held_back()}


def test_a_copy_of_a_test_picture_is_refused_in_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = drawn(8, 480, 640)
    monkeypatch.setattr(held_back, "held_back_likeness", lambda: {"secret": likeness(secret)})
    half = np.asarray(Image.fromarray(secret).resize((320, 240), Image.Resampling.LANCZOS))
    with pytest.raises(UserError, match="'secret' is kept for tests"):
        FlowVaePictures([], [drawn(9), half], []).without_tests()
    assert FlowVaePictures([], [drawn(9)], []).without_tests()


def test_pictures_of_packages_are_found_once_each_and_shrunk(tmp_path: Path) -> None:
    source = PackageSource("some-wallpapers", "1.0", "CC0", photographs=r"photos/", paintings=r"art/")
    for path, picture in (
        ("photos/a.png", drawn(1, 600, 800)),
        ("photos/a-small.png", drawn(1, 300, 400)),
        ("art/b.png", drawn(2)),
        ("icons/c.png", drawn(3)),
        ("art/tiny.png", drawn(4, 60, 80)),
    ):
        file = tmp_path / "raw" / "some-wallpapers" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)
    found = package_pictures(tmp_path / "raw", tmp_path / "cache", [source])
    assert [(each.path, each.kind) for each in found] == [("photos/a.png", "photograph"), ("art/b.png", "painting")]
    assert found[0].pixels.shape == (600, 800, 3) and found[0].pixels.dtype == np.uint8
    again = package_pictures(tmp_path / "raw", tmp_path / "cache", [source])
    assert all((a.pixels == b.pixels).all() for a, b in zip(found, again))
    with pytest.raises(UserError, match="some-wallpapers"):
        package_pictures(tmp_path / "nothing", tmp_path / "cache", [source])
