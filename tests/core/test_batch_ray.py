"""Batches on a real Ray cluster of two nodes: the same bytes, deaths, machines that see no files, and no room.

Ray is no part of the test environment (79 MB): these are slow tests, which `make test-ray` runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from swf_core.batch import Manifest, run_batch
from swf_core.batch.ray_crew import RayCrew
from swf_core.errors import UserError

from support.batches import Copier, batch_of, files, refuse, results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    import ray
    from ray.cluster_utils import Cluster

    # Where workers find `support`; the environment of a cluster's nodes is its starter's.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()
    monkeypatch.undo()


@pytest.mark.parametrize("ships", [None, True])
def test_actors_do_what_one_process_does(tmp_path: Path, cluster: str, ships: bool | None) -> None:
    contents = files(tmp_path / "in", *(f"c{k}.png" for k in range(6)), "bad.png")
    run_batch(batch_of(contents, tmp_path / "alone"), Copier, Manifest(tmp_path / "alone"))
    batch = batch_of(contents, tmp_path / "out")
    report = run_batch(batch, Copier, Manifest(tmp_path / "out"), crew=RayCrew(cluster, 3, ships))
    assert results(tmp_path / "out") == results(tmp_path / "alone") and len(results(tmp_path / "out")) == 6
    assert [o.content for o in report.failed] == [str(contents[6])]
    assert [o.error for o in report.failed] == ["ZeroDivisionError: no such number"]
    assert run_batch(batch, Copier, Manifest(tmp_path / "out"), crew=RayCrew(cluster)).done_now == 1


def test_an_actor_that_dies_loses_its_group_once_and_twice_gives_it_up(tmp_path: Path, cluster: str) -> None:
    contents = files(tmp_path / "in", "c0.png", "die.png", "c1.png", "c2.png")
    batch = batch_of(contents, tmp_path / "out", largest=1)
    make_worker = partial(Copier, tmp_path / "died")
    report = run_batch(batch, make_worker, Manifest(tmp_path / "out"), crew=RayCrew(cluster, 2))
    assert not report.failed and len(results(tmp_path / "out")) == 4
    batch = batch_of(contents, tmp_path / "again", largest=1)
    report = run_batch(batch, Copier, Manifest(tmp_path / "again"), crew=RayCrew(cluster, 2))
    assert len(results(tmp_path / "again")) == 3 and len(report.failed) == 1
    assert "2 workers were lost" in str(report.failed[0].error)


def test_what_cannot_begin_is_one_sentence(tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(files(tmp_path / "in", "a.png", "b.png"), tmp_path / "out", largest=1)
    with pytest.raises(UserError, match="There is no model"):
        run_batch(batch, refuse, Manifest(tmp_path / "out"), crew=RayCrew(cluster, 2))
    monkeypatch.setattr("swf_core.batch.ray_crew.PLACED_WITHIN_S", 3.0)
    wide = batch_of(files(tmp_path / "in", "a.png"), tmp_path / "wide")
    wide = type(wide)(wide.groups, wide.settings, threads=64)
    with pytest.raises(UserError, match="has room"):
        run_batch(wide, Copier, Manifest(tmp_path / "wide"), crew=RayCrew(cluster))
