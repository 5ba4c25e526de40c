"""The doors of the house: README's first screen, its Python example as printed, and commands that exist."""

from __future__ import annotations

import re
import shlex

import pytest
from PIL import Image

from support.host_record import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIGURES = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
FIRST_SCREEN = 30  # lines


def blocks(language: str = "") -> list[str]:
    """The fenced blocks of README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """What the text says to type after `python -m swf_core`."""
    lines = [re.sub(r"\s# .*", "", line) for line in text.splitlines()]
    return [match.strip() for match in re.findall(r"python -m swf_core ([^`|\n]+)", "\n".join(lines))]


def test_the_first_screen_says_what_it_is_and_the_two_commands_before_any_figure():
    screen = "\n".join(README.splitlines()[:FIRST_SCREEN])
    assert screen.index("![") < screen.index("StyleWallfacer teaches") < screen.index("make demo")
    assert screen.index("make demo") < screen.index("make test") < screen.index("No picking")
    assert "%" not in screen


def test_e_is_defined_before_it_is_used():
    assert README.index("one E is one evaluation") < README.index("149 E")


def test_the_python_example_runs_as_printed(tmp_path, monkeypatch):
    (example,) = blocks("python")
    gradient = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
    gradient.save(tmp_path / "photo.jpg")
    gradient.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "painting.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    with Image.open(tmp_path / "repainted.png") as repainted:
        assert repainted.width / repainted.height == pytest.approx(48 / 32, rel=0.05)


@pytest.mark.parametrize("command", sorted({*commands(README), *commands(FIGURES)}))
def test_every_command_that_is_printed_is_taken(command):
    from swf_core.cli import parser

    words = [word for word in shlex.split(command) if word != "..."]
    if "build" not in words or "--out" in words:  # the bare name of `mini build` stands in a table
        parser().parse_args(words)


def test_every_bench_that_the_figures_name_is_there():
    from swf_core.measure.benches import BENCHES

    named = set(re.findall(r"`bench ([a-z-]+)", README + FIGURES))
    assert named and named <= set(BENCHES)


@pytest.mark.parametrize("page", ["README.md", "docs/design.md", "docs/figures.md", "docs/world.md"])
def test_every_file_that_a_page_links_or_names_is_there(page):
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(((?!https?://|#)[^)#]+)", text):
        assert (path.parent / target.replace("%20", " ")).exists(), target
    for name in re.findall(r"`((?:swf_core|nodes|web|tests|docs|workflows|making)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name
