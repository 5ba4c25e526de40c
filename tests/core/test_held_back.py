"""Pictures kept for tests: the list, the guard before a training, and taking them out of a resource file."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swf_core.errors import UserError
from swf_core.mini_build.stage_vae import real_photographs, train_autoencoder
from swf_core.mini_build.training_loop import StageSettings
from swf_core.pictures import held_back as module
from swf_core.pictures import load
from swf_core.pictures.held_back import HeldBack, held_back, refuse_held_back
from swf_core.pictures.identity import picture_id
from swf_core.pictures.resource_file import pictures_in
from swf_core.pictures.taking_out import take_out

# Of the whole list: a line less or another one would let a test picture into a training.
LIST_SHA256 = "4972450670d7a059df65048fd74b125c984f7abefaf11d6fe82292fa40cbf0ac"


def webp(seed: int, side: int = 24) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "webp", lossless=True)
    return file.getvalue()


def resource_file(files: dict[str, bytes]) -> bytes:
    """A file as Qt's rcc writes it, version 1: one folder `resource` with these files."""
    names, blobs, offsets = b"", b"", {}
    for name in ("resource", *files):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHII", offsets["resource"], 2, len(files), 2)
    for name, data in files.items():
        tree += struct.pack(">IHHHI", offsets[name], 0, 0, 0, len(blobs))
        blobs += struct.pack(">I", len(data)) + data
    head = 20
    at = (head + len(blobs) + len(names), head, head + len(blobs))
    return b"qres" + struct.pack(">4I", 1, *at) + blobs + names + tree


def package(folder: Path) -> Path:
    folder.mkdir()
    details = {"VincentVanGogh0012_background.webp": webp(1), "VincentVanGogh0012_2.webp": webp(2)}
    details |= {"TowerBridgeLondon_background.webp": webp(3), "readme.txt": b"no picture"}
    (folder / "details.rcc").write_bytes(resource_file(details))
    (folder / "explore_monuments.rcc").write_bytes(resource_file({"petra.webp": webp(4)}))
    return folder


def test_the_list_holds_every_picture_of_both_files() -> None:
    entries = held_back()
    names = [each.name for each in entries]
    assert len([name for name in names if name.startswith("explore_monuments/")]) == 49
    assert len([name for name in names if name.startswith("details/")]) == 21
    assert len({each.sha256 for each in entries}) == len({each.pixels for each in entries}) == 70
    text = "\n".join(f"{each.sha256} {each.pixels} {each.name}" for each in entries)
    assert hashlib.sha256(text.encode()).hexdigest() == LIST_SHA256


def test_the_autoencoder_is_not_trained_on_a_picture_of_the_list(tmp_path, monkeypatch) -> None:
    """The list's own pictures are not shipped: one of the same kind stands in it for this test."""
    (tmp_path / "petra.webp").write_bytes(webp(4))
    pixels = load(tmp_path / "petra.webp").pixels
    entry = HeldBack(hashlib.sha256(webp(4)).hexdigest(), picture_id(pixels), "explore_monuments/petra.webp")
    monkeypatch.setattr(module, "held_back", lambda: (entry,))
    kept = np.asarray(Image.open(tmp_path / "petra.webp").convert("RGB"))
    others = [np.zeros((128, 128, 3), np.uint8)]
    with pytest.raises(UserError, match="petra.webp' is kept for tests"):
        train_autoencoder(np.stack(others), np.stack(others), [*others, kept], StageSettings(tmp_path / "vae", 0))
    assert not (tmp_path / "vae").exists()
    refuse_held_back(others)


def test_what_the_autoencoder_is_trained_on_is_not_on_the_list() -> None:
    photographs = real_photographs()
    assert len(photographs) > 3
    refuse_held_back(photographs)


def test_whole_pictures_are_taken_out_byte_for_byte(tmp_path) -> None:
    report = take_out(package(tmp_path / "rcc"), tmp_path / "out")
    assert report["counts"] == {"paintings": 1, "photographs": 1, "more-photographs": 1}
    assert (tmp_path / "out/paintings/VincentVanGogh0012_background.webp").read_bytes() == webp(1)
    assert (tmp_path / "out/photographs/petra.webp").read_bytes() == webp(4)
    assert len(report["unknown"]) == 3  # these are not the package's


def test_files_that_are_missing_foreign_or_broken_are_refused(tmp_path) -> None:
    with pytest.raises(UserError, match="apt install gcompris-qt-data"):
        take_out(tmp_path, tmp_path / "out")
    folder = package(tmp_path / "rcc")
    whole = (folder / "details.rcc").read_bytes()
    for data, said in ((b"RIFF", "not a Qt resource file"), (whole[:60], "broken"), (whole[:-4], "broken")):
        (folder / "details.rcc").write_bytes(data)
        with pytest.raises(UserError, match=said):
            list(pictures_in(folder / "details.rcc"))
    # A folder whose first entry is the folder itself.
    tree = struct.pack(">IHII", 0, 2, 1, 0)
    (folder / "details.rcc").write_bytes(b"qres" + struct.pack(">4I", 1, 26, 20, 20) + bytes(6) + tree)
    with pytest.raises(UserError, match="broken"):
        list(pictures_in(folder / "details.rcc"))
