"""The trainer: one loop over the steps of a run's rounds, with looks on the way and exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..files import write_files
from ..models import lora_file
from ..models.contracts import Backend
from ..models.lora import Adapter, choose_modules, without
from ..models.precision import mixed_precision
from . import checkpoint, samples, signals
from .latent_cache import Prepared
from .losses import draw_noise, draw_steps, loss_of
from .options import TrainOptions
from .picks import picked_items
from .prior import Prior
from .run import Run, sweep

# Called with the step, the steps of the whole run, a word, and pictures [3, H, W] when they are new. May raise.
Report = Callable[[int, int, str, "list[Tensor] | None"], None]
AVERAGED = 50  # losses behind the mean that is shown


@dataclass(frozen=True)
class Outcome:
    """step: how far the run is; loss: mean of the last losses; seconds: of this call; rate: training steps a second,
    looks aside; advice: one sentence; adapter: the LoRA, still in the network."""

    step: int
    loss: float
    seconds: float
    rate: float
    advice: str
    adapter: Adapter


def train(
    run: Run,
    backend: Backend,
    *,
    clip: signals.Similarity | None = None,
    report: Report | None = None,
    check: Callable[[], None] | None = None,
    metadata: bool = True,
    until: int | None = None,
) -> Outcome:
    """Run the steps that are left of a run's rounds.

    * backend: its denoiser is `Trainable`, and the caller's own: the LoRA is put into its network and stays there.
    * clip: a CLIP for the signals of style and prompt; without it they are left out.
    * check: called before each step and may raise to stop; the state is then saved at that very step.
    * metadata: whether LoRA files say how they were made.
    * until: the step at which to stop, where a round ends; later rounds wait.

    Raises UserError when the loss is no number or exactly zero, for weights that cannot be trained, for a full disk.
    """
    began = time.perf_counter()
    sweep(run)
    loop = Loop(run, backend, clip, report, check, metadata)
    for number, plan in enumerate(run.rounds):
        if until is None or plan["first"] + plan["steps"] <= until:
            loop.round(number)
    file = run.lora_file(run.chosen or loop.step)
    if file.exists():
        write_files({run.folder / "lora.safetensors": file.read_bytes()})
    last = loop.losses[-AVERAGED:]
    return Outcome(
        loop.step,
        sum(last) / max(1, len(last)),
        time.perf_counter() - began,
        loop.trained / loop.training_seconds if loop.trained else 0.0,
        signals.advice(run.records("signals")),
        loop.adapter,
    )


class Loop:
    """What lives as long as one call of `train`."""

    def __init__(
        self,
        run: Run,
        backend: Backend,
        clip: signals.Similarity | None = None,
        report: Report | None = None,
        check: Callable[[], None] | None = None,
        metadata: bool = True,
    ):
        network: Any = backend.denoiser
        self.run, self.backend, self.network, self.clip = run, backend, network, clip
        self.report, self.check, self.metadata = report, check or (lambda: None), metadata
        options = run.options
        modules = choose_modules(network.module_names, options.targets)
        self.adapter = Adapter.new(network.network, modules, options.rank, options.scale, options.seed)
        self.parameters = self.adapter.parameters()
        self.optimizer = checkpoint.new_optimizer(self.parameters, options.weight_decay)
        self.step, self.losses, self.rates = checkpoint.restore(run.folder, self.adapter, self.optimizer)
        self.saved = self.step
        self.trained, self.training_seconds = 0, 0.0

    def round(self, number: int) -> None:
        """The steps that are left of one round."""
        plan, options = self.run.rounds[number], self.run.round_options(number)
        first, end = plan["first"], plan["first"] + plan["steps"]
        if self.step > end:
            return
        if self.step == end and not self._look_is_due(options, end):
            checkpoint.keep(self.run.folder, end)  # a kill may have come between the last save and this
            return
        items = [*self.run.items, *picked_items(self.run, self.run.picks_of(number))]
        prepared = Prepared(items, self.backend, options, self._preparing)
        prior = Prior(self.run, without(self.backend, self.adapter), options) if options.prior_weight else None
        whole = False  # whether weights, moments and step belong together
        try:
            while True:
                whole = True
                if self._look_is_due(options, end):  # at step 0 the plain model, before anything is learnt
                    self._save()
                    self._look(prepared, options)
                if self.step >= end:
                    checkpoint.keep(self.run.folder, self.step)
                    break
                self.check()
                began = time.perf_counter()
                whole = False
                loss = self.train_step(prepared, prior, options, options.rate(self.step - first))
                whole = True
                self.training_seconds += time.perf_counter() - began
                self.trained += 1
                if self.step % options.save_every == 0 or self.step == end:
                    self._save()
                self._tell(f"loss {loss:.4f}")
        finally:
            if whole and self.step > self.saved:
                self._save()

    def train_step(self, prepared: Prepared, prior: Prior | None, options: TrainOptions, rate: float) -> float:
        """One optimizer step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for part in range(options.accumulate):
            batch, seeds = prepared.draw(self.step, part), (self.step, part)
            table, count = len(self.network.sigmas), len(batch.latents)
            levels = draw_steps(options, table, count, seeds, batch.picked, prepared.picks_share)
            noise = draw_noise(options, batch.latents, seeds)
            with mixed_precision(self.network.device), torch.enable_grad():
                loss = loss_of(self.network, batch, levels, noise, options.loss, options.min_snr)
                if prior is not None:
                    loss = loss + options.prior_weight * prior.loss(self.network, self.step, part)
            (loss / options.accumulate).backward()
            total += float(loss.detach()) / options.accumulate
        if not math.isfinite(total) or total == 0.0:
            raise UserError(
                f"The loss is {total} at step {self.step}: "
                + (
                    "the rate is too high or the weights overflow in half precision; lower the learning rate, or load "
                    "the model in bf16 or fp32."
                    if total
                    else "the network's output does not depend on its input."
                )
            )
        if options.clip:
            nn.utils.clip_grad_norm_(self.parameters.values(), options.clip, foreach=True)
        self.optimizer.step()
        self.step += 1
        self.losses.append(total)
        self.rates.append(rate)
        return sum(self.losses[-AVERAGED:]) / len(self.losses[-AVERAGED:])

    def _save(self) -> None:
        if self.step > self.saved:
            checkpoint.save(self.run.folder, self.step, self.adapter, self.optimizer, self.losses, self.rates)
            self.saved = self.step

    def _look_is_due(self, options: TrainOptions, end: int) -> bool:
        due = options.sample_every and self.step % options.sample_every == 0 or self.step == end
        return bool(due) and all(s["step"] != self.step for s in self.run.records("signals"))

    def _look(self, prepared: Prepared, options: TrainOptions) -> None:
        """Keep the LoRA of this step, sample with it and measure the signals."""
        run = self.run
        if self.step:
            write_files({run.lora_file(self.step): self._encoded(options)})
        pictures: list[Tensor] = []
        if options.sample_every:
            self._tell("sampling")
            pictures = samples.take(run, self.backend, self.adapter, options, self.step)
        plain = samples.kept(run, 0) if self.step else []
        originals = [item.picture for item in run.items]
        found = signals.measure(
            self.step,
            pictures,
            plain,
            originals,
            [p.prompt for p in run.prompts],
            validation=signals.validation_loss(self.network, prepared, options),
            norm=self.adapter.norm(),
            clip=self.clip,
        )
        known = [s for s in run.records("signals") if s["step"] != self.step]
        run.write_records("signals", sorted([*known, found], key=lambda s: s["step"]))
        self._tell("sampled", pictures)

    def _encoded(self, options: TrainOptions) -> bytes:
        if not self.metadata:
            return lora_file.encode(self.adapter, strength=options.strength)
        run, backend = self.run, self.backend
        told = lora_file.describe(
            self.adapter,
            family=backend.family,
            prediction=self.network.prediction,
            title=run.folder.name,
            size_px=options.size_px or backend.native_size_px,
            steps=self.step,
            learning_rate=options.learning_rate,
            seed=options.seed,
            pictures=len(run.items),
            strength=options.strength,
            own={"captions": [i.caption for i in run.items], "run": run.model, "picks": _picks(run.rounds)},
        )
        return lora_file.encode(self.adapter, told, strength=options.strength)

    def _preparing(self, share: float) -> None:
        self.check()
        self._tell(f"preparing {share:.0%}")

    def _tell(self, word: str, pictures: list[Tensor] | None = None) -> None:
        if self.report:
            self.report(self.step, self.run.steps, word, pictures)


def _picks(rounds: Sequence[dict[str, Any]]) -> int:
    return max((len(r["picks"]) for r in rounds), default=0)
