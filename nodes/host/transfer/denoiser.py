"""ComfyUI's loaded model as the core's `Denoiser`, for the reference processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import comfy.sampler_helpers
import comfy.samplers
import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionEdit
from .attention import with_edit
from .call_parts import attend_plainly
from .inspection import inspect_network
from .network import Network
from .noise_levels import noise_levels

# Where a `Sampling` travels in its transformer options; the mark of a reference's own call, which no style is injected
# into; and where color guidance travels.
TRANSFER_KEY, REFERENCE_KEY, COLOR_KEY = "swf", "swf_reference", "swf_color"

# Keys of wrappers around the network that answer a call with what an earlier one gave.
STEP_CACHES = ("easycache",)


# What belongs to a text beside its tokens: with transformers the mask of those that are read, another encoder's tokens
# (HiDream), and the strength that a network distilled from guidance is told (Flux dev).
TEXT_KEYS = ("pooled_output", "attention_mask", "conditioning_llama3", "guidance")


class PlainConditioning:
    """The first entry of a CONDITIONING, without area, mask, ControlNet or hooks: the text of a reference process.

    Those belong to the picture that is made, not to the pictures it is made after.
    """

    def __init__(self, conditioning: list):
        if not conditioning:
            raise UserError("The conditioning of the style and content pictures is empty; connect a CLIPTextEncode.")
        tokens, more = conditioning[0]
        self.entry = [tokens, {key: value for key, value in more.items() if key in TEXT_KEYS}]

    def __len__(self) -> int:
        return 1


class HostDenoiser:
    """Denoises with a BaseModel that the host has loaded; made anew for each sampling.

    `options`: the model options of that sampling, whose patches act on references too. `layers`: those whose attention
    is replaced in every call, edited or not, as a compiled network wants it.
    """

    def __init__(self, model: Any, options: dict[str, Any], layers: Iterable[str] = ()):
        self.model, self.options, self.layers = model, options, frozenset(layers)
        self.network: Network = inspect_network(model)
        self.levels = noise_levels(model)
        self._prepared: dict[tuple[int, tuple[int, ...]], list] = {}

    @property
    def sigmas(self) -> Tensor:
        """The table sigma(t), float64 on the CPU."""
        return self.levels.table(self.model.model_sampling)

    @property
    def self_attention_layers(self) -> tuple:
        """All self-attention layers in the order the network runs them."""
        return tuple(self.network.layers.values())

    @property
    def device(self) -> torch.device:
        """Where latents go."""
        return self.model.device if self.model.current_patcher is None else self.model.current_patcher.load_device

    @property
    def itemsize(self) -> int:
        """Bytes of a number, as the network computes it."""
        return (self.model.manual_cast_dtype or self.model.get_dtype()).itemsize

    def check_text(self, text: PlainConditioning) -> None:
        """Raises UserError for a text that the encoder of another model made."""
        transformer, width = self.network.transformer, int(text.entry[0].shape[-1])
        if transformer is not None and width != transformer.text_width:
            raise UserError(
                f"The text of the pictures has tokens of {width} numbers, and this {self.network.family} model reads "
                f"{transformer.text_width}; encode it with the model's own CLIP."
            )

    def latents_in(self, x: Tensor) -> Tensor:
        """Clean latents [B, C, h, w] as LATENT holds them, in the scale that the network works in."""
        return self.levels.picture(self.model.process_latent_in(self.levels.framed(x.float())))

    def denoise(self, x: Tensor, sigma: float, cond: PlainConditioning, edit: AttentionEdit | None = None) -> Tensor:
        """x0 [B, C, h, w] float32 from x at noise level sigma > 0 (see the core's contract)."""
        x = self.levels.to_host(x.to(self.device, torch.float32), sigma)
        layers, function = (self.layers, attend_plainly) if edit is None else (edit.layers, edit.function)
        options = with_edit(self.options, self.network, layers, lambda _: function)
        _for_reference(options)
        sigmas = torch.full((x.shape[0],), self.levels.level(sigma), device=x.device)
        conds = prepare_conditioning(self.model, cond, x, self._prepared)
        (x0,) = comfy.samplers.calc_cond_batch(self.model, [conds], x, sigmas, options)
        return self.levels.picture(x0.float())


def _for_reference(options: dict[str, Any]) -> None:
    """Mark a copy of model options as a reference's own.

    What other nodes do around the calls of generation is left out: windows over its frames (the host's, or
    AnimateDiff-Evolved's) and caches of its steps know nothing of another picture. Patches inside the network stay.
    """
    inner = options.setdefault("transformer_options", {})
    inner[REFERENCE_KEY] = True
    options.pop("context_handler", None)
    wrappers = dict(inner.get("wrappers", {}))
    wrappers.pop(WrappersMP.CALC_COND_BATCH, None)
    network = wrappers.get(WrappersMP.DIFFUSION_MODEL, {})
    wrappers[WrappersMP.DIFFUSION_MODEL] = {k: v for k, v in network.items() if k not in STEP_CACHES}
    inner["wrappers"] = wrappers


def prepare_conditioning(model: Any, text: PlainConditioning, x: Tensor, cache: dict[Any, list]) -> list:
    """A text as the host's sampler wants it for latents like `x`; made once for each size and kept in `cache`."""
    key = (id(text), tuple(x.shape))
    if key not in cache:
        converted = comfy.sampler_helpers.convert_cond([text.entry])
        cache[key] = comfy.samplers.process_conds(model, x, {"positive": converted}, x.device)["positive"]
    return cache[key]
