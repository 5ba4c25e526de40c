"""Style transfer as a patch on a MODEL: references beside every sampling step, injection inside self-attention.

Two wrappers and one function after guidance live on a clone of the MODEL and go with it. What a sampling needs is made
when it starts and travels in its own model options, so nothing is shared between samplings and nothing stays behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import comfy.model_patcher
import comfy.samplers
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...swf_core.errors import UserError
from ...swf_core.models.contracts import AttentionEdit, AttentionLayer
from ...swf_core.transfer.edits import injection_edit, leaking_edit
from ...swf_core.transfer.features import Box, FeatureBank
from ...swf_core.transfer.injection import Injection
from ...swf_core.transfer.layers import select_layers
from ...swf_core.transfer.sigmas import travelled
from ...swf_core.transfer.start import toned
from ...swf_core.transfer.styles import Style
from .attention import with_edit
from .denoiser import REFERENCE, HostDenoiser, Text
from .kept import LIMIT_BYTES, Kept, signature
from .reference import Process, Source
from .unet import look_at
from .weights import check_alike, denoiser_of, in_place

KEY = "swf"


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
        self, executor: Any, guider: Any, sigmas: Tensor, extra: dict[str, Any], callback: Any, noise: Tensor,
        latent_image: Tensor, *rest: Any, **named: Any,
    ) -> Any:  # fmt: skip
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


def running(options: dict[str, Any]) -> Run | None:
    """The run that these model options belong to; None outside of one and inside a reference's own call."""
    inner = options.get("transformer_options", {})
    return None if inner.get(REFERENCE) else inner.get(KEY)


class Run:
    """One sampling with a patched MODEL: its reference processes and what its generation does."""

    def __init__(self, transfer: Transfer, guider: Any, sigmas: Tensor, options: dict[str, Any]):
        self.transfer, self.guider = transfer, guider
        self.denoiser = HostDenoiser(guider.inner_model, options)
        self.unet, self.table = self.denoiser.unet, self.denoiser.sigmas
        self.falling = [float(s) for s in sigmas if float(s) > 0.0]
        self.first, self.last = self.falling[0], self.falling[-1]
        self.layers = frozenset(transfer.layers)
        self.text = transfer.text or _text_of(guider)
        any_read = any(transfer.injection.active(s) for s in self.falling)
        any_tones = (transfer.start_adain or 0.0) > 0.0  # the start asks for the styles' tones even if nothing is read
        self.content = self._content() if any_read and transfer.injection.needs_content else None
        if transfer.kept is not None:
            transfer.kept.begin(signature(guider.model_patcher, options, self.falling, self.text))
        self.styles = [
            Style(self._style(i, style.source), style.weight, style.readable, style.place)  # type: ignore[arg-type]
            for i, style in enumerate(transfer.styles if any_read or any_tones else ())
            if style.weight > 0.0
        ]

    def __deepcopy__(self, memo: Any) -> Run:
        return self

    def _content(self) -> Process:
        """The content process; with weights of its own, its queries are found now, all with one change of weights."""
        transfer, rising = self.transfer, self.falling[::-1]
        assert transfer.content is not None
        if transfer.content_model is None:
            trajectory = transfer.content.followed(self.denoiser, self.text, rising, "content")
            bank = FeatureBank(self.layers, "q", transfer.precision)
            return Process(self.denoiser, self.text, trajectory, bank)
        model, shape = transfer.content_model, transfer.content.shape()

        def weights() -> Any:
            return in_place(model, self.guider, shape)

        with weights():
            denoiser = denoiser_of(model)
            trajectory = transfer.content.followed(denoiser, self.text, rising, "content")
            bank = FeatureBank(self.layers, "q", transfer.precision, "cpu")
            process = Process(denoiser, self.text, trajectory, bank, LIMIT_BYTES)
            process.ensure(*(s for s in self.falling if transfer.injection.active(s) and self.gamma(s) > 0.0))
        process.weights = weights
        return process

    def _style(self, index: int, source: Source) -> Process:
        """Style number `index`, as the last sampling left it where that still holds."""
        transfer, kept = self.transfer, self.transfer.kept
        if kept is not None and index in kept.styles:
            trajectory, bank = kept.styles[index]
        else:
            trajectory = source.followed(self.denoiser, self.text, self.falling[::-1], "style")
            parts = "qkv" if transfer.leak_guard > 0.0 or transfer.injection.query_adain > 0.0 else "kv"
            bank = FeatureBank(self.layers, parts, transfer.precision, None if kept is None else "cpu")
            if kept is not None:
                kept.styles[index] = trajectory, bank
        return Process(self.denoiser, self.text, trajectory, bank, 0 if kept is None else LIMIT_BYTES)

    def start_noise(self, sampler: Any, sigmas: Tensor, clean: Tensor, amount: float) -> Tensor:
        """The noise with which the host's sampler, scaling and adding it to the `clean` latents, starts where we want:
        at the content's noisy latent with the styles' statistics."""
        sigma = float(sigmas[0])
        content = self.content or self._content()
        base = content.trajectory.at(sigma).to(clean)
        looks = [style.process.statistics_at(sigma).to(clean) for style in self.styles]
        weights, places = [style.weight for style in self.styles], [style.place for style in self.styles]
        x = toned(base, looks, weights, amount, places, self.transfer.place)
        scale = math.sqrt(1.0 + sigma * sigma) if sampler.max_denoise(self.guider, sigmas) else sigma
        return (x - clean) / scale

    def gamma(self, sigma: float) -> float:
        """The schedule's query preservation at this level."""
        return self.transfer.injection.gamma_at(travelled(self.table, sigma, self.first, self.last))

    def injected(self, options: dict[str, Any], conds: list, x: Tensor, sigma: float) -> dict[str, Any]:
        """Model options for one call of generation with rows `x`: its self-attention reads the styles."""
        gamma = self.gamma(sigma)
        if gamma > 0.0 and self.content is not None:
            self.content.ensure(sigma)
        for style in self.styles:
            style.process.ensure(sigma)
        boxes = {entry.get("uuid"): _box(entry.get("area"), x) for part in conds for entry in part or ()}
        functions: dict[Box | None, AttentionEdit] = {}

        def choose(uuid: Any) -> Any:
            box = boxes.get(uuid)
            if box not in functions:
                functions[box] = injection_edit(
                    self.layers, self.transfer.injection, sigma=sigma, gamma=gamma, rows=x.shape[0],
                    content=None if self.content is None else self.content.bank, styles=self.styles,
                    place=self.transfer.place, box=box,
                )  # fmt: skip
            return functions[box].function

        return with_edit(options, self.unet, self.transfer.layers, choose)

    def guided(self, args: dict[str, Any], x0: Tensor, sigma: float) -> Tensor:
        """x0 with style guidance and the leak guard, each one more call."""
        transfer, x, styled = self.transfer, args["input"], x0
        if transfer.style_guidance > 0.0:
            plain = comfy.model_patcher.create_model_options_clone(args["model_options"])
            plain["transformer_options"][REFERENCE] = True
            wanted = [args["cond"], None if math.isclose(args["cond_scale"], 1.0) else args["uncond"]]
            with_text, without = comfy.samplers.calc_cond_batch(args["model"], wanted, x, args["sigma"], plain)
            own = with_text if wanted[1] is None else without + args["cond_scale"] * (with_text - without)
            x0 = x0 + transfer.style_guidance * (styled - own)
        if transfer.leak_guard > 0.0:
            leaking = self.denoiser.denoise(x, sigma, self.text, leaking_edit(self.layers, sigma, self.styles))
            x0 = x0 + transfer.leak_guard * (styled - leaking.to(styled))
        return x0


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


def _text_of(guider: Any) -> Text:
    """The negative of this sampling (its positive where it has none), as the references' own text."""
    original = getattr(guider, "original_conds", {})
    for name in ("negative", "positive"):
        for entry in original.get(name) or ():
            if entry.get("cross_attn") is not None:
                return Text([[entry["cross_attn"], entry]])
    raise UserError("This sampler gave no text; connect a CONDITIONING to 'reference_text' of the patch.")


def _box(area: Any, x: Tensor) -> Box | None:
    """An area of a prompt, (height, width, top, left) in latent cells, as shares of the picture."""
    if area is None:
        return None
    (high, wide, top, left), (height, width) = area, x.shape[-2:]
    return top / height, left / width, min(high, height - top) / height, min(wide, width - left) / width
