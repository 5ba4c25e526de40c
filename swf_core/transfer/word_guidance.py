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
from .presets import DIALED, preset

# A typed prompt.
CFG_WITH_PROMPT = 4.0
# Words read from the pictures: guidance, how far it is held to detail, and where on the dial the default preset stands.
# Chosen on mini (docs/figures.md); larger models have the same, not measured.
CFG_WITH_READ_WORDS, DETAIL_WITH_READ_WORDS, FREEDOM_WITH_READ_WORDS = 3.0, 1.0, 0.5


def nothing_typed(models: Models | Backend) -> TransferOptions:
    """What the command line runs for two pictures and words that it reads from them, without a LoRA."""
    return guided_by_words(preset(DIALED, models, FREEDOM_WITH_READ_WORDS), read=True)


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
