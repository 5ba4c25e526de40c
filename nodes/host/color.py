"""Color Edit's two forms: a function after guidance on a MODEL, and pictures moved at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.samplers
import torch
from torch import Tensor

from ...swf_core.color.axes import Axes
from ...swf_core.color.concepts import parse_concepts
from ...swf_core.color.guidance import ColorGuidance, reference_of
from ...swf_core.color.match import match
from ...swf_core.color.palette import Palette, extract
from ...swf_core.color.palette_text import text_of
from ...swf_core.color.transport import repalette
from ...swf_core.errors import UserError
from ...swf_core.masks import resize_mask
from .codec import HostCodec
from .model_hooks import with_hooks
from .transfer.denoiser import COLOR_KEY, PlainConditioning, prepare_conditioning
from .transfer.noise_levels import on_pictures
from .ui_rows import palette_row


@dataclass(frozen=True, eq=False)
class ColorEditOptions:
    """What Color Edit is set to. `palette`: (edited from or None, to); `reference`: [B, H, W, 3]; `mask`:
    [B, H, W]."""

    words: str
    words_strength: float
    focus: float
    palette: tuple[Palette | None, Palette] | None
    reference: Tensor | None
    method: str
    strength: float
    lightness: float
    mask: Tensor | None


@dataclass(frozen=True, eq=False)
class ModelColors:
    """Color guidance as it sits on a MODEL, with the conditioning of each of its prompts; shared by clones."""

    guidance: ColorGuidance
    texts: tuple[PlainConditioning, ...]

    def __deepcopy__(self, memo: Any) -> ModelColors:
        return self


def guided_model(
    model: Any, clip: Any, vae: Any, edit: ColorEditOptions, start_percent: float, end_percent: float
) -> Any:
    """A clone of a MODEL whose samplings have the colors of `edit`; color guidance from before is replaced."""
    mask = None if edit.mask is None else edit.mask[0]
    concepts = tuple(parse_concepts(edit.words, edit.words_strength, edit.focus, mask))
    if concepts and clip is None:
        raise UserError("'words' need 'clip': connect the CLIP of this model.")
    has_target = (edit.palette is not None or edit.reference is not None) and edit.strength > 0.0
    if has_target and vae is None:
        raise UserError("A palette or reference on a model needs 'vae': connect the VAE of this model.")
    sampling = model.get_model_object("model_sampling")
    axes = reference = None
    if has_target:
        codec = HostCodec(vae, model.model, channels_last=False)
        axes = Axes.of(codec)
        if edit.reference is not None:
            reference = reference_of(codec.encode(edit.reference[:1, ..., :3].movedim(-1, 1)).cpu(), axes)
    source, target = edit.palette or (None, None)
    guidance = ColorGuidance(
        concepts,
        target if axes else None,
        source,
        reference,
        axes,
        edit.strength,
        edit.lightness,
        mask,
        float(sampling.percent_to_sigma(end_percent)),
        float(sampling.percent_to_sigma(start_percent)),
    )
    if not guidance.prompts and axes is None:
        return with_hooks(model, COLOR_KEY)  # the plain model, bit for bit
    tokens = [clip.tokenize(text) for text in guidance.prompts]
    texts = tuple(PlainConditioning(clip.encode_from_tokens_scheduled(each)) for each in tokens)
    colors = ModelColors(guidance, texts)
    return with_hooks(model, COLOR_KEY, colors, around_sampling=_run_sampling, after_guidance=_steer)


def _run_sampling(
    colors: ModelColors, executor: Any, guider: Any, sigmas: Tensor, extra: dict[str, Any], *rest: Any, **named: Any
) -> Any:
    """SAMPLER_SAMPLE wrapper: what one sampling learns about places, and its prepared texts, are its own."""
    extra["model_options"].setdefault("transformer_options", {})[COLOR_KEY] = (colors.guidance.begin(), {})
    return executor(guider, sigmas, extra, *rest, **named)


def _steer(colors: ModelColors, args: dict[str, Any]) -> Tensor:
    """Post-CFG function: color guidance of x0. Each text is one row of one more call."""
    x0, options, sigma = args["denoised"], args["model_options"], float(args["sigma"].flatten()[0])
    begun = options.get("transformer_options", {}).get(COLOR_KEY)
    if begun is None or not colors.guidance.active(sigma):
        return x0
    steer, prepared = begun
    predictions: list[Tensor] = []
    if colors.texts:
        x, model = args["input"], args["model"]
        conds = [prepare_conditioning(model, text, x, prepared) for text in colors.texts]
        predictions = comfy.samplers.calc_cond_batch(model, conds, x, args["sigma"], options)
    positive = args["cond_denoised"]
    return on_pictures(
        lambda *x: steer(sigma, x[0].float(), x[1].float(), [prediction.float() for prediction in x[2:]]),
        x0,
        positive,
        *predictions,
    ).to(x0)


def recolored(images: Tensor, edit: ColorEditOptions, colors: int) -> tuple[Tensor, str, list[dict[str, Any]]]:
    """Pictures [B, H, W, C] moved (alpha stays), the first one's colors as text, and a panel row for it."""
    results, palette = [], None
    for k, image in enumerate(images):
        picture = image[..., :3].movedim(-1, 0).cpu()
        mask = None if edit.mask is None else _fitted(edit.mask[k % len(edit.mask)], picture)
        palette = palette or extract(picture, colors, mask)
        moved = picture
        if edit.palette is not None:
            source, target = edit.palette
            moved = repalette(
                picture, target, source=source, lightness=edit.lightness, strength=edit.strength, mask=mask
            )
        elif edit.reference is not None:
            reference = edit.reference[k % len(edit.reference)][..., :3].movedim(-1, 0).cpu()
            moved = match(picture, reference, edit.method, strength=edit.strength, mask=mask)
        result = image.clone()
        result[..., :3] = moved.movedim(0, -1)
        results.append(result)
    if palette is None:
        raise UserError("The image is an empty batch; give at least one picture.")
    return torch.stack(results), text_of(palette), [palette_row(palette, edit.palette)]


def _fitted(mask: Tensor, picture: Tensor) -> Tensor:
    """A mask at the picture's size."""
    return resize_mask(mask.cpu(), (picture.shape[1], picture.shape[2]))
