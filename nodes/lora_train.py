"""SWF_LoraTrain: teach a MODEL a style from one picture; stop and go on at any step."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..swf_core.learn.options import GUIDANCES
from ..swf_core.models.lora import TARGETS
from .host.learning import DatasetType, RunType
from .host.schema import schema

# "default" takes the family's value, so that one graph serves mini, SD1.x and SDXL.
DEFAULT = "default"


class LoraTrain(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_LoraTrain",
            "LoRA Style Train",
            "Teaches the model a style: a LoRA is trained on pictures and captions that leave the style unsaid. "
            "Samples on the way; cancel at any step and queue again to go on; raise steps to train further, with the "
            "samples that were picked. The MODEL itself is never changed.",
            inputs=[
                io.Model.Input("model", tooltip="The plain checkpoint: mini, SD1.x, SD2.x or SDXL."),
                io.Clip.Input("clip", tooltip="Reads the captions; it is not trained."),
                io.Vae.Input("vae", tooltip="Encodes the pictures once, decodes the samples."),
                DatasetType.Input("dataset", tooltip="From Style Dataset."),
                io.String.Input("run_name", default="my style", tooltip="The run's folder in output/swf_runs."),
                io.Int.Input(
                    "steps", default=0, min=0, max=100_000, tooltip="How far to train in all; 0: the family's default."
                ),
                io.Combo.Input("targets", options=[DEFAULT, *TARGETS], tooltip="Which layers learn."),
                io.Int.Input("rank", default=16, min=1, max=512, tooltip="Room for the style; alpha is the same."),
                io.Float.Input(
                    "learning_rate", default=0.0, min=0.0, max=1.0, step=1e-6, round=1e-9,
                    tooltip="0 is the family's default: 1e-3 on mini, 1e-4 on SD.",
                ),
                io.Int.Input(
                    "sample_every", default=100, min=0, max=100_000, tooltip="Steps between samples; 0 makes none."
                ),
                io.String.Input(
                    "prompts", default="", multiline=True,
                    tooltip="What is sampled, a prompt a line, without words of style; empty: things of everyday life.",
                ),
                io.Combo.Input(
                    "guidance", options=[DEFAULT, *GUIDANCES],
                    tooltip="How samples are guided: asymmetric has the LoRA in the conditional branch alone.",
                ),
                io.Int.Input("seed", default=0, min=0, max=2**32 - 1, control_after_generate=False,
                             tooltip="Same seed, same LoRA."),
                io.Int.Input(
                    "use_step", default=0, min=0, max=100_000, tooltip="Which kept step to hand on; 0 is the last."
                ),
                io.String.Input(
                    "save_as", default="", tooltip="Also write the LoRA into models/loras under this name; empty: no."
                ),
            ],
            outputs=[
                io.Model.Output(display_name="MODEL", tooltip="The model with the LoRA, loaded by ComfyUI itself."),
                io.LoraModel.Output(display_name="lora", tooltip="For Save LoRA Weights, Load LoRA Model, Style Save."),
                io.LossMap.Output(display_name="loss", tooltip="For Plot Loss Graph."),
                io.Image.Output(display_name="samples", tooltip="The samples of that step."),
                io.Image.Output(display_name="plot", tooltip="Losses and signals over the steps."),
                RunType.Output(display_name="run", tooltip="The run, for the gallery."),
                io.String.Output(display_name="report", tooltip="What was done, in words."),
                io.Hooks.Output(
                    display_name="hooks",
                    tooltip="The LoRA for one prompt alone: Cond Set Props on the positive, the plain MODEL in the "
                    "sampler. The unconditional branch then runs without it: asymmetric guidance.",
                ),
            ],
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            search_aliases=["train lora", "lora training", "finetune", "dreambooth", "learn style"],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: Any, clip: Any, vae: Any, dataset: Any, run_name: str, steps: int, targets: str, rank: int,
        learning_rate: float, sample_every: int, prompts: str, guidance: str, seed: int, use_step: int, save_as: str,
    ) -> io.NodeOutput:  # fmt: skip
        import torch

        from .host.learning import lora_target

        file = lora_target(save_as) if save_as.strip() else None  # a wrong name is told before hours of work
        with torch.inference_mode(False):
            changes = {"sample_every": sample_every, "rank": rank, "seed": seed}
            changes |= {"steps": steps} if steps else {}
            changes |= {"targets": targets} if targets != DEFAULT else {}
            changes |= {"learning_rate": learning_rate} if learning_rate else {}
            changes |= {"guidance": guidance} if guidance != DEFAULT else {}
            node = getattr(cls.hidden, "unique_id", None)
            run, outcome, told = _train(model, clip, vae, dataset, run_name, prompts, changes, node)
        return _results(model, run, outcome, use_step, file, told)


def _train(
    model: Any, clip: Any, vae: Any, dataset: Any, name: str, prompts: str, changes: dict, node: str | None
) -> tuple:
    """The run, brought as far as asked; in a copy of the network that is gone afterwards."""
    import comfy.cli_args
    import comfy.model_management as mm
    from comfy.utils import ProgressBar

    from ..swf_core.learn.find import find_or_create
    from ..swf_core.learn.memory import memory_needed
    from ..swf_core.learn.options import defaults
    from ..swf_core.learn.prepared import Prepared
    from ..swf_core.learn.run import Prompt
    from ..swf_core.learn.samples import default_prompts
    from ..swf_core.learn.train import train
    from ..swf_core.words.rank import load_clip
    from .host.learning import runs_folder
    from .host.training import private_backend
    from .host.words_models import EMBEDDED, in_use

    backend = private_backend(model, clip, vae)
    options = defaults(backend.family).changed(**changes)
    lines = [" ".join(line.split()) for line in prompts.splitlines() if line.strip()]
    asked = tuple(Prompt(text, k) for k, text in enumerate(lines)) or default_prompts(backend.family)
    run = find_or_create(runs_folder(), name, backend, options, dataset, asked)
    small = Prepared(run.items[:1], backend, options.changed(views=1))
    need = str(memory_needed(backend, options, small.draw(0)))
    _say(f"Training needs {need}.", node)
    bar = ProgressBar(run.steps)

    def report(step: int, total: int, word: str, pictures: Any) -> None:
        if word.startswith("preparing"):
            return
        preview = None
        if pictures:
            from ..swf_core.pictures import to_image

            preview = ("JPEG", to_image(torch_row(pictures)), 512)
        bar.update_absolute(step, total, preview)

    def go(ranker: Any) -> Any:
        return train(
            run, backend, clip=ranker, report=report, check=mm.throw_exception_if_processing_interrupted,
            metadata=not comfy.cli_args.args.disable_metadata,
        )  # fmt: skip

    if backend.family != "mini":
        return run, go(None), need
    with in_use("clip", EMBEDDED, lambda w, d: load_clip(w, download=d), False) as ranker:
        return run, go(ranker), need


def torch_row(pictures: list[Any]) -> Any:
    """Pictures of one height side by side."""
    import torch

    return torch.cat(list(pictures), dim=-1)


def _say(text: str, node: str | None) -> None:
    """Log a line, and show it on the running node where the host can."""
    import logging

    from server import PromptServer  # pyright: ignore[reportMissingImports]

    logging.getLogger("StyleWallfacer").info(text)
    show = getattr(PromptServer.instance, "send_progress_text", None)
    if show is not None and node is not None:
        show(text, node)


def _results(model: Any, run: Any, outcome: Any, use_step: int, file: Any, need: str) -> io.NodeOutput:
    """The outputs from what the run keeps on disk, so that a cached run and a fresh one give the same."""
    import comfy.hooks
    import comfy.sd
    import comfy.utils

    from ..swf_core.errors import UserError
    from ..swf_core.files import write_files
    from ..swf_core.learn.plot import plot
    from ..swf_core.learn.samples import kept
    from .host.learning import as_batch

    step = use_step or outcome.step
    source = run.lora_file(step)
    if not source.exists():
        there = ", ".join(str(int(p.stem.removeprefix("step_"))) for p in sorted(source.parent.glob("step_*")))
        raise UserError(f"use_step is {step}, but the run keeps the LoRA of the steps {there} alone; choose one.")
    lora = comfy.utils.load_torch_file(str(source), safe_load=True)
    taught, _ = comfy.sd.load_lora_for_models(model, None, lora, 1.0, 0.0)
    if file is not None:
        write_files({file: source.read_bytes()})
    losses = [float(row.split(",")[1]) for row in (run.folder / "loss.csv").read_text().splitlines()[1:]]
    signals = run.records("signals")
    report = "\n".join(
        [
            f"{run.folder.name}: step {outcome.step}, loss {outcome.loss:.4f}"
            + (f", {outcome.rate:.2f} steps a second" if outcome.rate else ", nothing was left to do"),
            *(f"trained on: {item.caption}" for item in run.items), f"memory: {need}", outcome.advice,
        ]
    )  # fmt: skip
    picture = plot(losses, signals, run.folder.name)
    return io.NodeOutput(
        taught, lora, {"loss": losses}, as_batch(kept(run, step)), _image(picture), run, report,
        comfy.hooks.create_hook_lora(lora, 1.0, 0.0),
        ui={"text": [report]},
    )  # fmt: skip


def _image(picture: Any) -> Any:
    import numpy as np
    import torch

    return torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)[None]
