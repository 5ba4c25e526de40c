"""How words guide where nobody says how much: those read from the pictures, and those that are typed.

Read words repeat what the pictures show and add the medium's name, so they may guide its marks firmly, held to detail,
and the content may be held loosely. Typed words may ask for other colors and another hour, which are low frequencies:
they guide plainly.
"""

from __future__ import annotations

from dataclasses import replace

from ..models.contracts import Backend
from .freedom import FREE_CFG
from .inputs import Models
from .options import TransferOptions
from .presets import suited

# A typed prompt.
CFG_WITH_PROMPT = 4.0
# Words read from the pictures: guidance, and how far it is held to detail. Chosen on mini (docs/figures.md).
CFG_WITH_READ_WORDS, DETAIL_WITH_READ_WORDS = 2.5, 1.0
# Steps by such words if nobody says; on mini more of them take both distances to the truth up again.
MINI_STEPS = 15


def by_read_words(models: Models | Backend, freedom: float | None = None) -> TransferOptions:
    """What the command line runs for words that it reads from the pictures where no preset is chosen, without a LoRA.

    `freedom`: where on the dial; None: where the model is best.
    """
    models = Models.of(models)
    backend = models.generation
    options = suited(backend.family, backend.layer_presets, models.unconditional is not None, freedom)
    if backend.family == "mini":
        options = replace(options, steps=MINI_STEPS)
    return guided_by_words(options, read=True)


def guided_by_words(
    options: TransferOptions, read: bool, asymmetric: bool = False, dialed: bool = False
) -> TransferOptions:
    """A preset's options with guidance by words: `read` from the pictures, or typed.

    `asymmetric`: the unconditional branch lacks generation's LoRA, so guidance brings the style's tones too and is not
    held to detail. `dialed`: the preset is a point of the dial from faithful to free, which has one guidance all along.
    """
    if read and not asymmetric:
        return replace(options, cfg=CFG_WITH_READ_WORDS, cfg_detail=DETAIL_WITH_READ_WORDS)
    if options.cfg != 1.0:
        return options
    return replace(options, cfg=FREE_CFG if read or dialed else CFG_WITH_PROMPT)
