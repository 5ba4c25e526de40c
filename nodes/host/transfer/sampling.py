"""One sampling with a patched MODEL: its reference processes, and what its generation does at each noise level."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import comfy.samplers
import torch
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionEdit
from ....swf_core.transfer import randomness
from ....swf_core.transfer.attention_edits import InjectionStep, injection_edit, leaking_edit
from ....swf_core.transfer.detail_guidance import detail_of
from ....swf_core.transfer.features import Box, FeatureBank, content_parts, parts_read
from ....swf_core.transfer.keeping import Keeping, choose_keeping, level_bytes, planned_bank
from ....swf_core.transfer.sigmas import travelled
from ....swf_core.transfer.start_latent import damp_low_frequencies, renoised, start_tones
from ....swf_core.transfer.styles import Style
from .attention import with_edit
from .call_parts import CallPart, attend_plainly
from .denoiser import REFERENCE_KEY, TRANSFER_KEY, HostDenoiser, PlainConditioning
from .feature_store import model_signature
from .layout import SampledLayout
from .noise_levels import on_pictures, start_noise
from .other_weights import denoiser_on, loaded_weights
from .plan import Source, TrajectorySource, TransferPlan
from .reference import ReferenceProcess, follow
from .roles import Role
from .schedules import whole_schedule


def current_sampling(options: dict[str, Any]) -> Sampling | None:
    """The sampling that these model options belong to; None outside of one and inside a reference's own call."""
    inner = options.get("transformer_options", {})
    return None if inner.get(REFERENCE_KEY) else inner.get(TRANSFER_KEY)


class Sampling:
    """One sampling with a patched MODEL: its reference processes and what its generation does."""

    def __init__(
        self, plan: TransferPlan, guider: Any, sampler: Any, sigmas: Tensor, noise: Tensor, options: dict[str, Any]
    ):
        self.plan, self.guider = plan, guider
        self.denoiser = HostDenoiser(guider.inner_model, options, plan.layers)
        self.network, self.table = self.denoiser.network, self.denoiser.sigmas
        self.noise = self.denoiser.levels
        self.part = [self.noise.sigma(s) for s in sigmas if float(s) > 0.0]
        levels = plan.levels
        # All levels of the sampling, of which the sampler may run but a part.
        if levels is None:
            begins = plan.start_adain is not None or bool(noise.count_nonzero())
            whole = whole_schedule(sigmas, begins, sampler, guider.inner_model.model_sampling, plan.schedule)
            self.falling = [self.noise.sigma(level) for level in whole]
        else:
            self.falling = levels.full
        # What pictures are inverted up to, and the level that a clean latent is taken to be at.
        self.rising = (
            levels.inverted[::-1] if levels else [s for s in self.falling[::-1] if s <= max(self.part, default=0.0)]
        )
        self.clean_at = 0.0 if levels is None else levels.clean_at
        self.layers = frozenset(plan.layers)
        self.text = plan.text or _negative_text(guider)
        self.denoiser.check_text(self.text)
        any_read = any(plan.injection.active(s) for s in self.part)
        # The start, calibration and the layout ask for the styles' tones even if nothing is read.
        any_tones = (plan.start_adain or 0.0) > 0.0 and plan.renoise < 1.0
        any_tones |= plan.calibration.amount > 0.0 or (plan.layout.weight > 0.0 and plan.layout_adain > 0.0)
        reads_styles = any_read and plan.injection.read == "style"
        if plan.store is not None:
            plan.store.begin()
        self.content = self._content_process() if any_read and plan.injection.needs_content else None
        self.styles = [
            Style(self._style_process(style.source), style.weight, style.readable, style.place)
            for style in (plan.styles if reads_styles or any_tones else ())
            if style.weight > 0.0
        ]
        self.layout = None
        if plan.layout.weight > 0.0:
            shape = tuple(self.noise.picture(noise).shape)
            self.layout = SampledLayout(plan, self.denoiser, self.styles, shape, self.progress)

    def __deepcopy__(self, memo: Any) -> Sampling:
        return self

    def _content_process(self) -> ReferenceProcess:
        """The content process; with weights of its own, its queries are read now, all with one change of weights."""
        plan, source = self.plan, self.plan.content
        if source is None:
            raise UserError("This style transfer needs a content picture; connect 'content'.")
        parts = content_parts(plan.injection)
        if plan.content_model is None:
            return self._process("content", source, parts, self.denoiser, self.guider.model_patcher, self.reads_content)
        model, shape = plan.content_model, source.shape

        def weights() -> AbstractContextManager[None]:
            return loaded_weights(model, self.guider, shape)

        with weights():
            process = self._process("content", source, parts, denoiser_on(model), model, self.reads_content)
            process.keep_all()
            process.ensure(*(s for s in self.part if plan.injection.active(s) and self.reads_content(s)))
        process.weights = weights
        return process

    def _style_process(self, source: Source) -> ReferenceProcess:
        parts = parts_read(self.plan.injection, self.plan.leak_guard)
        reads = self.plan.injection.read == "style"
        return self._process("style", source, parts, self.denoiser, self.guider.model_patcher, lambda _: reads)

    def _process(
        self,
        name: str,
        source: Source,
        parts: str,
        denoiser: HostDenoiser,
        patcher: Any,
        read_at: Callable[[float], bool],
    ) -> ReferenceProcess:
        """A reference process on a MODEL's weights; `read_at`: whether it is read at a level, if anything is."""
        plan, levels = self.plan, frozenset(self.falling)

        def reads(sigma: float) -> bool:
            return sigma in levels and plan.injection.active(sigma) and read_at(sigma)

        passing = plan.store is None and patcher is self.guider.model_patcher
        if passing:
            bank, kept_in, captured = FeatureBank(self.layers, parts, plan.precision), (), True
        else:
            read = [sigma for sigma in self.falling if reads(sigma)]
            keeping = self._keeping(name, source, parts, denoiser, len(read))
            bank = planned_bank(self.layers, parts, keeping, read, "cpu")
            captured = keeping.captured
            kept_in = (keeping.every, keeping.precision, captured)
        role = Role(name, denoiser, self.text, self.rising, self.clean_at, reads, bank, captured, name == "style")
        kept_by = [self.falling, self.clean_at, self.text.entry, sorted(self.layers), parts, kept_in]
        signature = [source.identity, *kept_by, *model_signature(patcher, denoiser.options)]
        return follow(source, role, plan.store, signature)

    def _keeping(self, name: str, source: Source, parts: str, denoiser: HostDenoiser, levels: int) -> Keeping:
        """How the features of a source are kept at so many levels; said where memory decides."""
        rows, _, height, width = source.shape
        layers = [layer for layer in denoiser.self_attention_layers if layer.name in self.layers]
        keeping = choose_keeping(
            "capture",
            self.plan.precision,
            levels=levels,
            level_bytes=level_bytes(layers, (height, width), rows, parts, denoiser.itemsize),
            itemsize=denoiser.itemsize,
            shared_by=max(1, len(self.plan.styles)) if name == "style" else 1,
        )
        if keeping.thinned:
            logging.getLogger("StyleWallfacer").info(keeping.said(f"the {name}"))
        return keeping

    def start_noise(self, sampler: Any, sigmas: Tensor, clean: Tensor, amount: float) -> Tensor:
        """The noise with which the host's sampler, scaling and adding it to the `clean` latents, starts where we want:
        at the content's noisy latent with the styles' statistics, or turned from there towards fresh noise."""
        levels, seed, clean = self.plan.levels, self.plan.start_seed, self.noise.picture(clean)
        start, x = self.noise.sigma(sigmas[0]) if levels is None else levels.start[0], clean
        if self.plan.renoise < 1.0:
            content = self.content or self._content_process()
            x = start_tones(content.latent_at(start).to(clean), self.styles, start, amount, self.plan.place)
        x = renoised(x, randomness.noise_like(x, seed, randomness.START), start, self.plan.renoise)
        damping = randomness.noise_like(x, seed, randomness.DAMPING)
        x = damp_low_frequencies(x, self.plan.low_frequencies, damping)
        if levels is not None:
            x = x * levels.start_scale
        return self._noise(sampler, sigmas, x, clean)

    def kept_content(self, sampler: Any, sigmas: Tensor, noise: Tensor, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Noise and latent of a sampling with a noise mask, so that what is kept is a picture.

        A sampler that goes on from a content's inverted latent, adding no noise, would keep that noisy latent; it is
        given the content's clean one, with the noise that leads to the same start.
        """
        source, sigma, noisy = self.plan.content, self.noise.sigma(sigmas[0]), self.noise.picture(latent)
        if not isinstance(source, TrajectorySource) or noise.count_nonzero() or source.shape != tuple(noisy.shape):
            return noise, latent
        trajectory = source.trajectory
        if not torch.allclose(trajectory.at(sigma).to(noisy), noisy, rtol=1e-3, atol=1e-3 * sigma):
            return noise, latent
        clean = trajectory.clean.to(noisy)
        return self._noise(sampler, sigmas, noisy, clean), self.noise.framed(clean)

    def _noise(self, sampler: Any, sigmas: Tensor, start: Tensor, clean: Tensor) -> Tensor:
        """The noise with which the host's sampler, scaling and adding it to the `clean` latents, begins at `start`."""
        sigma = float(sigmas[0])
        scale = math.sqrt(1.0 + sigma * sigma) if sampler.max_denoise(self.guider, sigmas) else sigma
        return self.noise.framed(start_noise(self.noise, start, clean, sigma, scale))

    def gamma_at(self, sigma: float) -> float:
        """The schedule's query preservation at this level."""
        return self.plan.injection.gamma_at(self.progress(sigma))

    def progress(self, sigma: float) -> float:
        """How far a level lies between the whole schedule's first (0) and the clean picture (1)."""
        return travelled(self.table, sigma, self.falling[0], float(self.table[0]))

    def reads_content(self, sigma: float) -> bool:
        """Whether anything of content's attention is read at this level, if it is injected there."""
        return self.plan.injection.read == "content" or self.gamma_at(sigma) > 0.0

    def _detail(self, difference: Tensor, positive: Tensor) -> Tensor:
        return detail_of(difference, positive, self.plan.cfg_detail)

    def calibrated(self, x0: Tensor, sigma: float) -> Tensor:
        """x0 with the styles' tones, where the plan calibrates it at this level.

        Shares are of the model's own levels, for the sampler may run but a part of a schedule.
        """
        share = travelled(self.table, sigma, float(self.table[-1]), float(self.table[0]))
        amount = self.plan.calibration.amount_at(share)
        if amount == 0.0:
            return x0
        return on_pictures(lambda x: start_tones(x, self.styles, 0.0, amount, self.plan.place), x0)

    def with_injection(self, options: dict[str, Any], conds: list, x: Tensor, sigma: float) -> dict[str, Any]:
        """Model options for one call of generation with rows `x`: its self-attention reads the styles."""
        gamma = self.gamma_at(sigma)
        if self.content is not None and self.reads_content(sigma):
            self.content.ensure(sigma)
        for style in self.styles if self.plan.injection.read == "style" else ():
            style.process.ensure(sigma)
        boxes = {entry.get("uuid"): _box(entry.get("area"), x) for part in conds for entry in part or ()}
        queries = None if self.content is None else self.content.bank
        edits: dict[tuple[Box | None, CallPart], AttentionEdit] = {}

        def choose(part: CallPart) -> Any:
            key = boxes.get(part.uuid), replace(part, uuid=None)
            if key not in edits:
                where = {"positions": self.plan.positions, "untwist": self.plan.untwist}
                step = InjectionStep(sigma, gamma, part.rows, self.plan.place, key[0], part.frames, **where)
                edits[key] = injection_edit(self.layers, self.plan.injection, step, queries, self.styles)
            return edits[key].function

        return with_edit(options, self.network, self.plan.layers, choose)

    def without_injection(self, options: dict[str, Any]) -> dict[str, Any]:
        """Model options for one call of generation that reads nothing."""
        return with_edit(options, self.network, self.plan.layers, lambda _: attend_plainly)

    def add_guidance(self, args: dict[str, Any], x0: Tensor, sigma: float) -> Tensor:
        """x0 with style guidance and the leak guard, each one more call.

        Both are taken from the two branches' predictions, not from x0: another node's function after guidance, whether
        it came before or comes after, is not taken several times over.
        """
        plan, x, cfg = self.plan, args["input"], args["cond_scale"]
        one_branch = math.isclose(cfg, 1.0)
        positive, negative = args["cond_denoised"], args["uncond_denoised"]
        styled = positive if one_branch else negative + cfg * (positive - negative)
        if plan.style_guidance > 0.0:
            options = self.without_injection(args["model_options"])
            options["transformer_options"][REFERENCE_KEY] = True
            conds = [args["cond"], None if one_branch else args["uncond"]]
            positive, negative = comfy.samplers.calc_cond_batch(args["model"], conds, x, args["sigma"], options)
            plain = positive
            if conds[1] is not None:
                plain = positive + (cfg - 1.0) * on_pictures(self._detail, positive - negative, positive)
            x0 = x0 + plan.style_guidance * (styled - plain)
        if plan.leak_guard > 0.0:
            x = self.noise.to_core(x, self.noise.level(sigma))
            leaking = self.denoiser.denoise(x, sigma, self.text, leaking_edit(self.layers, sigma, self.styles))
            x0 = x0 + plan.leak_guard * (styled - self.noise.framed(leaking).to(styled))
        return x0


def _negative_text(guider: Any) -> PlainConditioning:
    """The negative of this sampling (its positive where it has none), as the references' own text."""
    original = getattr(guider, "original_conds", {})
    for ending in ("negative", "positive"):  # other packs' guiders put a word before: "xt_negative"
        for entries in (original[name] for name in sorted(original) if name.endswith(ending)):
            for entry in entries or ():
                if entry.get("cross_attn") is not None:
                    return PlainConditioning([[entry["cross_attn"], entry]])
    raise UserError("This sampler gave no text; connect a CONDITIONING to 'reference_text' of the patch.")


def _box(area: Any, x: Tensor) -> Box | None:
    """An area of a prompt, (height, width, top, left) in latent cells, as shares of the picture."""
    if area is None:
        return None
    axes, (height, width) = len(area) // 2, x.shape[-2:]  # films have an axis before the two
    high, wide, top, left = *area[axes - 2 : axes], *area[-2:]
    return top / height, left / width, min(high, height - top) / height, min(wide, width - left) / width
