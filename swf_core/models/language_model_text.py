"""`TextEncoder` from a language model, as Qwen-Image, Lumina 2, Z-Image and Flux.2 read prompts.

A prompt is laid into a template, and a layer's hidden states (or several layers', side by side) are the text: those of
the prompt's own tokens, so that texts have different lengths. As diffusers' pipelines of these families do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .contracts import Conditioning

# Prompts to token ids and the mask of those that are read, [B, L] each.
MaskedTokenizer = Callable[[Sequence[str]], tuple[Tensor, Tensor]]

# What the families say around a prompt, as they were trained.
QWEN_IMAGE_TEMPLATE = (
    "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, spatial "
    "relationships of the objects and background:<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
LUMINA2_TEMPLATE = (
    "You are an assistant designed to generate superior images with the superior degree of image-text alignment based "
    "on textual prompts or user prompts. <Prompt Start> {}"
)


@dataclass(frozen=True)
class Reading:
    """How a family reads a prompt.

    * tokens: at most so many, those of the template that are dropped not counted. dropped: how many of the first are
      not read (they are the template's, the same for all prompts).
    * layers: whose hidden states are the text. filled: whether what fills a text up to `tokens` is read too.
    """

    tokens: int
    layers: tuple[int, ...]
    dropped: int = 0
    filled: bool = False


QWEN_IMAGE = Reading(1024, (-1,), dropped=34)
LUMINA2 = Reading(256, (-2,))
Z_IMAGE = Reading(512, (-2,))
FLUX2_QWEN = Reading(512, (9, 18, 27), filled=True)
FLUX2_MISTRAL = Reading(512, (10, 20, 30), filled=True)


class LanguageModelText:
    """Text as a language model (transformers, without its head) understands it."""

    def __init__(self, model: Any, tokenizer: MaskedTokenizer, reading: Reading):
        self.models, self._tokenizer, self._reading = (model,), tokenizer, reading

    @torch.no_grad()
    def encode(self, texts: Sequence[str], height_px: int, width_px: int) -> Conditioning:
        """See `TextEncoder.encode`."""
        model, reading = self.models[0], self._reading
        ids, mask = (x.to(next(model.parameters()).device) for x in self._tokenizer(texts))
        hidden = model(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False).hidden_states
        tokens = torch.cat([hidden[layer] for layer in reading.layers], -1)
        if reading.filled:
            rows = list(tokens)
        else:
            rows = [row[read.bool()][reading.dropped :] for row, read in zip(tokens, mask)]
        lengths = torch.tensor([len(row) for row in rows], device=tokens.device)
        return Conditioning(pad_sequence(rows, batch_first=True), lengths=lengths)


def template_tokenizer(tokenizer: Any, template: str, reading: Reading) -> MaskedTokenizer:
    """A transformers tokenizer on prompts laid into a template."""
    return _tokenizer(tokenizer, lambda text: template.format(text), reading)


def chat_tokenizer(tokenizer: Any, reading: Reading, *, thinking: bool) -> MaskedTokenizer:
    """A transformers tokenizer on prompts as a user's turn of a chat. `thinking`: what its template is told."""

    def laid(text: str) -> str:
        turns = [{"role": "user", "content": text}]
        return tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )

    return _tokenizer(tokenizer, laid, reading)


def instructed_tokenizer(tokenizer: Any, system: str, reading: Reading) -> MaskedTokenizer:
    """A tokenizer of a chat model that sees pictures too (Mistral 3) on prompts as a user's turn below an instruction.
    The mark that stands for a picture is taken out of prompts."""

    def turn(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "text": text}]}

    def encode(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        chats = [[turn("system", system), turn("user", text.replace("[IMG]", ""))] for text in texts]
        found = tokenizer.apply_chat_template(
            chats,
            add_generation_prompt=False,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            padding="max_length",
            truncation=True,
            max_length=reading.tokens,
        )
        return found["input_ids"], found["attention_mask"]

    return encode


def _tokenizer(tokenizer: Any, laid: Callable[[str], str], reading: Reading) -> MaskedTokenizer:
    def encode(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        found = tokenizer(
            [laid(text) for text in texts],
            padding="max_length" if reading.filled else "longest",
            max_length=reading.tokens + reading.dropped,
            truncation=True,
            return_tensors="pt",
        )
        return found.input_ids, found.attention_mask

    return encode
