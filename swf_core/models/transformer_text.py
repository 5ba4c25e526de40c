"""`TextEncoder` of Stable Diffusion 3 (two CLIPs and a T5) and of Flux (a CLIP's pooled row and a T5).

As diffusers' pipelines encode prompts (StableDiffusion3Pipeline, FluxPipeline; arXiv 2403.03206, section 4.2): tokens
that fill up to a fixed length are read like any others, without a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .clip_text import Tokenizer
from .contracts import Conditioning

# How many tokens T5 is read for: what the pipelines take unless told otherwise.
SD3_T5_TOKENS, FLUX_T5_TOKENS = 256, 512


class SD3Text:
    """Stable Diffusion 3's text: the last hidden states but one of two CLIPs side by side, filled up with zeros to T5's
    width, and T5's tokens after them; their projections side by side are the pooled row.

    models: two CLIPTextModelWithProjection and a T5EncoderModel; without the last one, which people leave out to save
    memory, zeros stand for its tokens. width: of a token. Tokenizers: one for each model.
    """

    def __init__(self, models: Sequence[Any], tokenizers: Sequence[Tokenizer], width: int):
        self.models, self._tokenizers, self._width = tuple(models), tuple(tokenizers), width

    @torch.no_grad()
    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """See `TextEncoder.encode`."""
        clips = [
            model(_ids(tokenizer, texts, model), output_hidden_states=True)
            for model, tokenizer in zip(self.models[:2], self._tokenizers)
        ]
        tokens = torch.cat([clip.hidden_states[-2] for clip in clips], -1)
        pooled = torch.cat([clip.text_embeds for clip in clips], -1)
        if len(self.models) > 2:
            long = self.models[2](_ids(self._tokenizers[2], texts, self.models[2])).last_hidden_state
        else:
            long = tokens.new_zeros(len(texts), SD3_T5_TOKENS, self._width)
        padded = F.pad(tokens, (0, self._width - tokens.shape[-1]))
        return _all_read(torch.cat([padded, long.to(tokens)], 1), pooled)


class FluxText:
    """Flux's text: T5's tokens, and the pooled row of a CLIP, which has no projection.

    models: a CLIPTextModel and a T5EncoderModel. Tokenizers: one for each.
    """

    def __init__(self, models: Sequence[Any], tokenizers: Sequence[Tokenizer]):
        self.models, self._tokenizers = tuple(models), tuple(tokenizers)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """See `TextEncoder.encode`."""
        clip, t5 = (
            model(_ids(tokenizer, texts, model)) for model, tokenizer in zip(self.models, self._tokenizers, strict=True)
        )
        return _all_read(t5.last_hidden_state, clip.pooler_output)


def _all_read(tokens: Tensor, pooled: Tensor) -> Conditioning:
    lengths = torch.full((len(tokens),), tokens.shape[1], device=tokens.device)
    return Conditioning(tokens, pooled, lengths=lengths)


def _ids(tokenizer: Tokenizer, texts: Sequence[str], model: Any) -> Tensor:
    return tokenizer(texts).to(next(model.parameters()).device)
