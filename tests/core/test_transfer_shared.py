"""Styles that many contents share: the same bytes as one call, counted evaluations, seeds of one's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from swf_core.errors import UserError
from swf_core.measure.benches.random_models import sd15_backend
from swf_core.measure.benches.speed import differences, measured
from swf_core.measure.benches.speed_ways import calls_of, growing_ways, ways_of
from swf_core.measure.peak_memory import peak_growth
from swf_core.presets import PRESETS
from swf_core.transfer import Content, SharedStyles, TransferOptions, preset, stylize
from swf_core.transfer.features import FeatureBank
from swf_core.transfer.presets import FAST_STEPS, suited

from support.tiny_models import picture, tiny_backend

STEPS = 3


def options(**more) -> TransferOptions:
    return replace(preset("wallfacer", tiny_backend("sd15")), steps=STEPS, size_px=0, **more)


@pytest.mark.parametrize("features", ["capture", "lockstep"])
def test_contents_one_after_the_other_are_as_in_calls_of_their_own(features: str) -> None:
    backend, style, own = tiny_backend("sd15"), picture(1), options(features=features)
    shared = SharedStyles(backend, [style], own)
    contents = [picture(2), picture(3, 32, 64), picture(4)]
    costs = []
    for content in contents:
        result, alone = shared.stylize([content]), stylize(backend, [content], [style], own)
        # one call takes style and content through the network side by side: other rounding
        assert torch.allclose(result.images[0], alone.images[0], atol=1e-4)
        costs.append(result.cost.counted)
        assert result.cost.counted == result.cost.planned
    if features == "capture":
        assert costs == [3 * STEPS + 2, 2 * STEPS + 1, 2 * STEPS + 1]
    shared.forget()
    assert shared.stylize(contents[:1]).cost.counted == costs[0]


@pytest.mark.parametrize("features", ["capture", "lockstep"])
def test_a_result_has_the_same_bytes_whichever_content_came_before(features: str) -> None:
    backend, style, own = tiny_backend("sd15"), picture(1), options(features=features)
    contents = [picture(2), picture(3, 32, 64), picture(4)]
    forth, back = SharedStyles(backend, [style], own), SharedStyles(backend, [style], own)
    first = [forth.stylize([content]).images[0] for content in contents]
    last = [back.stylize([content]).images[0] for content in reversed(contents)]
    assert all(torch.equal(a, b) for a, b in zip(first, reversed(last)))


@pytest.mark.parametrize(
    ("more", "calls"),
    [
        ({}, 2 * STEPS),  # inverted side by side; the noisiest level's features beside generation
        ({"batch": 1}, 3 * STEPS + 2),
        ({"content_encoding": "stochastic", "style_encoding": "stochastic"}, STEPS),
        ({"features": "lockstep"}, 2 * STEPS),
        ({"batch": 2, "content_encoding": "stochastic", "style_encoding": "stochastic"}, 2 * STEPS),
    ],
)
def test_processes_of_equal_size_share_network_calls(more: dict, calls: int) -> None:
    backend, own = tiny_backend("sd15"), options(**more)
    counted = 0

    def count(*_) -> None:
        nonlocal counted
        counted += 1

    handle = backend.denoiser.network.register_forward_hook(count)
    try:
        joined = stylize(backend, [picture(2)], [picture(1)], own)
        assert counted == calls
        assert joined.cost.counted == joined.cost.planned
        apart = SharedStyles(backend, [picture(1)], own).stylize([picture(2)])
    finally:
        handle.remove()
    assert torch.allclose(joined.images[0], apart.images[0], atol=1e-4)


def test_a_content_has_its_own_noise_where_it_has_its_own_seed() -> None:
    backend, own = tiny_backend("sd15"), options(renoise=0.7)
    content, style = picture(2), picture(1)

    def images(*seeds: int | None, seed: int = 5) -> list[torch.Tensor]:
        contents = [Content(content, seed=each) for each in seeds]
        return stylize(backend, contents, [style], own, seed=seed).images

    first, second, third = images(8, None, 9)
    assert torch.allclose(first, images(8)[0], atol=1e-5) and torch.allclose(second, images(5)[0], atol=1e-5)
    assert not torch.allclose(first, third, atol=1e-3)
    assert torch.equal(images(8)[0], images(8, seed=6)[0])  # nothing of the style is drawn


def test_nothing_to_do_is_refused() -> None:
    shared = SharedStyles(tiny_backend("sd15"), [picture(1)], options())
    with pytest.raises(UserError, match="Nothing to do"):
        shared.stylize([])


def test_features_are_kept_as_the_network_computes_them() -> None:
    (layer, *_) = tiny_backend("sd15").denoiser.self_attention_layers
    for precision, dtype, kept in (
        ("fp32", torch.float16, torch.float16),
        ("fp32", torch.bfloat16, torch.bfloat16),
        ("fp32", torch.float32, torch.float32),
        ("fp16", torch.float32, torch.float16),
    ):
        bank, values = FeatureBank([layer.name], "k", precision), torch.rand(1, 2, 4, 8).to(dtype)
        bank.recorder(1.0).function(layer, values, values, values, (2, 2), 1.0)
        assert bank.get(1.0, layer.name, "k").dtype == kept
        assert bank.size_bytes() == 64 * kept.itemsize


def test_a_fast_preview_is_what_suits_in_few_steps() -> None:
    assert PRESETS[-1] == "fast preview"  # names are only appended
    for family, freedom in (("sd15", 0.0), ("mini", 0.35)):
        backend = replace(tiny_backend("sd15"), family="mini") if family == "mini" else tiny_backend("sd15")
        fast = preset("fast preview", backend)
        assert fast.steps == FAST_STEPS and fast.renoise == freedom
        assert replace(fast, steps=30) == suited(backend.family, backend.layer_presets)


def test_the_bench_counts_what_it_times() -> None:
    backend = sd15_backend(32, 64)
    report = measured(ways_of(backend, STEPS), 0, lambda share: None)
    counted = {name: row["evaluations"] for name, row in report.items()}
    assert counted["plain"] == STEPS and counted["first picture"] == 3 * STEPS + 2
    assert counted["another content, known style"] == 2 * STEPS + 1
    assert counted["two contents at once, known style"] == 2 * (2 * STEPS + 1)
    assert counted["noise in place of inversion"] == 3 * STEPS
    assert counted["first picture, words"] == counted["first picture"] + STEPS
    assert report["plain"]["times plain"] == 1.0 and all(row["cpu_seconds"] > 0 for row in report.values())


def test_the_bench_counts_single_calls_and_growth() -> None:
    backend = sd15_backend(32, 64)
    calls = measured(calls_of(backend, 64), 0, lambda share: None)
    assert calls["plain, three rows"]["evaluations"] == 3 and calls["three styles"]["evaluations"] == 1
    growth = measured(growing_ways(backend, STEPS), 0, lambda share: None)
    counted = {name: row["evaluations"] for name, row in growth.items()}
    assert counted["twice the steps"] == 6 * STEPS + 2 and counted["twice the side"] == 3 * STEPS + 2
    assert counted["four contents"] == 9 * STEPS + 5 and counted["three styles"] == 5 * STEPS + 4
    assert all(row["peak_mb"] is None or row["peak_mb"] >= 0 for row in growth.values())


def test_a_report_says_what_differs_from_the_last() -> None:
    def report(ratio: float, evaluations: int = 9) -> dict:
        row = {"evaluations": evaluations, "times plain": ratio}
        return {"torch": "2", "mini": {"steps": 3, "transfers": {"first picture": row}}}

    assert differences({}, report(3.0)) == differences(report(3.0), report(3.1)) == []
    assert differences(report(3.0), report(2.0, 8)) == [
        "mini, transfers, first picture: evaluations 9 -> 8",
        "mini, transfers, first picture: times plain 3 -> 2",
    ]


def test_memory_that_a_work_takes_is_seen() -> None:
    grown = peak_growth(lambda: torch.ones(25_000_000).sum())
    assert grown is None or 80e6 < grown < 160e6
