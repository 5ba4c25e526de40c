"""`TextEncoder` from one CLIP text model (SD1.x, SD2.x, mini) or two (SDXL)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .contracts import Conditioning

# A list of prompts in, token ids [B, L] out, padded to one length.
Tokenizer = Callable[[Sequence[str]], Tensor]


CLIP_TOKENS = 77


def wrap_tokenizer(tokenizer: Any, length: int | None = None) -> Tokenizer:
    """A transformers tokenizer as a `Tokenizer`: padded and cut at `length` tokens, None for CLIP's 77, or at the
    tokenizer's own model_max_length where that is less."""
    length = min(int(tokenizer.model_max_length), CLIP_TOKENS) if length is None else length

    def encode(texts: Sequence[str]) -> Tensor:
        return tokenizer(
            list(texts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).input_ids

    return encode


class ClipText:
    """One text model: its last hidden state. Two (SDXL): the last but one of each, side by side, the pooled projection
    of the second, and six size ids (original height and width, crop top and left, target height and width).

    An empty prompt is encoded like any other, as ComfyUI does. (diffusers' SDXL pipeline uses zeros for a missing
    negative prompt instead; the two hosts differ there.)
    """

    def __init__(self, models: Sequence[Any], tokenizers: Sequence[Tokenizer], sdxl: bool):
        if len(models) != len(tokenizers) or len(models) != (2 if sdxl else 1):
            raise UserError(
                f"{len(models)} text models and {len(tokenizers)} tokenizers were given; "
                f"{'SDXL needs two of each' if sdxl else 'this model needs one of each'}."
            )
        self._models, self._tokenizers, self._sdxl = tuple(models), tuple(tokenizers), sdxl

    @property
    def models(self) -> tuple[Any, ...]:
        return self._models

    @torch.no_grad()
    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """See `TextEncoder.encode`."""
        outputs = []
        for model, tokenizer in zip(self._models, self._tokenizers):
            ids = tokenizer(list(texts)).to(next(model.parameters()).device)
            outputs.append(model(ids, output_hidden_states=self._sdxl))
        if not self._sdxl:
            return Conditioning(outputs[0].last_hidden_state)
        tokens = torch.cat([out.hidden_states[-2] for out in outputs], -1)
        size = [height_px, width_px, 0, 0, height_px, width_px]
        ids = torch.tensor([size] * len(texts), dtype=torch.float32, device=tokens.device)
        return Conditioning(tokens, outputs[1].text_embeds, ids)
