"""What `bench speed` times: whole transfers by policy, published ways, growth, and single calls of the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...models.contracts import AttentionEdit, Backend
from ...transfer import Content, SampleOptions, SharedStyles, preset, sample, stylize
from ...transfer.attention_edits import InjectionStep, injection_edit
from ...transfer.features import FeatureBank
from ...transfer.layers import choose_layers
from ...transfer.options import TransferOptions
from ...transfer.styles import Style
from ...transfer.word_guidance import guided_by_words

PUBLISHED = ("styleid", "z-star", "style-aligned", "visual-style-prompting", "masactrl", "adain")

# Does it once and returns the evaluations that it counted.
Way = Callable[[], int]


def ways_of(backend: Backend, steps: int) -> dict[str, Way]:
    """Plain sampling, our policies, and published ways with their papers' settings in as many steps."""
    side = backend.native_size_px
    generator = torch.Generator().manual_seed(1)
    style, *contents = (torch.rand((3, side, side), generator=generator) for _ in range(3))
    own = replace(preset("wallfacer", backend), steps=steps, size_px=0)
    guided = guided_by_words(own, read=True)
    known = SharedStyles(backend, [style], own)
    known.stylize(contents[:1])

    def plain(cfg: float = 1.0) -> Way:
        options = SampleOptions(steps=steps, cfg=cfg, size_px=side)
        return lambda: sample(backend, ["a house"], options).cost.counted

    def transfer(options: TransferOptions, prompt: str = "") -> Way:
        return lambda: stylize(backend, [Content(contents[0], prompt)], [style], options).cost.counted

    def next_content() -> int:
        return known.stylize(contents[1:2]).cost.counted

    def two_at_once() -> int:
        return known.stylize(contents).cost.counted

    ways: dict[str, Way] = {
        "plain": plain(),
        "first picture": transfer(own),
        "another content, known style": next_content,
        "two contents at once, known style": two_at_once,
        "level by level": transfer(replace(own, features="lockstep")),
        "noise in place of inversion": transfer(
            replace(own, content_encoding="stochastic", style_encoding="stochastic")
        ),
        "plain, cfg 4": plain(4.0),
        "first picture, words": transfer(guided, "a house"),
    }
    return ways | {name: transfer(replace(preset(name, backend), steps=steps, size_px=0)) for name in PUBLISHED}


def growing_ways(backend: Backend, steps: int) -> dict[str, Way]:
    """Plain sampling and transfers from pictures twice as large, in twice the steps, of several contents and styles."""
    own = replace(preset("wallfacer", backend), steps=steps, size_px=0)
    side = backend.native_size_px

    def pictures(count: int, size: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(1)
        return [torch.rand((3, size, size), generator=generator) for _ in range(count)]

    def transfer(contents: int = 1, styles: int = 1, size: int = side, steps: int = steps) -> Way:
        given = pictures(contents + styles, size)
        options = replace(own, steps=steps)
        return lambda: stylize(backend, given[:contents], given[contents:], options).cost.counted

    return {
        "plain": lambda: sample(backend, [""], SampleOptions(steps=steps, size_px=side)).cost.counted,
        "first picture": transfer(),
        "twice the side": transfer(size=2 * side),
        "twice the steps": transfer(steps=2 * steps),
        "four contents": transfer(contents=4),
        "three styles": transfer(styles=3),
    }


class _Shown:
    """A style process whose features are there already."""

    def __init__(self, bank: FeatureBank):
        self.bank = bank

    def ensure(self, *sigmas: float) -> None:
        """Nothing is missing."""

    def statistics_at(self, sigma: float) -> Tensor:
        """Nothing is asked of tones here."""
        raise NotImplementedError


def calls_of(backend: Backend, side_px: int) -> dict[str, Way]:
    """One call of the network at `side_px`: as it is, and with each way of reading."""
    injection = preset("wallfacer", backend).injection
    layers = frozenset(layer.name for layer in choose_layers(backend, injection.layers))
    cells, sigma = side_px // backend.codec.downscale, 1.0
    generator = torch.Generator().manual_seed(1)
    x, *pictures = (torch.randn((1, backend.codec.channels, cells, cells), generator=generator) for _ in range(5))
    text = backend.text.encode([""], side_px, side_px)
    banks = [FeatureBank(layers, "qkv") for _ in pictures]
    for bank, picture in zip(banks, pictures):
        backend.denoiser.denoise(picture, sigma, text, bank.recorder(sigma))
    styles = [Style(_Shown(bank), 1.0, None) for bank in banks[1:]]

    def reading(count: int = 1, **changed: Any) -> AttentionEdit:
        step = InjectionStep(sigma, injection.gamma, 1)
        return injection_edit(layers, replace(injection, **changed), step, banks[0], styles[:count])

    def call(edit: AttentionEdit | None, rows: int = 1) -> Way:
        def once() -> int:
            backend.denoiser.denoise(x.expand(rows, -1, -1, -1), sigma, text, edit)
            return rows

        return once

    return {
        "plain": call(None),
        "recording": call(FeatureBank(layers, "kv").recorder(sigma)),
        "reading": call(reading()),
        "reading at half strength": call(reading(strength=0.5)),
        "own tokens beside the style's": call(reading(kv="concat", query_adain=0.0)),
        "three styles": call(reading(3)),
        "plain, three rows": call(None, 3),
    }
