"""Named settings of the whole transfer. Every value can be changed with `dataclasses.replace`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import UserError
from ..models.contracts import Backend
from ..models.transformer_presets import TRANSFORMER_FAMILIES
from ..presets import ENTRIES, PRESETS, Preset
from .calibration import Calibration
from .freedom import between, free_end, suited_layers
from .injection import Injection
from .inputs import Models
from .options import TransferOptions
from .rope import POSITIONS, Untwist
from .sigmas import share_of_schedule

DEFAULT_PRESET = "wallfacer"
# The preset that `freedom` moves towards "free".
DIALED = "faithful"
# What the others do for a look, in few steps: of 20 tuning pairs on mini with words read from the pictures 8 steps have
# the style in 80 % and 4 in 55 %, 15 in 95 % (docs/figures.md).
FAST, FAST_STEPS = "fast preview", 8
# Where a transfer by read words stands on the dial, and how far its tones move to the style, if nobody says. Measured
# on mini alone; others keep their preset.
MINI_FREEDOM, MINI_ADAIN = 0.35, 0.75


def preset(name: str, models: Models | Backend, freedom: float = 0.0) -> TransferOptions:
    """The options of a preset for a model, or for the models of all processes.

    `ENTRIES` says of each what it is and from where. wallfacer: where the unconditional branch has a model of its own
    (asymmetric guidance) the start keeps the content's tones.
    `freedom`: 0..1, moves the preset faithful towards free.
    Raises ValueError (UserError) for another name, or a freedom with another preset.
    """
    models = Models.of(models)
    backend = models.generation
    return preset_of(name, backend.family, backend.layer_presets, models.unconditional is not None, freedom)


def preset_of(
    name: str, family: str, layer_presets: Mapping[str, str], asymmetric: bool = False, freedom: float = 0.0
) -> TransferOptions:
    """`preset` for whoever knows a model's family and its presets of layers, and has no `Backend`."""
    check_freedom(name, freedom)
    if name == "wallfacer":
        return wallfacer(family, layer_presets, asymmetric)
    if name in (DIALED, "free"):
        faithful = wallfacer(family, layer_presets, asymmetric)
        return between(faithful, free_end(faithful, family, layer_presets), 1.0 if name == "free" else freedom)
    if name == FAST:
        return replace(suited(family, layer_presets, asymmetric), steps=FAST_STEPS)
    if name in ENTRIES:
        return positioned(_options(ENTRIES[name], layer_presets), family)
    raise UserError(f"The preset {name!r} is unknown; use {', '.join(PRESETS)}.")


def suited(
    family: str, layer_presets: Mapping[str, str], asymmetric: bool = False, freedom: float | None = None
) -> TransferOptions:
    """The options that suit words read from the pictures best; `freedom`: where on the dial, None: where they do."""
    if family != "mini":
        return preset_of(DIALED, family, layer_presets, asymmetric, freedom or 0.0)
    options = preset_of(DIALED, family, layer_presets, asymmetric, MINI_FREEDOM if freedom is None else freedom)
    return options if asymmetric else replace(options, adain=MINI_ADAIN)


def check_freedom(name: str, freedom: float) -> None:
    """Raise ValueError (UserError) where a freedom is given to a preset that has no such dial."""
    if freedom != 0.0 and name != DIALED:
        raise UserError(f"freedom is {freedom} and the preset {name!r}; it is a dial of the preset {DIALED} alone.")


def _options(entry: Preset, layer_presets: Mapping[str, str]) -> TransferOptions:
    """A published way's options for a model with these presets of layers."""
    values = dict(entry.values)
    if values.get("layers") == "late" and "late" not in layer_presets:
        values["layers"] = "all"
    first, last = entry.window
    values |= {"sigma_high": share_of_schedule(first), "sigma_low": share_of_schedule(last)}
    if "calibration" in values:
        values["calibration"] = Calibration(**values["calibration"])
    return TransferOptions().changed(**values)


def wallfacer(family: str, layer_presets: Mapping[str, str], asymmetric: bool = False) -> TransferOptions:
    """The preset's options for a family of models with these presets of layers.

    `asymmetric`: generation has a LoRA that the unconditional branch lacks, and guidance brings the style's tones from
    it; the style's tones in the start too would be too much (docs/figures.md, bench lora-transfer).
    """
    options = _wallfacer(family, layer_presets)
    return replace(options, adain=0.0) if asymmetric else options


def _wallfacer(family: str, layer_presets: Mapping[str, str]) -> TransferOptions:
    if family == "mini":
        # A small model answers injection softly: it wants it in every layer, and fewer of the content's queries. Half
        # of the start's tones stay the content's, which brings both distances nearer to the truth at no cost in style
        # (docs/figures.md).
        return TransferOptions(Injection(layers="all", gamma=0.5, tau=1.5), steps=30, adain=0.5)
    layers = suited_layers(family, layer_presets)
    cosine = Injection(layers=layers, gamma=0.75, gamma_end=0.375, gamma_schedule="cosine", tau=1.5)
    return positioned(followed(TransferOptions(cosine, steps=30), family), family)


def followed(options: TransferOptions, family: str) -> TransferOptions:
    """The options with inversion and sampling by FireFlow on a family of rectified flows: second order for one
    evaluation a step. Others keep DDIM, for which they were trained and measured."""
    if family not in TRANSFORMER_FAMILIES:
        return options
    return replace(options, content_encoding="fireflow", style_encoding="fireflow", solver="fireflow")


def positioned(options: TransferOptions, family: str) -> TransferOptions:
    """The options with styles' keys where they copy least on a family of transformers."""
    known = TRANSFORMER_FAMILIES.get(family)
    if known is None:
        return options
    return replace(
        options,
        positions=POSITIONS[0] if known.rotary else "same",
        untwist=Untwist(flat_first=known.flat_first),
    )


__all__ = ["DEFAULT_PRESET", "PRESETS", "preset", "preset_of", "wallfacer"]
