"""Weights distilled for few steps, as data: the noise levels and the sampling rule that each kind was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FewSteps:
    """A kind of distilled weights, a whole model or a LoRA on one.

    * line: what it is, for a help text. source: the paper.
    * spacing, solver: values of `TransferOptions` and `SampleOptions`. steps: where nobody says.
    """

    line: str
    source: str
    spacing: str
    solver: str
    steps: int = 4

    @property
    def sampling(self) -> dict[str, Any]:
        """Values of `SampleOptions`, by their names: without guidance, which is in the weights."""
        return {"spacing": self.spacing, "solver": self.solver, "steps": self.steps, "cfg": 1.0}

    @property
    def transfer(self) -> dict[str, Any]:
        """Values of `TransferOptions`. Pictures are noised, not inverted: in so few steps DDIM inversion does not lead
        back to them (ReNoise, arXiv 2403.14602)."""
        noised = {"content_encoding": "stochastic", "style_encoding": "stochastic"}
        return self.sampling | noised | {"cfg_detail": 0.0, "style_cfg": 1.0}


FEW_STEPS = {
    "lcm": FewSteps("LCM and LCM-LoRA, 2 to 8 steps", "arXiv 2310.04378", "lcm", "lcm"),
    "turbo": FewSteps("SD-Turbo and SDXL-Turbo, 1 to 4 steps", "arXiv 2311.17042", "trailing", "euler_ancestral"),
    "lightning": FewSteps("SDXL-Lightning in the 2, 4 or 8 steps of its name", "arXiv 2402.13929", "trailing", "euler"),
    "hyper": FewSteps("Hyper-SD in the 1, 2, 4 or 8 steps of its name", "arXiv 2404.13686", "hyper", "euler"),
    "tcd": FewSteps("TCD, and Hyper-SD's LoRA for any 1 to 8 steps", "arXiv 2402.19159", "lcm", "tcd"),
}
