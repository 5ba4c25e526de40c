"""The training nodes and the command line begin with the same options, and the learning rate is a word."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from making.schemas import node_schemas, stand_ins
from swf_core.cli import parser
from swf_core.cli import train as train_verb
from swf_core.learn import run as run_module
from swf_core.learn.options import TrainOptions, defaults

FAMILIES = ("mini", "SD1.x", "SD2.x", "SDXL")
SCHEMAS = node_schemas()


def widgets(node: str) -> dict[str, Any]:
    """What the widgets of a fresh node hold."""
    inputs = [socket for socket in SCHEMAS[node].inputs if socket.is_widget]
    return {i.name: i.spec.get("default", next(iter(i.spec.get("options", ())), None)) for i in inputs}


@pytest.fixture(scope="module")
def nodes():
    """The training nodes' modules, without a host."""
    from support.pack import pack

    with stand_ins():
        names = ("nodes.lora_train", "nodes.train_on", "nodes.host.training.rate", "swf_core.errors")
        yield SimpleNamespace(**{name.rsplit(".", 1)[1]: pack(name) for name in names})


def changes(nodes: Any, **changed: Any) -> dict[str, Any]:
    """How LoRA Style Train departs from the family's options, with these widgets changed."""
    names = ("steps", "targets", "rank", "learning_rate", "sample_every", "guidance", "seed", "learning_rate_choice")
    fresh = widgets("SWF_LoraTrain")
    return nodes.lora_train.option_changes(**{name: fresh[name] for name in names} | changed)


def options_of_the_verb(monkeypatch: pytest.MonkeyPatch, family: str, *flags: str) -> TrainOptions:
    """What `train --run DIR --style IMG` begins a run with."""
    monkeypatch.setattr(run_module, "create_run", lambda _, __, options, *___: options)
    monkeypatch.setattr(train_verb, "items_of_style", lambda *_: [])
    args = parser().parse_args(["train", "--run", "run", "--style", "style.png", *flags])
    return train_verb._new_run(args, SimpleNamespace(family=family), [], [], None)  # pyright: ignore


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_node_trains_with_the_options_of_the_verb(nodes, monkeypatch, family):
    in_graph = defaults(family).changed(**changes(nodes))
    assert asdict(in_graph) == asdict(options_of_the_verb(monkeypatch, family))


def test_a_fresh_next_round_has_the_picks_share_of_the_verb():
    assert widgets("SWF_TrainOn")["picks_share"] == TrainOptions().picks_share == defaults("mini").picks_share


def test_fresh_nodes_say_the_learning_rate_in_words():
    assert widgets("SWF_LoraTrain")["learning_rate_choice"] == "family default unless set"
    assert widgets("SWF_TrainOn")["learning_rate_choice"] == "as before unless set"
    for node in ("SWF_LoraTrain", "SWF_TrainOn"):
        last = SCHEMAS[node].inputs[-1]
        assert last.name == "learning_rate_choice" and last.optional  # graphs from before it are accepted as they are


def test_a_graph_from_before_the_word_means_what_it_meant(nodes):
    assert "learning_rate" not in changes(nodes, learning_rate=0.0)
    assert changes(nodes, learning_rate=2e-4)["learning_rate"] == 2e-4


def test_the_word_wins_over_the_number(nodes):
    chosen = nodes.rate.chosen_rate
    assert changes(nodes, learning_rate=2e-4, learning_rate_choice="family default") == changes(nodes)
    assert chosen("as before", 2e-4, "as before") == {}
    assert chosen("own value", 2e-4, "as before") == {"learning_rate": 2e-4}


def test_an_own_value_that_nobody_wrote_is_refused(nodes):
    with pytest.raises(nodes.errors.UserError, match="learning_rate is 0, but 'own value' is chosen; write a rate"):
        changes(nodes, learning_rate_choice="own value")
    with pytest.raises(nodes.errors.UserError, match="There is no learning rate 'fast'; choose"):
        changes(nodes, learning_rate_choice="fast")
