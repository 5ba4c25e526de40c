"""Style transfer as a patch on a MODEL: references beside every sampling step, injection inside self-attention.

Two wrappers and one function after guidance live on a clone of the MODEL and go with it. What a sampling needs is made
when it starts (`Sampling`) and travels in its own model options; only what the pictures showed stays for the next one
(`feature_store`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ....swf_core.errors import UserError
from ....swf_core.finite import check_finite
from ....swf_core.models.contracts import AttentionLayer
from ....swf_core.transfer.detail_guidance import detail_of
from ....swf_core.transfer.layers import select_layers
from ..model_hooks import hook_data, with_hooks
from .denoiser import COLOR_KEY, REFERENCE_KEY, TRANSFER_KEY
from .inspection import inspect_network
from .noise_levels import on_pictures
from .other_weights import check_same_layers
from .plan import TransferPlan
from .sampling import Sampling, current_sampling


def apply(model: Any, selector: str, make_plan: Callable[[tuple[str, ...], int], TransferPlan]) -> Any:
    """A clone of a MODEL with the transfer of `make_plan(layers, latent channels)`; one before it is replaced."""
    network = inspect_network(model.model)
    chosen: Sequence[AttentionLayer] = select_layers(
        list(network.layers.values()), network.presets, network.family, selector
    )
    channels = int(model.get_model_object("latent_format").latent_channels)
    plan = make_plan(tuple(layer.name for layer in chosen), channels)
    if network.transformer is not None and (plan.injection.kv == "adaattn" or plan.injection.contrast > 1.0):
        raise UserError(
            f"kv 'adaattn' and contrast are for UNets, and this MODEL is {network.family}; use replace, concat or "
            "shared."
        )
    for source in [plan.content, *(style.source for style in plan.styles)]:
        if source is not None and source.shape[1] != channels:
            raise UserError(
                f"A latent with {source.shape[1]} channels was given to a model with {channels}; encode the picture "
                "with this model's own VAE."
            )
    if plan.content_model is not None:
        check_same_layers(plan.content_model, plan.layers)
    guides_layout = plan.layout.weight > 0.0
    if plan.injection.strength == 0.0 and plan.start_adain is None and not guides_layout and plan.cfg_detail == 0.0:
        return with_hooks(model, TRANSFER_KEY)  # the plain model, bit for bit
    guided = plan.style_guidance > 0.0 or plan.leak_guard > 0.0 or plan.calibration.amount > 0.0 or guides_layout
    return with_hooks(
        model,
        TRANSFER_KEY,
        plan,
        around_sampling=_run_sampling,
        around_call=_predict,
        before_guidance=_hold_to_detail if plan.cfg_detail > 0.0 else None,
        after_guidance=_guide if guided else None,
        before=COLOR_KEY,  # colors that were asked for have the last word, as in the core
    )


def transfer_on(model: Any) -> TransferPlan | None:
    """The transfer that a MODEL carries, if any."""
    return hook_data(model, TRANSFER_KEY)


def _run_sampling(
    plan: TransferPlan,
    executor: Any,
    guider: Any,
    sigmas: Tensor,
    extra: dict[str, Any],
    callback: Any,
    noise: Tensor,
    latent_image: Tensor,
    denoise_mask: Tensor | None = None,
    *rest: Any,
    **named: Any,
) -> Any:
    """SAMPLER_SAMPLE wrapper: the model is loaded and the noise levels are known, so the references can begin."""
    options = extra["model_options"]
    sampling = Sampling(plan, guider, executor.class_obj, sigmas, noise, options)
    # The mark of references too: a compiled network wants the same keys in every call.
    options.setdefault("transformer_options", {}).update({TRANSFER_KEY: sampling, REFERENCE_KEY: False})
    if plan.start_adain is not None:
        noise = sampling.start_noise(executor.class_obj, sigmas, latent_image, plan.start_adain)
    elif denoise_mask is not None or (sampling.noise.flow and float(sigmas[0]) == 1.0):
        noise, latent_image = sampling.kept_content(executor.class_obj, sigmas, noise, latent_image)
    result = executor(guider, sigmas, extra, callback, noise, latent_image, denoise_mask, *rest, **named)
    return check_finite(result, "The sampled latent")


def _predict(
    plan: TransferPlan,
    executor: Any,
    model: Any,
    conds: list,
    x: Tensor,
    timestep: Tensor,
    model_options: dict[str, Any],
    *rest: Any,
    **named: Any,
) -> list[Tensor]:
    """CALC_COND_BATCH wrapper: one model call of generation, references first."""
    sampling = current_sampling(model_options)
    if sampling is not None:
        sigma = sampling.noise.sigma(timestep.flatten()[0])
        active = plan.injection.active(sigma)
        options = model_options
        model_options = (
            sampling.with_injection(options, conds, x, sigma) if active else sampling.without_injection(options)
        )
    return executor(model, conds, x, timestep, model_options, *rest, **named)


def _hold_to_detail(plan: TransferPlan, args: dict[str, Any]) -> list[Tensor]:
    """Pre-CFG function: whatever the host makes of both branches, their difference is held to detail."""
    positive, *others = args["conds_out"]
    if not others or args["conds"][1] is None:  # one branch: there is nothing to guide between
        return args["conds_out"]
    negative, *others = others
    detail = on_pictures(
        lambda difference, x0: detail_of(difference, x0, plan.cfg_detail),
        (positive - negative).float(),
        positive.float(),
    )
    return [positive, positive - detail.to(positive), *others]


def _guide(plan: TransferPlan, args: dict[str, Any]) -> Tensor:
    """Post-CFG function: style guidance, the leak guard, and calibration of what they give."""
    x0, sampling = args["denoised"], current_sampling(args["model_options"])
    if sampling is None:
        return x0
    sigma = sampling.noise.sigma(args["sigma"].flatten()[0])
    if plan.injection.active(sigma):
        x0 = sampling.add_guidance(args, x0, sigma)
    if sampling.layout is not None:
        layout = sampling.layout
        x0 = on_pictures(lambda x: layout.x0(x, sigma), x0)
    return sampling.calibrated(x0, sigma)
