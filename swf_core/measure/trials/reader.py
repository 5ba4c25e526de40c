"""Prompts read from pairs of pictures by the embedded captioner, its errors included; captions are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ...files import write_text
from ...learn.dataset import picture_id
from ...words.caption import Captioner, CaptionOptions, caption_pictures, load_captioner
from ...words.clip import load_clip
from ...words.strip import Stripped, strip_all
from ..benches.context import BenchContext
from ..metrics.pairs import Pair
from .identity import weights_digest

FILE = "captions.json"


class PictureReader:
    """Reads prompts from content and style picture, as `--prompt auto` does. Captions are kept in the bench's folder:
    a picture is captioned once."""

    def __init__(self, context: BenchContext):
        self._context = context

    def __call__(self, pairs: Sequence[Pair]) -> list[str]:
        captioner = load_captioner("mini")
        captions = self._captions(captioner, [p.content for p in pairs] + [p.style for p in pairs])
        stripped = strip_all(captions, media=captioner.media)
        return [style_around(*both) for both in zip(stripped[: len(pairs)], stripped[len(pairs) :], strict=True)]

    def _captions(self, captioner: Captioner, pictures: Sequence[Tensor]) -> list[str]:
        clip = load_clip("mini")
        path, model = self._context.out / FILE, weights_digest(captioner.name, (captioner.model, clip.model))
        known = _kept(path, model)
        names = [picture_id(picture) for picture in pictures]
        new = {name: picture for name, picture in zip(names, pictures, strict=True) if name not in known}
        if new:
            options = CaptionOptions()
            results = caption_pictures(captioner, list(new.values()), options, clip, self._context.seed)
            known |= {name: result.caption for name, result in zip(new, results, strict=True)}
            write_text(path, json.dumps({"model": model, "captions": known}, indent=1))
        return [known[name] for name in names]


def style_around(content: Stripped, style: Stripped) -> str:
    """The content's stripped caption with the words around it that stripping took out of the style picture's: "a
    watercolour of" + "a green mountain" + "in shades of rose"."""
    kept = [i for i, c in enumerate(style.caption) if c.isalnum() and not any(a <= i < b for a, b in style.spans)]
    first = min(kept, default=len(style.caption))
    before = [style.caption[a:b].strip(" ,.") for a, b in style.spans if a < first]
    behind = [style.caption[a:b].strip(" ,.") for a, b in style.spans if a >= first]
    text = " ".join([*before, content.stripped.strip(" ,.")])
    for piece in behind:
        text += f" {piece}" if piece.startswith("in ") else f", {piece}"
    return text


def _kept(path: Path, model: str) -> dict[str, str]:
    """The captions in the file that this model wrote."""
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return dict(content["captions"]) if content.get("model") == model else {}
