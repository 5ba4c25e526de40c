"""The benches behind `python -m swf_core bench NAME`: the table of them that the command line reads.

Importing this module loads no model and no torch; a bench's own module is imported when it is run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bench:
    """One bench: the module of this package and its function (BenchContext -> BenchResult), and a line of help."""

    module: str
    help: str
    function: str = "run"


BENCHES = {
    "world": Bench("world", "speed of the painters, color histograms"),
    "vae": Bench("vae", "round trips"),
    "samples": Bench("samples", "text to image"),
    "transfer": Bench("transfer", "matched pairs (transfer.csv, continues where it stopped)", "matched"),
    "unmatched": Bench("transfer", "any pairs (continues too)", "unmatched"),
    "held-out": Bench("transfer", "styles never trained on (continues too)", "held_out"),
    "fidelity": Bench("fidelity", "every preset, with and without words, beside baselines (continues too)"),
    "real": Bench("real", "real paintings and photographs, by VGG-19 (real.csv, continues too)"),
    "words": Bench("words_in_transfer", "text during transfer (words.csv, continues too)"),
    "captions": Bench("captions", "the embedded captioner, stripping and the semantic gap"),
    "learn": Bench(
        "learn", "held-out styles, each from one picture (learn.csv, a row a training; continues where it stopped)"
    ),
    "gap": Bench("gap", "stripped against full captions there, five seeds"),
    "lora-transfer": Bench("lora_transfer", "pictures repainted with and without such a LoRA"),
    "feedback": Bench("feedback", "rounds with picked samples and without"),
    "train-speed": Bench("train_speed", "beside diffusers' LoRA example"),
    "speed": Bench("speed", "what a transfer costs beside plain sampling, in evaluations and processor time"),
    "film": Bench("film", "flicker of repainted films whose motion is known, beside frame by frame"),
    "recolor": Bench("recolor", "palettes and references on photographs, beside color-matcher"),
    "color-words": Bench(
        "color_words", "'a blue house instead of a red one' during a transfer (color-words.csv, continues too)"
    ),
    "claims": Bench("claims", "the six claims of arXiv 2506.15033: holds, does not hold, not decided (continues too)"),
}
# Names of before, still understood.
ALIASES = {"taught": "lora-transfer", "recolour": "recolor", "colour-words": "color-words"}


def bench_name(name: str) -> str:
    """The name in `BENCHES` of a name as it is typed; an unknown one is returned as it is."""
    return ALIASES.get(name, name)
