"""One sampling with a patched MODEL: its reference processes, and what its generation does at each noise level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import comfy.model_patcher
import comfy.samplers
from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionEdit
from ....swf_core.transfer.attention_edits import injection_edit, leaking_edit
from ....swf_core.transfer.features import Box, FeatureBank
from ....swf_core.transfer.sigmas import travelled
from ....swf_core.transfer.start_latent import toned
from ....swf_core.transfer.styles import Style
from .attention import with_edit
from .denoiser import KEY, REFERENCE, HostDenoiser, Text
from .feature_cache import LIMIT_BYTES, signature
from .other_weights import denoiser_of, in_place
from .reference import Process, Source

if TYPE_CHECKING:
    from .patch import Transfer


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
                    self.layers,
                    self.transfer.injection,
                    sigma=sigma,
                    gamma=gamma,
                    rows=x.shape[0],
                    content=None if self.content is None else self.content.bank,
                    styles=self.styles,
                    place=self.transfer.place,
                    box=box,
                )
            return functions[box].function

        return with_edit(options, self.unet, self.transfer.layers, choose)

    def guided(self, args: dict[str, Any], x0: Tensor, sigma: float) -> Tensor:
        """x0 with style guidance and the leak guard, each one more call.

        Both are taken from what the two branches say, not from x0: another node's function after guidance, whether it
        came before or comes after, is not taken several times over.
        """
        transfer, x, alone = self.transfer, args["input"], math.isclose(args["cond_scale"], 1.0)
        with_text, without = args["cond_denoised"], args["uncond_denoised"]
        styled = with_text if alone else without + args["cond_scale"] * (with_text - without)
        if transfer.style_guidance > 0.0:
            plain = comfy.model_patcher.create_model_options_clone(args["model_options"])
            plain["transformer_options"][REFERENCE] = True
            wanted = [args["cond"], None if alone else args["uncond"]]
            with_text, without = comfy.samplers.calc_cond_batch(args["model"], wanted, x, args["sigma"], plain)
            own = with_text if wanted[1] is None else without + args["cond_scale"] * (with_text - without)
            x0 = x0 + transfer.style_guidance * (styled - own)
        if transfer.leak_guard > 0.0:
            leaking = self.denoiser.denoise(x, sigma, self.text, leaking_edit(self.layers, sigma, self.styles))
            x0 = x0 + transfer.leak_guard * (styled - leaking.to(styled))
        return x0


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
