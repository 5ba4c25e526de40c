"""The command line's presets in the nodes: a chosen one takes the place of the dials that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ....swf_core.transfer.defaults import SAMPLER
from ....swf_core.transfer.options import TransferOptions
from ....swf_core.transfer.presets import PRESETS, preset_of, wallfacer
from ....swf_core.transfer.styleid import SPACING
from .unet import Unet

CUSTOM = "custom"
CHOICES = (CUSTOM, *PRESETS)
START_TONES_ALONE = "adain"
# The patch's `layers`: those of the preset for the model's family.
AUTO_LAYERS = "auto"


def preset_input(replaced: str) -> Any:
    """The widget `preset`, for the end of a schema; `replaced` says which widgets a preset takes the place of."""
    return io.Combo.Input(
        "preset",
        options=list(CHOICES),
        default=CUSTOM,
        optional=True,
        tooltip="custom: the widgets as they are. wallfacer: what suits the model best; styleid: StyleID as published; "
        f"adain: the style's tones alone. A preset takes the place of {replaced}, and the node shows its values.",
    )


def triple_options(preset: str, unet: Unet, asymmetric: bool, dials: dict[str, float]) -> TransferOptions:
    """The options of a Triple Diffusion Sampler. `dials`: its widgets gamma, strength, adain, steps, cfg, denoise.

    `asymmetric`: a LoRA is on the positive prompt alone and brings the style's tones, so the start keeps the content's.
    """
    sampling = {name: dials[name] for name in ("steps", "cfg", "denoise")}
    if preset == CUSTOM:
        options = wallfacer(unet.family, unet.presets)
        measured = options.injection
        # A schedule falls to the same share of the widget's value as the preset's does.
        end = None if measured.gamma_end is None else dials["gamma"] * measured.gamma_end / measured.gamma
        adain = 0.0 if asymmetric else dials["adain"]
        return options.changed(gamma=dials["gamma"], gamma_end=end, strength=dials["strength"], adain=adain, **sampling)
    options = preset_of(preset, unet.family, unet.presets, asymmetric)
    return options if options.spacing == SPACING else replace(options, **sampling)


def patch_options(preset: str, unet: Unet, dials: dict[str, Any]) -> TransferOptions:
    """The options of a Query-Preserve Attention Patch, of which the injection and the guidance count, and for "adain"
    the start. `dials`: its widgets, and the window of noise levels, by the fields' own names."""
    if preset != CUSTOM:
        window = {name: dials[name] for name in ("sigma_low", "sigma_high")}
        return preset_of(preset, unet.family, unet.presets).changed(**window)
    if dials["layers"].strip() == AUTO_LAYERS:
        dials = dials | {"layers": wallfacer(unet.family, unet.presets).injection.layers}
    return TransferOptions().changed(**dials)


def patch_row(preset: str, options: TransferOptions) -> dict[str, Any]:
    """The panel's row of a Query-Preserve Attention Patch: what the preset has set."""
    return _row(preset, {"strength": _text(options.injection.strength), **_injected(options, "gamma")})


def triple_row(preset: str, options: TransferOptions) -> dict[str, Any]:
    """The same of a Triple Diffusion Sampler."""
    values = {"style_strength": _text(options.injection.strength), **_injected(options, "query_preservation")}
    values["color_from_style"] = _text(options.adain)
    if options.spacing == SPACING:
        values |= {"steps": str(options.steps), "cfg": "1", "denoise": "1", "sampler_name": SAMPLER}
    return _row(preset, values)


def _row(preset: str, values: dict[str, str]) -> dict[str, Any]:
    return {"kind": "preset", "preset": preset, "values": values}


def _injected(options: TransferOptions, gamma_name: str) -> dict[str, str]:
    """Nothing where nothing is injected."""
    injection = options.injection
    if injection.strength == 0.0:
        return {}
    gamma = _text(injection.gamma)
    if injection.gamma_end is not None and injection.gamma_schedule != "constant":
        gamma += f" -> {_text(injection.gamma_end)} ({injection.gamma_schedule})"
    return {gamma_name: gamma, "tau": _text(injection.tau), "layers": injection.layers}


def _text(value: float) -> str:
    return f"{value:g}"
