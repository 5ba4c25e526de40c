"""Generation of one batch of contents, beside its content process and the styles all batches share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..models.contracts import AttentionEdit, Steering
from . import randomness
from .attention_edits import InjectionStep, injection_edit, leaking_edit
from .calibration import ColorCalibration
from .content_controller import ContentControl
from .contents import ContentBatch, stack_places
from .context import TransferContext
from .features import FeatureBank, content_parts
from .flow_edit import SourceBranch
from .joined import Rows
from .key_frame import KeyFrames
from .layout_guidance import LayoutGuidance
from .noisy_steps import noisy_steps
from .reference import Reference
from .sampler import Guidance, Steered, run_sampler
from .sigmas import vp_scale
from .start_latent import damp_low_frequencies, renoised, start_tones
from .styles import Style, StyleProcess


class Generation:
    """Generation of one batch of contents of equal size, beside its content process and the shared styles.

    Made, it has announced what it costs; `run` does it. `keep_styles`: the styles' features stay, for another batch.
    `keys`: the picture that is read beside the styles, and the one that this is to be.
    """

    def __init__(
        self,
        context: TransferContext,
        batch: ContentBatch,
        styles: Sequence[Style],
        steering: Steering | None = None,
        *,
        keep_styles: bool = False,
        keys: KeyFrames | None = None,
    ):
        self.context, self.batch, self.keep_styles, self.keys = context, batch, keep_styles, keys or KeyFrames()
        self.keys.begin(context, batch.rows)
        # where a style goes, fitted to this batch
        places = [stack_places([style.place], batch.sizes_px, context.cell_px) for style in styles]
        self.styles = [replace(style, place=place) for style, place in zip(styles, places)]
        options, meter, backend = context.options, context.meter, context.models.generation
        rows, size, text = batch.rows, batch.padded_px, backend.text
        unconditional = context.models.unconditional
        # Without words, and with one model for both branches, there is nothing to guide between.
        guides = unconditional is not None or any(prompt != context.negative for prompt in batch.prompts)
        cfg = options.cfg if guides else 1.0
        self.guidance = Guidance(
            backend.denoiser,
            text.encode(batch.prompts, *size),
            text.encode([context.negative], *size) if cfg != 1.0 else None,
            cfg,
            None if unconditional is None else unconditional.denoiser,
            options.cfg_detail,
            options.guides_at,
        )
        if batch.pictures is None:
            cells = [side // context.cell_px for side in size]
            self.latents = torch.zeros((rows, backend.codec.channels, *cells), device=backend.denoiser.device)
        else:
            self.latents = backend.codec.encode(batch.pictures)
        self.content = self._content()
        self.source = SourceBranch(context, rows, size) if options.start == "flowedit" else None
        read = context.levels.read * (1 if self.source is None else options.edit_average)
        guided = [sigma for sigma in read if options.injection.active(sigma) and options.guides_at(sigma)]
        meter.plan("generation", rows, sum(map(self.guidance.passes_at, read)))
        if options.style_guidance > 0.0:
            meter.plan("style guidance", rows, sum(map(self.guidance.passes_at, guided)))
        steerings: list[Steering] = [] if steering is None else [steering]
        if options.calibration.amount > 0.0:
            steerings.insert(0, ColorCalibration(options.calibration, self.toned, context.progress))
        if options.guides_layout:  # before the user's own, which has the last word
            steerings.insert(0, LayoutGuidance(options.layout, self.layout_target, context.progress))
        if options.controller.eta > 0.0:
            steerings.insert(0, ContentControl(options.controller, self.layout_target, context.progress))
        self.steered = Steered(steerings, backend, rows, size, read, meter)
        self.leak_text = None
        if options.leak_guard > 0.0:
            self.leak_text = text.encode([context.negative], *size).repeat(rows)
            meter.plan("leak guard", rows, len(guided))

    def _content(self) -> Reference | None:
        """The content process; None where neither its attention nor its noisy latent is read."""
        context, options = self.context, self.context.options
        queried = context.content_levels()
        starts = options.start == "content" and options.renoise < 1.0
        if options.start == "flowedit" or (not starts and not queried):
            return None
        backend = context.models.content or context.models.generation
        cond = backend.text.encode([options.content_prompt], *self.batch.padded_px).repeat(self.batch.rows)
        rows, _, height, width = self.latents.shape
        parts = content_parts(options.injection)
        role = context.role("content", backend, cond, parts, queried, (rows, height, width))
        noise = self.batch.noise_like(self.latents, randomness.CONTENT)
        return Reference.of_picture(role, context, self.latents, options.content_encoding, noise)

    def run(self) -> Tensor:
        """The clean latents [B, C, h, w], in the codec's scale."""
        levels = self.context.levels
        if self.source is not None:
            return self._edited(self.source)
        if self.content is not None:
            self.content.run()
        start = [self.start_at(sigma) * levels.start_scale for sigma in levels.start]
        solver, report = self.context.options.solver, self.context.meter.report
        table = self.context.models.generation.denoiser.sigmas
        noisy = noisy_steps(solver, table, levels.sampled, self.step_noise)
        x = run_sampler(self.evaluate, start, levels.sampled, end=levels.end, solver=solver, noisy=noisy, on_x0=report)
        if self.content is not None:
            self.content.bank.clear()
        return x / vp_scale(levels.end)

    def _edited(self, source: SourceBranch) -> Tensor:
        """The contents' latents with what generation changes of them (`flow_edit`)."""

        def noise(draw: int) -> Tensor:
            return randomness.noise_like(self.latents, self.batch.seeds, randomness.EDIT, draw)

        begin = self.toned(self.latents, self.context.options.adain) - self.latents
        return self.latents + source.carry(self.latents, begin, noise, self._x0, self._forget)

    def start_at(self, sigma: float) -> Tensor:
        """The start latent at one noise level."""
        options = self.context.options
        noise = self.batch.noise_like(self.latents, randomness.START)
        if options.start == "content" and self.content is not None:
            base = self.content.latent_at(sigma)
        else:
            base = sigma * noise if options.start == "noise" else self.latents + sigma * noise
        if options.renoise < 1.0:  # else nothing of it is left
            base = start_tones(base, self.styles, sigma, options.adain, self.batch.place)
        x = renoised(base, noise, sigma, options.renoise)
        damping = self.batch.noise_like(self.latents, randomness.DAMPING)
        return damp_low_frequencies(x, options.low_frequencies, damping)

    def step_noise(self, index: int) -> Tensor:
        """Unit noise of a step of a solver that adds some, each content's by its own seed."""
        return randomness.noise_like(self.latents, self.batch.seeds, randomness.STEP, index)

    def toned(self, clean: Tensor, amount: float) -> Tensor:
        """Clean latents [B, C, h, w] with the tones of the styles' clean latents."""
        return start_tones(clean, self.styles, 0.0, amount, self.batch.place)

    def layout_target(self) -> Tensor:
        """What layout guidance guides to: the clean content with the styles' tones."""
        return self.toned(self.latents, self.context.options.adain)

    def evaluate(self, x: Tensor, sigma: float) -> Tensor:
        """Generation's x0 at one level, references first; after it nothing of the level is read any more."""
        x0 = self._x0(x, sigma)
        if self.context.options.injection.active(sigma):
            self._forget(sigma)
        return x0

    def _x0(self, x: Tensor, sigma: float) -> Tensor:
        options, meter = self.context.options, self.context.meter
        if not options.injection.active(sigma):
            return self.steered.x0(self.guidance.both(meter, x, sigma), meter, x, sigma)
        beside = self._beside(x, sigma)
        edit = self.edit(sigma)
        styled, positive = self.guidance.both(meter, x, sigma, edit, beside)
        x0 = styled
        if options.style_guidance > 0.0 and options.guides_at(sigma):
            x0 = x0 + options.style_guidance * (styled - self.guidance.x0(meter, x, sigma))
        if self.leak_text is not None and options.guides_at(sigma):
            leak = leaking_edit(self.context.layer_names, sigma, self.styles)
            leaking = meter.denoise(self.guidance.denoiser, x, sigma, self.leak_text, leak)
            x0 = x0 + options.leak_guard * (styled - leaking)
        return self.steered.x0((x0, positive), meter, x, sigma, edit)

    def _beside(self, x: Tensor, sigma: float) -> list[Rows]:
        """References that show their features in generation's own call; those that cannot have shown them before it.

        They have its network and its size. Styles that other contents read are evaluated by themselves, so that no
        result depends on which content came first.
        """
        room = self.context.options.batch - x.shape[0] * self.guidance.copies_at(sigma)
        beside: list[Rows] = []
        for process in self._processes():
            rows = self._joins(process, x, sigma, room)
            if rows is None:
                process.ensure(sigma)
                continue
            room -= rows.x.shape[0]
            beside.append(rows)
        return beside

    def _joins(self, process: StyleProcess, x: Tensor, sigma: float, room: int) -> Rows | None:
        """A reference's part in generation's call, None where it has none."""
        if not isinstance(process, Reference) or process.denoiser is not self.guidance.denoiser:
            return None
        shared = self.keep_styles and process.stays and process is not self.content
        if shared or process.bank.stand_in(sigma) != sigma or (rows := process.rows_at(sigma)) is None:
            return None
        return rows if rows.x.shape[1:] == x.shape[1:] and rows.x.shape[0] <= room else None

    def _processes(self) -> list[StyleProcess]:
        content: list[StyleProcess] = [] if self.content is None else [self.content]
        return [*content, *(style.process for style in self.styles)]

    def edit(self, sigma: float) -> AttentionEdit:
        """What generation does inside self-attention at this level."""
        options, gamma, batch = self.context.options, self.context.gamma_at(sigma), self.batch
        step = InjectionStep(
            sigma, gamma, batch.rows, batch.place, positions=options.positions, untwist=options.untwist
        )
        content = self._content_bank()
        layers, injection = self.context.layer_names, self.context.options.injection
        edit = injection_edit(layers, injection, step, content, self.styles, self.keys.read_as_style(self.styles))
        return self.keys.shown(edit, sigma)

    def _content_bank(self) -> FeatureBank | None:
        """Where the content's features are."""
        if self.source is not None:
            return self.source.bank
        return None if self.content is None else self.content.bank

    def _forget(self, sigma: float) -> None:
        """Generation has read this level."""
        if (content := self._content_bank()) is not None:
            content.passed(sigma)
        for style in self.styles:
            stays = isinstance(style.process, Reference) and style.process.stays
            if not (self.keep_styles and stays):
                style.process.bank.passed(sigma)
