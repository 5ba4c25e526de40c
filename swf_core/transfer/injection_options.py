"""What is injected into self-attention, and how: the dials of `injection`, checked when made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ..errors import UserError
from .sigmas import travelled

GAMMA_SCHEDULES = ("constant", "linear", "cosine")
KV_MODES = ("replace", "concat", "adaattn", "shared", "scatter_sort")
READS = ("style", "content")
# The modes in which generation's own keys are read beside the style's.
OWN_KEYS = ("concat", "shared")

# A log-bias beyond this is taken for infinite: exp(-1e4) is 0 in every dtype, and fp16 still holds it.
INFINITE_BIAS = 1e4


@dataclass(frozen=True)
class Injection:
    """Options of the injection.

    * layers: a preset or comma list, see `layers.choose_layers`.
    * gamma: 0..1, share of content's queries: 0 is pure style transfer, 1 keeps the content's questions.
      `gamma_end`: its value at the last step when `gamma_schedule` is "linear" or "cosine" (cosine 0.75 -> 0.375:
      Scheduled Style Injection, NTIRE 2026).
    * query_adain: 0..1, how far the mixed queries' channel statistics are moved to those of the style's own queries
      (StyleAligned, arXiv 2312.02133, AdaIN of Q): a photo's questions then fall where the style's keys are.
    * tau: > 0, multiplies the injected logits: above 1 sharpens.
    * strength: 0..1, s above. 0 is the plain model.
    * kv: "replace"; "concat": own and style tokens compete in one softmax (Z-STAR, arXiv 2311.16491, eq. 9), with
      `bias` added to the style's logits (-inf: plain, +inf: replace); "shared": the same, but own tokens too are asked
      with the injected query, tau * Q (StyleAligned, arXiv 2312.02133, eq. 3); "adaattn": style moves the mean and
      variance of the own values (AdaAttN, arXiv 2108.03647, eq. 4-6); "scatter_sort": own values take the histograms
      of the style's, channel by channel, and are read at their own places with the injected query (`sorted_matching`).
    * key_adain: 0..1, how far the own keys' channel statistics are moved to those of the style's keys, where own keys
      are read, in "concat" and "shared" (StyleAligned's AdaIN of K).
    * contrast: >= 1, c: each attention weight A of "replace" becomes clip(c (A - m) + m, 0, 1), m being the weight of a
      query that prefers no token (Cross-Image Attention, arXiv 2311.03335, sec. 4.2). 1 is none.
    * read: whose keys and values: "style", or "content", which then paints itself anew and leaves the style to words
      (MasaCtrl, arXiv 2304.08465).
    * value_shift: 0..1, how far the style values' mean is moved to the mean of generation's own values: frees color
      for the text, which the style's values would pin otherwise.
    * sigma_low, sigma_high: noise levels between which anything is injected, ends included.

    Raises ValueError (UserError) when a value is outside its range.
    """

    layers: str = "all"
    gamma: float = 0.75
    gamma_end: float | None = None
    gamma_schedule: str = "constant"
    query_adain: float = 0.0
    tau: float = 1.5
    strength: float = 1.0
    kv: str = "replace"
    bias: float = 0.0
    value_shift: float = 0.0
    sigma_low: float = 0.0
    sigma_high: float = math.inf
    key_adain: float = 0.0
    contrast: float = 1.0
    read: str = "style"

    def __post_init__(self) -> None:
        _within("gamma", self.gamma, 0.0, 1.0)
        if self.gamma_end is not None:
            _within("gamma_end", self.gamma_end, 0.0, 1.0)
        _within("query_adain", self.query_adain, 0.0, 1.0)
        _within("strength", self.strength, 0.0, 1.0)
        _within("value_shift", self.value_shift, 0.0, 1.0)
        if not 0.0 < self.tau < math.inf:
            raise UserError(f"tau is {self.tau}; it must be above 0 (1 is plain attention, 1.5 is StyleID's).")
        if math.isnan(self.bias):
            raise UserError("bias is not a number; give a log-bias such as 0, or -inf, or inf.")
        if not 0.0 <= self.sigma_low <= self.sigma_high:
            raise UserError(
                f"The sigma window is {self.sigma_low} to {self.sigma_high}; give 0 <= sigma_low <= sigma_high."
            )
        if self.gamma_schedule not in GAMMA_SCHEDULES:
            raise UserError(f"Gamma schedule {self.gamma_schedule!r} is unknown; use {', '.join(GAMMA_SCHEDULES)}.")
        if self.kv not in KV_MODES:
            raise UserError(f"K/V mode {self.kv!r} is unknown; use {', '.join(KV_MODES)}.")
        self._check_reading()

    def _check_reading(self) -> None:
        if self.read not in READS:
            raise UserError(f"read is {self.read!r}; use {' or '.join(READS)}.")
        _within("key_adain", self.key_adain, 0.0, 1.0)
        if self.key_adain > 0.0 and self.kv not in OWN_KEYS:
            modes = " or ".join(OWN_KEYS)
            raise UserError(f"key_adain moves own keys, which kv {self.kv!r} does not read; use {modes}.")
        if not 1.0 <= self.contrast < math.inf:
            raise UserError(f"contrast is {self.contrast}; it must be at least 1, which is none (1.67 is published).")
        if self.contrast > 1.0 and self.kv != "replace":
            raise UserError(f"contrast is {self.contrast}, which goes with kv 'replace' alone; set one of the two.")

    def gamma_at(self, progress: float) -> float:
        """gamma at `progress`, 0 at the first step of the schedule and 1 at the last."""
        end = self.gamma if self.gamma_end is None or self.gamma_schedule == "constant" else self.gamma_end
        share = progress if self.gamma_schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * progress)
        return self.gamma + (end - self.gamma) * share

    def gamma_at_sigma(self, sigma: float, table: Tensor, first: float, last: float) -> float:
        """gamma at the noise level `sigma` of a run from `first` to `last`; `table`: the model's sigmas."""
        return self.gamma_at(travelled(table, sigma, first, last))

    def active(self, sigma: float) -> bool:
        """Whether anything is injected at this noise level."""
        plain = self.strength == 0.0 or (self.kv == "concat" and self.bias <= -INFINITE_BIAS)
        return not plain and self.sigma_low <= sigma <= self.sigma_high

    @property
    def needs_content(self) -> bool:
        """Whether anything of content's attention is read at any step."""
        return self.read == "content" or max(self.gamma_at(0.0), self.gamma_at(1.0)) > 0.0


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"{name} is {value}; it must be between {low:g} and {high:g}.")
