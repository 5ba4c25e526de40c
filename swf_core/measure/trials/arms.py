"""What is compared in a trial: arms, each of which paints one pair; here those that are presets of the transfer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from ...color.fine_detail import with_fine_detail
from ...models.contracts import Backend
from ...presets import FINE_DETAIL, PRESETS
from ...presets.own import OWN
from ...transfer import Content, TransferOptions, preset, stylize
from ...transfer.noisy_steps import NOISY_SOLVERS
from ...transfer.trajectory import NOISY_ENCODINGS
from ...transfer.word_guidance import by_read_words, guided_by_words
from ..metrics.fidelity import CAPTIONED_CFG
from ..metrics.pairs import Pair

# Published ways that run with as many seeds as ours.
RIVALS = ("styleid", "z-star", "style-aligned", "adain")
KINDS = ("ours", "rival", "published", "baseline", "reference")
# Where a prompt comes from: no words; read by the captioner from the two pictures; the truth's own caption.
NO_WORDS, AUTO_WORDS, SAID_WORDS = "", "auto words", "words said"
WORDS = (NO_WORDS, AUTO_WORDS, SAID_WORDS)


@dataclass(frozen=True)
class Painted:
    """A result [3, H, W] in 0..1 and what it cost in E, evaluations of the network for one latent."""

    picture: Tensor
    evaluations: int = 0


# (model, pair, prompt, seed) -> result
Paint = Callable[[Backend, Pair, str, int], Painted]


@dataclass(frozen=True)
class Arm:
    """One way to repaint.

    * settings: text that changes whenever results would: rows made under another are made again, and arms of one text
      do the same.
    * kind: of `KINDS`; references are what results are measured beside, and stand on no Pareto front.
    * words: of `WORDS`.
    * seeded: whether it is run with all seeds of a trial, or with the first alone (say where it draws no noise).
    * most_pairs: a slow arm paints the first so many pairs; None: all.
    """

    paint: Paint
    settings: str
    kind: str = "baseline"
    words: str = NO_WORDS
    seeded: bool = False
    most_pairs: int | None = None


@dataclass(frozen=True)
class Transfer:
    """Paints by the triple process under these options; pictures keep their size. `fine_detail`: how much of the
    content's is put back."""

    options: TransferOptions
    fine_detail: float = 0.0

    def __call__(self, backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
        result = stylize(backend, [Content(pair.content, prompt)], [pair.style], self.options, seed=seed)
        picture = with_fine_detail(result.images[0].clamp(0, 1), pair.content, backend.codec, self.fine_detail)
        return Painted(picture, result.cost.counted)


def transfer_arm(options: TransferOptions, kind: str, words: str = NO_WORDS, fine_detail: float = 0.0) -> Arm:
    """Options as an arm. Words that are read guide every way as they do on the command line, the truth's own caption
    with `CAPTIONED_CFG` where the options have no guidance; without words there is nothing to guide by."""
    if words == AUTO_WORDS:
        options = guided_by_words(options, read=True)
    elif not words or options.cfg == 1.0:
        options = replace(options, cfg=CAPTIONED_CFG if words else 1.0)
    options = replace(options, size_px=0)
    settings = f"{options!r} fine detail {fine_detail:g}" if fine_detail else repr(options)
    seeded = kind in ("ours", "rival") and draws_noise(options)
    return Arm(Transfer(options, fine_detail), settings, kind, words, seeded)


def draws_noise(options: TransferOptions) -> bool:
    """Whether results depend on the seed: an inverted picture, sampled without noise, gives one result for all."""
    encodings = {options.content_encoding, options.style_encoding}
    fresh = options.start != "content" or options.renoise > 0.0 or options.low_frequencies < 1.0
    return fresh or not encodings.isdisjoint(NOISY_ENCODINGS) or options.solver in NOISY_SOLVERS


def arm_name(way: str, words: str) -> str:
    """The name of a way to repaint with words from there: "free, auto words"."""
    return f"{way}, {words}" if words else way


# What the command line runs where nothing is typed.
NOTHING_TYPED = "nothing typed"


def kind_of(name: str) -> str:
    """Whose a preset is."""
    return "ours" if name in OWN else "rival" if name in RIVALS else "published"


def preset_arms(
    backend: Backend, names: tuple[str, ...] = PRESETS, words: tuple[str, ...] = (NO_WORDS, AUTO_WORDS)
) -> dict[str, Arm]:
    """Each preset with words from each of these sources."""
    return {
        arm_name(name, source): transfer_arm(preset(name, backend), kind_of(name), source)
        for name in names
        for source in words
    }


def dial_arms(backend: Backend) -> dict[str, Arm]:
    """Points of the dial with words from the pictures, and the content's fine detail, as on the command line:
    `NOTHING_TYPED`, where the model is best, with all seeds of a trial, the others with one."""
    points = {f"freedom {point:g}": point for point in (0.0, 0.25, 0.5, 0.75, 1.0)}
    arms = {
        arm_name(name, AUTO_WORDS): transfer_arm(by_read_words(backend, point), "ours", AUTO_WORDS, FINE_DETAIL)
        for name, point in points.items()
    }
    arms = {name: replace(arm, seeded=False) for name, arm in arms.items()}
    return {NOTHING_TYPED: transfer_arm(by_read_words(backend), "ours", AUTO_WORDS, FINE_DETAIL)} | arms


def in_fewer_steps(arm: Arm, share: float) -> Arm:
    """A transfer with this share (0..1) of its steps; an arm without steps as it is."""
    if not isinstance(arm.paint, Transfer):
        return arm
    paint, steps = arm.paint, max(1, round(share * arm.paint.options.steps))
    options = replace(paint.options, steps=steps)
    return replace(arm, paint=replace(paint, options=options), settings=f"{arm.settings} in {steps} steps")
