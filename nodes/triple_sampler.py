"""SWF_TripleSampler: the common case in one node. Everything else is in the patch, which does the work here too."""

from __future__ import annotations

from typing import Any

import comfy.samplers
from comfy_api.latest import io

from ..swf_core.finite import check_finite
from ..swf_core.transfer.defaults import CFG, FRESH, SAMPLER, SCHEDULER, STEPS
from ..swf_core.transfer.levels import plan_levels
from ..swf_core.transfer.options import TransferOptions
from ..swf_core.transfer.randomness import CONTENT, STYLE, stream_seed
from ..swf_core.transfer.sigmas import Levels
from ..swf_core.transfer.styleid import SPACING as STYLEID_SPACING
from .host.latents import NOISE_MASK, beside_samples, latent_from
from .host.schema import number, schema
from .host.transfer.asymmetric import lora_on_prompt_alone
from .host.transfer.denoiser import PlainConditioning
from .host.transfer.feature_store import STORE
from .host.transfer.inspection import inspect_network
from .host.transfer.layout import layout_inputs
from .host.transfer.noise_levels import noise_levels
from .host.transfer.patch import apply
from .host.transfer.plan import TransferPlan
from .host.transfer.positions import positions_inputs, take_positions
from .host.transfer.presets import (
    CUSTOM,
    encoding_of,
    planned,
    preset_input,
    triple_options,
    triple_row,
)
from .host.transfer.sources import (
    SOURCE_TYPES,
    STYLE_TYPES,
    as_batch,
    clean_latents,
    picture_sources,
    size_input,
    style_sources,
    working_size,
)
from .host.transfer.texts import sampled_texts
from .host.transfer.whole_sampling import WholeSampling
from .host.transfer.words import guidance_by_words, read_words, take_models, words_inputs
from .host.ui_rows import panel_output

AUTO, AS_SET = "auto", "as set"

# Dials that graphs from before do not have, as these were then.
ADDED = {"renoise": 0.0, "freedom": 0.0, "cfg_detail": 0.0}


class TripleSampler(io.ComfyNode):
    NAMES_MODELS = ("captioner", "ranker")

    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_TripleSampler",
            "Style Transfer (Wallfacer Triple Diffusion Sampler)",
            "Repaints the content picture in the style of the style picture: three diffusion processes side by side, "
            "content asking, style answering, the result between them. Text steers it when cfg is above 1.",
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="A UNet (mini, SD1.x, SD2.x, SDXL) or a transformer (Flux, SD3, Qwen-Image ...). LoRA and "
                    "patches count.",
                ),
                io.Conditioning.Input(
                    "positive",
                    optional=True,
                    tooltip="What the result should show. Without it, the empty text by 'clip' (mini needs no clip), "
                    "which keeps to the pictures.",
                ),
                io.Conditioning.Input(
                    "negative",
                    optional=True,
                    tooltip="What it should not show where cfg is above 1, and the text of both pictures; best empty. "
                    "Without it, the empty text by 'clip'; at cfg 1 without a clip, the positive's.",
                ),
                io.MultiType.Input(
                    "content",
                    SOURCE_TYPES,
                    tooltip="The picture to repaint: IMAGE (connect vae; see size), LATENT, trajectory.",
                ),
                io.MultiType.Input(
                    "style",
                    STYLE_TYPES,
                    tooltip="How to paint it: LATENT, IMAGE or style file (connect vae), trajectory. A batch is "
                    "several styles; Style Mix gives each a weight and a place.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="Encodes pictures; not needed for latents."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=True,
                    tooltip="Of samplers that add noise; euler and ddim give the same picture for every seed.",
                ),
                io.Int.Input(
                    "steps", default=STEPS, min=1, max=1000, tooltip="Noise levels, of inversion and sampling."
                ),
                io.Float.Input(
                    "cfg",
                    default=CFG,
                    min=1.0,
                    max=30.0,
                    step=0.1,
                    tooltip="Guidance by the text; 1 is none and half the cost.",
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=list(comfy.samplers.KSampler.SAMPLERS),
                    default=SAMPLER,
                    tooltip="euler is DDIM.",
                ),
                io.Combo.Input(
                    "scheduler",
                    options=list(comfy.samplers.KSampler.SCHEDULERS),
                    default=SCHEDULER,
                    tooltip="Spacing of the noise levels.",
                ),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the way that is repainted; 1 is all, less stays nearer the content.",
                ),
                number(
                    "style_strength",
                    FRESH.injection.strength,
                    0.0,
                    1.0,
                    0.01,
                    "Share of the style's attention; 0 takes nothing from it but colors.",
                ),
                number(
                    "query_preservation",
                    FRESH.injection.gamma,
                    0.0,
                    1.0,
                    0.01,
                    "How closely the content's drawing is kept; 0 lets the style paint freely. Best on mini: 0.5, on "
                    "SD checkpoints 0.75, of which half is left at the last step.",
                ),
                number(
                    "colour_from_style",  # the id in saved graphs and API prompts
                    FRESH.adain,
                    0.0,
                    1.0,
                    0.01,
                    "How far the start's tones move to the style's; 0 keeps the content's.",
                    display_name="color_from_style",
                ),
                io.Combo.Input(
                    "start_tones",
                    options=[AUTO, AS_SET],
                    optional=True,
                    tooltip="auto: with a LoRA on the positive prompt alone (asymmetric guidance) the start keeps the "
                    "content's tones, for the LoRA brings the style's; as set: color_from_style in any case.",
                ),
                io.Clip.Input(
                    "clip", optional=True, tooltip="Encodes the empty text where positive or negative is not connected."
                ),
                size_input(),
                preset_input(
                    "the three dials above (fast preview: of steps too; styleid: of all that is about sampling)"
                ),
                number(
                    "renoise",
                    FRESH.renoise,
                    0.0,
                    1.0,
                    0.01,
                    "How far the start is turned from the content to fresh noise; 1 is noise alone, which the seed "
                    "chooses: set layout to 1 then, or the content's places are lost.",
                    optional=True,
                ),
                *layout_inputs(),
                number(
                    "freedom",
                    0.0,
                    0.0,
                    1.0,
                    0.01,
                    "With the preset faithful: how far it goes towards free; 0 is faithful, 1 is free.",
                    optional=True,
                ),
                *words_inputs(),
                number(
                    "cfg_detail",
                    FRESH.cfg_detail,
                    0.0,
                    1.0,
                    0.01,
                    "How far guidance by the text is held to detail: 0 is plain, at 1 the pictures keep tones and "
                    "layout, so cfg may be higher. Where words are read from the pictures and cfg is 1, both are set.",
                    optional=True,
                ),
                *positions_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The result, for VAE Decode; a noise mask stays on it.")
            ],
            search_aliases=["Triple Diffusion Sampler", "StyleID", "stylize", "ipadapter", "style reference"],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        content: Any,
        style: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        denoise: float,
        style_strength: float,
        query_preservation: float,
        colour_from_style: float,
        positive: Any = None,
        negative: Any = None,
        vae: Any = None,
        clip: Any = None,
        start_tones: str = AUTO,
        size: int = 0,
        preset: str = CUSTOM,
        **added: Any,  # widgets that graphs from before do not have: renoise and all below it
    ) -> io.NodeOutput:
        network = inspect_network(model.model)
        places = take_positions(added, network)
        read = read_words(positive, clip, (content, style), take_models(added), preset)
        dials = {"gamma": query_preservation, "strength": style_strength, "adain": colour_from_style}
        dials |= {"steps": steps, "cfg": cfg, "denoise": denoise} | ADDED | added
        guided = dials | guidance_by_words(preset, dials, read)
        positive, negative = sampled_texts(read.positive, negative, clip, network, guided["cfg"])
        if lora_guides := lora_on_prompt_alone(positive, negative):
            guided = dials | guidance_by_words(preset, dials, read, lora_guides)
        options = triple_options(preset, network, lora_guides and start_tones == AUTO, guided)
        size_px = working_size(size, network.native_size_px)
        of_content = encoding_of(options, options.content_encoding, stream_seed(seed, CONTENT))
        of_style = encoding_of(options, options.style_encoding, stream_seed(seed, STYLE))
        source = as_batch(picture_sources(content, vae, of_content, "content", size_px))
        levels = _own_levels(model, options)

        def make_plan(layers: tuple[str, ...], channels: int) -> TransferPlan:
            return TransferPlan(
                options.injection,
                layers,
                style_sources(style, vae, of_style, size_px=size_px),
                source,
                PlainConditioning(negative),
                start_adain=options.adain,
                **planned(options),
                **places,
                start_seed=seed,
                store=STORE,
                levels=levels,
            )

        patched = apply(model, options.injection.layers, make_plan)
        sampling = WholeSampling(options, sampler_name, scheduler, positive, negative, seed, levels)
        mask = beside_samples(content).get(NOISE_MASK)
        result = check_finite(sampling.run(patched, clean_latents(source, model), mask), "The sampled latent")
        rows = [*([] if preset == CUSTOM else [triple_row(preset, options)]), *read.rows]
        return io.NodeOutput(latent_from(content, result), ui=panel_output(rows) if rows else None)


def _own_levels(model: Any, options: TransferOptions) -> Levels | None:
    """The noise levels of StyleID's bookkeeping, where the options ask for it: that of DDIM's training steps, which a
    rectified flow has none of."""
    if options.spacing != STYLEID_SPACING or noise_levels(model.model).flow:
        return None
    return plan_levels(model.get_model_object("model_sampling").sigmas.double().cpu(), options)
