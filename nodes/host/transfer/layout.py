"""Layout guidance of a sampling in ComfyUI: the content's clean latents with the styles' tones, at the sampled size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.transfer.layout_guidance import Layout, LayoutGuidance
from ....swf_core.transfer.start_latent import start_tones
from ....swf_core.transfer.styles import Style
from ..schema import number
from .denoiser import HostDenoiser
from .plan import LatentSource, TransferPlan


def layout_inputs() -> list[Any]:
    """The widgets of layout guidance, for the end of a schema."""
    plain = Layout()
    return [
        number(
            "layout",
            plain.weight,
            0.0,
            1.0,
            0.01,
            "Layout guidance: the content's low frequencies, in the style's tones, guide the picture while it forms; "
            "what is finer the model paints. 0 is off. With a ControlNet leave it off. It costs no call.",
            optional=True,
        ),
        number(
            "layout_cut",
            plain.cut,
            0.1,
            256.0,
            0.1,
            "How fine that layout is, in cycles per long side: 4 holds shapes of an eighth of the picture and suits "
            "mini; larger models stand more, 8 to 16.",
            optional=True,
        ),
        number(
            "layout_end",
            plain.end,
            0.01,
            1.0,
            0.01,
            "Share of the steps that the layout guides; after it the model paints freely.",
            optional=True,
        ),
    ]


def layout_of(dials: Mapping[str, float]) -> Layout:
    """What the widgets of `layout_inputs` are set to; a missing one is as in a new node."""
    names = {"layout": "weight", "layout_cut": "cut", "layout_end": "end"}
    return Layout(**{names[name]: value for name, value in dials.items() if name in names})


class SampledLayout:
    """Layout guidance of one sampling of latents of `shape` [B, C, h, w]; `progress`: see `LayoutGuidance`."""

    def __init__(
        self,
        plan: TransferPlan,
        denoiser: HostDenoiser,
        styles: Sequence[Style],
        shape: tuple[int, ...],
        progress: Callable[[float], float],
    ):
        self._plan, self._denoiser, self._styles, self._shape = plan, denoiser, styles, shape
        self._guidance = LayoutGuidance(plan.layout, self.target, progress)
        self._steer = self._guidance.begin()

    def x0(self, x0: Tensor, sigma: float) -> Tensor:
        """x0 guided, where it is at this noise level."""
        if not self._guidance.active(sigma):
            return x0
        return self._steer(sigma, x0.float(), x0, ()).to(x0)

    def target(self) -> Tensor:
        """What x0 is guided to: one row for all, or one each. Raises UserError for any other number of contents."""
        source, rows = self._plan.content, self._shape[0]
        if source is None:
            raise UserError("Layout guidance needs a content picture; connect 'content', or set layout to 0.")
        if isinstance(source, LatentSource):
            clean = self._denoiser.latents_in(source.latents)
        else:
            clean = source.trajectory.clean.float()
        clean = clean.to(self._denoiser.device)
        if clean.shape[0] not in (1, rows):
            raise UserError(
                f"{clean.shape[0]} of content were given for a batch of {rows}; give one for all, or one each."
            )
        grid = self._shape[-2:]
        if clean.shape[-2:] != grid:  # any sampler may make any size: the layout is stretched over it, as queries are
            clean = F.interpolate(clean, grid, mode="bilinear", align_corners=False, antialias=True)
        return start_tones(clean.expand(rows, -1, -1, -1), self._styles, 0.0, self._plan.layout_adain, self._plan.place)
