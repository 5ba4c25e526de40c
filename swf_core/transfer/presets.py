"""Named settings of the whole transfer. Every value can be changed with `dataclasses.replace`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import UserError
from ..models.contracts import Backend
from .injection import Injection
from .inputs import Models
from .options import TransferOptions

PRESETS = ("wallfacer", "styleid", "adain")
DEFAULT_PRESET = "wallfacer"


def preset(name: str, models: Models | Backend) -> TransferOptions:
    """The options of a preset for a model, or for the models of all processes.

    * wallfacer: our own, the default. Where the unconditional branch has a model of its own (asymmetric guidance) the
      start keeps the content's tones.
    * styleid: StyleID as published (arXiv 2312.09008 and its code): gamma 0.75, T 1.5, late decoder layers, 50 DDIM
      steps, eta 0, empty prompt, no guidance, features captured during inversion, initial latent AdaIN, start_step 49:
      50 + 50 + 49 = 149 E.
    * adain: the start latent's AdaIN and nothing else, the baseline to beat.

    Raises ValueError (UserError) for another name.
    """
    models = Models.of(models)
    backend = models.generation
    return preset_of(name, backend.family, backend.layer_presets, asymmetric=models.unconditional is not None)


def preset_of(name: str, family: str, layer_presets: Mapping[str, str], asymmetric: bool = False) -> TransferOptions:
    """`preset` for whoever knows a model's family and its presets of layers, and has no `Backend`."""
    if name == "wallfacer":
        return wallfacer(family, layer_presets, asymmetric)
    if name == "styleid":
        late = "late" if "late" in layer_presets else "all"
        published = Injection(layers=late, gamma=0.75, tau=1.5)
        return TransferOptions(published, steps=50, adain=1.0, spacing="styleid")
    if name == "adain":
        return TransferOptions(Injection(strength=0.0), steps=30, adain=1.0)
    raise UserError(f"The preset {name!r} is unknown; use {', '.join(PRESETS)}.")


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
    late = "late" if "late" in layer_presets else "all"
    cosine = Injection(layers=late, gamma=0.75, gamma_end=0.375, gamma_schedule="cosine", tau=1.5)
    return TransferOptions(cosine, steps=30)
