"""The embedded text encoder: a word tokenizer over the world's vocabulary, and a small CLIPTextModel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .clip_text_model import CLIPTextModel

MAX_TOKENS = 24
START, END, PAD, UNKNOWN = "<start>", "<end>", "<pad>", "<unknown>"
HIDDEN = 128
# Words the world does not use yet; room in the table means that new words need no new shape.
SPARE_SLOTS = 64


class WordTokenizer:
    """Lower-cased words and commas to ids; words outside the vocabulary become one unknown word.

    Calling it with texts gives ids [B, 24], padded, cut with the end token kept.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = [START, END, PAD, UNKNOWN, *words]
        self.ids = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words) + SPARE_SLOTS

    def split(self, text: str) -> list[str]:
        """The words of a text, as the encoder sees them."""
        return re.findall(r"[a-z]+|,", text.lower().replace("-", " "))

    def unknown(self, text: str) -> list[str]:
        """The words the encoder does not know."""
        return [w for w in self.split(text) if w not in self.ids]

    def __call__(self, texts: Sequence[str]) -> Tensor:
        rows = []
        for text in texts:
            ids = [self.ids.get(w, self.ids[UNKNOWN]) for w in self.split(text)][: MAX_TOKENS - 2]
            row = [self.ids[START], *ids, self.ids[END]]
            rows.append(row + [self.ids[PAD]] * (MAX_TOKENS - len(row)))
        return torch.tensor(rows, dtype=torch.long)


def new_text_model(tokenizer: WordTokenizer) -> CLIPTextModel:
    """An untrained CLIPTextModel: 2 layers, width 128, 4 heads."""
    return CLIPTextModel(len(tokenizer), HIDDEN, MAX_TOKENS, layers=2, heads=4)


def load_text(model: CLIPTextModel, tensors: Mapping[str, Tensor]) -> None:
    """Load stored weights, which transformers before its version 5 kept one level down."""
    model.load_state_dict({name.removeprefix("text_model."): value for name, value in tensors.items()})
