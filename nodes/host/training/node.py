"""The two training nodes' common part: train a private copy of the network, then give the outputs from disk.

The nodes import it when they run: it brings the whole trainer with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.cli_args
import comfy.hooks
import comfy.model_management as mm
import comfy.utils
import torch
from comfy_api.latest import io

from ....swf_core.files import write_files
from ....swf_core.learn.checkpoint import saved_losses
from ....swf_core.learn.fork import RunAt
from ....swf_core.learn.latent_cache import LatentCache
from ....swf_core.learn.memory import memory_needed
from ....swf_core.learn.plot import plot
from ....swf_core.learn.run import Run
from ....swf_core.learn.samples import read_samples
from ....swf_core.learn.train import Outcome, train
from ....swf_core.models.contracts import Backend
from ....swf_core.pictures import to_image
from ....swf_core.words.clip import load_clip
from ..caption_models import EMBEDDED, loaded_model
from ..lora import put_lora
from .backend import private_backend
from .paths import as_batch, as_image, lora_target


def train_and_output(
    node: str | None,
    model: Any,
    clip: Any,
    vae: Any,
    plan: Callable[[Backend], tuple[Run, int]],
    use_step: int,
    save_as: str,
) -> io.NodeOutput:
    """Train a run to its planned step and give `outputs.OUTPUTS`.

    `plan` gives, for the backend, the run and the step to stop at. `node`: the number of the node that runs.
    """
    file = lora_target(save_as) if save_as.strip() else None  # a wrong name is refused before hours of work
    with torch.inference_mode(False):
        run, end, outcome, need = _train(node, model, clip, vae, plan)
    return _results(model, run, end, outcome, use_step, file, need)


def _train(
    node: str | None, model: Any, clip: Any, vae: Any, plan: Callable[[Backend], tuple[Run, int]]
) -> tuple[Run, int, Outcome, str]:
    """Run, step, outcome and the memory needed; in a copy of the network that is gone afterwards."""
    backend = private_backend(model, clip, vae)
    run, end = plan(backend)
    one_picture = LatentCache(run.items[:1], backend, run.options.changed(views=1))
    need = str(memory_needed(backend, run.options, one_picture.draw(0)))
    _show_text(f"Training needs {need}.", node)
    bar = comfy.utils.ProgressBar(end)

    def report(step: int, _: int, word: str, pictures: Any) -> None:
        if word.startswith("preparing"):
            return
        preview = None
        if pictures:
            preview = ("JPEG", to_image(torch.cat(list(pictures), dim=-1)), 512)  # side by side
        bar.update_absolute(min(step, end), end, preview)

    def train_with(clip_model: Any) -> Outcome:
        return train(
            run,
            backend,
            clip=clip_model,
            report=report,
            check=mm.throw_exception_if_processing_interrupted,
            metadata=not comfy.cli_args.args.disable_metadata,
            until=end,
        )

    if backend.family != "mini":
        return run, end, train_with(None), need
    with loaded_model("clip", EMBEDDED, lambda w, d: load_clip(w, download=d), False) as clip_model:
        return run, end, train_with(clip_model), need


def _show_text(text: str, node: str | None) -> None:
    """Log a line, and show it on the running node where the host can."""
    from server import PromptServer  # pyright: ignore[reportMissingImports]

    logging.getLogger("StyleWallfacer").info(text)
    show = getattr(PromptServer.instance, "send_progress_text", None)
    if show is not None and node is not None:
        show(text, node)


def _results(
    model: Any, run: Run, end: int, outcome: Outcome, use_step: int, file: Path | None, need: str
) -> io.NodeOutput:
    """The outputs, read from the run's folder, so that a finished run and a fresh one give the same.

    `file`: where the LoRA is written too.
    """
    step = use_step or end
    source, data = run.saved_lora_path(step), run.lora_bytes(step)
    lora = comfy.utils.load_torch_file(str(source), safe_load=True)
    patched = put_lora(model, lora, 1.0, source.name)
    if file is not None:
        write_files({file: data})
    losses = saved_losses(run.folder)[:end]
    signals = [s for s in run.records("signals") if s["step"] <= end]
    report = "\n".join(
        [
            f"{run.folder.name}: step {end}, loss {outcome.loss:.4f}"
            + (f", {outcome.rate:.2f} steps a second" if outcome.rate else ", nothing was left to do"),
            *(f"trained on: {item.caption}" for item in run.items),
            f"memory: {need}",
            outcome.advice,
        ]
    )
    return io.NodeOutput(
        patched,
        lora,
        {"loss": losses},
        as_batch(read_samples(run, step)),
        as_image(plot(losses, signals, run.folder.name)),
        RunAt(run.folder, end),
        report,
        comfy.hooks.create_hook_lora(lora, 1.0, 0.0),
        ui={"text": [report]},
    )
