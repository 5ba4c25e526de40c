"""The options that transformers brought, as they are typed: what they set, and what is refused."""

from __future__ import annotations

import argparse
import json

import pytest

from swf_core.cli import flow_arguments
from swf_core.cli.flow_arguments import flow_values
from swf_core.pictures import png_bytes
from swf_core.transfer import TransferOptions
from swf_core.transfer.content_controller import FADES, Controller
from swf_core.transfer.injection import KV_MODES
from swf_core.transfer.options import SOLVERS
from swf_core.transfer.rope import POSITIONS, Untwist
from swf_core.transfer.start_latent import STARTS
from swf_core.transfer.trajectory import ENCODINGS

from support.cli import swf
from support.tiny_models import picture


@pytest.fixture
def base(tmp_path):
    (tmp_path / "a.png").write_bytes(png_bytes(picture(1, 64, 64)))
    pictures = ["--content", tmp_path / "a.png", "--style", tmp_path / "a.png", "--out", tmp_path / "out"]
    return ["stylize", *pictures, "--prompt", "", "--steps", 3, "--json"]


def options_of(*arguments):
    done = swf(*arguments)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    return report["options"], report["cost"]


def test_the_names_are_the_transfers():
    assert (flow_arguments.KV, flow_arguments.POSITIONS) == (KV_MODES, POSITIONS)
    assert (flow_arguments.ENCODINGS, flow_arguments.STARTS) == (ENCODINGS, STARTS)
    assert flow_arguments.FADES == FADES and set(flow_arguments.SOLVERS) < set(SOLVERS)


def test_what_is_typed_is_what_runs(base):
    found, cost = options_of(
        *base, "--kv", "scatter_sort", "--positions", "shift", "--untwist", "0-1,1,4", "--encoding", "fireflow"
    )
    assert (found["injection"]["kv"], found["positions"], found["solver"]) == ("scatter_sort", "shift", "fireflow")
    assert found["content_encoding"] == found["style_encoding"] == "fireflow"
    assert found["untwist"] == {"high": [0.0, 1.0], "low": [1.0, 1.0], "beta": 4.0, "flat_first": True}
    assert cost["counted"] == cost["planned"]
    found, _ = options_of(*base, "--rf-eta", "0.8", "--rf-window", 0, 0.5, "--rf-fade", "falling")
    assert found["controller"] == {"eta": 0.8, "start": 0.0, "end": 0.5, "fade": "falling"}
    found, cost = options_of(
        *base, "--freedom", 0.5, "--start", "flowedit", "--edit-average", 2, "--source-cfg", 1.5, "--cfg", 2
    )
    assert (found["start"], found["edit_average"], found["source_cfg"]) == ("flowedit", 2, 1.5)
    assert found["renoise"] == 0.0 and cost["counted"] == cost["planned"]


def test_an_encoding_brings_its_solver_and_keeps_the_presets_first_axis():
    def values(**given):
        return flow_values(TransferOptions(untwist=Untwist(flat_first=False)), argparse.Namespace(**given))

    assert values() == {}
    assert values(encoding="fixed_point")["solver"] == values(encoding="ddim")["solver"] == "euler"
    assert values(encoding="bdia")["solver"] == "bdia"
    assert values(encoding="midpoint", solver="euler")["solver"] == "euler"
    assert values(untwist="1,2")["untwist"] == Untwist((1.0, 1.0), (2.0, 2.0), flat_first=False)
    assert values(rf_eta=0.5)["controller"] == Controller(0.5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--positions", "left"], "invalid choice: 'left'"),
        (["--untwist", "much"], "untwist is 'much'; give gains of the fast and of the slow pairs"),
        (["--rf-eta", "2"], "2 is out of range; it must be between 0 and 1"),
        (["--rf-eta", "1", "--rf-window", "0.5", "0.2"], "give 0 <= start < end <= 1"),
        (["--start", "flowedit", "--renoise", "0.5"], "start 'flowedit' has no noisy latent"),
        (["--start", "flowedit", "--encoding", "bdia"], "start 'flowedit' goes with solver euler"),
        (["--few-steps", "lcm", "--encoding", "fireflow"], "drop --encoding and --solver"),
    ],
)
def test_refused_with_one_sentence(base, arguments, sentence):
    result = swf(*base, *arguments)
    assert result.returncode == 2 and len(result.stderr.strip().splitlines()) == 1
    assert sentence in result.stderr
