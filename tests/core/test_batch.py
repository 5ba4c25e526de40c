"""Batches: what is meant by folders and lists, plans that stay, and crews whose workers fail, die or cannot begin."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from swf_core.batch import Batch, Manifest, expand, job_seed, pair_up, plan, run_batch
from swf_core.batch.processes import Processes
from swf_core.errors import UserError

from support.batches import Copier, batch_of, files, refuse, results


def test_folders_patterns_and_lists_in_the_order_people_count(tmp_path: Path) -> None:
    shots = files(tmp_path / "in", "Shot10.png", "shot2.JPG", "shot1.webp", "notes.txt", ".hidden.png")
    ordered = [shots[2], shots[1], shots[0]]
    assert expand([tmp_path / "in"]) == ordered
    assert expand([str(tmp_path / "in" / "*.*")]) == ordered
    assert expand([tmp_path / "*" / "*.png", tmp_path / "in"]) == [shots[0], shots[2], shots[1]]  # each once
    (tmp_path / "list.txt").write_text("# mine\nin/shot2.JPG\n\nin\n")
    assert expand([f"@{tmp_path / 'list.txt'}"]) == [shots[1], shots[2], shots[0]]
    assert expand([shots[3], "nowhere.png"]) == [shots[3], Path("nowhere.png")]  # a file that is named is taken
    files(tmp_path / "brackets", "a[1].png")
    assert expand([tmp_path / "brackets" / "a[1].png"]) == [tmp_path / "brackets" / "a[1].png"]


@pytest.mark.parametrize("given", ["empty", "*.png", "@nowhere.txt", "@blank.txt"])
def test_what_gives_no_picture_is_refused(tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.txt").write_text("# nothing\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError):
        expand([given])


def test_pairs() -> None:
    a, b, s, t = (Path(name) for name in "abst")
    assert pair_up([a, b], [s, t], "each") == [(a, (s, t)), (b, (s, t))]
    assert pair_up([a, b], [s, t], "zip") == [(a, (s,)), (b, (t,))]
    assert pair_up([a, b], [s, t], "product") == [(a, (s,)), (b, (s,)), (a, (t,)), (b, (t,))]
    with pytest.raises(UserError, match="3 contents and 2 styles"):
        pair_up([a, b, a], [s, t], "zip")
    with pytest.raises(UserError, match="unknown"):
        pair_up([a], [s], "some")


def test_a_plan_groups_equal_sizes_and_is_kept_when_pictures_come_after_it(tmp_path: Path) -> None:
    contents = [tmp_path / f"{name}.png" for name in ("a1", "b1", "a2", "broken", "a3")]
    sizes = {"a": (8, 8), "b": (16, 8)}
    style = tmp_path / "style.png"

    def planned(contents: list[Path], before: Batch | None = None, largest: int = 2) -> Batch:
        pairs = pair_up(contents, [style], "each")
        return plan(
            pairs,
            [None] * len(pairs),
            lambda path: sizes.get(path.stem[0]) if path.stem[1] != "r" else None,
            {},
            seed=3,
            largest=largest,
            threads=2,
            before=before,
        )

    first = planned(contents)
    assert [[job.content.stem for job in group.jobs] for group in first.groups] == [
        ["a1", "a2"],
        ["a3"],
        ["b1"],
        ["broken"],
    ]
    again = planned([tmp_path / "a0.png", *contents], first, largest=1)
    assert again.groups[:4] == first.groups and again.threads == 2
    assert [job.content.stem for job in again.groups[4].jobs] == ["a0"] and again.groups[4].jobs[0].index == 5
    assert first.jobs[0].seed == job_seed(3, contents[0], [style]) != job_seed(4, contents[0], [style])
    assert first.jobs[0].seed != first.jobs[1].seed
    Manifest(tmp_path).begin(first)
    assert Manifest(tmp_path).plan() == first


@pytest.mark.parametrize("count", [1, 3])
def test_one_worker_and_several_do_the_same_and_a_failing_group_stops_nobody(tmp_path: Path, count: int) -> None:
    contents = files(tmp_path / "in", *(f"c{k}.png" for k in range(6)), "bad.png")
    batch, said = batch_of(contents, tmp_path / "out"), []
    crew = Processes(count) if count > 1 else None
    report = run_batch(batch, Copier, Manifest(tmp_path / "out"), crew=crew, progress=lambda *a: said.append(a))
    assert results(tmp_path / "out") == {
        f"c{k}.txt": f"c{k}.png{job_seed(7, contents[k], [contents[0]])}".encode() for k in range(6)
    }
    assert [outcome.index for outcome in report.outcomes] == list(range(7)) and report.done_now == 7
    assert [o.error for o in report.failed] == ["ZeroDivisionError: no such number"]
    assert said[-1][0] == 1.0 and "7 of 7" in said[-1][1] and "1 failed" in said[-1][1]
    rows = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert [row["index"] for row in rows[1:]] == list(range(7)) and sum(
        row["error"] is not None for row in rows[1:]
    ) == 1


def test_a_process_that_dies_loses_its_group_once_and_twice_gives_it_up(tmp_path: Path) -> None:
    contents = files(tmp_path / "in", "c0.png", "die.png", "c1.png", "c2.png")
    batch = batch_of(contents, tmp_path / "out", largest=1)
    report = run_batch(batch, partial(Copier, tmp_path / "died"), Manifest(tmp_path / "out"), crew=Processes(2))
    assert not report.failed and len(results(tmp_path / "out")) == 4
    batch = batch_of(contents, tmp_path / "again", largest=1)
    report = run_batch(batch, Copier, Manifest(tmp_path / "again"), crew=Processes(2))
    assert len(results(tmp_path / "again")) == 3
    assert [o.error for o in report.failed] == ["2 processes ended while they were at it (exit code 3)."]


@pytest.mark.parametrize("crew", [None, Processes(2)])
def test_a_worker_that_cannot_be_made_is_said_at_once(tmp_path: Path, crew: Processes | None) -> None:
    batch = batch_of(files(tmp_path / "in", "a.png", "b.png"), tmp_path / "out", largest=1)
    with pytest.raises(UserError, match="There is no model"):
        run_batch(batch, refuse, Manifest(tmp_path / "out"), crew=crew)


def test_what_is_done_is_skipped_and_what_changed_is_done_again_with_its_group(tmp_path: Path) -> None:
    contents = files(tmp_path / "in", *(f"c{k}.png" for k in range(6)))
    batch, record = batch_of(contents, tmp_path / "out"), Manifest(tmp_path / "out")
    run_batch(batch, Copier, record)
    whole = results(tmp_path / "out")
    assert run_batch(batch, Copier, record).done_now == 0
    (tmp_path / "out" / "c0.txt").unlink()  # with it, its group
    assert run_batch(batch, Copier, record).done_now == 2
    contents[3].write_text("other")
    assert run_batch(batch, Copier, record).done_now == 2
    assert results(tmp_path / "out")["c3.txt"] != whole["c3.txt"]
    contents[3].write_text("c3.png")
    lines = record.path.read_bytes().split(b"\n")
    record.path.write_bytes(b"\n".join(lines[:3]) + b"\n" + lines[3][:40])  # as a kill leaves it
    assert run_batch(batch, Copier, record).done_now == 4
    assert results(tmp_path / "out") == whole


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"index": 1}\n')
    with pytest.raises(UserError, match="no record of a batch"):
        Manifest(tmp_path).plan()
