"""SWF_QueryPreservePatch: style transfer as a patch on any UNet MODEL, for any sampler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from ..swf_core.transfer.defaults import FRESH
from ..swf_core.transfer.injection import GAMMA_SCHEDULES, KV_MODES, Injection
from ..swf_core.transfer.options import TransferOptions
from ..swf_core.transfer.trajectory import Encoding
from .host.schema import number, schema
from .host.transfer.denoiser import PlainConditioning
from .host.transfer.encodings import chosen_encoding, encoding_input
from .host.transfer.feature_store import STORE
from .host.transfer.inspection import inspect_network
from .host.transfer.layout import layout_inputs, layout_of
from .host.transfer.network import Network
from .host.transfer.noise_levels import noise_levels
from .host.transfer.patch import apply
from .host.transfer.plan import TransferPlan
from .host.transfer.positions import positions_inputs, take_positions
from .host.transfer.presets import AUTO_LAYERS, CUSTOM, patch_options, patch_row, planned, preset_input, sets_start
from .host.transfer.settings import read_settings
from .host.transfer.sources import (
    SOURCE_TYPES,
    STYLE_TYPES,
    as_batch,
    picture_sources,
    size_input,
    style_sources,
    working_size,
)
from .host.ui_rows import panel_output

DIALS = FRESH.injection  # what a fresh node shows


class QueryPreservePatch(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_QueryPreservePatch",
            "Style Transfer like IPAdapter (Query-Preserve Attention Patch)",
            "Paints whatever is sampled with this MODEL in the style of a picture: self-attention takes keys and "
            "values from the style and asks with queries mixed from the content. Works under every sampler, with "
            "ControlNet, LoRA, inpainting masks and area prompts.",
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="A UNet (mini, SD1.x, SD2.x, SDXL) or a transformer (Flux, SD3, Qwen-Image ...). It is not "
                    "changed.",
                ),
                io.MultiType.Input(
                    "style",
                    STYLE_TYPES,
                    tooltip="The style picture: a LATENT, an IMAGE or a style file (then connect vae), or a "
                    "trajectory. A batch is several styles of equal weight; Style Mix gives each its own.",
                ),
                io.MultiType.Input(
                    "content",
                    SOURCE_TYPES,
                    optional=True,
                    tooltip="The picture whose drawing is kept: a LATENT, an IMAGE (then connect vae) or a trajectory. "
                    "Needed unless gamma is 0.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="Encodes pictures; not needed for latents."),
                io.Conditioning.Input(
                    "reference_text",
                    optional=True,
                    tooltip="Text of the content and style pictures themselves, best an empty prompt. Without it the "
                    "sampler's negative is taken.",
                ),
                io.Mask.Input("place", optional=True, tooltip="Where the style goes; without it, everywhere."),
                io.Mask.Input("readable", optional=True, tooltip="Which part of the style picture is read; else all."),
                io.Model.Input(
                    "content_model",
                    optional=True,
                    tooltip="Weights for the content process alone, say the base model where 'model' carries a style's "
                    "LoRA. Without it, those of 'model'.",
                ),
                io.String.Input(
                    "settings",
                    optional=True,
                    force_input=True,
                    tooltip="Settings of a style file, from Style Load: they take the place of those below. "
                    "Without it those below count.",
                ),
                number("strength", DIALS.strength, 0.0, 1.0, 0.01, "Share of the injected attention; 0 is plain."),
                number(
                    "gamma",
                    DIALS.gamma,
                    0.0,
                    1.0,
                    0.01,
                    "Query preservation: 1 asks with the content's queries, 0 ignores the content. Best on mini: 0.5, "
                    "on SD checkpoints 0.75.",
                ),
                number(
                    "tau",
                    DIALS.tau,
                    0.1,
                    10.0,
                    0.05,
                    "Sharpness of the injected attention; 1 is plain, more crisper.",
                ),
                io.String.Input(
                    "layers",
                    default=AUTO_LAYERS,
                    tooltip="Which self-attention layers: auto (what suits the model: all on mini, late on SD), late, "
                    "all, 'SD1.5 late', 'SDXL late', on Flux vital, or a list such as up.2,up.3.1 or double.0,single. "
                    "An unknown name is answered with those of this model.",
                ),
                number("start_percent", 0.0, 0.0, 1.0, 0.01, "Injection begins here; 0 is the first step."),
                number("end_percent", 1.0, 0.0, 1.0, 0.01, "Injection ends here; 1 is the last step."),
                encoding_input(),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=False,
                    tooltip="Of the noise that stochastic encoding and forward_first add; nothing else is random.",
                ),
                number(
                    "gamma_end",
                    DIALS.gamma,
                    0.0,
                    1.0,
                    0.01,
                    "gamma at the last step when the schedule is linear or cosine; no effect when it is constant.",
                ),
                io.Combo.Input(
                    "gamma_schedule",
                    options=list(GAMMA_SCHEDULES),
                    default="constant",
                    tooltip="How gamma goes to gamma_end over the steps; constant stays.",
                ),
                io.Combo.Input(
                    "kv",
                    options=list(KV_MODES),
                    default="replace",
                    tooltip="replace: only the style is read; concat: own and style compete, see bias; adaattn: the "
                    "style moves mean and variance of the own values; shared: as concat, under one query; "
                    "scatter_sort: the own values take the style's histograms.",
                ),
                number("bias", 0.0, -100.0, 100.0, 0.1, "For concat: above 0 favors the style, 0 is even."),
                number("value_shift", 0.0, 0.0, 1.0, 0.01, "Frees colors for the text: 0 keeps the style's own."),
                number("query_adain", 0.0, 0.0, 1.0, 0.01, "Asks in the style's own range; 0 is off, 1 is most."),
                number("style_guidance", 0.0, 0.0, 10.0, 0.05, "Takes what the style adds 1 + this times; 0 is off."),
                number(
                    "leak_guard",
                    0.0,
                    0.0,
                    10.0,
                    0.05,
                    "Negative visual query guidance: keeps the style picture's objects out; 0 is off.",
                ),
                io.Int.Input(
                    "forward_first",
                    default=0,
                    min=0,
                    max=50,
                    tooltip="First inversion steps that add noise instead: against blotches in flat skies; 0 is none.",
                ),
                io.Int.Input(
                    "refinements",
                    default=0,
                    min=0,
                    max=20,
                    tooltip="Fixed-point refinements of each inversion step, each costs one call; 0 is plain DDIM.",
                ),
                # optional, as every widget added later: a graph in API format from before it must still be accepted
                io.Boolean.Input(
                    "keep_style",
                    default=True,
                    optional=True,
                    tooltip="Keeps what content and style show: the first run is faster, a new seed or prompt costs "
                    "no more than plain sampling. Off saves memory, up to 2 GB for all nodes; the picture is the same.",
                ),
                io.Sigmas.Input(
                    "schedule",
                    optional=True,
                    tooltip="The whole schedule, where samplers split it (Split Sigmas) and it is none of ComfyUI's: "
                    "those are recognized. Split samplings then add up to the unsplit one.",
                ),
                size_input(),
                preset_input(
                    "strength, gamma, tau, layers, kv, guidance and layout; adain and stylessp also set the start"
                ),
                *layout_inputs(),
                number(
                    "layout_tones",
                    FRESH.adain,
                    0.0,
                    1.0,
                    0.01,
                    "How far the tones of the layout that guides move to the style's; 0 keeps the content's.",
                    optional=True,
                ),
                *positions_inputs(),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model with style transfer on it.")],
            search_aliases=["Query-Preserve Attention Patch", "StyleID", "attention injection", "style reference"],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        style: Any,
        start_percent: float,
        end_percent: float,
        encoding: str,
        seed: int,
        forward_first: int,
        refinements: int,
        keep_style: bool = True,
        content: Any = None,
        vae: Any = None,
        reference_text: Any = None,
        place: Any = None,
        readable: Any = None,
        content_model: Any = None,
        settings: str | None = None,
        size: int = 0,
        preset: str = CUSTOM,
        schedule: Any = None,
        **widgets: Any,
    ) -> io.NodeOutput:
        """`widgets`: what the injection and the guidance are set to, by the fields' own names, and `layout_inputs`."""
        widgets.setdefault("layout_tones", FRESH.adain)  # graphs from before it
        network = inspect_network(model.model)
        places = take_positions(widgets, network)
        widgets |= _window(model, start_percent, end_percent)
        options, injection, guidance = _set_to(preset, settings, network, widgets)
        starts = options is not None and preset != CUSTOM and sets_start(options)
        if content is None and (injection.needs_content or starts or guidance["layout"].weight > 0.0):
            raise UserError(_without_content(preset, injection))
        encoded = Encoding(chosen_encoding(encoding, network), refinements, forward_first, seed)
        size_px = working_size(size, network.native_size_px)
        # A preset without inversion of the style says so; else the widget counts.
        kind = options.style_encoding if options and options.style_encoding == "stochastic" else encoded.kind

        def make_plan(layers: tuple[str, ...], channels: int) -> TransferPlan:
            return TransferPlan(
                injection,
                layers,
                style_sources(style, vae, replace(encoded, kind=kind), readable, size_px),
                None if content is None else as_batch(picture_sources(content, vae, encoded, "content", size_px)),
                None if reference_text is None else PlainConditioning(reference_text),
                place,
                **guidance,
                **places,
                start_adain=options.adain if options and starts else None,
                start_seed=seed,
                content_model=content_model,
                store=STORE if keep_style else None,
                schedule=None if schedule is None else tuple(float(level) for level in schedule),
            )

        row = panel_output([patch_row(preset, options)]) if options and preset != CUSTOM else None
        return io.NodeOutput(apply(model, injection.layers, make_plan), ui=row)


def _set_to(
    preset: str, settings: str | None, network: Network, widgets: dict[str, Any]
) -> tuple[TransferOptions | None, Injection, dict[str, Any]]:
    """The options of preset or widgets, None where a style file's settings count; injection; the plan's guidance."""
    if settings is None:
        options = patch_options(preset, network, widgets)
        return options, options.injection, planned(options)
    if preset != CUSTOM:
        raise UserError(f"Both settings and the preset {preset!r} are given; disconnect one or choose {CUSTOM!r}.")
    values, guidance = read_settings(settings)
    layout = {"layout": layout_of(widgets), "layout_adain": widgets["layout_tones"]}
    return None, Injection(**values), guidance | layout


def _without_content(preset: str, injection: Injection) -> str:
    """Why a content picture is needed, in a sentence."""
    if preset != CUSTOM:
        return f"The preset {preset!r} asks for content: connect 'content', or choose {CUSTOM!r}."
    if injection.read == "content":
        return "The settings read the content's own keys and values, so it is asked for: connect 'content'."
    if injection.needs_content:
        return f"gamma is {injection.gamma}, so content is asked for: connect 'content', or set it to 0."
    return "Layout guidance asks for content: connect 'content', or set layout to 0."


def _window(model: Any, start_percent: float, end_percent: float) -> dict[str, float]:
    """The noise levels between which the style is read, of shares of the schedule."""
    sampling, levels = model.get_model_object("model_sampling"), noise_levels(model.model)
    return {
        "sigma_low": levels.sigma(sampling.percent_to_sigma(end_percent)),
        "sigma_high": levels.sigma(sampling.percent_to_sigma(start_percent)),
    }
