"""A tokenizer of a handful of words, in the class that transformers' own are."""

from __future__ import annotations

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

WORDS = ("a", "red", "house", "snow", "painting", "of")
LENGTH = 8


def word_tokenizer(begins: bool) -> PreTrainedTokenizerFast:
    """Words to ids; 62 begins a text where it `begins`, 63 ends it, 0 fills up."""
    vocabulary = {"<pad>": 0, "<unk>": 1} | {word: 2 + k for k, word in enumerate(WORDS)} | {"<s>": 62, "</s>": 63}
    words = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(
        single="<s> $A </s>" if begins else "$A </s>", special_tokens=[("<s>", 62), ("</s>", 63)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=LENGTH,
    )
