"""Style transfer by the triple diffusion process. Needs torch alone; a model comes in as a `Backend`."""

from .cost import Cost, CostPart
from .injection import Injection
from .options import TransferOptions
from .presets import PRESETS, preset
from .sampler import SampleResult, sample
from .triple_process import TransferResult, stylize

__all__ = [
    "PRESETS",
    "Cost",
    "CostPart",
    "Injection",
    "SampleResult",
    "TransferOptions",
    "TransferResult",
    "preset",
    "sample",
    "stylize",
]
