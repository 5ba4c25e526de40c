"""Generation of one batch of contents, beside its content process and the styles all batches share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ..models.contracts import AttentionEdit, AttentionLayer, Backend, Steering
from . import randomness
from .attention_edits import injection_edit, leaking_edit
from .cost import Meter
from .features import FeatureBank
from .layers import same_layers
from .options import TransferOptions
from .reference import Reference
from .sampler import Guidance, Steered, run_sampler
from .sigmas import Levels, vp_scale
from .start_latent import damp_low_frequencies, start_tones
from .styles import Style


class Generation:
    """Generation of one batch of contents of equal size, beside its content process and the shared styles."""

    def __init__(
        self,
        backend: Backend,
        content_backend: Backend,
        unconditional: Backend | None,
        options: TransferOptions,
        levels: Levels,
        layers: Sequence[AttentionLayer],
        meter: Meter,
        styles: list[Style],
        seed: int,
        *,
        pictures: Tensor,
        texts: list[str],
        negative: str,
        place: Tensor | None,
        style_places: Sequence[Tensor | None],
        steering: Steering | None = None,
        keep_styles: bool = False,
    ):
        self.keep_styles = keep_styles
        self.options, self.levels, self.meter, self.seed = options, levels, meter, seed
        self.styles = [replace(style, place=where) for style, where in zip(styles, style_places)]
        self.place, self.rows, self.table = place, pictures.shape[0], backend.denoiser.sigmas
        self.names = frozenset(layer.name for layer in layers)
        height, width = pictures.shape[-2:]
        self.guidance = Guidance(
            backend.denoiser,
            backend.text.encode(texts, height, width),
            backend.text.encode([negative], height, width) if options.cfg != 1.0 else None,
            options.cfg,
            None if unconditional is None else unconditional.denoiser,
        )
        same_layers(content_backend, layers, "content")
        if unconditional is not None:
            same_layers(unconditional, layers, "unconditional")
        self.latents = backend.codec.encode(pictures)
        queried = [s for s in levels.read if options.injection.active(s) and self.gamma(s) > 0.0]
        self.content = Reference(
            "content",
            content_backend.denoiser,
            content_backend.text.encode([options.content_prompt], height, width).repeat(self.rows),
            FeatureBank(self.names, "q", options.precision),
            queried,
            options,
            meter,
        )
        if options.start == "content" or queried:
            noise = randomness.noise_like(self.latents, seed, randomness.CONTENT)
            self.content.from_picture(self.latents, options.content_encoding, levels, noise)
        passes = 1 if options.cfg == 1.0 else 2
        meter.plan("generation", self.rows, len(levels.read) * passes)
        injected = [s for s in levels.read if options.injection.active(s)]
        if options.style_guidance > 0.0:
            meter.plan("style guidance", self.rows, len(injected) * passes)
        self.steered = Steered(steering, backend, self.rows, (height, width), levels.read, meter)
        self.wordless = None
        if options.leak_guard > 0.0:
            self.wordless = backend.text.encode([negative], height, width).repeat(self.rows)
            meter.plan("leak guard", self.rows, len(injected))

    def gamma(self, sigma: float) -> float:
        full = self.levels.full
        return self.options.injection.gamma_at_sigma(sigma, self.table, full[0], full[-1])

    def run(self) -> Tensor:
        """The clean latents [B, C, h, w], in the codec's scale."""
        self.content.start()
        levels = self.levels
        start = [self.start_at(sigma) * levels.start_scale for sigma in levels.start]
        x = run_sampler(
            self.evaluate, start, levels.sampled, end=levels.end, solver=self.options.solver, on_x0=self.meter.report
        )
        self.content.bank.clear()
        return x / vp_scale(levels.end)

    def start_at(self, sigma: float) -> Tensor:
        """The start latent at one noise level."""
        options, noise = self.options, randomness.noise_like(self.latents, self.seed, randomness.START)
        if options.start == "content":
            base = self.content.latent_at(sigma)
        else:
            base = sigma * noise if options.start == "noise" else self.latents + sigma * noise
        x = start_tones(base, self.styles, sigma, options.adain, self.place)
        damping = randomness.noise_like(self.latents, self.seed, randomness.DAMPING)
        return damp_low_frequencies(x, options.low_frequencies, damping)

    def evaluate(self, x: Tensor, sigma: float) -> Tensor:
        """Generation's x0 at one level, references first."""
        if not self.options.injection.active(sigma):
            return self.steered.x0(self.guidance.both(self.meter, x, sigma), self.meter, x, sigma)
        processes = [self.content, *(style.process for style in self.styles)]
        for process in processes:
            process.ensure(sigma)
        inside = self.edit(sigma)
        styled, positive = self.guidance.both(self.meter, x, sigma, inside)
        x0 = styled
        if self.options.style_guidance > 0.0:
            x0 = x0 + self.options.style_guidance * (styled - self.guidance.x0(self.meter, x, sigma))
        if self.wordless is not None:
            edit = leaking_edit(self.names, sigma, self.styles)
            leaking = self.meter.denoise(self.guidance.denoiser, x, sigma, self.wordless, edit)
            x0 = x0 + self.options.leak_guard * (styled - leaking)
        x0 = self.steered.x0((x0, positive), self.meter, x, sigma, inside)
        for process in processes[:1] if self.keep_styles else processes:
            process.bank.forget(sigma)
        return x0

    def edit(self, sigma: float) -> AttentionEdit:
        """What generation does inside self-attention at this level."""
        return injection_edit(
            self.names,
            self.options.injection,
            sigma=sigma,
            gamma=self.gamma(sigma),
            rows=self.rows,
            content=self.content.bank,
            styles=self.styles,
            place=self.place,
        )
