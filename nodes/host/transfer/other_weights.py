"""Weights of another MODEL for one process of a sampling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import comfy.model_management as mm
import comfy.model_patcher
import comfy.samplers

from ....swf_core.errors import UserError
from .denoiser import HostDenoiser
from .inspection import inspect_network


def check_same_layers(patcher: Any, layers: tuple[str, ...]) -> None:
    """Raises UserError when a model does not have these self-attention layers, as generation's has them."""
    network = inspect_network(patcher.model)
    missing = [name for name in layers if name not in network.layers]
    if missing:
        raise UserError(
            f"content_model is {network.family} and has no self-attention layer {missing[0]}; connect a model of the "
            "same family."
        )


def denoiser_on(patcher: Any) -> HostDenoiser:
    """A denoiser on a MODEL's own weights and patches; call it inside `loaded_weights`."""
    options = comfy.model_patcher.create_model_options_clone(patcher.model_options)
    comfy.samplers.cast_to_load_options(options, device=patcher.load_device, dtype=patcher.model_dtype())
    return HostDenoiser(patcher.model, options)


@contextmanager
def loaded_weights(patcher: Any, guider: Any, shape: tuple[int, ...]) -> Iterator[None]:
    """Load `patcher` for the time of a `with`, then again what the sampling of `guider` had loaded.

    Two MODELs of one checkpoint share its tensors (one of them with a LoRA, say), so only one can be loaded at a time.
    """
    mm.load_models_gpu([patcher], memory_required=patcher.memory_required(list(shape)))
    patcher.pre_run()
    try:
        yield
    finally:
        patcher.cleanup()
        own = guider.model_patcher
        mm.load_models_gpu([own, *guider.loaded_models], memory_required=own.memory_required(list(shape)))
        own.model.current_patcher = own
