"""Style transfer as a patch on a MODEL: references beside every sampling step, injection inside self-attention.

Two wrappers and one function after guidance live on a clone of the MODEL and go with it. What a sampling needs is made
when it starts (`run`) and travels in its own model options; only what a style showed is kept for the next (`kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionLayer
from ....swf_core.transfer.injection import Injection
from ....swf_core.transfer.layers import select_layers
from .denoiser import KEY, Text
from .feature_cache import Kept
from .other_weights import check_alike
from .reference import Source
from .sampling import Run, running
from .unet import look_at


@dataclass(frozen=True, eq=False)
class StyleSource:
    """A style picture: what its process follows, its weight, a mask [h, w] of what may be read of it, and its place: a
    mask [1 or B, H, W] of where in the result it counts among other styles."""

    source: Source
    weight: float = 1.0
    readable: Tensor | None = None
    place: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Transfer:
    """Everything a patched MODEL knows of its style transfer; shared by all its clones.

    `text`: of the reference processes; None takes the negative of each sampling. `place`: mask [1 or B, H, W] of where
    the style goes. `style_guidance`, `leak_guard`: see `TransferOptions` in the core. `start_adain`: None leaves the
    sampler its own start; a number in 0..1 starts it from the content's noisy latent, its channel statistics moved so
    far to the styles' (StyleID's initial latent AdaIN). `content_model`: a MODEL whose weights run the content process
    (arXiv 2506.15033 leaves open which do); None takes generation's. `kept`: where the styles' features stay between
    samplings; None forgets them.
    """

    injection: Injection
    layers: tuple[str, ...]
    styles: tuple[StyleSource, ...]
    content: Source | None = None
    text: Text | None = None
    place: Tensor | None = None
    style_guidance: float = 0.0
    leak_guard: float = 0.0
    start_adain: float | None = None
    precision: str = "fp32"
    content_model: Any = None
    kept: Kept | None = field(default_factory=Kept)

    def __deepcopy__(self, memo: Any) -> Transfer:
        return self

    def start(
        self,
        executor: Any,
        guider: Any,
        sigmas: Tensor,
        extra: dict[str, Any],
        callback: Any,
        noise: Tensor,
        latent_image: Tensor,
        *rest: Any,
        **named: Any,
    ) -> Any:
        """SAMPLER_SAMPLE wrapper: the model is loaded and the noise levels are known, so the references can begin."""
        options = extra["model_options"]
        run = Run(self, guider, sigmas, options)
        options.setdefault("transformer_options", {})[KEY] = run
        if self.start_adain is not None:
            noise = run.start_noise(executor.class_obj, sigmas, latent_image, self.start_adain)
        return executor(guider, sigmas, extra, callback, noise, latent_image, *rest, **named)

    def predict(
        self, executor: Any, model: Any, conds: list, x: Tensor, timestep: Tensor, options: dict[str, Any]
    ) -> list[Tensor]:
        """CALC_COND_BATCH wrapper: one model call of generation, references first."""
        run, sigma = running(options), float(timestep.flatten()[0])
        if run is None or not self.injection.active(sigma):
            return executor(model, conds, x, timestep, options)
        return executor(model, conds, x, timestep, run.injected(options, conds, x, sigma))

    def after_guidance(self, args: dict[str, Any]) -> Tensor:
        """Post-CFG function: style guidance and the leak guard."""
        x0, options, sigma = args["denoised"], args["model_options"], float(args["sigma"].flatten()[0])
        run = running(options)
        if run is None or not self.injection.active(sigma):
            return x0
        return run.guided(args, x0, sigma)


def apply(patcher: Any, selector: str, make: Callable[[tuple[str, ...], int], Transfer]) -> Any:
    """A clone of a MODEL with the transfer that `make(layers, latent channels)` returns; one before it is replaced."""
    unet = look_at(patcher.model)
    chosen: Sequence[AttentionLayer] = select_layers(list(unet.layers.values()), unet.presets, unet.family, selector)
    channels = int(patcher.get_model_object("latent_format").latent_channels)
    transfer = make(tuple(layer.name for layer in chosen), channels)
    for source in [transfer.content, *(style.source for style in transfer.styles)]:
        if source is not None and source.channels() != channels:
            raise UserError(
                f"A latent with {source.channels()} channels was given to a model with {channels}; encode the picture "
                "with this model's own VAE."
            )
    if transfer.content_model is not None:
        check_alike(transfer.content_model, transfer.layers)
    clone = patcher.clone()
    clone.remove_wrappers_with_key(WrappersMP.SAMPLER_SAMPLE, KEY)
    clone.remove_wrappers_with_key(WrappersMP.CALC_COND_BATCH, KEY)
    if "sampler_post_cfg_function" in clone.model_options:
        others = [f for f in clone.model_options["sampler_post_cfg_function"] if not _ours(f)]
        clone.model_options["sampler_post_cfg_function"] = others
    if transfer.injection.strength == 0.0 and transfer.start_adain is None:
        return clone  # the plain model, bit for bit
    clone.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, transfer.start)
    clone.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, KEY, transfer.predict)
    if transfer.style_guidance > 0.0 or transfer.leak_guard > 0.0:
        clone.set_model_sampler_post_cfg_function(transfer.after_guidance)
    return clone


def transfer_on(patcher: Any) -> Transfer | None:
    """The transfer that a MODEL carries, if any."""
    wrappers = patcher.get_wrappers(WrappersMP.CALC_COND_BATCH, KEY)
    return wrappers[0].__self__ if wrappers else None


def _ours(function: Any) -> bool:
    return isinstance(getattr(function, "__self__", None), Transfer)
