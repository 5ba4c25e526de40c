"""The trainer: one loop over the steps of a run's rounds, with evaluations on the way and exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..errors import UserError
from ..models.base_weights import run_blocks_twice, store_weights
from ..models.contracts import Backend
from ..models.lora import Adapter, without_lora
from ..models.lora_targets import choose_modules
from . import checkpoint, mending, samples, signals
from .flow_loss import check_kind_of_model
from .gradient import leave_gradient
from .latent_cache import LatentCache
from .locks import training_lock
from .lora_output import hand_over, save_lora
from .options import TrainOptions
from .picks import picked_items
from .prior import Prior, make_pictures
from .processes import ALONE, Processes
from .run import Run, model_identity
from .validation import validation_loss

# Called with the step, the steps of the whole run, a word, and pictures [3, H, W] when they are new. May raise.
Report = Callable[[int, int, str, "list[Tensor] | None"], None]
AVERAGED = 50  # losses behind the mean that is reported


class NotFinite(UserError):
    """A loss or gradient that is no number: the weights are still those of the last step."""


@dataclass(frozen=True)
class Outcome:
    """step: how far the run is; loss: mean of the last losses; seconds: of this call; rate: training steps a second,
    evaluations aside; advice: one sentence; adapter: the LoRA, still in the network."""

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
    group: Processes = ALONE,
) -> Outcome:
    """Run the remaining steps of a run's rounds, as the only one who does at this time.

    * backend: its denoiser is `Trainable`, and the caller's own: the LoRA is put into its network and stays there.
    * clip: a CLIP for the signals of style and prompt; without it they are left out.
    * check: called before each step and may raise to stop; the checkpoint is then of that very step.
    * metadata: whether LoRA files say how they were made.
    * until: the step at which to stop, where a round ends; later rounds wait.
    * group: the processes that all make this call, each on its own copy of the network; the first one writes.

    Raises UserError when the loss is no number or exactly zero, for weights that cannot be trained, for a full disk,
    for a run that is being trained already, and in all processes for what one of them raises.
    """
    began = time.perf_counter()
    with _locked(run, group):
        loop = TrainingLoop(run, backend, clip, report, check, metadata, group)
        loop.in_first(lambda: mending.mend_records(run, backend, loop.adapter, clip))
        for number, plan in enumerate(run.rounds):
            if until is None or plan["first"] + plan["steps"] <= until:
                loop.train_round(number)
        loop.in_first(lambda: hand_over(run, backend, loop.adapter, loop.step, metadata))
    last = loop.losses[-AVERAGED:]
    return Outcome(
        loop.step,
        sum(last) / max(1, len(last)),
        time.perf_counter() - began,
        loop.trained / loop.training_seconds if loop.trained else 0.0,
        signals.advice(run.records("signals")),
        loop.adapter,
    )


@contextmanager
def _locked(run: Run, group: Processes) -> Iterator[None]:
    """The run's folder for the one that writes, without what a killed one left there; what is raised ends all."""
    try:
        with training_lock(run.folder) if group.is_first else nullcontext():
            if group.is_first:
                mending.remove_partial_files(run.folder)
            yield
    except BaseException as error:
        group.fail(error)
        raise


class TrainingLoop:
    """The network with its LoRA, the optimizer and the losses, for one call of `train`."""

    def __init__(
        self,
        run: Run,
        backend: Backend,
        clip: signals.Similarity | None = None,
        report: Report | None = None,
        check: Callable[[], None] | None = None,
        metadata: bool = True,
        group: Processes = ALONE,
    ):
        network: Any = backend.denoiser
        self.group = group
        self.run, self.backend, self.network, self.clip = run, backend, network, clip
        self.report, self.own_check, self.metadata = report, check or (lambda: None), metadata
        options = run.options
        check_kind_of_model(network, options)
        store_weights(network.network, options.base_weights, lambda: model_identity(backend)["digest"])
        if options.gradient_checkpointing:
            run_blocks_twice(network.network)
        modules = choose_modules(network.module_names, options.targets)
        self.adapter = Adapter.new(network.network, modules, options.rank, options.scale, options.seed)
        self.parameters = self.adapter.parameters()
        self.optimizer = checkpoint.new_optimizer(self.parameters, options.weight_decay)
        self.step, self.losses, self.rates = checkpoint.load_checkpoint(run.folder, self.adapter, self.optimizer)
        self.saved = self.step
        self.trained, self.training_seconds = 0, 0.0
        group.begin_alike(self.step, self.parameters, options.batch * options.accumulate)

    def check(self) -> None:
        """Raise what this process, or any of the others, was asked to stop by."""
        self.group.check(self.own_check)

    def in_first(self, work: Callable[[], Any]) -> None:
        """Do what one of the processes does for all; they go on when it is done."""
        self.group.in_first(work, self.own_check)

    def _busy(self, *_: Any) -> None:
        """Called by what is done `in_first`, so that a stop is heard meanwhile."""
        self.group.busy(self.own_check)

    def train_round(self, number: int) -> None:
        """The remaining steps of one round."""
        plan, options = self.run.rounds[number], self.run.round_options(number)
        first, end = plan["first"], plan["first"] + plan["steps"]
        if self.step > end:
            return
        if self.step == end and not self._evaluation_is_due(options, end):
            if self.group.is_first:
                checkpoint.keep_checkpoint(self.run.folder, end)  # a kill may have come between the last save and this
            return
        items = [*self.run.items, *picked_items(self.run, self.run.round_picks(number))]
        latent_cache = LatentCache(items, self.backend, options, self._report_caching)
        prior = self._prior(options) if options.prior_weight else None
        consistent = False  # whether weights, moments and step belong together
        try:
            while True:
                consistent = True
                if self._evaluation_is_due(options, end):  # at step 0 the plain model, before anything is learnt
                    self._save()
                    self.in_first(lambda: self._evaluate(latent_cache, options))
                if self.step >= end:
                    if self.group.is_first:
                        self._finish_round(number)
                    break
                self.check()
                began = time.perf_counter()
                consistent = False
                try:
                    loss = self.train_step(latent_cache, prior, options, options.rate(self.step - first))
                except NotFinite:
                    if self.group.is_first:
                        mending.mark_failed(self.run.folder, number, self.step)
                    raise
                consistent = True
                self.training_seconds += time.perf_counter() - began
                self.trained += 1
                if self.step % options.save_every == 0 or self.step == end:
                    self._save()
                self._report(f"loss {loss:.4f}")
        finally:
            if consistent and self.step > self.saved:
                self._save()

    def train_step(self, latent_cache: LatentCache, prior: Prior | None, options: TrainOptions, rate: float) -> float:
        """One optimizer step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        parameters = list(self.parameters.values())
        total = self.group.add_up(
            parameters,
            lambda: leave_gradient(self.network, latent_cache, prior, options, self.step, self.group),
        )
        if total == 0.0:
            raise UserError(
                f"The loss is 0.0 at step {self.step}: the network's output does not depend on its input; choose "
                "another model."
            )
        norm = nn.utils.clip_grad_norm_(parameters, options.max_grad_norm or math.inf, foreach=True)
        if not math.isfinite(total) or not math.isfinite(float(norm)):
            what = f"loss is {total}" if not math.isfinite(total) else f"gradient is {float(norm)}"
            raise NotFinite(
                f"The {what} at step {self.step}: the rate is too high or the weights overflow in half precision; "
                f"lower the learning rate (--more N --learning-rate {options.learning_rate / 3:.2g} goes on from the "
                "last sound step), or load the model in bf16 or fp32."
            )
        self.optimizer.step()
        self.step += 1
        self.losses.append(total)
        self.rates.append(rate)
        return sum(self.losses[-AVERAGED:]) / len(self.losses[-AVERAGED:])

    def _finish_round(self, number: int) -> None:
        checkpoint.keep_checkpoint(self.run.folder, self.step)
        if "failed" in self.run.rounds[number]:  # and was repeated with better luck: other hardware, another precision
            mending.mark_failed(self.run.folder, number, None)

    def _prior(self, options: TrainOptions) -> Prior:
        """The plain model's pictures, made by one process and then read by all."""
        plain = without_lora(self.backend, self.adapter)
        self.in_first(lambda: make_pictures(self.run, plain, options, self._busy))
        return Prior(self.run, plain, options)

    def _save(self) -> None:
        if self.step > self.saved and self.group.is_first:
            checkpoint.save_checkpoint(
                self.run.folder, self.step, self.adapter, self.optimizer, self.losses, self.rates
            )
        self.saved = max(self.saved, self.step)

    def _evaluation_is_due(self, options: TrainOptions, end: int) -> bool:
        due = options.sample_every and self.step % options.sample_every == 0 or self.step == end
        if not due:
            return False
        return bool(self.group.told(int(all(s["step"] != self.step for s in self.run.records("signals")))))

    def _evaluate(self, latent_cache: LatentCache, options: TrainOptions) -> None:
        """Save the LoRA of this step, sample with it and measure the signals."""
        run = self.run
        if self.step:
            save_lora(run, self.backend, self.adapter, options, self.step, self.metadata)
        pictures: list[Tensor] = []
        if options.sample_every:
            self._report("sampling")
            pictures = samples.sample_and_save(run, self.backend, self.adapter, options, self.step, self._busy)
        plain = samples.read_samples(run, 0) if self.step else []
        originals = [item.picture for item in run.items]
        measured = signals.measure_signals(
            self.step,
            pictures,
            plain,
            originals,
            [p.prompt for p in run.prompts],
            validation=validation_loss(self.network, latent_cache, options),
            norm=self.adapter.norm(),
            clip=self.clip,
        )
        others = [s for s in run.records("signals") if s["step"] != self.step]
        run.write_records("signals", sorted([*others, measured], key=lambda s: s["step"]))
        self._report("sampled", pictures)

    def _report_caching(self, share: float) -> None:
        self.check()
        self._report(f"preparing {share:.0%}")

    def _report(self, word: str, pictures: list[Tensor] | None = None) -> None:
        if self.report:
            self.report(self.step, self.run.steps, word, pictures)
