"""The verbs `caption` and `strip` as a person meets them, and the one feeding the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.pictures import png_bytes

from support.cli import swf, swf_process


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{k}.png" for k in range(2)]
    for path, pair in zip(paths, make_pairs(2, 12_345_900)):
        path.write_bytes(png_bytes(pair.truth))
    return paths


def test_captions_come_as_json_lines_and_strip_takes_them(pictures):
    result = swf_process("caption", *pictures, "--samples", 2)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(p) for p in pictures]
    assert all(line["ranked"] and line["candidates"][0]["caption"] == line["caption"] for line in lines)

    stripped = swf("strip", stdin="\n".join(line["caption"] for line in lines))
    assert stripped.returncode == 0, stripped.stderr
    for line, before in zip(map(json.loads, stripped.stdout.splitlines()), lines, strict=True):
        assert line["caption"] == before["caption"] and line["method"] == "offline"
        assert 0 < len(line["stripped"]) < len(line["caption"]) and line["removed"]


def test_json_is_one_object_and_a_note_says_that_no_clip_ranked(pictures):
    result = swf("caption", pictures[0], "--clip", "none", "--samples", 0, "--json")
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["verb"] == "caption" and not report["captions"][0]["ranked"] and "note" in report["captions"][0]
    report = json.loads(swf("strip", "--json", stdin="一幅水墨画，一位老人\na woodcut of a fox\n").stdout)
    assert [c["stripped"] for c in report["captions"]] == ["一位老人", "a fox"] and report["fallbacks"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["caption", "none.png"], "The picture 'none.png' does not exist."),
        (["strip", "none.txt"], "The captions 'none.txt' cannot be read"),
        (["strip", "--llm", "http://example.org/v1"], "captions would leave it"),
        (["strip", "--llm", "none"], "'none'"),
    ],
)
def test_errors_are_one_sentence(arguments, sentence):
    result = swf(*arguments)
    assert result.returncode == 2 and sentence in result.stderr and result.stderr.count("\n") == 1 and not result.stdout
