"""300 cases of the fuzzer (tests/support/fuzz; `make fuzz` runs 10,000): whatever is read, a result or one sentence."""

from __future__ import annotations

import itertools
from random import Random

from support.fuzz.kinds import SHARES
from support.fuzz.mutations import LONGEST, mutate_bytes, mutate_json, mutate_text
from support.fuzz.runner import Worker, run

NO_HOST = [kind for kind in SHARES if kind != "workflow"]


def test_every_kind_of_input_ends_in_a_result_or_in_one_sentence():
    counts, faults = run(300, seed=7, kinds=NO_HOST)
    assert not faults
    assert set(counts) == set(NO_HOST) and sum(counter.total() for counter in counts.values()) >= 295
    both = [kind for kind in NO_HOST if counts[kind]["result"] and counts[kind]["one sentence"]]
    assert len(both) >= 6, "the mutations are too mild or too wild to tell anything"


def test_a_case_is_the_same_for_the_same_seed_and_bounded():
    data, value = bytes(range(256)) * 8, {"a": [1, 2, {"b": "c"}], "d": None}
    for mutate, given in ((mutate_bytes, data), (mutate_text, "a red house"), (mutate_json, value)):
        made = [[repr(mutate(given, Random(seed))) for seed in range(50)] for _ in range(2)]
        assert made[0] == made[1] and len(set(made[0])) > 20
    assert len(mutate_bytes(b"a" * 2 * LONGEST, Random(1))) <= LONGEST


def test_hangs_crashes_memory_and_tracebacks_are_seen(monkeypatch):
    monkeypatch.setattr("support.fuzz.runner.SECONDS", 10.0)
    worker = Worker(["self test"])
    seeds = [next(s for s in itertools.count() if Random(s).randrange(6) == kind) for kind in range(6)]
    seen = [worker.case("self test", seed)[0] for seed in seeds]
    worker.end()
    assert seen == ["result", "one sentence", "traceback", "hang", "crash", "memory"]
