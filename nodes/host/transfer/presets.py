"""The command line's presets in the nodes: a chosen one takes the place of the dials that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ....swf_core.errors import UserError
from ....swf_core.transfer.defaults import SAMPLER
from ....swf_core.transfer.injection import Injection
from ....swf_core.transfer.options import TransferOptions
from ....swf_core.transfer.presets import FAST, PRESETS, check_freedom, preset_of, wallfacer
from ....swf_core.transfer.styleid import SPACING
from ....swf_core.transfer.trajectory import Encoding
from .layout import layout_of
from .network import Network
from .settings import GUIDANCE

CUSTOM = "custom"
CHOICES = (CUSTOM, *PRESETS)
# The patch's `layers`: those of the preset for the model's family.
AUTO_LAYERS = "auto"


def preset_input(replaced: str) -> Any:
    """The widget `preset`, for the end of a schema; `replaced` says which widgets a preset takes the place of."""
    return io.Combo.Input(
        "preset",
        options=list(CHOICES),
        default=CUSTOM,
        optional=True,
        tooltip="custom: the widgets as they are. wallfacer: what suits the model best; faithful: the content's "
        "drawing first; free: the style first, best with words that say what is seen; fast preview: for a look in 8 "
        "steps; adain: the style's tones alone; the others are published ways, named by their papers: see the help "
        f"page. A preset takes the place of {replaced}, and the node shows its values.",
    )


def triple_options(preset: str, network: Network, asymmetric: bool, dials: dict[str, float]) -> TransferOptions:
    """The options of a Triple Diffusion Sampler. `dials`: its widgets gamma, strength, adain, steps, cfg, denoise,
    cfg_detail, renoise, layout, layout_cut, layout_end, freedom.

    `asymmetric`: a LoRA is on the positive prompt alone and brings the style's tones, so the start keeps the content's.
    """
    sampling = {name: dials[name] for name in ("steps", "cfg", "cfg_detail", "denoise")}
    freedom = dials["freedom"]
    check_freedom(preset, freedom)
    if preset == CUSTOM:
        options = wallfacer(network.family, network.presets)
        measured = options.injection
        # A schedule falls to the same share of the widget's value as the preset's does.
        end = None if measured.gamma_end is None else dials["gamma"] * measured.gamma_end / measured.gamma
        adain = 0.0 if asymmetric else dials["adain"]
        kept = {"gamma": dials["gamma"], "gamma_end": end, "renoise": dials["renoise"], "layout": layout_of(dials)}
        return options.changed(strength=dials["strength"], adain=adain, **kept, **sampling)
    options = preset_of(preset, network.family, network.presets, asymmetric, freedom)
    if options.denoise < 1.0:  # a share of the schedule that belongs to the preset
        del sampling["denoise"]
    if preset == FAST:
        del sampling["steps"]
    return options if options.spacing == SPACING else replace(options, **sampling)


def encoding_of(options: TransferOptions, kind: str, seed: int) -> Encoding:
    """How the pictures of a process are encoded, whose noise has the seed `seed`."""
    return Encoding(kind, options.refinements, options.forward_first, seed)


def planned(options: TransferOptions) -> dict[str, Any]:
    """What a `TransferPlan` takes over of options beside injection, start tones and sources."""
    names = (*GUIDANCE, "cfg_detail", "calibration", "low_frequencies", "renoise", "layout")
    values = {name: getattr(options, name) for name in names}
    return values | {"layout_adain": options.adain if options.guides_layout else 0.0}


def sets_start(options: TransferOptions) -> bool:
    """Whether a preset is about the start latent, so that the patch sets it: nothing is injected, or it is damped."""
    return options.injection.strength == 0.0 or options.low_frequencies < 1.0


def patch_options(preset: str, network: Network, dials: dict[str, Any]) -> TransferOptions:
    """The options of a Query-Preserve Attention Patch, of which the injection and the guidance count, and the start
    where a preset is about it (`sets_start`). `dials`: its widgets, and the window of noise levels, by the fields' own
    names. Raises UserError where nothing is left of a preset's own window."""
    if preset != CUSTOM:
        options = preset_of(preset, network.family, network.presets)
        low = max(dials["sigma_low"], options.injection.sigma_low)
        high = min(dials["sigma_high"], options.injection.sigma_high)
        if low > high:
            raise UserError(
                f"Between start_percent and end_percent nothing is left of the preset {preset!r}; widen them."
            )
        return options.changed(sigma_low=low, sigma_high=high)
    if dials["layers"].strip() == AUTO_LAYERS:
        dials = dials | {"layers": wallfacer(network.family, network.presets).injection.layers}
    own = {name: value for name, value in dials.items() if not name.startswith("layout")}
    return TransferOptions(adain=dials["layout_tones"], layout=layout_of(dials)).changed(**own)


def patch_row(preset: str, options: TransferOptions) -> dict[str, Any]:
    """The panel's row of a Query-Preserve Attention Patch: what the preset has set."""
    values = {"strength": _text(options.injection.strength), **_injected(options, "gamma"), **_beside(options)}
    return _row(preset, values)


def triple_row(preset: str, options: TransferOptions) -> dict[str, Any]:
    """The same of a Triple Diffusion Sampler."""
    values = {"style_strength": _text(options.injection.strength), **_injected(options, "query_preservation")}
    values |= {"color_from_style": _text(options.adain), **_beside(options)}
    if options.renoise > 0.0 or options.cfg_detail > 0.0:
        values["cfg"] = _text(options.cfg)
    if options.cfg_detail > 0.0:
        values["cfg_detail"] = _text(options.cfg_detail)
    if preset == FAST:
        values["steps"] = str(options.steps)
    if options.denoise < 1.0:
        values["denoise"] = _text(options.denoise)
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
    values = {gamma_name: gamma, "tau": _text(injection.tau), "layers": injection.layers}
    plain = Injection()
    for name in ("kv", "bias", "query_adain", "key_adain", "contrast", "read"):
        value = getattr(injection, name)
        if value != getattr(plain, name):
            values[name] = value if isinstance(value, str) else _text(value)
    return values


def _beside(options: TransferOptions) -> dict[str, str]:
    """What a preset has set beside the injection, where that is anything."""
    plain, values = TransferOptions(), {}
    for name in (*GUIDANCE, "low_frequencies", "renoise", "style_encoding", "refinements"):
        value = getattr(options, name)
        if value != getattr(plain, name):
            values[name] = value if isinstance(value, str) else _text(value)
    calibration = options.calibration
    if calibration.amount > 0.0:
        values["calibration"] = f"{_text(calibration.amount)} ({calibration.start:.0%} to {calibration.end:.0%})"
    layout = options.layout
    if layout.weight > 0.0:
        values |= {"layout": _text(layout.weight), "layout_cut": _text(layout.cut), "layout_end": _text(layout.end)}
    return values


def _text(value: float) -> str:
    return f"{value:g}"
