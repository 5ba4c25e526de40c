"""The command line as a person meets it: exit codes, whole results, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import string
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from swf_core.pictures import load
from swf_core.presets import FINE_DETAIL

from support.cli import files_under, process_arguments, swf, swf_process


@pytest.fixture
def cat(tmp_path) -> Path:
    Image.radial_gradient("L").resize((60, 40)).convert("RGB").save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A tiny random SD1.5-shaped model in diffusers' folder layout, tokenizer and all."""
    from support.tiny_models import tiny_parts

    folder = tmp_path_factory.mktemp("models") / "tiny"
    unet, texts, _, vae, _ = tiny_parts("sd15")
    unet.save_pretrained(folder / "unet")
    texts[0].save_pretrained(folder / "text_encoder")
    vae.save_pretrained(folder / "vae")
    letters = [*string.ascii_lowercase, *(f"{letter}</w>" for letter in string.ascii_lowercase)]
    vocabulary = {letter: index for index, letter in enumerate(letters)} | {"<|startoftext|>": 62, "<|endoftext|>": 63}
    for part, content in {
        "tokenizer/vocab.json": json.dumps(vocabulary),
        "tokenizer/merges.txt": "#version: 0.2\n",
        "tokenizer/tokenizer_config.json": json.dumps(
            {
                "tokenizer_class": "CLIPTokenizer",
                "model_max_length": 8,
                "bos_token": "<|startoftext|>",
                "eos_token": "<|endoftext|>",
                "unk_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>",
            }
        ),
        "scheduler/scheduler_config.json": json.dumps({"prediction_type": "epsilon"}),
    }.items():
        (folder / part).parent.mkdir(exist_ok=True)
        (folder / part).write_text(content, encoding="utf-8")
    return folder


def test_a_result_never_overwrites_what_is_read(model, cat):
    clash = cat.with_name("cat_in_cat.png")
    Image.open(cat).save(clash)
    before = clash.read_bytes()
    result = swf(
        "stylize", "--content", cat, clash, "--style", cat, "--out", cat.parent, "--model", model, "--prompt", ""
    )
    assert result.returncode == 2 and "one of the pictures given" in result.stderr
    assert clash.read_bytes() == before


def test_stylize_end_to_end(model, cat, tmp_path):
    color = Image.linear_gradient("L").resize((50, 70)).convert("RGBA")
    color.putalpha(Image.radial_gradient("L").resize((50, 70)))
    color.save(tmp_path / "logo.png")
    arguments = [
        "stylize",
        "--content",
        cat,
        tmp_path / "logo.png",
        "--style",
        cat,
        "--model",
        model,
        "--steps",
        2,
        "--size",
        64,
        "--gamma",
        0.4,
        "--prompt",
        "",
        "--json",
    ]
    result = swf_process(*arguments, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    assert report["verb"] == "stylize" and report["cost"]["planned"] == report["cost"]["counted"] > 0
    assert report["options"]["injection"]["gamma"] == 0.4 and report["options"]["steps"] == 2
    assert files_under(tmp_path / "out") == ["cat_in_cat.png", "logo_in_cat.png"]
    first, second = Image.open(tmp_path / "out" / "cat_in_cat.png"), Image.open(tmp_path / "out" / "logo_in_cat.png")
    assert first.size == (64, 43) and first.mode == "RGB"
    assert second.size == (46, 64) and second.mode == "RGBA"
    assert "stylize: 100%" in result.stderr and "Traceback" not in result.stderr
    again = swf(*arguments, "--out", tmp_path / "again")
    assert again.returncode == 0
    for name in files_under(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_own_presets_put_fine_detail_back_and_published_ones_do_not(model, cat, tmp_path):
    arguments = ["stylize", "--content", cat, "--style", cat, "--model", model, "--steps", 2, "--size", 60]
    arguments += ["--prompt", "", "--json"]
    cases = {
        "own": ([], FINE_DETAIL),
        "off": (["--fine-detail", 0], 0),
        "published": (["--preset", "styleid"], 0),
        "asked": (["--preset", "styleid", "--fine-detail", 1], 1),
    }
    pictures = {}
    for name, (options, amount) in cases.items():
        done = swf(*arguments, *options, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["fine_detail"] == amount
        pictures[name] = (tmp_path / name / "cat_in_cat.png").read_bytes()
    assert len(set(pictures.values())) == len(cases)


def test_sample_end_to_end(model, cat, tmp_path):
    result = swf(
        "sample",
        "--prompt",
        "a cat",
        "--count",
        2,
        "--steps",
        2,
        "--size",
        64,
        "--model",
        model,
        "--out",
        tmp_path / "plain",
        "--seed",
        7,
    )
    assert result.returncode == 0, result.stderr
    names = ["sample_7_000.png", "sample_7_001.png"]
    assert files_under(tmp_path / "plain") == names
    assert [Path(line).name for line in result.stdout.splitlines()] == names
    styled = swf(
        "sample",
        "--prompt",
        "a cat",
        "--style",
        cat,
        "--count",
        2,
        "--steps",
        2,
        "--size",
        64,
        "--json",
        "--model",
        model,
        "--out",
        tmp_path / "styled",
        "--seed",
        7,
    )
    assert styled.returncode == 0, styled.stderr
    assert json.loads(styled.stdout.splitlines()[-1])["preset"] == "wallfacer"
    pixels = [(tmp_path / place / name).read_bytes() for place in ("plain", "styled") for name in names]
    assert len(set(pixels)) == 4


def test_a_full_disk_leaves_nothing(model, cat, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs")
    try:
        result = swf(
            "sample",
            "--prompt",
            "x",
            "--count",
            2,
            "--steps",
            1,
            "--size",
            128,
            "--model",
            model,
            "--out",
            folder / "out",
        )
        assert result.returncode == 2 and "disk is full" in result.stderr
        assert len([line for line in result.stderr.splitlines() if line.startswith("sample: The disk")]) == 1
        assert files_under(folder) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_ctrl_c_ends_cleanly(model, cat, tmp_path):
    sizes = ("--count", 900, "--steps", 900, "--size", 256)
    process = subprocess.Popen(
        **process_arguments("sample", "--prompt", "x", *sizes, "--model", model, "--out", tmp_path / "out"),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # a test run started in the background hands on an ignored SIGINT
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    head = b""
    while b"sample:" not in head:  # the bar shows: the model is loaded and sampling runs
        part = os.read(process.stderr.fileno(), 4096)
        assert part, head
        head += part
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and not out
    assert error.decode().strip().splitlines()[-1].endswith("sample: stopped.") and b"Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_bars_follow_the_core(capsys):
    from swf_core.cli.progress import Bars

    bars = Bars()
    progress = bars("work")
    for value in (0.0, 0.4, 1.0):
        progress(value, torch.zeros(1))
    bars("other")(0.5, "loss 0.25")
    bars.close()
    captured = capsys.readouterr()
    assert "work" in captured.err and "100%" in captured.err and not captured.out
    assert "loss 0.25" in captured.err


def test_reports_become_plain_json():
    import numpy as np

    from swf_core.cli import _plain

    report = {"a": np.float32(0.5), "b": torch.tensor(2), "c": float("inf"), "d": Path("x"), "e": [np.bool_(True)]}
    assert json.loads(json.dumps(_plain(report), allow_nan=False)) == {
        "a": 0.5,
        "b": 2,
        "c": "inf",
        "d": "x",
        "e": [True],
    }


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_paints_nearly_the_same(model, cat, tmp_path, precision):
    def painted(name: str, *more: str) -> torch.Tensor:
        out = tmp_path / name
        command = ["--content", cat, "--style", cat, "--out", out, "--model", model, "--prompt", "", "--steps", 2]
        result = swf("stylize", *command, "--size", 64, *more)
        assert result.returncode == 0, result.stderr
        return load(out / "cat_in_cat.png").pixels

    full, half = painted("full"), painted("half", "--precision", precision)
    assert 0 < float((full - half).abs().max()) < 0.15
    assert float((full - half).abs().mean()) < 0.02
