"""`bench words`: another color, ground or hour asked for during a transfer: how often it takes, and the style stays."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...pictures import sheet
from ...transfer import Content, TransferOptions, preset, stylize
from ...world import COLORS, GROUNDS, STYLE_WORDS, TIMES, describe, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.fidelity import share
from ..metrics.pairs import Pair, make_pairs
from .context import BenchContext, BenchResult

FACTORS = {"color": COLORS, "ground": GROUNDS, "time": TIMES}
SETTINGS: dict[str, dict[str, Any]] = {
    "cfg 4, adain 1": {"cfg": 4.0, "adain": 1.0},
    "cfg 4, adain 0.2": {"cfg": 4.0, "adain": 0.2},
    "cfg 7, adain 0.2": {"cfg": 7.0, "adain": 0.2},
    "cfg 7, adain 0.2, denoise 0.85, strength 0.7": {"cfg": 7.0, "adain": 0.2, "strength": 0.7, "denoise": 0.85},
    "cfg 7, adain 0.2, stochastic": {"cfg": 7.0, "adain": 0.2, "start": "stochastic"},
}
ON_PAGE = ("cfg 4, adain 1", "cfg 7, adain 0.2")


def run(context: BenchContext) -> BenchResult:
    """48 pairs under each of `SETTINGS`; the first twelve of two of them on the page."""
    pairs = make_pairs(context.share_of(48), TEST_SEED + 6_000)
    base = preset("wallfacer", context.backend)
    table: dict[str, Any] = {}
    images: dict[str, list[Tensor]] = {}
    for k, (name, changes) in enumerate(SETTINGS.items()):
        options = base.changed(size_px=0, **changes)
        table[name], images[name] = _under(context, pairs, options, k / len(SETTINGS))
    first, second = (images[name] for name in ON_PAGE)
    rows = [[p.content, p.style, first[i], second[i]] for i, p in enumerate(pairs[:12])]
    page = sheet(rows, ["content", "style", *ON_PAGE], [], cell_px=96)
    return {"dials": table, "count": len(pairs)}, {"": page}


def _under(
    context: BenchContext, pairs: list[Pair], options: TransferOptions, begins_at: float
) -> tuple[dict[str, float], list[Tensor]]:
    """One setting: shares of pairs whose factor was changed, whose style and object are right; and the pictures."""
    changed: dict[str, list[bool]] = {factor: [] for factor in FACTORS}
    style, same_object, images = [], [], []
    for i, pair in enumerate(pairs):
        factor, value = _edit(pair, i)
        prompt = f"{STYLE_WORDS[pair.look.style][0]} of {describe(random_scene(pair.scene.seed, **{factor: value}))}"
        run = stylize(context.backend, [Content(pair.content, prompt)], [pair.style], options, seed=context.seed + i)
        answers = context.classifier.answers(run.images[0][None])
        changed[factor].append(answers[factor][0] == value)
        style.append(answers["style"][0] == pair.look.style)
        same_object.append(answers["object"][0] == pair.scene.main.kind)
        images.append(run.images[0])
        context.bar(begins_at + (i + 1) / len(pairs) / len(SETTINGS))
    shares = {f"{factor} takes": share(flags) for factor, flags in changed.items()}
    return shares | {"style": share(style), "object": share(same_object)}, images


def _edit(pair: Pair, i: int) -> tuple[str, str]:
    """The factor of the pair's scene that pair number `i` changes, and its new value."""
    factor = tuple(FACTORS)[i % 3]
    values = FACTORS[factor]
    now = pair.scene.main.color if factor == "color" else getattr(pair.scene, factor)
    return factor, values[(values.index(now) + 1 + i // 3 % (len(values) - 1)) % len(values)]
