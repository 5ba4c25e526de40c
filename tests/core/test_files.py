"""Writing: all files or none, nothing half written, and every failure one sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
import torch

from swf_core import files, pictures
from swf_core.errors import UserError


def test_files_are_written_all_or_none(tmp_path, monkeypatch):
    (tmp_path / "b.png").mkdir()
    with pytest.raises(UserError):
        files.write_files({tmp_path / "new" / "a.png": b"1", tmp_path / "b.png": b"2"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.png"]
    files.write_text(tmp_path / "x" / "y" / "a.txt", "one\n")
    assert (tmp_path / "x" / "y" / "a.txt").read_bytes() == b"one\n"
    assert [p.name for p in (tmp_path / "x" / "y").iterdir()] == ["a.txt"]


def test_an_old_file_survives_a_failed_write(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="disk is full"):
        files.write_text(tmp_path / "a.txt", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_that_cannot_be_written_is_refused_and_none_is_made(tmp_path):
    (tmp_path / "file").write_text("x")
    assert files.check_folder(tmp_path / "new" / "deep") == tmp_path / "new" / "deep"
    assert not (tmp_path / "new").exists()
    for bad in (tmp_path / "file", tmp_path / "file" / "under"):
        with pytest.raises(UserError):
            files.check_folder(bad)


@pytest.mark.parametrize(
    "parts",
    [("x" * 300, "a.txt"), ("new", "x" * 300 + ".txt"), ("new", *["y" * 200] * 30, "a.txt"), ("new", "x" * 300, "a")],
)
def test_a_path_that_is_too_long_is_refused_and_no_empty_folder_stays(tmp_path, parts):
    path = tmp_path.joinpath(*parts)
    for write in (lambda: files.check_file(path), lambda: files.write_text(path, "x")):
        with pytest.raises(
            UserError, match="longer than the file system takes|would be a name of 30[0-9] bytes"
        ) as error:
            write()
        assert len(str(error.value)) < 300
        assert list(tmp_path.iterdir()) == []


def test_names_are_measured_in_bytes(tmp_path):
    with pytest.raises(UserError, match="300 bytes, and the file system takes 255"):
        files.check_file(tmp_path / ("猫" * 100))
    assert files.check_file(tmp_path / ("猫" * 80)) == tmp_path / ("猫" * 80)


def test_what_stands_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for check, path, sentence in (
        (files.check_file, tmp_path / "folder", "is a folder, and a file of that name"),
        (files.check_file, tmp_path / "file" / "a", "--out '.*file' is a file; give a folder"),
        (files.check_folder, tmp_path / "loop", "is a link that leads to no folder"),
        (files.check_file, tmp_path / "file" / "deep" / "a", "cannot be made: '.*file' is a file"),
    ):
        with pytest.raises(UserError, match=sentence):
            check(path)
    with pytest.raises(UserError, match="^--run '"):
        files.check_folder(tmp_path / "file", "--run")


@pytest.fixture
def mounted(tmp_path):
    """A tiny file system of its own: `mounted("size=64k")`; needs root on Linux."""
    folder = tmp_path / "mount"
    folder.mkdir()
    mounts = []

    def mount(options: str):
        if sys.platform != "linux" or os.geteuid() != 0:
            pytest.skip("mounting a small tmpfs needs root on Linux")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"cannot mount a tmpfs: {result.stderr.strip()}")
        mounts.append(folder)
        return folder

    yield mount
    for folder in mounts:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_no_half_file(mounted):
    folder = mounted("size=64k")
    pictures.save(folder / "small.png", torch.zeros(3, 16, 16))
    with pytest.raises(UserError, match="disk is full"):
        pictures.save(folder / "out" / "big.png", torch.rand(3, 512, 512))
    assert [p.name for p in folder.iterdir()] == ["small.png"]


def test_missing_permission_is_named_and_nothing_is_written(mounted, tmp_path):
    if sys.platform != "win32" and os.geteuid() != 0:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    else:
        folder = mounted("size=64k,ro")
    with pytest.raises(UserError, match="permission"):
        pictures.save(folder / "a.png", torch.zeros(3, 16, 16))
    with pytest.raises(UserError, match="permission"):
        files.check_folder(folder / "new")
    assert list(folder.iterdir()) == []
