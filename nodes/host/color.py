"""Color Edit's two forms: a function after guidance on a MODEL, and pictures moved at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.samplers
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...swf_core.color.axes import Axes
from ...swf_core.color.concepts import parse_concepts
from ...swf_core.color.guidance import ColorGuidance, reference_of
from ...swf_core.color.match import match
from ...swf_core.color.palette import Palette, extract
from ...swf_core.color.palette_text import written
from ...swf_core.color.transport import repalette
from ...swf_core.errors import UserError
from .transfer.denoiser import COLOR, Text, prepared
from .ui_rows import palette_row


@dataclass(frozen=True, eq=False)
class Asked:
    """What a person asked of Color Edit. `palette`: (edited from or None, to); `reference`: [B, H, W, 3]; `mask`:
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


class HostCodec:
    """A VAE as the core's `Codec` for one call of `encode`, in the model's own latent scale."""

    def __init__(self, vae: Any, model: Any):
        self.vae, self.model = vae, model
        self.downscale = int(vae.spacial_compression_encode())
        self.channels = int(model.get_model_object("latent_format").latent_channels)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] to latents [B, C, h, w]."""
        latents = self.vae.encode(pictures.movedim(1, -1))
        if latents.shape[1] != self.channels:
            raise UserError(
                f"The VAE makes latents of {latents.shape[1]} channels and the model has {self.channels}; connect the "
                "model's own VAE."
            )
        return self.model.model.process_latent_in(latents).float().cpu()

    def decode(self, latents: Tensor) -> Tensor:
        """Not asked for."""
        raise NotImplementedError


class Guide:
    """Color guidance as it sits on a MODEL; shared by its clones."""

    def __init__(self, guidance: ColorGuidance, texts: list[Text]):
        self.guidance, self.texts = guidance, texts

    def __deepcopy__(self, memo: Any) -> Guide:
        return self

    def start(self, executor: Any, guider: Any, sigmas: Tensor, extra: dict[str, Any], *rest: Any, **named: Any) -> Any:
        """SAMPLER_SAMPLE wrapper: what one sampling learns about places is its own."""
        extra["model_options"].setdefault("transformer_options", {})[COLOR] = (self.guidance.begin(), {})
        return executor(guider, sigmas, extra, *rest, **named)

    def after_guidance(self, args: dict[str, Any]) -> Tensor:
        """Post-CFG function: each text is one row of one more call."""
        x0, options, sigma = args["denoised"], args["model_options"], float(args["sigma"].flatten()[0])
        begun = options.get("transformer_options", {}).get(COLOR)
        if begun is None or not self.guidance.active(sigma):
            return x0
        steer, conds = begun
        told: list[Tensor] = []
        if self.texts:
            x, model = args["input"], args["model"]
            asked = [prepared(model, text, x, conds) for text in self.texts]
            told = comfy.samplers.calc_cond_batch(model, asked, x, args["sigma"], options)
        positive = args["cond_denoised"]
        return steer(x0.float(), positive.float(), [each.float() for each in told]).to(x0)


def guided_model(model: Any, clip: Any, vae: Any, asked: Asked, start_percent: float, end_percent: float) -> Any:
    """A clone of a MODEL whose samplings have the colors that are asked for; one before it is replaced."""
    mask = None if asked.mask is None else asked.mask[0]
    concepts = tuple(parse_concepts(asked.words, asked.words_strength, asked.focus, mask))
    if concepts and clip is None:
        raise UserError("'words' need 'clip': connect the CLIP of this model.")
    toned = asked.palette is not None or asked.reference is not None
    if toned and vae is None and asked.strength > 0.0:
        raise UserError("A palette or reference on a model needs 'vae': connect the VAE of this model.")
    sampling = model.get_model_object("model_sampling")
    axes = reference = None
    if toned and asked.strength > 0.0:
        codec = HostCodec(vae, model)
        axes = Axes.of(codec)
        if asked.reference is not None:
            reference = reference_of(codec.encode(asked.reference[:1, ..., :3].movedim(-1, 1)), axes)
    source, target = asked.palette or (None, None)
    guidance = ColorGuidance(
        concepts,
        target if axes else None,
        source,
        reference,
        axes,
        asked.strength,
        asked.lightness,
        mask,
        float(sampling.percent_to_sigma(end_percent)),
        float(sampling.percent_to_sigma(start_percent)),
    )
    clone = model.clone()
    clone.remove_wrappers_with_key(WrappersMP.SAMPLER_SAMPLE, COLOR)
    if "sampler_post_cfg_function" in clone.model_options:
        others = [f for f in clone.model_options["sampler_post_cfg_function"] if not _ours(f)]
        clone.model_options["sampler_post_cfg_function"] = others
    if not guidance.prompts and axes is None:
        return clone  # the plain model, bit for bit
    texts = [Text(clip.encode_from_tokens_scheduled(clip.tokenize(text))) for text in guidance.prompts]
    guide = Guide(guidance, texts)
    clone.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, COLOR, guide.start)
    clone.set_model_sampler_post_cfg_function(guide.after_guidance)
    return clone


def recolored(images: Tensor, asked: Asked, colors: int) -> tuple[Tensor, str, list[dict[str, Any]]]:
    """Pictures [B, H, W, C] moved (alpha stays), the first one's colors as text, and a panel row for it."""
    out, found = [], None
    for k, image in enumerate(images):
        picture = image[..., :3].movedim(-1, 0).cpu()
        mask = None if asked.mask is None else _fitted(asked.mask[k % len(asked.mask)], picture)
        found = found or extract(picture, colors, mask)
        moved = picture
        if asked.palette is not None:
            source, target = asked.palette
            moved = repalette(
                picture, target, source=source, lightness=asked.lightness, strength=asked.strength, mask=mask
            )
        elif asked.reference is not None:
            theirs = asked.reference[k % len(asked.reference)][..., :3].movedim(-1, 0).cpu()
            moved = match(picture, theirs, asked.method, strength=asked.strength, mask=mask)
        result = image.clone()
        result[..., :3] = moved.movedim(0, -1)
        out.append(result)
    if not out or found is None:
        raise UserError("The image is an empty batch; give at least one picture.")
    return torch.stack(out), written(found), [palette_row(found, asked.palette)]


def _fitted(mask: Tensor, picture: Tensor) -> Tensor:
    """A mask at the picture's size."""
    if mask.shape == picture.shape[1:]:
        return mask.cpu()
    resized = torch.nn.functional.interpolate(mask[None, None].float().cpu(), picture.shape[1:], mode="bilinear")
    return resized[0, 0]


def _ours(function: Any) -> bool:
    return isinstance(getattr(function, "__self__", None), Guide)
