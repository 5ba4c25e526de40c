"""SWF_LoraTrain: train a LoRA for a style from one picture; stop and resume at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .host.gallery.users import running_owner
from .host.schema import schema
from .host.training.outputs import OUTPUT_INPUTS, OUTPUTS
from .host.training.paths import DatasetType, runs_folder
from .host.training.rate import chosen_rate, rate_choice, unless_set

if TYPE_CHECKING:
    from ..swf_core.learn.run import Run

# "default" takes the family's value, so that one graph serves mini, SD1.x and SDXL.
DEFAULT = "default"
FAMILY_DEFAULT = "family default"  # of the learning rate
# The combo's values, which saved graphs hold, and `TrainOptions.lora_guidance`.
GUIDANCE = {"asymmetric": "asymmetric", "both branches": "both"}


class LoraTrain(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        from ..swf_core.models.lora_targets import TARGETS

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
                    "learning_rate",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=1e-6,
                    round=1e-9,
                    tooltip="A rate of your own, such as 0.0001; 0 leaves it to learning_rate_choice.",
                ),
                io.Int.Input(
                    "sample_every", default=100, min=0, max=100_000, tooltip="Steps between samples; 0 makes none."
                ),
                io.String.Input(
                    "prompts",
                    default="",
                    multiline=True,
                    tooltip="What is sampled, a prompt a line, without words of style; empty: things of everyday life.",
                ),
                io.Combo.Input(
                    "guidance",
                    options=[DEFAULT, *GUIDANCE],
                    tooltip="How samples are guided: asymmetric has the LoRA in the conditional branch alone.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**32 - 1,
                    control_after_generate=False,
                    tooltip="Same seed, same LoRA.",
                ),
                *OUTPUT_INPUTS,
                rate_choice(
                    FAMILY_DEFAULT,
                    "family default: 1e-3 on mini, 1e-4 on SD, whatever learning_rate says; own value: learning_rate; "
                    "family default unless set: learning_rate where it is above 0.",
                ),
            ],
            outputs=OUTPUTS,
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            search_aliases=["train lora", "lora training", "finetune", "dreambooth", "learn style"],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """Of two users who run the same graph, each has a run."""
        return running_owner()

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        dataset: Any,
        run_name: str,
        steps: int,
        targets: str,
        rank: int,
        learning_rate: float,
        sample_every: int,
        prompts: str,
        guidance: str,
        seed: int,
        use_step: int,
        save_as: str,
        learning_rate_choice: str = unless_set(FAMILY_DEFAULT),
    ) -> io.NodeOutput:
        from .host.training.node import train_and_output

        changes = option_changes(
            steps, targets, rank, learning_rate, sample_every, guidance, seed, learning_rate_choice
        )
        prompt_lines = [" ".join(line.split()) for line in prompts.splitlines() if line.strip()]
        return train_and_output(
            getattr(cls.hidden, "unique_id", None),
            model,
            clip,
            vae,
            lambda backend: _planned_run(backend, run_name, dataset, prompt_lines, changes),
            use_step,
            save_as,
        )


def option_changes(
    steps: int,
    targets: str,
    rank: int,
    learning_rate: float,
    sample_every: int,
    guidance: str,
    seed: int,
    learning_rate_choice: str,
) -> dict[str, Any]:
    """How the widgets' values depart from the family's `TrainOptions`."""
    changes = {"sample_every": sample_every, "rank": rank, "seed": seed}
    changes |= {"steps": steps} if steps else {}
    changes |= {"targets": targets} if targets != DEFAULT else {}
    changes |= chosen_rate(learning_rate_choice, learning_rate, FAMILY_DEFAULT)
    changes |= {"lora_guidance": GUIDANCE[guidance]} if guidance != DEFAULT else {}
    return changes


def _planned_run(
    backend: Any, name: str, dataset: Any, prompt_lines: list[str], changes: dict[str, Any]
) -> tuple[Run, int]:
    """The run of these options, and the step to train to: the end of a round when `steps` is one, else of the last."""
    from ..swf_core.learn.options import defaults
    from ..swf_core.learn.run import Prompt
    from ..swf_core.learn.run_lookup import find_or_create
    from ..swf_core.learn.samples import default_prompts

    options = defaults(backend.family).changed(**changes)
    prompts = tuple(Prompt(text, k) for k, text in enumerate(prompt_lines)) or default_prompts(backend.family)
    run = find_or_create(runs_folder(running_owner()), name, backend, options, dataset, prompts)
    ends = [r["first"] + r["steps"] for r in run.rounds]
    return run, options.steps if options.steps in ends else ends[-1]
