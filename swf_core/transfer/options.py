"""The options of a run, checked when made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import UserError
from . import keeping, styleid
from .calibration import Calibration
from .content_controller import Controller
from .features import PRECISIONS
from .flow_steps import FLOW_STEPS
from .injection import Injection
from .layout_guidance import Layout
from .noisy_steps import NOISY_SOLVERS
from .rope import POSITIONS, Untwist
from .sigmas import SPACINGS
from .start_latent import STARTS
from .trajectory import ENCODINGS

# Solvers whose steps are what an edit (`flow_edit`) is carried by.
EDIT_SOLVERS = ("euler", *FLOW_STEPS)
SOLVERS = ("euler", "bdia", *FLOW_STEPS, *NOISY_SOLVERS)


def check_window(low: float, high: float) -> None:
    """Raise ValueError (UserError) where guidance would act between no noise levels."""
    if not 0.0 <= low <= high:
        raise UserError(f"The guidance window is {low} to {high}; give 0 <= low <= high.")


# Fields that came after tables of results were first kept, with their defaults.
_LATER = {
    "guidance_low": 0.0,
    "guidance_high": math.inf,
    "feature_mb": keeping.LIMIT_BYTES / 2**20,
    "positions": POSITIONS[0],
    "untwist": Untwist(),
    "controller": Controller(),
    "edit_average": 1,
    "source_cfg": 1.0,
}


@dataclass(frozen=True)
class TransferOptions:
    """How the triple process runs. All values are checked; ValueError (UserError) names what is allowed.

    * injection: what happens inside self-attention.
    * steps, spacing: the noise levels of the sampler (`sigmas.schedule`); spacing "styleid" is
      StyleID's published bookkeeping (`styleid`).
    * denoise: 0..1, the share of the schedule that is run, from its quiet end; below 1 starts nearer the content. With
      spacing "lcm" all steps are taken within that share.
    * solver: "euler" (DDIM), or "bdia", which with `content_encoding` "bdia" reconstructs the content exactly where
      nothing is injected; "midpoint" and "fireflow" are of second order, as the encodings of these names are, and
      evaluate between the levels, too (`flow_steps`); "lcm", "tcd" and "euler_ancestral" add fresh noise at every step
      (`noisy_steps`). The pictures' own processes stay on their trajectories at the same levels.
    * content_encoding, style_encoding: "ddim", "stochastic", "bdia", "midpoint", "fireflow", "rf_controller"
      or "fixed_point" (`trajectory`).
    * refinements: of DDIM inversion and of "fixed_point"; forward_first: of DDIM inversion.
    * features: "capture" keeps features while a picture is inverted, at as many levels as memory allows (`keeping`);
      "alternate" at every second, whose neighbors read it too; "lockstep" evaluates again at each step, which costs
      evaluations in place of memory, for the same result as of all levels.
    * start: "content" (its inverted latent), "stochastic" (content plus fresh noise), "noise", or "flowedit": no noisy
      latent, the content itself, which is changed by what injection and the prompt change (`flow_edit`). Of that,
      edit_average: draws of noise a step (1 is published), and source_cfg: guidance of the content's own branch.
    * controller: draws the first steps to the content (`content_controller`).
    * renoise: 0..1, how far such a start, its tones moved, is turned towards fresh noise (`start_latent.renoised`).
    * layout: guidance by the content's low frequencies (`layout_guidance`), which brings its layout where the start
      and the queries do not.
    * calibration: late AdaIN of the predicted clean latent to the style's (`calibration`).
    * adain: 0..1, how far the start's channel statistics move to the style's, and those of the layout that guides.
      Color follows; 0 when text or palette is to set the colors.
    * low_frequencies: 0..1, share of the start's low frequencies that stays (`start.damp_low_frequencies`).
    * cfg: classifier-free guidance of generation; 1 is none and costs no second evaluation.
    * cfg_detail: 0..1, how far that guidance is held to detail, its low frequencies left to the pictures
      (`detail_guidance`); 0 is plain guidance.
    * style_cfg: guidance of a style that is sampled from text.
    * style_guidance: 0..10, guidance away from the same step without injection: what the style adds counts 1 + w times
      (StyleKeeper's guidance over swapping, arXiv 2510.06827). One more evaluation a step, two with cfg.
    * leak_guard: 0..10, guidance away from a branch that asks with the style's own queries and so draws the style
      picture's objects (negative visual query guidance, StyleKeeper, arXiv 2510.06827). One more evaluation a step.
    * guidance_low, guidance_high: noise levels between which `cfg`, `style_guidance` and `leak_guard` act, ends
      included; elsewhere they cost nothing (guidance in a limited interval, arXiv 2404.07724).
    * feature_mb: MiB that the features of all styles, and those of a batch of contents, may take; where it is too
      little for every noise level, fewer are kept (`keeping`), and the result's notes say so.
    * positions: where a style's keys stand in a network with rotary positions, "untwist", "shift", "free" or "same"
      (`rope`); in others there are none, and it does nothing. untwist: the gains of "untwist".
    * content_prompt, style_prompt: text of the reference processes.
    * size_px: long side of content and result; None: the model's native size; 0: as given.
    * style_size_px: the same for the style pictures; None: as size_px. Larger makes finer strokes.
    * precision: "fp32" or "fp16", of kept features.
    * batch: most contents in one network call.
    """

    injection: Injection = field(default_factory=Injection)
    steps: int = 30
    spacing: str = "leading"
    denoise: float = 1.0
    solver: str = "euler"
    content_encoding: str = "ddim"
    style_encoding: str = "ddim"
    refinements: int = 0
    forward_first: int = 0
    features: str = "capture"
    start: str = "content"
    renoise: float = 0.0
    layout: Layout = field(default_factory=Layout)
    calibration: Calibration = field(default_factory=Calibration)
    adain: float = 1.0
    low_frequencies: float = 1.0
    cfg: float = 1.0
    cfg_detail: float = 0.0
    style_cfg: float = 3.0
    style_guidance: float = 0.0
    leak_guard: float = 0.0
    content_prompt: str = ""
    style_prompt: str = ""
    size_px: int | None = None
    style_size_px: int | None = None
    precision: str = "fp32"
    batch: int = 8
    guidance_low: float = 0.0
    guidance_high: float = math.inf
    feature_mb: float = keeping.LIMIT_BYTES / 2**20
    positions: str = POSITIONS[0]
    untwist: Untwist = field(default_factory=Untwist)
    controller: Controller = field(default_factory=Controller)
    edit_average: int = 1
    source_cfg: float = 1.0

    def __repr__(self) -> str:
        """As every dataclass's, without the fields of `_LATER` at their defaults: tables of results are kept by it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        shown = (name for name in values if name not in _LATER or values[name] != _LATER[name])
        return f"TransferOptions({', '.join(f'{name}={values[name]!r}' for name in shown)})"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("spacing", (*SPACINGS, styleid.SPACING)),
            ("solver", SOLVERS),
            ("content_encoding", ENCODINGS),
            ("start", STARTS),
            ("style_encoding", ENCODINGS),
            ("features", keeping.SOURCES),
            ("precision", tuple(PRECISIONS)),
            ("positions", POSITIONS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise UserError(f"{name} is {value!r}; use one of {', '.join(allowed)}.")
        for name, high in (
            ("adain", 1.0),
            ("renoise", 1.0),
            ("low_frequencies", 1.0),
            ("cfg", 100.0),
            ("cfg_detail", 1.0),
            ("source_cfg", 100.0),
            ("style_guidance", 10.0),
            ("leak_guard", 10.0),
        ):
            value = getattr(self, name)
            if not 0.0 <= value <= high:
                raise UserError(f"{name} is {value}; it must be between 0 and {high:g}.")
        if not self.feature_mb >= 0.0:
            raise UserError(f"feature_mb is {self.feature_mb}; it must be at least 0, which keeps nothing.")
        check_window(self.guidance_low, self.guidance_high)
        if not 0.0 < self.denoise <= 1.0:
            raise UserError(f"denoise is {self.denoise}; it must be above 0 and at most 1.")
        for name, least in (("steps", 1), ("refinements", 0), ("forward_first", 0), ("batch", 1), ("edit_average", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise UserError(f"{name} is {value}; it must be a whole number of at least {least}.")
        if self.solver == "bdia" and round(self.denoise * self.steps) < 2:
            raise UserError(f"Solver bdia needs at least 2 steps, {self.steps} at denoise {self.denoise} is fewer.")
        if self.injection.read == "content" and self.leak_guard > 0.0:
            raise UserError("leak_guard asks with the style's queries; with read 'content' leave it at 0.")
        if self.start == "flowedit":
            self._check_edit()
        if self.spacing == styleid.SPACING:
            styleid.check_styleid(self.steps, self.denoise, self.solver, self.content_encoding, self.style_encoding)

    def _check_edit(self) -> None:
        if self.solver not in EDIT_SOLVERS or self.spacing == styleid.SPACING:
            solvers = ", ".join(EDIT_SOLVERS)
            raise UserError(f"start 'flowedit' goes with solver {solvers} and no spacing 'styleid'; change these.")
        if self.renoise > 0.0 or self.low_frequencies < 1.0:
            raise UserError("start 'flowedit' has no noisy latent; leave renoise at 0 and low_frequencies at 1.")

    def changed(self, **values: Any) -> TransferOptions:
        """A copy with some values replaced, those of the injection by their own names: changed(steps=20, gamma=0.5)."""
        inner = {f.name for f in fields(Injection)} & values.keys()
        injection = replace(self.injection, **{k: values[k] for k in inner})
        return replace(self, **{"injection": injection} | {k: v for k, v in values.items() if k not in inner})

    def guides_at(self, sigma: float) -> bool:
        """Whether cfg, style guidance and leak guard act at this noise level, where there are any."""
        return self.guidance_low <= sigma <= self.guidance_high

    @property
    def guides_layout(self) -> bool:
        """Whether the content's layout guides."""
        return self.layout.weight > 0.0

    def without_content(self) -> TransferOptions:
        """The same for a run without a content picture: from noise, down the whole schedule, with neither its queries
        nor its layout. Raises ValueError (UserError) where it is all that is read."""
        if self.injection.read == "content":
            raise UserError("read is 'content', and there is no content picture; give one, or read 'style'.")
        spacing = "leading" if self.spacing == styleid.SPACING else self.spacing
        noise = self.changed(start="noise", denoise=1.0, spacing=spacing, layout=Layout())
        noise = noise.changed(controller=Controller())
        return noise.changed(gamma=0.0, gamma_end=None, gamma_schedule="constant")
