"""The embedded model as ComfyUI's own MODEL, CLIP and VAE, so that every stock node works on it.

No stock loader takes a UNet of a shape it does not know, so the host's classes are put together here from the shape in
the weight file's metadata. The VAE needs nothing of the kind: its layout is TAESD's, which the host knows.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import comfy.clip_model
import comfy.latent_formats
import comfy.model_base
import comfy.model_management as mm
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import comfy.utils
from torch import Tensor

from ...swf_core.models.mini.text import END, HIDDEN, MAX_TOKENS, PAD, START, WordTokenizer
from ...swf_core.models.mini.unet import HEAD_WIDTH
from ...swf_core.models.mini.vae import run_narrow
from ...swf_core.models.mini.weight_files import WEIGHTS, read_weights


class _Multiple(Fraction):
    """A channel multiplier such as 4/3: the host multiplies it by a count of channels and wants a whole number."""

    def __mul__(self, other: Any) -> Any:
        return int(Fraction(self) * other)

    __rmul__ = __mul__


class MiniLatents(comfy.latent_formats.LatentFormat):
    """mini's latents have unit variance as they are. The factors draw previews: a least-squares fit of 384 training
    pictures' cell means to their latents, which explains 86 % of their variance."""

    latent_rgb_factors = [
        [-0.2333, -0.1650, -0.1320],
        [-0.0823, -0.3456, -0.2483],
        [-0.3389, -0.1414, -0.2268],
        [0.3040, 0.0120, -0.2874],
    ]
    latent_rgb_factors_bias = [-0.0209, -0.0708, -0.0642]


class MiniConfig(comfy.supported_models_base.BASE):
    """What the host asks of a model family."""

    unet_extra_config = {"num_heads": -1, "num_head_channels": HEAD_WIDTH}
    latent_format = MiniLatents
    memory_usage_factor = 1.0

    def model_type(self, state_dict: Any, prefix: str = "") -> Any:
        return comfy.model_base.ModelType.V_PREDICTION


def load_model() -> Any:
    """MODEL: a ModelPatcher around the host's UNet with mini's weights."""
    tensors, meta = read_weights(WEIGHTS / "base.safetensors")
    channels = json.loads(meta["channels"])
    levels = len(channels)
    config = MiniConfig(
        {
            "image_size": 16,
            "in_channels": 4,
            "out_channels": 4,
            "model_channels": channels[0],
            "channel_mult": tuple(_Multiple(c, channels[0]) for c in channels),
            "num_res_blocks": [1] * levels,
            "transformer_depth": [1] * levels,
            "transformer_depth_output": [1] * (2 * levels),
            "transformer_depth_middle": 1,
            "context_dim": HIDDEN,
            "use_spatial_transformer": True,
            "use_linear_in_transformer": False,
            "adm_in_channels": None,
            "legacy": False,
            "use_temporal_attention": False,
            "use_temporal_resblock": False,
        }
    )
    names = comfy.utils.unet_to_diffusers(config.unet_config)
    unet = _part(tensors, "unet.")
    renamed = {names[k]: v for k, v in unet.items()}
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    supported = list(config.supported_inference_dtypes)
    dtype = mm.unet_dtype(model_params=comfy.utils.calculate_parameters(renamed), supported_dtypes=supported)
    config.set_inference_dtype(dtype, mm.unet_manual_cast(dtype, device, supported))
    model = config.get_model(renamed, "", device=offload)
    model.diffusion_model.load_state_dict(renamed)
    return comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=offload)


def load_clip() -> Any:
    """CLIP: the host's own CLIP text model at mini's width, with mini's words.

    It answers to the name of SD1's text encoder ("l"), so LoRA files in the common formats find its layers.
    """
    tensors, meta = read_weights(WEIGHTS / "base.safetensors")
    words = WordTokenizer(json.loads(meta["vocabulary"]))
    # The host, like older versions of transformers, has the encoder one level down.
    weights = {f"text_model.{k.removeprefix('text_model.')}": v for k, v in _part(tensors, "text.").items()}

    class Target:
        params: dict = {}
        clip = _text_model(words, weights)
        tokenizer = _tokenizer(words)

    clip = comfy.sd.CLIP(Target, parameters=comfy.utils.calculate_parameters(weights))
    # mini has no text projection; the host's place for one would otherwise be left uninitialised.
    clip.cond_stage_model.clip_l.transformer.text_projection.weight.data.zero_()
    keys = clip.cond_stage_model.load_sd(weights)
    missing = [k for k in keys.missing_keys if k != "text_projection.weight"]
    if missing or keys.unexpected_keys:
        raise RuntimeError(f"mini's text encoder does not fit this ComfyUI: {(missing + keys.unexpected_keys)[:3]}")
    return clip


def _tokenizer(words: WordTokenizer) -> type:
    """The host's tokenizer class over mini's words."""

    class Words:
        """What the host asks of a tokenizer from transformers."""

        @classmethod
        def from_pretrained(cls, path: str, **_: Any) -> Words:
            return cls()

        def __call__(self, text: str) -> dict[str, list[int]]:
            ids = [words.ids.get(w, words.ids["<unknown>"]) for w in words.split(text)]
            return {"input_ids": [words.ids[START], *ids, words.ids[END]]}

        def get_vocab(self) -> dict[str, int]:
            return words.ids

    class OneTokenizer(comfy.sd1_clip.SDTokenizer):
        def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None):
            super().__init__(
                max_length=MAX_TOKENS,
                pad_with_end=False,
                pad_token=words.ids[PAD],
                tokenizer_class=Words,
                embedding_directory=embedding_directory,
                embedding_size=HIDDEN,
                tokenizer_data=tokenizer_data or {},
            )

    class Tokenizer(comfy.sd1_clip.SD1Tokenizer):
        def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None):
            super().__init__(embedding_directory, tokenizer_data or {}, tokenizer=OneTokenizer)

    return Tokenizer


def _text_model(words: WordTokenizer, weights: dict[str, Tensor]) -> type:
    """The host's text encoder class in the shape of these weights."""

    class TextModel(comfy.clip_model.CLIPTextModel):
        def __init__(self, config_dict: dict, dtype: Any, device: Any, operations: Any):
            super().__init__(config_dict, dtype, device, operations)
            self.text_model.embeddings = comfy.clip_model.CLIPEmbeddings(
                HIDDEN, len(words), MAX_TOKENS, dtype=dtype, device=device, operations=operations
            )

    config = {
        "num_hidden_layers": 1 + max(int(k.split(".layers.")[1].split(".")[0]) for k in weights if ".layers." in k),
        "hidden_size": HIDDEN,
        "num_attention_heads": 4,
        "intermediate_size": 4 * HIDDEN,
        "max_position_embeddings": MAX_TOKENS,
        "hidden_act": "quick_gelu",
        "eos_token_id": words.ids[END],
    }
    special = {"start": words.ids[START], "end": words.ids[END], "pad": words.ids[PAD]}

    class OneModel(comfy.sd1_clip.SDClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None):
            super().__init__(
                device=device,
                dtype=dtype,
                max_length=MAX_TOKENS,
                textmodel_json_config=dict(config),
                model_class=TextModel,
                special_tokens=special,
                return_projected_pooled=False,
                model_options=model_options or {},
            )

    class Model(comfy.sd1_clip.SD1ClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None):
            super().__init__(device, dtype, model_options or {}, clip_model=OneModel)

    return Model


def load_vae() -> Any:
    """VAE: the host's own TAESD with mini's weights, run at their real width; saved, it has the stock layout."""
    tensors, _ = read_weights(WEIGHTS / "vae.safetensors")
    vae = comfy.sd.VAE(sd=tensors)
    vae.throw_exception_if_invalid()
    run_narrow(vae.first_stage_model)
    return vae


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
