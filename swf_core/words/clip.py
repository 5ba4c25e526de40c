"""Image-text similarity in CLIP space: which caption says best what a picture shows (arXiv 2103.00020)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..pictures import to_image
from .pretrained import CLIP_IDS, EMBEDDED, complete_model, load_or_explain, quiet_transformers, resolve_source

# Of the embedded CLIP: 99 % of 360 pictures of its world lie above, 15 of 18 pictures of scikit-image below.
MINI_FAMILIAR_FROM = 0.78
# What a caption loses for saying the same three words again and again.
REPEATED = 0.02


@dataclass
class Clip:
    """A whole CLIP: both towers and both projections. `model` may be moved between calls.

    `familiar_from`: the cosine that the best caption of a picture of the kind it was trained on reaches; below it the
    picture is of another kind. None: not known.
    """

    model: Any
    tokenizer: Any
    image_processor: Any
    name: str
    familiar_from: float | None = None

    @property
    def device(self) -> Any:
        """Where the model is now."""
        return next(self.model.parameters()).device

    def pictures(self, pictures: Sequence[Tensor]) -> Tensor:
        """Unit vectors [B, D] of pictures [3, H, W] in 0..1, each of any size."""
        import torch

        batch = self.image_processor(images=[to_image(p) for p in pictures], return_tensors="pt")["pixel_values"]
        weight = next(self.model.parameters())
        with torch.no_grad():
            return _unit(self.model.get_image_features(pixel_values=batch.to(weight.device, weight.dtype)))

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors [B, D]; what lies behind the model's last token (77 in CLIP) is not seen."""
        import torch

        longest = min(self.model.config.text_config.max_position_embeddings, 512)
        ids = self.tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
        inputs = {name: ids[name].to(self.device) for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            return _unit(self.model.get_text_features(**inputs))


def load_clip(where: str | Path = "mini", device: Any = "cpu", dtype: Any = None, download: bool = False) -> Clip:
    """Load a CLIP: "mini", a folder, or with `download` one of `CLIP_IDS`. Raises UserError when it is not whole."""
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

    kind: Any = CLIPModel
    familiar_from = None
    if str(where) == EMBEDDED:
        from ..models.mini.early_conv import MiniClip as kind

        familiar_from = MINI_FAMILIAR_FROM
    source, online = resolve_source(where, "clip", download, CLIP_IDS)
    options: dict[str, Any] = {"local_files_only": not online}

    def load() -> Clip:
        import torch

        with quiet_transformers():
            loaded = kind.from_pretrained(source, dtype=dtype or torch.float32, output_loading_info=True, **options)
            hint = f"ranking needs both towers and both projections, as in {CLIP_IDS[0]}"
            model = complete_model(loaded, f"The CLIP in '{source}'", hint)
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
            image_processor = CLIPImageProcessor.from_pretrained(source, **options)
        return Clip(model.eval().to(device), tokenizer, image_processor, str(where), familiar_from)

    return load_or_explain(load, source, "CLIP")


def ranking_scores(clip: Clip, picture: Tensor, texts: Sequence[str]) -> list[float]:
    """Cosines of a picture and texts, less a little for texts that repeat themselves."""
    cosines = (clip.texts(texts) @ clip.pictures([picture])[0]).tolist()
    return [cosine - REPEATED * repetition(text) for cosine, text in zip(cosines, texts)]


def repetition(text: str) -> float:
    """The share of a text's groups of three words that occurred before in it, in 0..1."""
    words = text.lower().split()
    groups = Counter(zip(words, words[1:], words[2:]))
    return sum(n - 1 for n in groups.values()) / max(1, sum(groups.values()))


def _unit(features: Any) -> Tensor:
    # Version 5 of transformers hands back an output object, version 4 the tensor.
    vectors = features if isinstance(features, Tensor) else features.pooler_output
    vectors = vectors.float()
    return vectors / vectors.norm(dim=-1, keepdim=True)
