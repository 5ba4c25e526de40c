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
