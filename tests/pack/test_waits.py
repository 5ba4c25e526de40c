"""The gallery's desk: who waits, for how long, and what becomes of it. It needs no ComfyUI."""

from __future__ import annotations

import json

import pytest

from support.pack import pack

waits = pack("nodes.host.gallery.waits")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def made(tmp_path):
    run = tmp_path / "a run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({}))
    clock = Clock()
    return waits.Desk(lambda: tmp_path, clock), run, clock


def test_tokens_name_runs_and_nothing_else(made):
    found, run, _ = made
    token = found.token(run)
    assert found.token(run) == token and found.folder(token) == run and "/" not in token and "a run" not in token
    assert found.folder("a run") is None and found.folder(token[:-1]) is None
    assert [r["name"] for r in found.runs()] == ["a run"]
    (run / "run.json").unlink()
    assert found.folder(token) is None and not found.runs()


def test_every_way_a_wait_can_end(made):
    found, run, clock = made
    wait = found.wait(run, "5", "c", 20, 0.0)
    assert not wait.outcome(clock.now) and found.waiting()[0]["name"] == "a run"
    clock.now += waits.ACK_SECONDS + 1
    assert wait.outcome(clock.now) == "nobody"
    assert found.hear(wait.id, True) and not wait.outcome(clock.now)
    clock.now += waits.SILENT_SECONDS - 1
    assert not wait.outcome(clock.now)
    clock.now += 2
    assert wait.outcome(clock.now) == "closed"
    found.hear(wait.id, True)
    found.hear(wait.id, False)  # the page closes ...
    clock.now += waits.GONE_SECONDS - 1
    assert not wait.outcome(clock.now)
    found.hear(wait.id, True)  # ... or it was a reload
    clock.now += waits.GONE_SECONDS + 1
    assert not wait.outcome(clock.now)
    found.hear(wait.id, False)
    clock.now += waits.GONE_SECONDS + 1
    assert wait.outcome(clock.now) == "closed"
    assert found.answer(run, 10) == 0 and found.answer(run, 20) == 1 and wait.outcome(clock.now) == "answered"
    found.leave(wait)
    assert not found.hear(wait.id, True) and not found.waiting()


def test_time_runs_out_whoever_looks(made):
    found, run, clock = made
    wait = found.wait(run, "5", "c", 20, 60.0)
    for _ in range(12):
        found.hear(wait.id, True)
        clock.now += 5
    assert not wait.outcome(clock.now) and found.waiting()[0]["left"] == 0
    clock.now += 1
    assert wait.outcome(clock.now) == "timeout"
