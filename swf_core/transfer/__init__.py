"""Style transfer by the triple diffusion process. Needs torch alone; a model comes in as a `Backend`."""

from .cost import Cost, CostPart
from .film import FilmOptions, FilmPainter
from .injection import Injection
from .inputs import Content, Models, StyleInput
from .options import TransferOptions
from .presets import PRESETS, preset
from .text_to_picture import SampleOptions, SampleResult, sample
from .triple_process import SharedStyles, TransferResult, stylize

__all__ = [
    "PRESETS",
    "Content",
    "Cost",
    "CostPart",
    "FilmOptions",
    "FilmPainter",
    "Injection",
    "Models",
    "SampleOptions",
    "SampleResult",
    "SharedStyles",
    "StyleInput",
    "TransferOptions",
    "TransferResult",
    "preset",
    "sample",
    "stylize",
]
