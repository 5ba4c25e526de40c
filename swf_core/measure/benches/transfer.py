"""The benches behind `python -m swf_core bench NAME`: what is measured, on how many pictures, and the sheets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ...files import write_files
from ...models import load
from ...models.contracts import Backend
from ...pictures import png_bytes, sheet
from ...transfer import preset, stylize
from ...world import COLORS, GROUNDS, HELD_OUT, STYLE_WORDS, STYLES, TIMES, describe, random_look, random_scene, render
from ...world.seeds import TEST_SEED, TUNE_SEED
from ..metrics.classifier import SceneClassifier, load_classifier
from ..metrics.fidelity import WORDS_CFG, WORDS_SAID, compare, round_trips, share, text_samples, transfer
from ..metrics.pairs import PAINTED, make_pairs

Bars = Callable[[str], Callable[..., None]]
# The grid of `--tune`, chosen on pairs that no figure is reported on.
GRID = (
    {"tau": 1.5},
    {"tau": 2.5},
    {"tau": 1.0},
    {"gamma": 0.3},
    {"gamma": 0.7},
    {"gamma": 0.6, "gamma_end": 0.0, "gamma_schedule": "cosine"},
    {"adain": 0.0},
    {"adain": 1.0},
    {"query_adain": 1.0},
    {"kv": "concat", "bias": 2.0},
    {"style_guidance": 1.0},
    {"style_guidance": 2.0},
    {"start": "stochastic", "denoise": 0.7},
    {"start": "stochastic", "denoise": 0.9},
)


def run(
    name: str,
    out: Path,
    *,
    model: str = "mini",
    quick: bool = False,
    tune: bool = False,
    seed: int = 0,
    progress: Bars | None = None,
) -> dict[str, Any]:
    """Run one bench, write `<name>.json` and, where there are pictures, `<name>.png`; return the report."""
    began = time.perf_counter()
    bars = progress or (lambda _: lambda value, *rest: None)
    label = f"{name}-tune" if tune else name
    if name == "world":
        report, pages = _world(quick), {}
    elif name == "recolor":
        from .recolor import recolor

        report, pages = recolor(quick, bars(name))
    elif name == "train-speed":
        from .train_speed import train_speed

        report, pages = train_speed(2 if quick else 4, bar=bars(name)), {}
    elif name == "captions":
        from .captions import captions

        report, pages = captions(200 // (6 if quick else 1), seed, bars(name))
    else:
        backend, classifier = load(model), load_classifier()
        part = 6 if quick else 1
        bar = bars(label)
        if name == "vae":
            report, pages = {"styles": round_trips(backend, classifier, 48 // part, TEST_SEED + 40_000)}, {}
        elif name == "samples":
            report, pages = _samples(backend, classifier, 320 // part, seed, bar)
        elif name == "learn":
            from .learn import learn

            report, pages = learn(backend, classifier, out, quick, seed, bar)
        elif name == "gap":
            from .gap import gap

            report, pages = gap(backend, classifier, out, quick, seed, bar)
        elif name == "feedback":
            from .feedback import feedback

            report, pages = feedback(backend, classifier, out, quick, seed, bar)
        elif name == "taught":
            from .lora_transfer import taught

            report, pages = taught(backend, classifier, out, quick, seed, bar)
        elif name == "color-words":
            from .color_words import color_words

            report, pages = color_words(backend, classifier, out, quick, seed, bar)
        elif name == "words":
            report, pages = _words(backend, classifier, 48 // part, seed, bar)
        else:
            report, pages = _transfer(backend, classifier, name, 105 // part, tune, seed, bar)
    report |= {"bench": label, "quick": quick, "seconds": round(time.perf_counter() - began, 1)}
    write_files(
        {out / f"{label}.json": json.dumps(report, indent=1).encode()}
        | {out / f"{label}{k}.png": png_bytes(page) for k, page in pages.items()}
    )
    return report


def _world(quick: bool) -> dict[str, Any]:
    """Pictures a second on one core, by style, and what a classifier on the color histogram alone can tell."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    torch.set_num_threads(1)
    each = 20 if quick else 60
    speed, features, labels = {}, [], []
    for k, style in enumerate(STYLES):
        began = time.perf_counter()
        pictures = [
            render(random_scene(TEST_SEED + 60_000 + 100 * k + i), random_look(style, TEST_SEED + 100 * k + i))
            for i in range(each)
        ]
        speed[style] = round(each / (time.perf_counter() - began), 1)
        for picture in pictures:
            bins = (np.minimum(picture, 0.999) * 8).astype(int)
            code = bins[..., 0] * 64 + bins[..., 1] * 8 + bins[..., 2]
            features.append(np.bincount(code.ravel(), minlength=512) / code.size)
            labels.append(k)
    x, y = np.array(features), np.array(labels)
    train = np.arange(len(y)) % each < each * 3 // 4
    forest = RandomForestClassifier(300, random_state=0).fit(x[train], y[train])
    return {
        "pictures_per_second": speed,
        "mean_ms": round(float(np.mean([1000 / v for v in speed.values()])), 2),
        "histogram_accuracy": round(float(forest.score(x[~train], y[~train])), 4),
        "styles": len(STYLES),
    }


def _samples(backend: Backend, classifier: SceneClassifier, count: int, seed: int, bar: Callable[..., None]):
    report, pictures, prompts = text_samples(
        backend, classifier, count, TEST_SEED + 20_000 + seed, cfg=4.0, progress=bar
    )
    rows = [list(pictures[i : i + 16]) for i in range(0, min(count, 96), 16)]
    return report | {"count": count}, {"": sheet(rows, [], [], cell_px=96)}


def _transfer(
    backend: Backend,
    classifier: SceneClassifier,
    name: str,
    count: int,
    tune: bool,
    seed: int,
    bar: Callable[..., None],
):
    styles = HELD_OUT if name == "held-out" else PAINTED
    start = TUNE_SEED if tune else TEST_SEED + {"transfer": 0, "unmatched": 2_000, "held-out": 4_000}[name]
    pairs = make_pairs(count // 3 if tune else count, start, styles, matched=name != "unmatched")
    settings = {p: preset(p, backend) for p in ("wallfacer", "styleid", "adain")}
    if tune:
        base = settings["wallfacer"]
        settings = {" ".join(f"{k} {v}" for k, v in dials.items()): base.changed(**dials) for dials in GRID}
    told = name == "transfer" and not tune
    if told:
        settings[WORDS_SAID] = settings["wallfacer"].changed(cfg=WORDS_CFG)
    results = {}
    for k, (label, options) in enumerate(settings.items()):
        results[label] = transfer(
            backend, pairs, options, seed, lambda v, k=k: bar((k + v) / len(settings)), words=label == WORDS_SAID
        )
    shown = [[p.content, p.style, *(results[r][i] for r in settings), p.truth] for i, p in enumerate(pairs)]
    truth = torch.stack([p.truth for p in pairs])
    results |= {
        "content": torch.stack([p.content for p in pairs]),
        "style picture": torch.stack([p.style for p in pairs]),
        "another render": torch.stack([p.other for p in pairs]),
        "truth through the codec": backend.codec.decode(backend.codec.encode(truth)).clamp(0, 1),
    }
    report = compare(pairs, classifier, results, next(iter(settings)), *([WORDS_SAID] if told else []))
    by_style: dict[str, Any] = {}
    answers = classifier.answers(results[next(iter(settings))])["style"]
    for style in styles:
        by_style[style] = share([a == style for a, p in zip(answers, pairs, strict=True) if p.look.style == style])
    page = sheet(shown[:30], ["content", "style", *settings, "truth"], [p.look.style for p in pairs[:30]], cell_px=96)
    return report | {"pairs": len(pairs), "by_style": by_style}, {"": page}


def _words(backend: Backend, classifier: SceneClassifier, count: int, seed: int, bar: Callable[..., None]):
    """Ask for another color, ground or hour during a transfer: how often it takes, and whether the style stays."""
    pairs = make_pairs(count, TEST_SEED + 6_000)
    base = preset("wallfacer", backend)
    dials = {
        "cfg 4, adain 1": {"cfg": 4.0, "adain": 1.0},
        "cfg 4, adain 0.2": {"cfg": 4.0, "adain": 0.2},
        "cfg 7, adain 0.2": {"cfg": 7.0, "adain": 0.2},
        "cfg 7, adain 0.2, denoise 0.85, strength 0.7": {"cfg": 7.0, "adain": 0.2, "strength": 0.7, "denoise": 0.85},
        "cfg 7, adain 0.2, stochastic": {"cfg": 7.0, "adain": 0.2, "start": "stochastic"},
    }
    table: dict[str, Any] = {}
    rows = []
    for d, (label, values) in enumerate(dials.items()):
        took: dict[str, list[bool]] = {"color": [], "ground": [], "time": []}
        style, kept = [], []
        for i, pair in enumerate(pairs):
            factor = ("color", "ground", "time")[i % 3]
            options = {"color": COLORS, "ground": GROUNDS, "time": TIMES}[factor]
            now = pair.scene.main.color if factor == "color" else getattr(pair.scene, factor)
            wanted = options[(options.index(now) + 1 + i // 3 % (len(options) - 1)) % len(options)]
            edited = random_scene(pair.scene.seed, **{factor: wanted})
            prompt = f"{STYLE_WORDS[pair.look.style][0]} of {describe(edited)}"
            image = stylize(
                backend,
                [pair.content],
                [pair.style],
                base.changed(size_px=0, **values),
                seed=seed + i,
                prompts=prompt,
            ).images[0]
            answer = classifier.answers(image[None])
            took[factor].append(answer[factor][0] == wanted)
            style.append(answer["style"][0] == pair.look.style)
            kept.append(answer["object"][0] == pair.scene.main.kind)
            if d in (0, 2) and i < 12:
                rows.append([pair.content, pair.style, image])
            bar((d + (i + 1) / count) / len(dials))
        table[label] = {f"{k} takes": share(v) for k, v in took.items()} | {
            "style": share(style),
            "object": share(kept),
        }
    half = len(rows) // 2
    page = sheet(
        [rows[i] + rows[half + i][2:] for i in range(half)],
        ["content", "style", list(dials)[0], list(dials)[2]],
        [],
        cell_px=96,
    )
    return {"dials": table, "count": count}, {"": page}
