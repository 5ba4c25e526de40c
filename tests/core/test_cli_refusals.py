"""What every verb answers at once: its help, and one sentence for arguments that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from swf_core import models

from support.cli import files_under, swf, swf_process
from support.learn_runs import begin


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
    "freedom of another preset": [
        *["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT"],
        *["--freedom", "0.5", "--preset", "styleid"],
    ],
    "second pass after words alone": [
        *["stylize", "--content", "CAT", "--style-text", "an oil painting", "--out", "OUT", "--prompt", ""],
        *["--second-pass", "5"],
    ],
    "features of no one": [
        *["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--prompt", ""],
        *["--second-pass", "5", "--features", "nowhere.pth"],
    ],
    "layout without end": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--layout-end", "0"],
    "nobody to read the pictures": [
        "stylize",
        "--content",
        "CAT",
        "--style",
        "CAT",
        "--out",
        "OUT",
        "--model",
        "FOLDER",
    ],
    "captioner that is none": [
        "stylize",
        "--content",
        "CAT",
        "--style",
        "CAT",
        "--out",
        "OUT",
        "--captioner",
        "FOLDER",
    ],
    "confidence": ["stylize", "--content", "CAT", "--style", "CAT", "--out", "OUT", "--least-confidence", "2"],
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
    "loop content": ["stylize", "--content", "LOOP", "--style", "CAT", "--out", "OUT"],
    "loop style of a run": ["train", "--style", "LOOP", "--run", "OUT"],
    "loop recolored": ["recolor", "--image", "LOOP", "--palette", "red", "--out", "OUT/a.png"],
    "loop captioned": ["caption", "LOOP"],
    "loop as out": ["sample", "--prompt", "x", "--out", "LOOP"],
    "loop as lora": ["sample", "--prompt", "x", "--out", "OUT", "--lora", "LOOP"],
    "loop as model": ["sample", "--prompt", "x", "--out", "OUT", "--model", "LOOP"],
    "loop as run": ["pick", "--run", "LOOP"],
    "pipe": ["caption", "PIPE"],
    "picture named too long": ["caption", "LONG"],
    "content named too long": ["stylize", "--content", "LONG", "--style", "CAT", "--out", "OUT"],
    "lora named too long": ["sample", "--prompt", "x", "--out", "OUT", "--lora", "LONG"],
    "model named too long": ["sample", "--prompt", "x", "--out", "OUT", "--model", "LONG"],
    "run named too long": ["pick", "--run", "LONG"],
    "new run named too long": ["train", "--run", "LONG", "--style", "CAT"],
    "captions named too long": ["strip", "LONG"],
    "out named too long": ["sample", "--prompt", "x", "--out", "LONG"],
    "out under a name too long": ["demo", "--out", "LONG/deeper"],
    "out too deep": ["sample", "--prompt", "x", "--out", "DEEP"],
    "result named too long": ["stylize", "--content", "LONGISH", "--style", "LONGISH", "--out", "OUT"],
    "recolored named too long": ["recolor", "--image", "CAT", "--palette", "red", "--out", "LONG.png"],
    "recolored into a folder": ["recolor", "--image", "CAT", "--palette", "red", "--out", "FOLDER.png"],
    "recolored with a slash": ["recolor", "--image", "CAT", "--palette", "red", "--out", "OUT/a.png/"],
    "recolored over itself": ["recolor", "--image", "CAT", "--palette", "red", "--out", "FOLDER/../cat.png"],
    "run is a file": ["train", "--run", "CAT", "--style", "CAT"],
    "run under a file": ["train", "--run", "CAT/deeper", "--style", "CAT"],
    "device meta": ["sample", "--prompt", "x", "--out", "OUT", "--device", "meta"],
    "device meta, train": ["train", "--run", "OUT", "--style", "CAT", "--caption", "a", "--device", "meta"],
    "device of no machine": ["caption", "CAT", "--device", "hpu"],
    "device that asserts": ["caption", "CAT", "--device", "mkldnn"],
    "device without a name": ["caption", "CAT", "--device", ""],
    "thin content": ["stylize", "--content", "THIN", "--style", "CAT", "--out", "OUT"],
    "thin style": ["stylize", "--content", "CAT", "--style", "THIN", "--out", "OUT"],
    "thin recolored": ["recolor", "--image", "THIN", "--prompt", "a red house", "--out", "OUT/a.png"],
    "folder without pictures": ["train", "--run", "OUT", "--style", "FOLDER"],
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
    (folder / "folder.png").mkdir()
    (folder / "loop.png").symlink_to(folder / "loop.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
    picture.save(folder / f"{'x' * 150}.png")
    picture.resize((600, 20)).save(folder / "thin.png")
    (folder / "corrupt.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{not json at all")
    names = {
        "CAT": "cat.png",
        "BROKEN": "broken.png",
        "CUT": "cut.png",
        "MOVING": "moving.gif",
        "TINY": "tiny.png",
        "FOLDER": "folder",
        "CORRUPT": "corrupt.safetensors",
        "LOOP": "loop.png",
        "PIPE": "pipe.png",
        "LONG": "x" * 300,
        "LONG.png": "x" * 300 + ".png",
        "DEEP": "/".join(["x" * 200] * 30),
        "LONGISH": "x" * 150 + ".png",
        "FOLDER.png": "folder.png",
        "THIN": "thin.png",
        "OUT": "new/out",
    }
    return {name: folder / path for name, path in names.items()}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_one_sentence(case, things):
    arguments = []
    for argument in REFUSED[case]:
        head, _, tail = argument.partition("/")
        slash = "/" if tail.endswith("/") else ""  # which a Path drops
        arguments.append(str(things[head] / tail if tail else things[head]) + slash if head in things else argument)
    before = files_under(things["CAT"].parent)
    result = (swf_process if case in IN_A_PROCESS else swf)(*arguments)
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and "Traceback" not in result.stderr, result.stderr
    assert not result.stdout
    assert files_under(things["CAT"].parent) == before


@pytest.mark.parametrize(
    "case", ["thin content", "thin style", "thin recolored", "result named too long", "loop as out"]
)
def test_what_can_be_known_is_refused_before_a_model_is_loaded(case, things, monkeypatch):
    loads = []
    monkeypatch.setattr(models, "load", lambda *_, **__: loads.append(1))
    assert swf(*(str(things.get(a, things["CAT"].parent / a)) if a.isupper() else a for a in REFUSED[case])).returncode
    assert not loads


def test_the_option_that_was_given_is_named(things, tmp_path):
    assert "--run '" in swf("train", "--run", things["CAT"], "--style", things["CAT"]).stderr
    assert "--out '" in swf("sample", "--prompt", "x", "--out", things["CAT"]).stderr


def test_a_run_that_cannot_be_written_is_one_sentence_and_can_be_listed(tmp_path, monkeypatch):
    """As on a read-only disk; where tests run as root, no permission is ever missing, so access is said to be."""
    run, _ = begin(tmp_path / "run")
    sample = {"id": "0" * 16, "file": "step_000002_00.png", "step": 2, "prompt": "x", "seed": 1, "lora": True}
    run.write_records("samples", [sample])
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    for verb in (["pick", "--run", run.folder, "--accept", "0" * 16], ["train", "--run", run.folder]):
        result = swf(*verb)
        assert result.returncode == 2 and "No permission to write" in result.stderr and "--run" in result.stderr
        assert result.stderr.count("\n") == 1
    assert "0" * 16 in swf("pick", "--run", run.folder, "--list").stdout
