"""SWF_TrainOn: train another round of a run, with the picked samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .host.schema import schema
from .host.training.outputs import OUTPUT_INPUTS, OUTPUTS
from .host.training.paths import RunType
from .host.training.rate import chosen_rate, rate_choice, unless_set

if TYPE_CHECKING:
    from ..swf_core.learn.fork import RunAt

AS_BEFORE = "as before"  # the run's own learning rate


class TrainOn(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_TrainOn",
            "LoRA Train On (next round)",
            "Goes on with a run: the samples picked in the Human Feedback Gallery join its pictures, each with its "
            "caption, and training continues exactly where it stood. Other picks begin a copy of the run beside it.",
            inputs=[
                io.Model.Input("model", tooltip="The same plain checkpoint that LoRA Style Train was given."),
                io.Clip.Input("clip", tooltip="Reads the captions; it is not trained."),
                io.Vae.Input("vae", tooltip="Encodes the picked samples, decodes the next ones."),
                RunType.Input("run", tooltip="From Human Feedback Gallery, or a training node to go on without picks."),
                io.Int.Input("steps", default=0, min=0, max=100_000, tooltip="How many more; 0: a third of the first."),
                io.Float.Input(
                    "learning_rate",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=1e-6,
                    round=1e-9,
                    tooltip="A rate of this round's own, such as 0.0001; 0 leaves it to learning_rate_choice.",
                ),
                io.Float.Input(
                    "picks_share",
                    default=0.25,
                    min=0.0,
                    max=0.5,
                    step=0.05,
                    tooltip="How much of each batch the picks have at most; the style pictures have the rest.",
                ),
                *OUTPUT_INPUTS,
                rate_choice(
                    AS_BEFORE,
                    "as before: the run's rate, whatever learning_rate says; own value: learning_rate; as before "
                    "unless set: learning_rate where it is above 0.",
                ),
            ],
            outputs=OUTPUTS,
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            search_aliases=["continue training", "resume lora", "feedback round"],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        run: RunAt,
        steps: int,
        learning_rate: float,
        picks_share: float,
        use_step: int,
        save_as: str,
        learning_rate_choice: str = unless_set(AS_BEFORE),
    ) -> io.NodeOutput:
        from ..swf_core.learn.fork import resume
        from ..swf_core.learn.run import open_run
        from .host.training.node import train_and_output

        more = steps or max(1, open_run(run.folder).rounds[0]["steps"] // 3)
        changes: dict[str, Any] = {"picks_share": picks_share}
        changes |= chosen_rate(learning_rate_choice, learning_rate, AS_BEFORE)
        return train_and_output(
            getattr(cls.hidden, "unique_id", None),
            model,
            clip,
            vae,
            lambda backend: resume(run, backend, more, **changes),
            use_step,
            save_as,
        )
