"""A tiny captioner for tests that need one in a folder."""

from __future__ import annotations

from pathlib import Path

import torch

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] [DEC] [ENC] a painting of the cat dog on table".split()


def tiny_blip(folder: Path) -> None:
    """Save a random BLIP of 53,000 weights as transformers does."""
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    shared = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = shared | {
        "vocab_size": len(WORDS),
        "encoder_hidden_size": 32,
        "projection_dim": 16,
        "max_position_embeddings": 64,
        "bos_token_id": 5,
        "eos_token_id": 3,
        "sep_token_id": 3,
        "pad_token_id": 0,
    }
    vision = shared | {"image_size": 32, "patch_size": 8}
    torch.manual_seed(0)
    model = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=16))
    model.save_pretrained(folder)
    reader = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(reader, BertTokenizerFast(vocab={w: i for i, w in enumerate(WORDS)})).save_pretrained(folder)
