"""A private copy of a MODEL's network to train a LoRA on, with CLIP and VAE, as the core's `Backend`.

The graph's MODEL is shared by every node and its weights are inference tensors, so nothing is put into it and nothing
is trained through it. The copy is built by the host's own class with operations that cast nothing, and filled with
its weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import comfy.model_management as mm
import comfy.ops
import comfy.utils
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor, nn

from ....swf_core.errors import UserError
from ....swf_core.models.contracts import AttentionEdit, Backend, Conditioning, join
from ....swf_core.models.preconditioning import nearest_timestep, scale_model_input, x0_from_prediction
from ..codec import HostCodec
from ..transfer.network import Network
from ..transfer.unet import inspect_unet

NATIVE_PX = {"mini": 128, "SD1.x": 512, "SD2.x": 768, "SDXL": 1024}


def private_backend(patcher: Any, clip: Any, vae: Any) -> Backend:
    """A copy of a MODEL's network beside its CLIP and VAE. Call it outside inference mode.

    Raises UserError for models that are no Stable Diffusion UNet, carry a LoRA or other changed weights, or are
    quantized.
    """
    unet = inspect_unet(patcher.model)
    if patcher.patches:
        raise UserError(
            f"The MODEL has changed weights ({len(patcher.patches)} layers, from a LoRA or a merge); train on the "
            "plain checkpoint and add them when sampling."
        )
    mm.load_models_gpu([patcher])  # so that no other MODEL of the same checkpoint has its LoRA in these weights
    denoiser = TrainableCopy(patcher, unet)
    name = patcher.model.model_config.__class__.__name__
    return Backend(
        denoiser,
        HostText(clip, patcher.model),
        HostCodec(vae, patcher.model, channels_last=True),
        name,
        NATIVE_PX[unet.family],
        unet.family,
        unet.presets,
    )


class TrainableCopy:
    """The core's `Trainable` on a copy of the host's UNet. Samples too, with the LoRA that is in it."""

    def __init__(self, patcher: Any, unet: Network):
        model = patcher.model
        for name, weight in model.diffusion_model.named_parameters():
            if not weight.is_floating_point() or weight.element_size() < 2:
                raise UserError(
                    f"The weights are quantized ({name} is {weight.dtype}): a LoRA is trained on the full weights; "
                    "load the model in fp16, bf16 or fp32."
                )
        self.unet, self._sampling = unet, model.model_sampling
        self._device = patcher.load_device
        dtype = _dtype(self._device, patcher.model_dtype())
        config = {k: v for k, v in model.model_config.unet_config.items() if k not in ("dtype", "device")}
        config.pop("disable_unet_model_creation", None)
        network = UNetModel(**config, dtype=dtype, device=self._device, operations=comfy.ops.disable_weight_init)
        network.load_state_dict(model.diffusion_model.state_dict())  # copied straight in, cast on the way: no third set
        self._network = network.eval().requires_grad_(False)
        self._sigmas = self._sampling.sigmas.detach().clone().double().cpu()
        self._names = _diffusers_names(network, model.model_config.unet_config)

    @property
    def sigmas(self) -> Tensor:
        """The table sigma(t), float64 on the CPU."""
        return self._sigmas

    @property
    def self_attention_layers(self) -> tuple:
        """All self-attention layers in the order the network runs them."""
        return tuple(self.unet.layers.values())

    @property
    def network(self) -> nn.Module:
        """The copy."""
        return self._network

    @property
    def module_names(self) -> Mapping[nn.Module, str]:
        """Those of its modules that have a diffusers name."""
        return self._names

    @property
    def prediction_type(self) -> str:
        """The kind of its prediction: "epsilon" or "v_prediction"."""
        kinds = {c.__name__ for c in type(self._sampling).__mro__}
        return "v_prediction" if "V_PREDICTION" in kinds else "epsilon"

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self._device

    def predict(self, noisy: Tensor, timesteps: Tensor, cond: Conditioning) -> Tensor:
        """See the core's contract."""
        weight = next(self._network.parameters())
        cond = cond.repeat(noisy.shape[0])
        vector = {} if cond.pooled is None else {"y": cond.pooled.to(weight.device, weight.dtype)}
        return self._network(
            noisy.to(weight.device, weight.dtype),
            timesteps=timesteps.to(weight.device),
            context=cond.tokens.to(weight.device, weight.dtype),
            **vector,
        ).float()

    @torch.no_grad()
    def denoise(self, x: Tensor, sigma: float, cond: Conditioning, edit: AttentionEdit | None = None) -> Tensor:
        """x0 [B, C, h, w] float32 from x at noise level sigma; self-attention cannot be edited in the copy."""
        if edit is not None:
            raise UserError("The copy that a LoRA is trained on cannot take a style; sample with the MODEL.")
        x = x.to(self._device, torch.float32)
        timesteps = torch.full((x.shape[0],), nearest_timestep(self._sigmas.log(), sigma))
        return x0_from_prediction(
            self.prediction_type, x, sigma, self.predict(scale_model_input(x, sigma), timesteps, cond)
        )


class HostText:
    """A CLIP as the core's text encoder; for SDXL `pooled` is the vector that the network takes whole."""

    def __init__(self, clip: Any, model: Any):
        self.clip, self.model = clip, model

    @torch.no_grad()
    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """One row a text."""
        rows = []
        for text in texts:
            tokens, pooled = self.clip.encode_from_tokens(self.clip.tokenize(text), return_pooled=True)
            vector = (
                self.model.encode_adm(
                    pooled_output=None if pooled is None else pooled.detach().clone(),
                    height=height_px,
                    width=width_px,
                    target_height=height_px,
                    target_width=width_px,
                    device=tokens.device,
                )
                if self.model.adm_channels
                else None
            )
            rows.append(Conditioning(tokens.detach().clone(), vector))
        return join(rows)


def _dtype(device: torch.device, own: torch.dtype) -> torch.dtype:
    """fp16 gradients overflow without a scaler, so half precision means bf16 here, and fp32 on the CPU."""
    if torch.device(device).type == "cpu" or own == torch.float32:
        return torch.float32
    return torch.bfloat16


def _diffusers_names(network: nn.Module, config: dict) -> dict[nn.Module, str]:
    to_diffusers = {host: name for name, host in comfy.utils.unet_to_diffusers(config).items()}
    return {
        module: to_diffusers[f"{name}.weight"].removesuffix(".weight")
        for name, module in network.named_modules()
        if f"{name}.weight" in to_diffusers
    }
