"""The embedded captioner and the embedded CLIP: classes of transformers at a small size, in transformers' layout.

Their folders (`weights/blip`, `weights/clip`) hold what a downloaded model's folder holds, so they are loaded by the
very code that loads a large one. Both read pictures of 128 pixels in patches of 16, through the early convolutions of
`early_conv`, and know the world's words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from ...files import write_files
from .weight_files import SUMS, checksums

SIZE, PATCH = 128, 16
VISION = {"hidden_size": 192, "intermediate_size": 768, "num_hidden_layers": 3, "num_attention_heads": 6}
TEXT = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 2, "num_attention_heads": 4}
MAX_TOKENS = 40
# Half of the vocabulary's room is spare: new words of the world need no new shape.
VOCABULARY = 256
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]")
PAD, START, END, BEGIN = 0, 2, 3, 5
MEAN, DEVIATION = 0.5, 0.25


def new_tokenizer(words: Sequence[str]) -> Any:
    """BERT's tokenizer, as BLIP has it, with the world's words for a dictionary."""
    from transformers import BertTokenizerFast  # pyright: ignore[reportAttributeAccessIssue]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("\n".join([*SPECIAL, *words]) + "\n", encoding="utf-8")
        # Version 5 of transformers takes a dictionary, version 4 a file; both take this file.
        tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[DEC]", "[ENC]"]})
    tokenizer.model_max_length = MAX_TOKENS
    return tokenizer


def encode(tokenizer: Any, texts: Sequence[str], first: int = START) -> Tensor:
    """Ids [B, longest], padded; each begins with the token `first` and ends with the end token."""
    ids = tokenizer(list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt").input_ids
    ids[:, 0] = first
    return ids


def new_blip() -> Any:
    """An untrained captioner."""
    from transformers import BlipConfig

    from .early_conv import MiniBlip

    text = TEXT | {
        "vocab_size": VOCABULARY,
        "encoder_hidden_size": VISION["hidden_size"],
        "projection_dim": 64,
        "max_position_embeddings": MAX_TOKENS,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "bos_token_id": BEGIN,
        "eos_token_id": END,
        "sep_token_id": END,
        "pad_token_id": PAD,
    }
    vision = VISION | {"image_size": SIZE, "patch_size": PATCH}
    return MiniBlip(BlipConfig(text_config=text, vision_config=vision, projection_dim=64))


def new_clip() -> Any:
    """An untrained CLIP: both towers, both projections."""
    from transformers import CLIPConfig

    from .early_conv import MiniClip

    text = TEXT | {
        "vocab_size": VOCABULARY,
        "max_position_embeddings": MAX_TOKENS,
        "hidden_act": "gelu",
        "bos_token_id": START,
        "eos_token_id": END,
        "pad_token_id": PAD,
    }
    vision = VISION | {"image_size": SIZE, "patch_size": PATCH, "hidden_act": "gelu"}
    return MiniClip(CLIPConfig(text_config=text, vision_config=vision, projection_dim=96))


def clip_vision_from_blip(blip: Mapping[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    """Start CLIP's vision tower from BLIP's: `names` are CLIP's keys, the result holds those that have a counterpart.

    The same transformer but for two things: queries, keys and values lie in one matrix there, and CLIP has a first
    normalization more, which keeps its own start.
    """
    start: dict[str, Tensor] = {}
    for name in names:
        if not name.startswith("vision_model."):
            continue
        source = name.replace(".out_proj.", ".projection.")
        if source.endswith("embeddings.class_embedding"):
            start[name] = blip[source].reshape(-1).clone()
        elif source.endswith("embeddings.position_embedding.weight"):
            start[name] = blip[source.removesuffix(".weight")][0].clone()
        elif source in blip:
            start[name] = blip[source].clone()
        for k, part in enumerate("qkv"):
            if (together := name.replace(f".{part}_proj.", ".qkv.")) != name:
                start[name] = blip[together].chunk(3)[k].clone()
    return start


def pixels(pictures: Tensor) -> Tensor:
    """Pictures in 0..1 as the networks take them; the same as their image processors do."""
    return (pictures - MEAN) / DEVIATION


def folder_files(model: Any, tokenizer: Any) -> dict[str, bytes]:
    """Everything that belongs into a model's folder, by file name; weights in half precision."""
    from transformers import BlipImageProcessor, BlipProcessor, CLIPImageProcessor

    blip = "text_decoder" in dict(model.named_children())
    settings = {"size": {"height": SIZE, "width": SIZE}, "image_mean": [MEAN] * 3, "image_std": [DEVIATION] * 3}
    if blip:
        pictures = BlipImageProcessor(**settings)
        processors = [BlipProcessor(pictures, tokenizer), pictures]  # older versions look for the second one's file
    else:
        processors = [CLIPImageProcessor(**settings, crop_size={"height": SIZE, "width": SIZE}), tokenizer]
    with tempfile.TemporaryDirectory() as folder:
        state = {
            name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()
        }
        model.save_pretrained(folder, state_dict=state)
        for processor in processors:
            processor.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.is_file()}


def write_folder(weights: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Write a model's folder into `weights`, and the checksum of its weights beside those of the others."""
    sums = checksums(weights) | {f"{name}/model.safetensors": sha256(files["model.safetensors"]).hexdigest()}
    text = "".join(f"{value}  {file}\n" for file, value in sorted(sums.items()))
    write_files({weights / name / file: data for file, data in files.items()} | {weights / SUMS: text.encode()})
