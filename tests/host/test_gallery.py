"""Human Feedback Gallery in a running ComfyUI, without a page: modes, routes, hostile requests, killed servers."""

from __future__ import annotations

import http.client
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from swf_core.learn import picks
from swf_core.learn.run import open_run
from swf_core.measure.benches.lessons import lessons
from swf_core.pictures import save

from support.comfy_host import free_port, new_base, serve
from support.comfy_server import Server, error_of
from support.gallery_server import request

PROMPTS = "a red cat in the snow\na blue boat by the sea\na green tree on the sand"


@pytest.fixture(scope="module", autouse=True)
def picture(base) -> None:
    save(base / "input" / "gallery.png", lessons(1, 1)[0].picture)


def graph(name: str, **gallery_inputs: Any) -> dict[str, Any]:
    """Two steps of training, the gallery, one more step."""
    model = {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2]}
    gallery = {
        "run": ["4", 5],
        "mode": "pause",
        "otherwise": "saved picks",
        "timeout": 0.0,
        "count": 2,
        "clip": "mini",
        "selection": "",
    }
    return {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "gallery.png"}},
        "3": {
            "class_type": "SWF_StyleDataset",
            "inputs": {
                "image": ["2", 0],
                "captions": "a blue teapot on the grass",
                "folder": "",
                "weight": 1.0,
                "repeats": 1,
            },
        },
        "4": {
            "class_type": "SWF_LoraTrain",
            "inputs": model
            | {
                "dataset": ["3", 0],
                "run_name": name,
                "steps": 2,
                "targets": "default",
                "rank": 2,
                "learning_rate": 0.0,
                "sample_every": 2,
                "prompts": PROMPTS,
                "guidance": "default",
                "seed": 0,
                "use_step": 0,
                "save_as": "",
            },
        },
        "5": {"class_type": "SWF_FeedbackGallery", "inputs": gallery | gallery_inputs},
        "6": {
            "class_type": "SWF_TrainOn",
            "inputs": model
            | {"run": ["5", 0], "steps": 1, "learning_rate": 0.0, "picks_share": 0.25, "use_step": 0, "save_as": ""},
        },
        "7": {"class_type": "SaveImage", "inputs": {"images": ["5", 1], "filename_prefix": "picked"}},
    }


def report(history: dict[str, Any]) -> str:
    assert history["status"]["status_str"] == "success", history["status"]["messages"][-1]
    return history["outputs"]["5"]["text"][0]


def samples(server: Server, name: str) -> list[str]:
    return list(picks.pickable_samples(server.run_folder(name)))


def test_pause_without_a_page_goes_on_at_once_with_the_saved_picks(server):
    history = server.run(graph("headless"))
    assert "no page shows the gallery: the saved picks: 0 accepted" in report(history)
    first, second, third = samples(server, "headless")[:3]
    picks.set_verdict(server.run_folder("headless"), accept=[second], reject=[third])
    history = server.run(graph("headless"))
    assert f"1 accepted, 1 rejected\nselection: {second}" in report(history)
    # The run went on without picks the first time; with them it goes on in a copy, and the first is as it was.
    assert [r["picks"] for r in open_run(server.run_folder("headless")).rounds] == [[], []]
    assert [r["picks"] for r in open_run(server.run_folder("headless 2")).rounds] == [[], [second]]
    assert first not in picks.read_picks(server.run_folder("headless"))["accepted"]


def test_nobody_is_asked_twice_about_the_same_picks(server):
    server.run(graph("asked"))
    picks.set_verdict(server.run_folder("asked"), accept=samples(server, "asked")[:1])
    picks.mark_reviewed(server.run_folder("asked"), 2)
    assert "the picks of before" in report(server.run(graph("asked")))
    picks.set_verdict(server.run_folder("asked"), accept=samples(server, "asked")[1:2])
    assert "no page shows the gallery" in report(server.run(graph("asked")))


def test_the_automatic_picker_and_the_saved_picks_run_headless(server):
    text = report(server.run(graph("automatic", mode="auto", count=1)))
    assert "1 samples picked automatically: 1 accepted" in text
    (picked,) = picks.read_picks(server.run_folder("automatic"))["accepted"]
    assert open_run(server.run_folder("automatic")).rounds[1]["picks"] == [picked]
    text = report(server.run(graph("automatic", mode="saved picks")))
    assert f"the saved picks: 1 accepted, 0 rejected\nselection: {picked}" in text


def test_a_selection_is_what_counts_in_every_mode(server):
    history = server.run(graph("selected", selection="0, 2"))
    ids = samples(server, "selected")
    assert f"selection: {ids[0]},{ids[2]}" in report(history) and len(server.pictures(history)) == 2
    history = server.run(graph("selected", selection=f"2:1 {ids[0]}", mode="two-step"))
    assert f"selection: {ids[0]},{ids[1]}" in report(history)
    assert "selection: none" in report(server.run(graph("selected", selection="none")))
    assert "step 2, which has 3 samples" in error_of(server.run(graph("selected", selection="7")))
    assert "'x'; give places" in error_of(server.run(graph("selected", selection="x")))
    assert "does not have" in error_of(server.run(graph("selected", selection="0" * 16)))


def test_two_step_ends_without_an_error_and_goes_on_when_answered(server):
    history = server.run(graph("steps", mode="two-step"))
    assert history["status"]["status_str"] == "success" and "6" not in history["outputs"]
    picks.set_verdict(server.run_folder("steps"), accept=samples(server, "steps")[:1])
    picks.mark_reviewed(server.run_folder("steps"), 2)
    history = server.run(graph("steps", mode="two-step"))
    assert "1 accepted" in report(history) and "6" in history["outputs"]


def test_otherwise_stop_says_so(server):
    assert "queue again to pick" in error_of(server.run(graph("stopped", otherwise="stop")))


@pytest.fixture(scope="module")
def known(server) -> tuple[str, list[str], Path]:
    """A run's token, its samples, its folder."""
    report(server.run(graph("hostile")))
    overview = server.get("/swf/gallery")
    token = next(r["token"] for r in overview["runs"] if r["name"] == "hostile")
    return token, samples(server, "hostile"), server.run_folder("hostile")


def test_the_routes_do_what_a_page_asks(server, known):
    token, ids, folder = known
    status, summary = request(server.url, "GET", f"/swf/gallery/{token}")
    assert status == 200 and summary["name"] == "hostile" and summary["steps"] == [0, 2, 3] and not summary["waits"]
    assert request(server.url, "POST", f"/swf/gallery/{token}/judge", {"accept": ids[:1]})[1]["accepted"] == ids[:1]
    own_caption = {"id": ids[0], "caption": "<i>me</i>"}
    assert request(server.url, "POST", f"/api/swf/gallery/{token}/caption", own_caption)[0] == 200
    assert picks.read_picks(folder)["captions"] == {ids[0]: "<i>me</i>"}
    status, data = request(server.url, "GET", f"/swf/gallery/{token}/picture/{ids[0]}?px=64")
    assert status == 200 and data[8:12] == b"WEBP"
    status, data = request(server.url, "GET", f"/swf/gallery/{token}/picture/{ids[0]}")
    assert status == 200 and data[1:4] == b"PNG"
    assert request(server.url, "POST", f"/swf/gallery/{token}/go", {"step": 2})[1] == picks.read_picks(folder) | {
        "ended_waits": 0
    }


@pytest.mark.parametrize(("clicks", "kills"), [(200, 2), pytest.param(1000, 20, marks=pytest.mark.slow)])
def test_clicks_and_reloads_with_a_server_that_dies(host, tmp_path, clicks, kills):
    """Whatever was answered is on file; a click that was on its way when the server died may be or not, never twice."""
    folder = new_base(tmp_path)
    save(folder / "input" / "gallery.png", lessons(1, 1)[0].picture)
    port = free_port()
    server, process = serve(host, folder, port)
    rng = random.Random(7)
    try:
        server.run(graph("killed"))
        run = server.run_folder("killed")
        ids = samples(server, "killed")
        deaths = set(rng.sample(range(10, clicks), kills))
        expected: dict[str, set[str]] = {i: {""} for i in ids}
        for click in range(clicks):
            overview = server.get("/swf/gallery")  # a reload: everything anew from the server
            token = next(r["token"] for r in overview["runs"] if r["name"] == "killed")
            name, kind = rng.choice(ids), rng.choice(("accept", "reject", "forget"))
            verdict = {"accept": "accepted", "reject": "rejected", "forget": ""}[kind]
            if click in deaths:
                expected[name] = expected[name] | {verdict}
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request(
                    "POST",
                    f"/swf/gallery/{token}/judge",
                    json.dumps({kind: [name]}),
                    {"Content-Type": "application/json"},
                )
                time.sleep(rng.uniform(0, 0.01))
                process.kill()
                process.wait()
                connection.close()
                server, process = serve(host, folder, port)
            else:
                status, answer = request(server.url, "POST", f"/swf/gallery/{token}/judge", {kind: [name]})
                assert status == 200
                expected[name] = {verdict}
            on_file = json.loads((run / "picks.json").read_text())
            both = [*on_file["accepted"], *on_file["rejected"]]
            assert len(both) == len(set(both))
            verdicts = dict.fromkeys(on_file["accepted"], "accepted") | dict.fromkeys(on_file["rejected"], "rejected")
            for i in ids:
                assert verdicts.get(i, "") in expected[i], click
                expected[i] = {verdicts.get(i, "")}
    finally:
        process.kill()
        process.wait()
