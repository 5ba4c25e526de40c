"""Presets by family of transformers: layers by measured lists, positions, and FireFlow as their inversion."""

from __future__ import annotations

import pytest

from swf_core.models.contracts import AttentionLayer
from swf_core.models.transformer_presets import FLUX_MEASURED, TRANSFORMER_FAMILIES, flux_presets, transformer_presets
from swf_core.transfer.layers import select_layers
from swf_core.transfer.presets import preset_of, suited


def named(**counts):
    return tuple(AttentionLayer(f"{kind}.{i}", 1, "") for kind, count in counts.items() for i in range(count))


FLUX = named(double=19, single=38)
SECOND = tuple(AttentionLayer(name, 1, "") for i in range(4) for name in (f"double.{i}", f"double.{i}.second"))
LAYERS = {
    "Flux": FLUX,
    "Chroma": FLUX,
    "Flux.2": named(double=8, single=48),
    "SD3": SECOND,
    "AuraFlow": named(double=4, single=32),
    "Qwen-Image": named(double=60),
    "Lumina2": named(block=26),
    "Z-Image": named(block=30),
    "HiDream": named(double=16, single=32),
    "OmniGen2": named(block=32),
    "Wan": named(block=30),
}
every = pytest.mark.parametrize("family", TRANSFORMER_FAMILIES)


def chosen(family, selector):
    presets = transformer_presets(family, LAYERS[family])
    return [layer.name for layer in select_layers(LAYERS[family], presets, family, selector)]


@every
def test_every_preset_names_layers_of_the_model(family):
    presets = transformer_presets(family, LAYERS[family])
    measured = {"vital", "content", "position"} if family in ("Flux", "Chroma") else set()
    assert set(presets) == {"all", "late", "auto"} | measured
    assert all(chosen(family, name) for name in presets)
    assert len(chosen(family, "all")) == len(LAYERS[family])
    assert chosen(family, "auto") == chosen(family, "late" if family in ("Flux", "Chroma") else "all")
    late = chosen(family, "late")
    assert 0 < len(late) < len(LAYERS[family]) and late[-1] == LAYERS[family][-1].name


def test_measured_lists_are_the_papers_counted_on_from_the_double_blocks():
    """Stable Flow numbers single blocks from 19 on, FreeFlux too."""
    vital = "double.0 double.1 double.17 double.18 single.6 single.9 single.34 single.35 single.37".split()
    assert chosen("Flux", "vital") == vital
    assert chosen("Flux", "position") == "double.1 double.2 double.4 single.7 single.11 single.35 single.36".split()
    content = chosen("Flux", "content")
    assert content[:6] == [f"double.{i}" for i in (0, 7, 8, 9, 10, 18)]
    assert content[6:] == [f"single.{i}" for i in (6, 9, 18, 23, 26, 31, 37)]
    assert not set(content) & set(chosen("Flux", "position"))
    assert {name: len(found.split(",")) for name, found in flux_presets(FLUX).items()} == {
        name: len(indices) for name, indices in FLUX_MEASURED.items()
    }


def test_they_are_offered_only_where_the_model_has_these_blocks():
    assert flux_presets(FLUX[:-1]) == flux_presets(named(double=57)) == flux_presets(named(single=57)) == {}
    with pytest.raises(ValueError, match=r"preset 'vital' is not for this model \(SD3\); use 'all', 'late', 'auto'"):
        chosen("SD3", "vital")


@every
def test_presets_invert_flows_by_fireflow_and_stand_keys_as_the_family_wants(family):
    presets = transformer_presets(family, LAYERS[family])
    own = [preset_of(name, family, presets) for name in ("wallfacer", "faithful", "free", "fast preview")]
    own += [suited(family, presets), preset_of("faithful", family, presets, freedom=0.5)]
    for options in own:
        assert options.content_encoding == options.style_encoding == options.solver == "fireflow"
        assert options.injection.layers == presets["auto"]
    published = preset_of("styleid", family, presets)
    assert published.content_encoding == "ddim"
    for options in (*own, published):
        assert options.positions == ("same" if family in ("SD3", "AuraFlow") else "untwist")
        assert options.untwist.flat_first is (family not in ("Lumina2", "Z-Image"))


def test_other_families_keep_what_they_had():
    for family, presets in (("mini", {"all": "all"}), ("SD1.x", {"all": "all", "late": "up.1"})):
        options = preset_of("wallfacer", family, presets)
        assert options.content_encoding == options.style_encoding == "ddim" and options.solver == "euler"
        assert options.injection.layers == ("all" if family == "mini" else "late")
        assert "positions" not in repr(options) and "untwist" not in repr(options)
