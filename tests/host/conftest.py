"""Fixtures of the tests that need a real ComfyUI; without one they are skipped, saying so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.comfy_host import Host, find, free_port, new_base, serve
from support.comfy_server import Server


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.host)


@pytest.fixture(scope="session")
def host() -> Host:
    host_or_reason = find()
    if isinstance(host_or_reason, str):
        pytest.skip(host_or_reason)
    return host_or_reason


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    """The base directory of the session's ComfyUI."""
    return new_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def start_log(host, base) -> str:
    """The log of ComfyUI starting with the pack and ending before it serves."""
    result = host.run(
        "main.py",
        "--cpu",
        "--quick-test-for-ci",
        "--disable-api-nodes",
        "--base-directory",
        base,
        "--database-url",
        f"sqlite:///{base / 'comfy.db'}",
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="session")
def server(host, base) -> Iterator[Server]:
    """ComfyUI serving with the pack in it."""
    server, process = serve(host, base, free_port())
    yield server
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def newest_server(host, tmp_path_factory) -> Iterator[Server]:
    """ComfyUI serving the newest front end, with the pack in it."""
    from support.browser import newest_frontend

    folder = new_base(tmp_path_factory.mktemp("newest"))
    server, process = serve(host, folder, free_port(), "--front-end-root", str(newest_frontend(host)))
    yield server
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """The archive that the registry's own tool packs; by its rule where the tool cannot be fetched."""
    from support.archive import pack_by_tool, packed_files, write_archive

    target = tmp_path_factory.mktemp("archive") / "node.zip"
    if packed_files() is None:
        pytest.skip("no git checkout: the registry's tool would pack everything")
    if not pack_by_tool(target):
        write_archive(target)
    return target


@pytest.fixture(scope="session", params=["own", "newest"], ids=["own, classic", "newest, classic"])
def artists_server(request, host, archive, tmp_path_factory) -> Iterator[Server]:
    """ComfyUI with the unpacked archive as an artist has it: a folder by the project's name, nothing else beside it."""
    from support.browser import newest_frontend

    base = new_base(tmp_path_factory.mktemp("artist"), archive)
    newest = request.param.startswith("newest")
    server, process = serve(
        host, base, free_port(), *(("--front-end-root", str(newest_frontend(host))) if newest else ())
    )
    yield server
    process.terminate()
    process.wait(30)


@pytest.fixture
def chrome() -> Iterator[Any]:
    """A Chromium."""
    from support.browser import browsing

    with browsing() as browser:
        yield browser
