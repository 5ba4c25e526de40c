"""What a run's folder may say: the product's own names alone, JSON of the right shape, and records made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from swf_core.errors import UserError
from swf_core.json_shape import first_fault, parse_json
from swf_core.learn import picks, run_files
from swf_core.learn.checkpoint import saved_losses
from swf_core.learn.fork import RunAt, fork, resume
from swf_core.learn.run import open_run
from swf_core.learn.run_summary import picture_file, run_summary
from swf_core.learn.samples import read_samples
from swf_core.learn.train import train
from swf_core.pictures import save

from support.cli import swf
from support.learn_runs import QUICK, begin, same, weights
from support.tiny_models import fresh_backend, picture

SHORT = QUICK.changed(steps=4, sample_every=2, sample_steps=1, save_every=2)
ODD = (None, 3, -1, 2.5, True, "x", "../x", "", [], [3], {}, {"x": 3}, 1e400, "\ud800")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run, backend = begin(tmp_path_factory.mktemp("runs") / "style", SHORT)
    train(run, backend)
    ids = [r["id"] for r in run.records("samples") if r["lora"]]
    picks.set_verdict(run.folder, accept=ids[:1], reject=ids[1:2])
    picks.set_caption(run.folder, ids[0], "a cat")
    return run.folder


@pytest.fixture
def folder(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def change(folder: Path, name: str, **values) -> None:
    """Change the first record of a JSON file of a run."""
    content = json.loads((folder / name).read_text())
    record = content[0] if isinstance(content, list) else content
    record.update(values)
    (folder / name).write_text(json.dumps(content))


def train_on(folder: Path, steps: int = 2):
    backend = fresh_backend("sd15")
    run = open_run(folder, backend)
    run.add_round(steps, picks.accepted_captions(folder))
    run.save()
    train(run, backend)
    return run


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd", "step_000002_00.png/../../x.png", "x.png", ""])
def test_a_sample_named_by_somebody_else_never_leads_out_of_the_folder(folder, tmp_path, name):
    save(tmp_path / "secret.png", picture(7, 64, 64))
    record = run_files.read_samples(folder)[0]
    change(folder, "samples.json", file=name)
    inside = folder / "samples" / record["file"]
    assert picture_file(folder, record["id"]) == inside  # from the pictures themselves, not from that name
    assert len(read_samples(open_run(folder), record["step"])) == 2
    with pytest.raises(UserError, match="which no run has"):
        run_files.sample_path(folder, {"file": name})


def test_a_picture_of_the_data_set_named_by_somebody_else_is_refused(folder, tmp_path):
    save(tmp_path / "secret.png", picture(7, 64, 64))
    data = json.loads((folder / "run.json").read_text())["data"]
    change(folder, "run.json", data=[data[0] | {"id": "../../secret"}])
    for read in (open_run, run_summary, lambda f: picture_file(f, "../../secret")):
        with pytest.raises(UserError, match=r'data\[0\].id is "../../secret" and must be'):
            read(folder)
    with pytest.raises(UserError, match="which no run has"):
        run_files.original_path(folder, "../../secret")


@pytest.mark.parametrize("part", ["samples", "data"])
def test_a_link_that_leads_out_of_the_folder_is_refused(folder, tmp_path, part):
    file = next((folder / part).glob("*.png"))
    shutil.move(file, tmp_path / "outside.png")
    file.symlink_to(tmp_path / "outside.png")
    name = next((r["id"] for r in run_files.read_samples(folder) if r["file"] == file.name), file.stem)
    with pytest.raises(UserError, match="leads out of the run's folder"):
        picture_file(folder, name)
    (tmp_path / "linked").symlink_to(folder)  # the whole folder behind a link is a person's own affair
    other = next(r["id"] for r in run_files.read_samples(folder) if r["file"] != file.name)
    assert picture_file(tmp_path / "linked", other).exists()


def test_the_files_that_runs_have_are_those_that_are_accepted(folder):
    assert all(run_files.SAMPLE_FILE.fullmatch(p.name) for p in (folder / "samples").iterdir())
    assert all(run_files.PICTURE_ID.fullmatch(p.stem) for p in (folder / "data").iterdir())
    (folder / "loras" / "step_best.safetensors").write_bytes(b"")  # somebody's own
    assert open_run(folder).saved_steps() == [2, 4]
    assert run_files.SAMPLE_FILE.fullmatch("step_1000100_100.png")  # a run of a million steps and a hundred prompts


def places(value, path=()):
    """All places of a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("name", ["run", "samples", "signals", "picks"])
def test_json_of_a_wrong_shape_is_one_sentence_or_made_again(folder, name):
    """Every value of every file, replaced by every odd one: a summary, or a sentence that names the file."""
    file = folder / f"{name}.json"
    content, refused = json.loads(file.read_text()), 0
    content = content[:2] if isinstance(content, list) else content
    for place in places(content):
        for odd in ODD:
            if any(key == "options" for key in place) and name == "run":
                continue  # the test below
            file.write_text(json.dumps(replaced(content, place, odd)))
            for read in (run_summary, open_run, picks.accepted_captions):
                try:
                    read(folder)
                except UserError as error:
                    refused += 1
                    names_it = f"{name}.json" in str(error) or (place == ("format",) and "later" in str(error))
                    assert "\n" not in str(error) and names_it, (place, odd, str(error))
                    assert name in ("run", "picks"), (place, odd, str(error))
    assert refused > 50 if name in ("run", "picks") else refused == 0


def test_options_of_wrong_types_are_one_sentence(folder):
    content = json.loads((folder / "run.json").read_text())
    for option in content["options"]:
        for odd in ([], {}, "x", None):
            (folder / "run.json").write_text(json.dumps(replaced(content, ("options", option), odd)))
            with pytest.raises(UserError, match=option):
                open_run(folder)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 10_000, '"\\ud800"', "\xff"])
@pytest.mark.parametrize("name", ["run", "picks"])
def test_what_is_no_json_is_one_sentence_at_the_verbs(folder, name, text):
    (folder / f"{name}.json").write_bytes(text.encode("latin-1"))
    for verb in (["pick", "--run", folder], ["train", "--run", folder]):
        result = swf(*verb) if name == "run" or verb[0] == "pick" else None
        if result:
            assert result.returncode == 2 and result.stderr.count("\n") == 1 and f"{name}.json" in result.stderr


@pytest.mark.parametrize("broken", ["", "[{}]", '[{"step": NaN}]'])
def test_broken_samples_and_signals_do_not_stop_a_training_and_are_made_again(trained, folder, broken):
    before = {name: (folder / name).read_text() for name in ("samples.json", "signals.json")}
    for name in before:
        (folder / name).write_text(broken)
    assert "measured again" in run_summary(folder)["advice"]
    assert swf("pick", "--run", folder).returncode == 0
    run = train_on(folder)
    samples = [r for r in run.records("samples") if r["step"] <= 4]
    assert samples == json.loads(before["samples.json"])
    signals = {s["step"]: s for s in run.records("signals")}
    assert sorted(signals) == [0, 2, 4, 6]
    for old in json.loads(before["signals.json"]):
        again = signals[old["step"]]
        assert again["copying"] == pytest.approx(old["copying"], abs=0.01)  # from pictures of 8 bits
        assert again["diversity"] == pytest.approx(old["diversity"], abs=0.01)
        assert again["validation"] == pytest.approx(old["validation"], rel=1e-2)
        assert again["norm"] == pytest.approx(old["norm"], rel=1e-2)
    if broken == "":  # what is learnt does not depend on them
        shutil.copytree(trained, folder.parent / "other")
        train_on(folder.parent / "other")
        assert same(weights(folder), weights(folder.parent / "other"))


def test_a_copy_of_a_run_with_broken_signals_measures_them_again_too(folder):
    (folder / "signals.json").write_text("[{}]")
    run = open_run(folder)
    fork(run, 4, folder.parent / "copy")
    assert run_files.readable(folder.parent / "copy", "signals") is None
    assert (folder.parent / "copy" / "signals.json").exists()
    assert run_files.read_samples(folder.parent / "copy") == run.records("samples")
    (folder.parent / "taken").mkdir()
    (folder.parent / "taken" / "mine").write_text("x")
    with pytest.raises(UserError):  # somebody was quicker with that name
        fork(run, 4, folder.parent / "taken")
    assert not list(folder.parent.glob(".fork.*"))


def test_losses_are_those_of_the_table_and_need_no_table(folder):
    table = [row.split(",")[1] for row in (folder / "loss.csv").read_text().splitlines()[1:]]
    (folder / "loss.csv").write_text("step;loss")  # opened and saved by a spreadsheet
    assert [f"{loss:.6f}" for loss in saved_losses(folder)] == table and len(table) == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "no tensors", "nan"])
def test_nothing_to_do_replaces_no_good_lora_by_a_damaged_one(folder, damage):
    good = (folder / "lora.safetensors").read_bytes()
    before = weights(folder)

    def spoil(step: int) -> None:
        path = folder / "loras" / f"step_{step:06d}.safetensors"
        if damage == "nan":
            save_file({k: torch.full_like(v, float("nan")) for k, v in load_file(path).items()}, path)
        elif damage == "no tensors":
            save_file({}, path)
        else:
            path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-40])

    spoil(4)
    backend = fresh_backend("sd15")
    assert train(open_run(folder, backend), backend).step == 4  # the state's own step is written again
    assert same(weights(folder), before)
    spoil(2)
    change(folder, "run.json", chosen=2)
    (folder / "lora.safetensors").write_bytes(good)
    backend = fresh_backend("sd15")
    with pytest.raises(UserError, match=r"step_000002\.safetensors"):
        train(open_run(folder, backend), backend)
    assert (folder / "lora.safetensors").read_bytes() == good


def test_a_damaged_training_state_is_one_sentence(folder):
    state = folder / "state.safetensors"
    whole, tensors = state.read_bytes(), load_file(state)
    names = list(tensors)
    for spoilt in (
        b"",
        whole[:-8],
        {k: v for k, v in tensors.items() if k != "losses"},
        {k: v for k, v in tensors.items() if k != names[0]},
        tensors | {"losses": torch.zeros(9)},
        tensors | {names[0]: torch.zeros(3)},
    ):
        if isinstance(spoilt, bytes):
            state.write_bytes(spoilt)
        else:
            save_file(spoilt, state, {"step": "4"})
        backend = fresh_backend("sd15")
        with pytest.raises(UserError, match="training state .* is damaged"):
            train(open_run(folder, backend), backend)
    (folder / "states" / "step_000004.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="is damaged"):
        resume(RunAt(folder, 4), fresh_backend("sd15"), 2)  # plans a round of the run itself
        resume(RunAt(folder, 4), fresh_backend("sd15"), 3)  # begins a copy, from the kept state


def test_a_shape_names_the_first_fault():
    shape = {"a": [{"n": int, "t?": str}], "m?": (str, None)}
    assert first_fault({"a": [], "m": None, "more": 1}, shape) == ""
    assert first_fault({"a": [{"n": 1}, {"n": True}]}, shape) == "a[1].n is true and must be a whole number"
    assert first_fault({"a": [{}]}, shape) == "a[0] lacks 'n'"
    assert first_fault({"a": [], "m": 3}, shape) == "m is 3 and must be a text or null"
    with pytest.raises(UserError, match="the file is damaged: it is a list of 0 and must be an object; copy it"):
        parse_json("[]", shape, "the file", "copy it")
