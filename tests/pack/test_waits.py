"""The gallery's tokens of runs, and its waits: how long each lasts and how it ends. They need no ComfyUI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.pack import pack

waits = pack("nodes.host.gallery.waits")
run_tokens = pack("nodes.host.gallery.run_tokens")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tmp_path) -> Path:
    folder = tmp_path / "a run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({}))
    return folder


def started(room: Any, run: Path, timeout: float) -> Any:
    return room.start(run, "token", "5", "client", 20, timeout)


def test_a_token_names_one_run_and_contains_no_path(run):
    tokens = run_tokens.RunTokens(lambda owner: run.parent / owner)
    token = tokens.token(run)
    assert tokens.token(run) == token and tokens.folder(token) == run and "/" not in token and "a run" not in token
    assert tokens.folder("a run") is None and tokens.folder(token[:-1]) is None
    assert [r["name"] for r in tokens.runs()] == ["a run"]
    (run / "run.json").unlink()
    assert tokens.folder(token) is None and not tokens.runs()


def test_a_wait_that_no_page_confirms_ends_with_nobody_and_a_page_that_falls_silent_has_closed(run):
    clock = Clock()
    room = waits.Waits(clock)
    wait = started(room, run, 0.0)
    assert not wait.outcome(clock.now) and room.payloads()[0]["name"] == "a run"
    clock.now += waits.ACK_SECONDS + 1
    assert wait.outcome(clock.now) == "nobody"
    assert room.confirm(wait.id, True) and not wait.outcome(clock.now)
    clock.now += waits.SILENT_SECONDS - 1
    assert not wait.outcome(clock.now)
    clock.now += 2
    assert wait.outcome(clock.now) == "closed"


def test_a_page_that_closes_ends_the_wait_unless_it_was_a_reload(run):
    clock = Clock()
    room = waits.Waits(clock)
    wait = started(room, run, 0.0)
    room.confirm(wait.id, True)
    room.confirm(wait.id, False)  # the page closes ...
    clock.now += waits.GONE_SECONDS - 1
    assert not wait.outcome(clock.now)
    room.confirm(wait.id, True)  # ... or it was a reload
    clock.now += waits.GONE_SECONDS + 1
    assert not wait.outcome(clock.now)
    room.confirm(wait.id, False)
    clock.now += waits.GONE_SECONDS + 1
    assert wait.outcome(clock.now) == "closed"


def test_an_answer_ends_the_waits_of_its_run_and_step_alone(run):
    clock = Clock()
    room = waits.Waits(clock)
    wait = started(room, run, 0.0)
    assert room.answer(run, 10) == 0 and room.answer(run.parent / "another run", 20) == 0
    assert not wait.outcome(clock.now)
    assert room.answer(run, 20) == 1 and wait.outcome(clock.now) == "answered"
    room.end(wait)
    assert not room.confirm(wait.id, True) and not room.payloads()


def test_time_runs_out_even_while_a_page_shows_the_samples(run):
    clock = Clock()
    room = waits.Waits(clock)
    wait = started(room, run, 60.0)
    for _ in range(12):
        room.confirm(wait.id, True)
        clock.now += 5
    assert not wait.outcome(clock.now) and room.payloads()[0]["seconds_left"] == 0
    clock.now += 1
    assert wait.outcome(clock.now) == "timeout"
