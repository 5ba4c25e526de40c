"""SWF_TripleSampler: the common case in one node. Everything else is in the patch, which does the work here too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import comfy.sample
import latent_preview
import torch
from comfy.samplers import KSampler
from comfy_api.latest import io

from ..swf_core.transfer.presets import wallfacer
from ..swf_core.transfer.trajectory import Encoding
from .host.schema import number, schema
from .host.transfer.asymmetric import lora_on_prompt_alone
from .host.transfer.denoiser import PlainConditioning
from .host.transfer.patch import apply
from .host.transfer.plan import TransferPlan
from .host.transfer.sources import (
    SOURCE_TYPES,
    STYLE_TYPES,
    as_batch,
    clean_latents,
    picture_sources,
    style_sources,
)
from .host.transfer.unet import inspect_unet

AUTO, AS_SET = "auto", "as set"


class TripleSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_TripleSampler",
            "Triple Diffusion Sampler",
            "Repaints the content picture in the style of the style picture: three diffusion processes side by side, "
            "content asking, style answering, the result between them. Text steers it when cfg is above 1.",
            inputs=[
                io.Model.Input("model", tooltip="A UNet model: mini, SD1.x, SD2.x or SDXL. LoRA and patches count."),
                io.Conditioning.Input("positive", tooltip="What the result should show; empty keeps to the pictures."),
                io.Conditioning.Input(
                    "negative", tooltip="What it should not show, and the text of both pictures; best empty."
                ),
                io.MultiType.Input(
                    "content", SOURCE_TYPES, tooltip="The picture to repaint: LATENT, IMAGE (connect vae), trajectory."
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
                io.Int.Input("steps", default=30, min=1, max=1000, tooltip="Noise levels, of inversion and sampling."),
                io.Float.Input(
                    "cfg",
                    default=1.0,
                    min=1.0,
                    max=30.0,
                    step=0.1,
                    tooltip="Guidance by the text; 1 is none and half the cost.",
                ),
                io.Combo.Input("sampler_name", options=list(KSampler.SAMPLERS), tooltip="euler is DDIM."),
                io.Combo.Input("scheduler", options=list(KSampler.SCHEDULERS), tooltip="Spacing of the noise levels."),
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
                    1.0,
                    0.0,
                    1.0,
                    0.01,
                    "Share of the style's attention; 0 takes nothing from it but colors.",
                ),
                number(
                    "query_preservation",
                    0.75,
                    0.0,
                    1.0,
                    0.01,
                    "How closely the content's drawing is kept; 0 lets the style paint freely.",
                ),
                number(
                    "colour_from_style",  # the id in saved graphs and API prompts
                    1.0,
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
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="The result, for VAE Decode.")],
            search_aliases=["style transfer", "StyleID", "repaint", "stylize", "stylewallfacer"],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: Any,
        negative: Any,
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
        vae: Any = None,
        start_tones: str = AUTO,
    ) -> io.NodeOutput:
        unet = inspect_unet(model.model)
        preset = wallfacer(unet.family, unet.presets).injection
        # A schedule falls to the same share of the widget's value as the preset's does.
        end = None if preset.gamma_end is None else query_preservation * preset.gamma_end / preset.gamma
        injection = replace(preset, gamma=query_preservation, gamma_end=end, strength=style_strength)
        keeps_tones = start_tones == AUTO and lora_on_prompt_alone(positive, negative)
        adain = 0.0 if keeps_tones else colour_from_style
        encoding = Encoding(seed=seed)
        source = as_batch(picture_sources(content, vae, encoding, "content"))

        def make_plan(layers: tuple[str, ...], channels: int) -> TransferPlan:
            styles, text = style_sources(style, vae, encoding), PlainConditioning(negative)
            return TransferPlan(injection, layers, styles, source, text, start_adain=adain, feature_cache=None)

        patched = apply(model, injection.layers, make_plan)
        clean = clean_latents(source, model)
        result = comfy.sample.sample(
            patched,
            torch.zeros_like(clean),
            steps,
            cfg,
            sampler_name,
            scheduler,
            positive,
            negative,
            clean,
            denoise=denoise,
            callback=latent_preview.prepare_callback(patched, steps),
            disable_pbar=True,
            seed=seed,
        )
        return io.NodeOutput({"samples": result})
