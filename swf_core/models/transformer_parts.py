"""The parts of a diffusion transformer's folder in diffusers' layout: network, codec and text, by family.

diffusers and transformers are imported only inside functions. Nothing goes to the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError
from .clip_text import wrap_tokenizer
from .contracts import Codec, TextEncoder
from .language_model_text import (
    FLUX2_MISTRAL,
    FLUX2_QWEN,
    LUMINA2,
    LUMINA2_TEMPLATE,
    QWEN_IMAGE,
    QWEN_IMAGE_TEMPLATE,
    Z_IMAGE,
    LanguageModelText,
    chat_tokenizer,
    instructed_tokenizer,
    template_tokenizer,
)
from .normalized_codec import NormalizedCodec
from .transformer_text import FLUX_T5_TOKENS, SD3_T5_TOKENS, FluxText, SD3Text
from .vae_codec import VaeCodec

_TWO_TEXTS = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
_ONE_TEXT = ("text_encoder", "tokenizer")


def needed_parts(family: str) -> tuple[str, ...]:
    """The folders beside "transformer" that a family needs."""
    return (*(_TWO_TEXTS if family in ("SD3", "Flux") else _ONE_TEXT), "vae", "scheduler")


class Parts:
    """Reads the parts of one folder onto a device. `config`: the transformer's."""

    def __init__(
        self, folder: Path, family: str, config: Mapping[str, Any], device: torch.device | str, dtype: torch.dtype
    ):
        self.folder, self.family, self.config, self.device, self.dtype = folder, family, config, device, dtype

    def network(self) -> Any:
        """Raises ValueError (UserError) where this diffusers does not have the class."""
        return self._diffusers(str(self.config["_class_name"]), "transformer")

    def codec(self) -> Codec:
        """The autoencoder."""
        special = {
            "Qwen-Image": ("AutoencoderKLQwenImage", NormalizedCodec.of_qwen_image),
            "Flux.2": ("AutoencoderKLFlux2", NormalizedCodec.of_flux2),
        }
        name, codec = special.get(self.family, ("AutoencoderKL", VaeCodec))
        vae = self._diffusers(name, "vae")
        return codec(vae.float() if vae.config.get("force_upcast") else vae)

    def text(self) -> TextEncoder:
        """The text encoder."""
        if self.family == "Flux":
            return self._flux_text()
        if self.family == "SD3":
            return self._sd3_text()
        model, tokenizer = self._language_model(), self._tokenizer("tokenizer")
        if self.family == "Qwen-Image":
            read, how = template_tokenizer(tokenizer, QWEN_IMAGE_TEMPLATE, QWEN_IMAGE), QWEN_IMAGE
        elif self.family == "Lumina2":
            read, how = template_tokenizer(tokenizer, LUMINA2_TEMPLATE, LUMINA2), LUMINA2
        elif self.family == "Z-Image":
            read, how = chat_tokenizer(tokenizer, Z_IMAGE, thinking=True), Z_IMAGE
        elif model.config.model_type.startswith("qwen"):  # Flux.2 klein
            read, how = chat_tokenizer(tokenizer, FLUX2_QWEN, thinking=False), FLUX2_QWEN
        else:
            from diffusers.pipelines.flux2.system_messages import SYSTEM_MESSAGE

            read, how = instructed_tokenizer(tokenizer, SYSTEM_MESSAGE, FLUX2_MISTRAL), FLUX2_MISTRAL
        return LanguageModelText(model, read, how)

    def _sd3_text(self) -> SD3Text:
        """T5, the third, may be missing, as in diffusers."""
        from transformers import CLIPTextModelWithProjection, T5EncoderModel

        names = ("text_encoder", "text_encoder_2")
        models = [self._transformers(CLIPTextModelWithProjection, part) for part in names]
        tokenizers = [wrap_tokenizer(self._tokenizer(part)) for part in ("tokenizer", "tokenizer_2")]
        if (self.folder / "text_encoder_3").is_dir():
            models.append(self._transformers(T5EncoderModel, "text_encoder_3"))
            tokenizers.append(wrap_tokenizer(self._tokenizer("tokenizer_3"), SD3_T5_TOKENS))
        return SD3Text(models, tokenizers, int(self.config["joint_attention_dim"]))

    def _flux_text(self) -> FluxText:
        from transformers import CLIPTextModel, T5EncoderModel

        models = [
            self._transformers(CLIPTextModel, "text_encoder"),
            self._transformers(T5EncoderModel, "text_encoder_2"),
        ]
        long = wrap_tokenizer(self._tokenizer("tokenizer_2"), FLUX_T5_TOKENS)
        return FluxText(models, [wrap_tokenizer(self._tokenizer("tokenizer")), long])

    def _language_model(self) -> Any:
        """A language model without its head, and of one that sees pictures too the part that reads."""
        from transformers import AutoModel
        from transformers.utils import logging

        loud = logging.get_verbosity()
        logging.set_verbosity_error()  # else a table of the head's weights is printed, which are left out on purpose
        try:
            model, found = AutoModel.from_pretrained(
                self.folder / "text_encoder", local_files_only=True, dtype=self.dtype, output_loading_info=True
            )
        finally:
            logging.set_verbosity(loud)
        missing = sorted(found["missing_keys"])
        if missing:
            raise UserError(f"The text encoder in '{self.folder}' lacks weights ({missing[0]}); copy it again.")
        return getattr(model, "language_model", model).eval().to(self.device)

    def _diffusers(self, name: str, part: str) -> Any:
        import diffusers

        kind = getattr(diffusers, name, None)
        if kind is None:
            raise UserError(
                f"diffusers {diffusers.__version__} has no {name}, which the model in '{self.folder}' needs; install a "
                "newer diffusers."
            )
        model = kind.from_pretrained(self.folder / part, local_files_only=True, torch_dtype=self.dtype)
        return model.eval().to(self.device)

    def _transformers(self, kind: Any, part: str) -> Any:
        model = kind.from_pretrained(self.folder / part, local_files_only=True, dtype=self.dtype)
        return model.eval().to(self.device)

    def _tokenizer(self, part: str) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder / part, local_files_only=True)
