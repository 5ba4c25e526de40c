"""What the registry packs of this repository: all that an artist needs, and nothing that only the house needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.archive import ROOT, packed_files

SHIPPED_ROOMS = ("nodes", "swf_core", "web", "locales", "workflows", "subgraphs")


@pytest.fixture(scope="module")
def packed() -> set[str]:
    files = packed_files()
    if files is None:
        pytest.skip("no git checkout: the registry's tool would pack everything")
    return set(files)


@pytest.mark.parametrize("room", SHIPPED_ROOMS)
def test_a_shipped_room_is_packed_whole(packed, room):
    from support.archive import _git

    tracked = {name for name in _git(ROOT) or () if name.startswith(f"{room}/")}
    assert tracked and tracked <= packed


def test_help_pages_and_their_pictures_are_packed(packed):
    pages = {name for name in packed if name.startswith("web/docs/")}
    nodes = {Path(name).parts[2].removesuffix(".md") for name in pages}
    assert len(nodes) >= 14
    for node in nodes:
        assert {f"web/docs/{node}.md", f"web/docs/{node}/en.md", f"web/docs/{node}/zh.md"} <= pages
        assert f"web/docs/{node}/example.jpg" in pages


def test_what_only_the_house_needs_stays_out(packed):
    assert not {name.split("/")[0] for name in packed} & {".ci", ".github", "docs", "findings", "making", "tests"}
    assert {"__init__.py", "pyproject.toml", "requirements.txt", "LICENSE", "README.md"} <= packed
    assert not {"Makefile", "constraints.txt", "requirements-dev.txt"} & packed


def test_no_pattern_reaches_into_a_room_of_the_same_name():
    patterns = [line for line in (ROOT / ".comfyignore").read_text().splitlines() if line and not line.startswith("#")]
    assert patterns and all(pattern.startswith("/") for pattern in patterns)
