"""What pictures showed, beyond one run: styles on disk for a restarted host, and the command that forgets all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from swf_core.pictures import save

from support import browser as b
from support.api_graphs import triple_inputs
from support.comfy_host import INSIDE, free_port, new_base, serve
from support.comfy_server import Server
from support.gallery_server import request
from support.tiny_models import picture


@pytest.fixture(scope="module")
def report(host, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("styles") / "report.json"
    run = host.run(INSIDE / "style_cache_native.py", path)
    assert run.returncode == 0, run.stdout
    return json.loads(path.read_text())


def test_a_style_on_disk_costs_one_evaluation(report):
    """Of 4 steps: 4 and one more for the highest level of each picture, 4 to paint. Asking the disk costs one; a style
    that lies there its highest level, which no inversion shows."""
    whole, known = 3 * 4 + 2, 2 * 4 + 2
    assert {row["E without"] for row in report.values()} == {whole}
    assert {name: row["E"] for name, row in report.items()} == {
        "first": whole + 1,
        "another content": known + 1,
        "another style": whole + 1,
        "other weights": whole + 1,
        "first again": known + 1,
    }
    assert [row["styles"] for row in report.values()] == [1, 1, 2, 3, 3]


def test_the_disk_changes_nothing(report):
    assert {name: row["apart"] for name, row in report.items()} == dict.fromkeys(report, 0.0)


@pytest.fixture(scope="module")
def styles(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("disk") / "styles"


@pytest.fixture(scope="module")
def keeping_server(host, styles, tmp_path_factory) -> Iterator[Server]:
    """ComfyUI with a folder for styles, which has repainted one picture."""
    base = new_base(tmp_path_factory.mktemp("keeping"))
    for name, seed in (("content", 1), ("style", 2)):
        save(base / "input" / f"{name}.png", picture(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWF_STYLE_CACHE", str(styles))
        server, process = serve(host, base, free_port())
    try:
        server.run(graph())
        yield server
    finally:
        process.terminate()
        process.wait(30)


def graph() -> dict:
    pictures = {name: ["2" if name == "content" else "3", 0] for name in ("content", "style")}
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "content.png"}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "style.png"}},
        "4": {
            "class_type": "SWF_TripleSampler",
            "inputs": triple_inputs(steps=2, model=["1", 0], vae=["1", 2], **pictures),
        },
        "5": {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["1", 2]}},
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}},
    }


@pytest.mark.browser
def test_the_menus_command_forgets_all_and_says_what_that_was(keeping_server, styles, chrome):
    kept = keeping_server.get("/swf/kept")
    assert kept["pictures"] == 2 and kept["bytes"] > 0 and kept["disk"]["pictures"] == 1
    assert len(list(styles.iterdir())) == 1
    page = b.open_page(chrome, keeping_server)
    page.evaluate("app.extensionManager.command.execute('StyleWallfacer.Kept.Forget')")
    toast = page.locator(".p-toast-message").filter(has_text="Kept pictures are forgotten")
    toast.wait_for(timeout=10_000)
    said = toast.inner_text()
    b.shot(page, "kept pictures forgotten")
    assert "In memory: 2 pictures" in said and "On disk: 1 style," in said
    assert keeping_server.get("/swf/kept") == {"pictures": 0, "bytes": 0, "disk": {"pictures": 0, "bytes": 0}}
    assert not list(styles.iterdir())


def test_no_other_site_may_ask_or_forget(keeping_server):
    keeping_server.run(graph() | {"7": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}})
    before = keeping_server.get("/swf/kept")
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    json_type = {"Content-Type": "application/json"}
    assert request(keeping_server.url, "GET", "/swf/kept", headers=elsewhere)[0] == 403
    assert request(keeping_server.url, "POST", "/swf/kept/forget", b"{}", elsewhere | json_type)[0] == 403
    assert request(keeping_server.url, "POST", "/swf/kept/forget", b"{}", {"Content-Type": "text/plain"})[0] == 415
    assert keeping_server.get("/swf/kept") == before
