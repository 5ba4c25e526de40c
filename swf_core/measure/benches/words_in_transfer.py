"""`bench words`: another color, ground or hour asked for during a transfer: how often it takes, and the style stays."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...pictures import sheet
from ...transfer import Content, TransferOptions, preset, stylize
from ...world import COLORS, GROUNDS, STYLE_WORDS, TIMES, describe, random_scene
from ...world.seeds import TEST_SEED
from ..metrics.pairs import Pair, make_pairs
from .context import BenchContext, BenchResult
from .tables import Row, as_text, mean_of, read_rows, write_rows

FACTORS = {"color": COLORS, "ground": GROUNDS, "time": TIMES}
SETTINGS: dict[str, dict[str, Any]] = {
    "cfg 4, adain 1": {"cfg": 4.0, "adain": 1.0},
    "cfg 4, adain 0.2": {"cfg": 4.0, "adain": 0.2},
    "cfg 7, adain 0.2": {"cfg": 7.0, "adain": 0.2},
    "cfg 7, adain 0.2, denoise 0.85, strength 0.7": {"cfg": 7.0, "adain": 0.2, "strength": 0.7, "denoise": 0.85},
    "cfg 7, adain 0.2, stochastic": {"cfg": 7.0, "adain": 0.2, "start": "stochastic"},
}
# The control: the prompt says what the content shows, so that nothing takes but by mistake.
NOT_ASKED, ASKED = "nothing asked, cfg 4, adain 0.2", "cfg 4, adain 0.2"
ON_PAGE = ("cfg 4, adain 1", "cfg 7, adain 0.2")
FIELDS = ("arm", "pair", "seed", "factor", "value", "takes", "style", "object")


def run(context: BenchContext) -> BenchResult:
    """Rows in words.csv, one a pair and setting, 48 pairs under each of `SETTINGS` and the control; continues where it
    stopped. Shares by setting; the first twelve of two settings on the page, where they were painted in this call."""
    pairs = make_pairs(context.share_of(48), TEST_SEED + 6_000)
    rows, images = word_rows(context, pairs, tuple(SETTINGS))
    page = [
        [p.content, p.style, *(images.get((name, i)) for name in ON_PAGE)]
        for i, p in enumerate(pairs[:12])
        if any((name, i) in images for name in ON_PAGE)
    ]
    pages = {"": sheet(page, ["content", "style", *ON_PAGE], [], cell_px=96)} if page else {}
    return {"dials": dial_shares(rows), "count": len(pairs)}, pages


def word_rows(
    context: BenchContext, pairs: list[Pair], settings: tuple[str, ...]
) -> tuple[list[Row], dict[tuple[str, int], Tensor]]:
    """The rows of these settings and of the control, painting those that are missing; and the pictures of these."""
    table = context.out / "words.csv"
    known = {(row["arm"], row["pair"], row["seed"]): row for row in read_rows(table)}
    jobs = [(arm, i) for arm in (*settings, NOT_ASKED) for i in range(len(pairs))]
    base = preset("wallfacer", context.backend)
    images: dict[tuple[str, int], Tensor] = {}
    for number, (arm, i) in enumerate(jobs):
        key = (arm, str(i), str(context.seed))
        if key not in known:
            options = base.changed(size_px=0, **SETTINGS[ASKED if arm == NOT_ASKED else arm])
            known[key], images[arm, i] = _painted(context, pairs[i], i, arm, options)
            write_rows(table, list(known.values()), FIELDS)
        context.bar((number + 1) / len(jobs), arm)
    return [known[arm, str(i), str(context.seed)] for arm, i in jobs], images


def _painted(context: BenchContext, pair: Pair, i: int, arm: str, options: TransferOptions) -> tuple[Row, Tensor]:
    """One pair under one setting: whether its factor was changed and its style and object are right; the picture."""
    factor, value = _edit(pair, i)
    scene = pair.scene if arm == NOT_ASKED else random_scene(pair.scene.seed, **{factor: value})
    prompt = f"{STYLE_WORDS[pair.look.style][0]} of {describe(scene)}"
    run = stylize(context.backend, [Content(pair.content, prompt)], [pair.style], options, seed=context.seed + i)
    answers = context.classifier.answers(run.images[0][None])
    row = {
        "arm": arm,
        "pair": i,
        "seed": context.seed,
        "factor": factor,
        "value": value,
        "takes": int(answers[factor][0] == value),
        "style": int(answers["style"][0] == pair.look.style),
        "object": int(answers["object"][0] == pair.scene.main.kind),
    }
    return as_text(row), run.images[0]


def dial_shares(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Per setting the share of pairs that took, by factor, and whose style and object are right."""
    report: dict[str, dict[str, float]] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        of_arm = [row for row in rows if row["arm"] == arm]
        by_factor = {factor: [row for row in of_arm if row["factor"] == factor] for factor in FACTORS}
        shares = {f"{factor} takes": mean_of(group, "takes") for factor, group in by_factor.items() if group}
        report[arm] = shares | {name: mean_of(of_arm, name) for name in ("style", "object")}
    return report


def _edit(pair: Pair, i: int) -> tuple[str, str]:
    """The factor of the pair's scene that pair number `i` changes, and its new value."""
    factor = tuple(FACTORS)[i % 3]
    values = FACTORS[factor]
    now = pair.scene.main.color if factor == "color" else getattr(pair.scene, factor)
    return factor, values[(values.index(now) + 1 + i // 3 % (len(values) - 1)) % len(values)]
