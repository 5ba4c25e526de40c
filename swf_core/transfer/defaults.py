"""The defaults that the nodes, the shipped graphs, the help pages and the command line share; each stands once, here.

A widget shows one value for every model, so a fresh node has those of the family that was measured (docs/figures.md);
the preset `DEFAULT_PRESET`, in a node as on the command line, has those of each model's own family.
"""

from __future__ import annotations

from .presets import DEFAULT_PRESET, wallfacer

MEASURED_FAMILY = "mini"
# What a fresh node of the transfer shows.
FRESH = wallfacer(MEASURED_FAMILY, {})
# euler is DDIM; the host's "normal" spaces the levels evenly in training steps from the noisiest to the first.
SAMPLER, SCHEDULER = "euler", "normal"
STEPS = FRESH.steps
CFG = FRESH.cfg

__all__ = [
    "CFG",
    "DEFAULT_PRESET",
    "FRESH",
    "MEASURED_FAMILY",
    "SAMPLER",
    "SCHEDULER",
    "STEPS",
]
