"""A run as a graph passes it on: continued from a step, once more with other picks, and its summary for the page."""

from __future__ import annotations

import json
import threading

import pytest

from swf_core.errors import UserError
from swf_core.learn import picks
from swf_core.learn.fork import RunAt, resume
from swf_core.learn.run import open_run
from swf_core.learn.run_summary import picture_file, run_summary
from swf_core.learn.train import train
from swf_core.pictures import load

from support.learn_runs import begin, same, weights
from support.tiny_models import fresh_backend


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run, backend = begin(tmp_path_factory.mktemp("runs") / "style")
    train(run, backend)
    return run


def continued(run_at, steps=6, **changes):
    backend = fresh_backend("sd15")
    run, end = resume(run_at, backend, steps, **changes)
    train(run, backend, until=end)
    return run, end


def test_the_same_step_and_picks_are_the_same_run_and_other_picks_are_a_copy(finished):
    ids = [r["id"] for r in finished.records("samples") if r["lora"]]
    picks.set_verdict(finished.folder, accept=ids[:1])
    one = RunAt(finished.folder, 12, tuple(picks.accepted_captions(finished.folder, 12).items()))
    run, end = continued(one)
    assert run.folder == finished.folder and end == 18 and open_run(run.folder).steps == 18
    stamp = (run.folder / "state.safetensors").stat().st_mtime_ns
    assert continued(one)[0].folder == run.folder and (run.folder / "state.safetensors").stat().st_mtime_ns == stamp

    before = weights(finished.folder)
    picks.set_verdict(finished.folder, reject=ids[:1], accept=ids[1:2])
    two = RunAt(finished.folder, 12, tuple(picks.accepted_captions(finished.folder, 12).items()))
    other, _ = continued(two)
    assert other.folder.name == "style 2" and same(weights(finished.folder), before)
    assert continued(two)[0].folder == other.folder and not same(weights(other.folder), before)
    assert [r["picks"] for r in open_run(other.folder).rounds] == [[], [ids[1]]]
    assert max(r["step"] for r in other.records("samples")) == 18
    assert len((other.folder / "loss.csv").read_text().splitlines()) == 19
    # Back to the first picks: the run that learnt from them, and a copy would have learnt the very same.
    again, _ = continued(one)
    assert again.folder == finished.folder
    assert not [p for p in finished.folder.parent.iterdir() if p.name.startswith(".")]


def test_a_copy_learns_what_the_run_itself_would_have_learnt(tmp_path):
    first, backend = begin(tmp_path / "a")
    train(first, backend)
    plain, _ = continued(RunAt(first.folder, 12))
    other, _ = continued(RunAt(first.folder, 12), steps=3)
    back, _ = continued(RunAt(other.folder, 12))  # a copy of the copy, with the first one's round
    assert [r.folder.name for r in (plain, other, back)] == ["a", "a 2", "a 3"]
    assert same(weights(back.folder), weights(plain.folder))


def test_a_run_that_cannot_be_continued_is_refused_with_the_reason(finished, tmp_path):
    with pytest.raises(UserError, match="No round of the run 'style' ends at step 7; they end at"):
        resume(RunAt(finished.folder, 7), fresh_backend("sd15"), 6)
    with pytest.raises(UserError, match="another model"):
        resume(RunAt(finished.folder, 12), fresh_backend("sd15", seed=5), 6)
    with pytest.raises(UserError, match="rank cannot change"):
        resume(RunAt(finished.folder, 12), fresh_backend("sd15"), 6, rank=8)
    run, backend = begin(tmp_path / "old")
    train(run, backend)
    (run.folder / "states" / "step_000012.safetensors").unlink()  # as a run from before checkpoints were kept
    backend = fresh_backend("sd15")
    train(resume(RunAt(run.folder, 12), backend, 6)[0], backend)  # at its end a run needs no copy, and keeps it now
    (run.folder / "states" / "step_000012.safetensors").unlink()
    with pytest.raises(UserError, match="state there was not kept"):
        resume(RunAt(run.folder, 12), fresh_backend("sd15"), 3)
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_the_summary_has_samples_verdicts_captions_and_signals(finished):
    ids = [r["id"] for r in finished.records("samples") if r["lora"] and r["step"] <= 12]
    picks.set_verdict(finished.folder, accept=ids[:1], reject=ids[1:2])
    picks.set_caption(finished.folder, ids[0], "  a  red\ncat ")
    summary = run_summary(finished.folder)
    assert json.loads(json.dumps(summary)) == summary
    assert summary["steps"][:3] == [0, 6, 12] and summary["prompts"] == ["a red cat", "a blue house"]
    first, second = (next(s for s in summary["samples"] if s["id"] == i) for i in ids[:2])
    assert (first["verdict"], first["caption"], first["edited"], first["row"]) == ("accepted", "a red cat", True, 0)
    assert (second["verdict"], second["edited"], second["row"]) == ("rejected", False, 1)
    assert "copying" in first["signals"] and first["step"] == 6
    assert picks.accepted_captions(finished.folder)[ids[0]] == "a red cat" and not picks.accepted_captions(
        finished.folder, 5
    )
    assert (
        load(picture_file(finished.folder, ids[0])).pixels.shape
        == load(picture_file(finished.folder, summary["originals"][0]["id"])).pixels.shape
    )
    picks.set_caption(finished.folder, ids[0], "")
    assert not picks.read_picks(finished.folder)["captions"]
    with pytest.raises(UserError, match="no picture 'zebra'"):
        picture_file(finished.folder, "zebra")
    with pytest.raises(UserError, match="2001 characters"):
        picks.set_caption(finished.folder, ids[0], "x" * 2001)
    plain = next(r["id"] for r in finished.records("samples") if not r["lora"])
    with pytest.raises(UserError, match="no sample"):
        picks.set_verdict(finished.folder, accept=[plain])


def test_verdicts_of_many_at_once_are_all_kept(finished):
    ids = [r["id"] for r in finished.records("samples") if r["lora"]][:4]
    picks.set_verdict(finished.folder, forget=ids)
    workers = [
        threading.Thread(target=lambda i=i: [picks.set_verdict(finished.folder, accept=[i]) for _ in range(10)])
        for i in ids
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(picks.read_picks(finished.folder)["accepted"]) == set(ids)
