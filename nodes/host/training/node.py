"""What the two training nodes share: a private copy of the network, progress in the host, the outputs from disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from .paths import RunType

OUTPUTS = [
    io.Model.Output(display_name="MODEL", tooltip="The model with the LoRA, loaded by ComfyUI itself."),
    io.LoraModel.Output(display_name="lora", tooltip="For Save LoRA Weights, Load LoRA Model, Style Save."),
    io.LossMap.Output(display_name="loss", tooltip="For Plot Loss Graph."),
    io.Image.Output(display_name="samples", tooltip="The samples of that step."),
    io.Image.Output(display_name="plot", tooltip="Losses and signals over the steps."),
    RunType.Output(display_name="run", tooltip="The run, for the Human Feedback Gallery and LoRA Train On."),
    io.String.Output(display_name="report", tooltip="What was done, in words."),
    io.Hooks.Output(
        display_name="hooks",
        tooltip="The LoRA for one prompt alone: Cond Set Props on the positive, the plain MODEL in the sampler. The "
        "unconditional branch then runs without it: asymmetric guidance.",
    ),
]


# What both ask beside: which step to hand on, and whether to keep it among the host's LoRAs.
HANDED_ON = [
    io.Int.Input("use_step", default=0, min=0, max=100_000, tooltip="Which kept step to hand on; 0 is the last."),
    io.String.Input("save_as", default="", tooltip="Also write the LoRA into models/loras under this name; empty: no."),
]


def teach(
    node: str | None,
    model: Any,
    clip: Any,
    vae: Any,
    plan: Callable[[Any], tuple[Any, int]],
    use_step: int,
    save_as: str,
) -> io.NodeOutput:
    """Bring a run as far as planned and give `OUTPUTS`.

    `plan` gives, for the backend, the run and the step to stop at. `node`: the number of the node that runs.
    """
    import torch

    from .paths import lora_target

    file = lora_target(save_as) if save_as.strip() else None  # a wrong name is told before hours of work
    with torch.inference_mode(False):
        run, end, outcome, need = _trained(node, model, clip, vae, plan)
    return _results(model, run, end, outcome, use_step, file, need)


def _trained(
    node: str | None, model: Any, clip: Any, vae: Any, plan: Callable[[Any], tuple[Any, int]]
) -> tuple[Any, int, Any, str]:
    """Run, step, outcome and the memory needed; in a copy of the network that is gone afterwards."""
    import comfy.cli_args
    import comfy.model_management as mm
    from comfy.utils import ProgressBar

    from ....swf_core.learn.latent_cache import LatentCache
    from ....swf_core.learn.memory import memory_needed
    from ....swf_core.learn.train import train
    from ....swf_core.words.clip import load_clip
    from ..words_models import EMBEDDED, in_use
    from .backend import private_backend

    backend = private_backend(model, clip, vae)
    run, end = plan(backend)
    small = LatentCache(run.items[:1], backend, run.options.changed(views=1))
    need = str(memory_needed(backend, run.options, small.draw(0)))
    _say(f"Training needs {need}.", node)
    bar = ProgressBar(end)

    def report(step: int, _: int, word: str, pictures: Any) -> None:
        if word.startswith("preparing"):
            return
        preview = None
        if pictures:
            import torch

            from ....swf_core.pictures import to_image

            preview = ("JPEG", to_image(torch.cat(list(pictures), dim=-1)), 512)  # side by side
        bar.update_absolute(min(step, end), end, preview)

    def go(ranker: Any) -> Any:
        return train(
            run,
            backend,
            clip=ranker,
            report=report,
            check=mm.throw_exception_if_processing_interrupted,
            metadata=not comfy.cli_args.args.disable_metadata,
            until=end,
        )

    if backend.family != "mini":
        return run, end, go(None), need
    with in_use("clip", EMBEDDED, lambda w, d: load_clip(w, download=d), False) as ranker:
        return run, end, go(ranker), need


def _say(text: str, node: str | None) -> None:
    """Log a line, and show it on the running node where the host can."""
    import logging

    from server import PromptServer  # pyright: ignore[reportMissingImports]

    logging.getLogger("StyleWallfacer").info(text)
    show = getattr(PromptServer.instance, "send_progress_text", None)
    if show is not None and node is not None:
        show(text, node)


def _results(
    model: Any, run: Any, end: int, outcome: Any, use_step: int, file: Path | None, need: str
) -> io.NodeOutput:
    """What the run keeps on disk, so that a cached run and a fresh one give the same. file: where the LoRA goes too."""
    import comfy.hooks
    import comfy.sd
    import comfy.utils

    from ....swf_core.files import write_files
    from ....swf_core.learn.fork import RunAt
    from ....swf_core.learn.plot import plot
    from ....swf_core.learn.samples import read_samples
    from .paths import as_batch, as_image

    step = use_step or end
    source = run.saved_lora_path(step)
    lora = comfy.utils.load_torch_file(str(source), safe_load=True)
    taught, _ = comfy.sd.load_lora_for_models(model, None, lora, 1.0, 0.0)
    if file is not None:
        write_files({file: source.read_bytes()})
    table = (run.folder / "loss.csv").read_text().splitlines()[1 : end + 1]
    losses = [float(row.split(",")[1]) for row in table]
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
        taught,
        lora,
        {"loss": losses},
        as_batch(read_samples(run, step)),
        as_image(plot(losses, signals, run.folder.name)),
        RunAt(run.folder, end),
        report,
        comfy.hooks.create_hook_lora(lora, 1.0, 0.0),
        ui={"text": [report]},
    )
