"""Style files: what goes in comes out, and what is no style file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from swf_core.errors import UserError
from swf_core.measure.metrics.pairs import picture
from swf_core.style_file import StyleFile, load_style, save_style
from swf_core.world import random_look, random_scene


@pytest.fixture
def style() -> StyleFile:
    pixels = (picture(random_scene(12_700_000), random_look("oil", 1)) * 255).round() / 255
    lora = {"lora_unet_x.lora_down.weight": torch.randn(4, 8).half(), "lora_unet_x.alpha": torch.tensor(4.0)}
    return StyleFile(pixels, "an oil painting of a boat", "a boat", {"gamma": 0.5, "layers": "late"}, lora, "SD1.x")


def test_what_goes_in_comes_out(tmp_path, style) -> None:
    path = tmp_path / "new folder" / "häuser, öl.safetensors"
    save_style(path, style)
    again = load_style(path)
    assert torch.allclose(again.picture, style.picture, atol=1e-6)
    assert (again.caption, again.stripped, again.family) == (style.caption, style.stripped, style.family)
    assert again.settings == style.settings
    assert again.lora.keys() == style.lora.keys()
    assert all(torch.equal(again.lora[k], style.lora[k]) for k in style.lora)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_lora_of_another_family_is_refused_and_a_style_without_one_fits_all(style) -> None:
    style.check_family("SD1.x")
    with pytest.raises(UserError, match="SD1.x models and this one is SDXL"):
        style.check_family("SDXL")
    StyleFile(style.picture, family="SD1.x").check_family("SDXL")


def test_what_is_no_style_is_refused(tmp_path, style) -> None:
    with pytest.raises(UserError, match="is missing"):
        load_style(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not safetensors at all")
    with pytest.raises(UserError, match="cannot be read"):
        load_style(broken)
    other = tmp_path / "lora.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(UserError, match="no style"):
        load_style(other)
    newer = tmp_path / "newer.safetensors"
    metadata = {"format": "stylewallfacer-style", "version": "9"}
    save_file({"picture.png": torch.zeros(1, dtype=torch.uint8)}, newer, metadata)
    with pytest.raises(UserError, match="newer version"):
        load_style(newer)
    damaged = tmp_path / "damaged.safetensors"
    save_file({"picture.png": torch.zeros(9, dtype=torch.uint8)}, damaged, metadata | {"version": "1"})
    with pytest.raises(UserError, match="is damaged"):
        load_style(damaged)


def test_a_file_over_20_mb_is_not_written(tmp_path, style) -> None:
    huge = StyleFile(style.picture, lora={"x": torch.zeros(11_000_000, dtype=torch.float16)})
    with pytest.raises(UserError, match="22 MB, more than 20"):
        save_style(tmp_path / "huge.safetensors", huge)
    assert not list(tmp_path.iterdir())


def test_a_file_saved_before_is_read_as_ever() -> None:
    """Written by version 0.1.0 of November 2026; nobody may have to save a style anew."""
    old = load_style(Path(__file__).parent / "old_files" / "2026-11 style.safetensors")
    assert (old.caption, old.stripped, old.family) == ("an oil painting of a red house", "a red house", "mini")
    assert old.settings == {"gamma": 0.5, "tau": 1.5, "layers": "all", "kv": "replace", "style_guidance": 1.0}
    assert old.picture.shape == (3, 16, 24) and len(old.lora) == 3
    assert {name.rsplit(".", 1)[-1] for name in old.lora} == {"weight", "alpha"}
