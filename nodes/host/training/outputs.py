"""What the two training nodes have in common in their schemas: all outputs, and the inputs that choose them."""

from __future__ import annotations

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

# Inputs that say what the outputs are: which step, and whether it is written among the host's LoRAs too.
OUTPUT_INPUTS = [
    io.Int.Input("use_step", default=0, min=0, max=100_000, tooltip="Which kept step to hand on; 0 is the last."),
    io.String.Input("save_as", default="", tooltip="Also write the LoRA into models/loras under this name; empty: no."),
]
