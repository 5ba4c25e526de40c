"""What every verb answers at once: its help, and one sentence for arguments that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from support.cli import files_under, swf, swf_process


@pytest.mark.parametrize(
    "verb", [[], ["demo"], ["stylize"], ["sample"], ["caption"], ["strip"], ["train"], ["pick"], ["recolor"], ["mini"]]
)
def test_help_is_instant(verb):
    started = processor_seconds()
    result = swf_process(*verb, "--help")
    assert result.returncode == 0 and "usage:" in result.stdout and not result.stderr
    assert processor_seconds() - started < 0.5


def processor_seconds() -> float:
    """Return what finished child processes have used; unlike the clock it does not mind a busy machine."""
    times = os.times()
    return times.children_user + times.children_system


REFUSED = {
    "no verb": [],
    "unknown verb": ["paint"],
    "no content": ["stylize", "--style", "CAT", "--out", "OUT"],
    "no style": ["stylize", "--content", "CAT", "--out", "OUT"],
    "missing content": ["stylize", "--content", "nowhere.png", "--style", "CAT", "--out", "OUT"],
    "missing style": ["stylize", "--content", "CAT", "--style", "nowhere.png", "--out", "OUT"],
    "folder for a picture": ["stylize", "--content", "FOLDER", "--style", "CAT", "--out", "OUT"],
    "broken picture": ["stylize", "--content", "CAT", "BROKEN", "--style", "CAT", "--out", "OUT"],
    "cut picture": ["stylize", "--content", "CAT", "CUT", "--style", "CAT", "--out", "OUT"],
    "animated picture": ["stylize", "--content", "MOVING", "--style", "CAT", "--out", "OUT"],
    "tiny picture": ["stylize", "--content", "TINY", "--style", "CAT", "--out", "OUT"],
    "gamma too high": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--gamma", "1.01"],
    "gamma negative": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--gamma", "-0.1"],
    "gamma nan": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--gamma", "nan"],
    "gamma a word": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--gamma", "much"],
    "tau zero": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--tau", "0"],
    "strength": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--strength", "2"],
    "steps zero": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--steps", "0"],
    "steps half": ["sample", "--prompt", "x", "--out", "OUT", "--steps", "1.5"],
    "unknown preset": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--preset", "magic"],
    "unknown option": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--gama", "0.5"],
    "weights": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--style-weight", "1", "2"],
    "weights of nothing": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--style-weight", "0"],
    "size": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--size", "4"],
    "seed": ["sample", "--prompt", "x", "--out", "OUT", "--seed", "-1"],
    "missing model": ["sample", "--prompt", "x", "--out", "OUT", "--model", "nowhere"],
    "empty model folder": ["sample", "--prompt", "x", "--out", "OUT", "--model", "FOLDER"],
    "corrupt model file": ["sample", "--prompt", "x", "--out", "OUT", "--model", "CORRUPT"],
    "missing lora": ["sample", "--prompt", "x", "--out", "OUT", "--lora", "nowhere.safetensors"],
    "device": ["sample", "--prompt", "x", "--out", "OUT", "--device", "abacus"],
    "dial without style": ["sample", "--prompt", "x", "--out", "OUT", "--tau", "2"],
    "out is a file": ["sample", "--prompt", "x", "--out", "CAT"],
    "out under a file": ["demo", "--out", "CAT/deeper"],
    "build into a file": ["mini", "build", "--out", "CAT"],
}


IN_A_PROCESS = ("no verb", "missing content", "gamma nan", "corrupt model file", "out is a file")  # one of each kind


@pytest.fixture(scope="module")
def things(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("things")
    picture = Image.radial_gradient("L").resize((60, 40)).convert("RGB")
    picture.save(folder / "cat.png")
    (folder / "broken.png").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "cat.png").read_bytes()[:-300])
    picture.save(folder / "moving.gif", save_all=True, append_images=[picture.rotate(90)])
    picture.resize((7, 7)).save(folder / "tiny.png")
    (folder / "folder").mkdir()
    (folder / "corrupt.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{not json at all")
    names = {
        "CAT": "cat.png",
        "BROKEN": "broken.png",
        "CUT": "cut.png",
        "MOVING": "moving.gif",
        "TINY": "tiny.png",
        "FOLDER": "folder",
        "CORRUPT": "corrupt.safetensors",
        "OUT": "new/out",
    }
    return {name: folder / path for name, path in names.items()}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_one_sentence(case, things):
    arguments = []
    for argument in REFUSED[case]:
        head, _, tail = argument.partition("/")
        arguments.append(str(things[head] / tail if tail else things[head]) if head in things else argument)
    before = files_under(things["CAT"].parent)
    result = (swf_process if case in IN_A_PROCESS else swf)(*arguments)
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and "Traceback" not in result.stderr, result.stderr
    assert not result.stdout
    assert files_under(things["CAT"].parent) == before
