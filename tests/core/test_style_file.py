"""Style files: what goes in comes out, and what is no style file is refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from swf_core.errors import UserError
from swf_core.measure.metrics.pairs import picture
from swf_core.style_file import LONGEST_PX, StyleFile, load_style, save_style
from swf_core.world import random_look, random_scene

ROOT = Path(__file__).resolve().parents[2]


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


def written(path: Path, png: bytes, **metadata) -> Path:
    """A style file as anybody can write it."""
    tensors = {"picture.png": torch.frombuffer(bytearray(png), dtype=torch.uint8)}
    save_file(tensors, path, {"format": "stylewallfacer-style", "version": "1", **metadata})
    return path


def png(width: int, height: int, mode: str = "RGB") -> bytes:
    data = io.BytesIO()
    Image.new(mode, (width, height)).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png(13_000, 12_000, "1"), "more than 150 megapixels"),
        (png(3, 3), "at least 8x8 are needed"),
        (png(40, 40)[:-60], "broken|not a picture"),
        (png(40, 40).replace(b"IHDR", b"IHDX"), "broken|not a picture"),
        (b"GIF89a" + bytes(40), "is no PNG data"),
    ],
    ids=["many pixels", "too small", "cut", "no head", "another kind"],
)
def test_a_picture_in_a_style_has_the_limits_of_a_picture_file(tmp_path, content, sentence) -> None:
    path = written(tmp_path / "a.safetensors", content)
    with pytest.raises(UserError, match=sentence) as error:
        load_style(path)
    assert "a.safetensors" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak this way")
def test_a_small_file_that_claims_many_pixels_needs_little_memory(tmp_path) -> None:
    """18 kB that hold 144 megapixels: the memory is that of what is kept, whatever is claimed."""
    path = written(tmp_path / "bomb.safetensors", png(12_000, 12_000, "1"))
    assert path.stat().st_size < 40_000
    script = (
        "import resource, sys; from pathlib import Path; from swf_core.style_file import load_style\n"
        "import safetensors, PIL.Image\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "shape = tuple(load_style(Path(sys.argv[1])).picture.shape)\n"
        "print(*shape, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    result = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, check=True)
    *shape, peak = map(int, result.stdout.split())
    assert shape == [3, LONGEST_PX, LONGEST_PX] and peak < 1_000_000  # in kB


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("[" * 10_000, "cannot be read as JSON"),
        ('{"a":' * 2_000 + "1" + "}" * 2_000, "cannot be read as JSON|must be"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ('{"gamma": {"x": 1}}', "gamma is an object and must be"),
        ('{"gamma": NaN}', "gamma is nan and must be"),
        ('{"gamma": 1e999}', "gamma is inf and must be"),
        ('{"gamma": [[1]]}', "gamma is a list of 1 and must be"),
        (f'{{"gamma": {"9" * 5_000}}}', "cannot be read as JSON|must be"),
        (f'{{"layers": "{"x" * 5_000}"}}', "must be"),
        (" " * 30_000, "settings has 30000 characters"),
    ],
)
def test_settings_of_odd_types_are_one_sentence(tmp_path, settings, sentence) -> None:
    path = written(tmp_path / "a.safetensors", png(20, 16), settings=settings)
    with pytest.raises(UserError, match=sentence) as error:
        load_style(path)
    assert "a.safetensors" in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float32, torch.int64, torch.bool])
def test_a_picture_of_another_type_of_number_is_one_sentence(tmp_path, dtype) -> None:
    path = tmp_path / "a.safetensors"
    metadata = {"format": "stylewallfacer-style", "version": "1"}
    save_file({"picture.png": torch.zeros(40).to(dtype)}, path, metadata)
    with pytest.raises(UserError, match="is no PNG data"):
        load_style(path)
    save_file({"picture.png": torch.zeros(4, 10, dtype=torch.uint8)}, path, metadata)
    with pytest.raises(UserError, match="is no PNG data"):
        load_style(path)


def test_long_texts_odd_versions_and_large_files_are_one_sentence(tmp_path, style) -> None:
    for metadata, sentence in (
        ({"caption": "x" * 30_000}, "caption has 30000 characters"),
        ({"version": "1e9"}, "its version is '1e9'"),
        ({"version": "9" * 5000}, "its version is"),
    ):
        with pytest.raises(UserError, match=sentence):
            load_style(written(tmp_path / "a.safetensors", png(20, 16), **metadata))
    with pytest.raises(UserError, match="caption has 30000 characters"):
        save_style(tmp_path / "b.safetensors", StyleFile(style.picture, "x" * 30_000))
    save_file({"picture.png": torch.zeros(21_000_000, dtype=torch.uint8)}, tmp_path / "c.safetensors")
    with pytest.raises(UserError, match="21 MB, more than 20"):
        load_style(tmp_path / "c.safetensors")
    with pytest.raises(UserError, match="is missing"):
        load_style(tmp_path / ("x" * 300))


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
