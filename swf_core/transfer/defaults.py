"""The defaults that the nodes, the shipped graphs, the help pages and the command line share; each stands once, here.

A widget shows one value for every model, so a fresh node has those of the family that was measured (docs/figures.md);
the preset `DEFAULT_PRESET`, in a node as on the command line, has those of each model's own family.
"""

from __future__ import annotations

from .freedom import FREE_CFG
from .presets import DEFAULT_PRESET, wallfacer

MEASURED_FAMILY = "mini"
# What a fresh node of the transfer shows.
FRESH = wallfacer(MEASURED_FAMILY, {})
# euler is DDIM; the host's "normal" spaces the levels evenly in training steps from the noisiest to the first.
SAMPLER, SCHEDULER = "euler", "normal"
STEPS = FRESH.steps
CFG = FRESH.cfg
# Guidance of the command line where there is a prompt and nobody says how much.
CFG_WITH_PROMPT = 4.0
# The same where the words were read from the pictures: they name the style beside pictures that show it, and more than
# this takes mini away from the truth (Gram 0.53 at 2, 0.77 at 3, 1.12 at 4: docs/figures.md).
CFG_WITH_READ_WORDS = FREE_CFG

__all__ = [
    "CFG",
    "CFG_WITH_PROMPT",
    "CFG_WITH_READ_WORDS",
    "DEFAULT_PRESET",
    "FRESH",
    "MEASURED_FAMILY",
    "SAMPLER",
    "SCHEDULER",
    "STEPS",
]
