"""Captions of pictures by BLIP (Li et al., arXiv 2201.12086), the best of several chosen in CLIP space.

arXiv 2506.15033 asks for a caption "strictly aligned with the semantics of the style image in CLIP space" and says no
more. Here beam search and nucleus sampling propose candidates, with and without the beginning "a painting of", and CLIP
ranks them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import UserError
from ..pictures import to_image
from .clip import Clip, ranking_scores
from .pretrained import BLIP_IDS, EMBEDDED, complete_model, load_or_explain, quiet_transformers, resolve_source

UNRANKED = "not ranked: no CLIP was given, so the order is the captioner's own"
CHUNK = 8  # pictures captioned at a time
_ARTEFACT = re.compile(r"\barafed\b|\baraffe[ds]?\b", re.IGNORECASE)  # a word that blip-large invents


@dataclass(frozen=True)
class CaptionOptions:
    """How candidates are made.

    * beams: width of the beam search, 1 to 16; 1 is greedy.
    * samples: captions drawn by nucleus sampling for each beginning, 0 to 32.
    * top_p: their nucleus, above 0 to 1.
    * beginnings: what captions begin with; "" leaves it open.
    * max_new_tokens: longest caption, 5 to 200.
    * repetition_penalty: 1 is none; no_repeat: groups of so many tokens never come twice, 0 is off.
    * keep: how many candidates are reported, 1 or more.
    """

    beams: int = 5
    samples: int = 6
    top_p: float = 0.9
    beginnings: tuple[str, ...] = ("", "a painting of")
    max_new_tokens: int = 50
    repetition_penalty: float = 1.1
    no_repeat: int = 3
    keep: int = 5

    def __post_init__(self) -> None:
        ranges = {
            "beams": (1, 16),
            "samples": (0, 32),
            "max_new_tokens": (5, 200),
            "top_p": (1e-6, 1),
            "repetition_penalty": (1, 5),
            "keep": (1, 100),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{name} is {value}; it must be between {low:g} and {high:g}.")
        if not self.beginnings:
            raise UserError("No beginning is given; use an empty one to leave the beginning open.")


@dataclass(frozen=True)
class Candidate:
    """A proposed caption.

    * method: how it was made, such as "beam".
    * score: cosine to the picture in CLIP space, less for repetitions; None when not ranked.
    """

    text: str
    method: str
    score: float | None = None


@dataclass(frozen=True)
class CaptionResult:
    """The caption of a picture, and the candidates it was chosen from, best first."""

    caption: str
    candidates: tuple[Candidate, ...]
    ranked: bool
    note: str = ""


@dataclass
class Captioner:
    """A BLIP and its processor. `model` may be moved between calls.

    `media`: phrases that in its captions, and in them alone, say how a picture is made; `strip` takes them.
    `synonyms`: groups of phrases that name one medium.
    """

    model: Any
    processor: Any
    name: str
    media: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()


def load_captioner(
    where: str | Path = "mini", device: Any = "cpu", dtype: Any = None, download: bool = False
) -> Captioner:
    """Load a BLIP: "mini", a folder, or with `download` one of `BLIP_IDS`. Raises UserError when it cannot be."""
    from transformers import BlipForConditionalGeneration, BlipProcessor

    kind: Any = BlipForConditionalGeneration
    media: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()
    if str(where) == EMBEDDED:
        from ..models.mini.early_conv import MiniBlip as kind
        from ..world.captions import MEDIA as media
        from ..world.captions import SYNONYMS as synonyms
    source, online = resolve_source(where, "blip", download, BLIP_IDS)

    def load() -> Captioner:
        import torch

        options: dict[str, Any] = {"local_files_only": not online}
        with quiet_transformers():
            loaded = kind.from_pretrained(source, dtype=dtype or torch.float32, output_loading_info=True, **options)
            model = complete_model(loaded, f"The captioner in '{source}'", f"copy all files of {BLIP_IDS[0]} again")
            processor = BlipProcessor.from_pretrained(source, **options)
        return Captioner(model.eval().to(device), processor, str(where), media, synonyms)

    return load_or_explain(load, source, "captioner")


def caption_pictures(
    captioner: Captioner,
    pictures: Sequence[Tensor],
    options: CaptionOptions | None = None,
    clip: Clip | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[CaptionResult]:
    """Caption pictures [3, H, W] in 0..1, each of any size. Same seed, same captions.

    Without `clip` the candidates stay in the captioner's order and the note says so. `progress` is called with the
    share done, in 0..1, and may raise to stop.
    """
    options = options or CaptionOptions()
    results: list[CaptionResult] = []
    parts = 2 * len(options.beginnings)
    for start in range(0, len(pictures), CHUNK):
        chunk = pictures[start : start + CHUNK]
        proposals: list[list[Candidate]] = [[] for _ in chunk]
        pixels = captioner.processor(images=[to_image(p) for p in chunk], return_tensors="pt")["pixel_values"]
        for k, (method, rows) in enumerate(_propose(captioner, pixels, options, seed + start)):
            for n, row in enumerate(rows):
                proposals[n] += [Candidate(normalize_caption(text), method) for text in row]
            if progress:
                progress((start + len(chunk) * (k + 1) / (parts + 1)) / len(pictures))
        results += [_choose(picture, each, clip, options.keep) for picture, each in zip(chunk, proposals)]
        if progress:
            progress((start + len(chunk)) / len(pictures))
    return results


def normalize_caption(text: str) -> str:
    """A caption as people write it: no blank before a sign or around a hyphen, no invented word, bare ends."""
    text = " ".join(_ARTEFACT.sub("", text).split())
    text = re.sub(r"\s+([,.;:!?'])", r"\1", text)
    return re.sub(r"(?<=\w) - (?=\w)", "-", text).strip(" .,;")


def _propose(
    captioner: Captioner, pixels: Tensor, options: CaptionOptions, seed: int
) -> Iterator[tuple[str, list[list[str]]]]:
    """For each way of making captions its name and, for each picture, its texts."""
    model, processor = captioner.model, captioner.processor
    weight = next(model.parameters())
    pixels = pixels.to(weight.device, weight.dtype)
    for b, beginning in enumerate(options.beginnings):
        inputs: dict[str, Any] = {"pixel_values": pixels}
        if beginning:
            ids = processor.tokenizer([beginning] * len(pixels), return_tensors="pt")
            inputs |= {name: ids[name].to(weight.device) for name in ("input_ids", "attention_mask")}
        common = inputs | {
            "max_new_tokens": options.max_new_tokens,
            "repetition_penalty": options.repetition_penalty,
            "no_repeat_ngram_size": options.no_repeat,
        }
        after = f', "{beginning} ..."' if beginning else ""
        with quiet_transformers():
            beams = model.generate(**common, num_beams=options.beams, do_sample=False)
        yield f"beam{after}", [[text] for text in _decoded(processor, beams)]
        if options.samples:
            with seeded(weight.device, seed * 1009 + b), quiet_transformers():
                sampled = model.generate(
                    **common,
                    num_beams=1,
                    do_sample=True,
                    top_p=options.top_p,
                    top_k=0,
                    num_return_sequences=options.samples,
                )
            texts = _decoded(processor, sampled)
            yield f"nucleus{after}", [texts[k : k + options.samples] for k in range(0, len(texts), options.samples)]


def _decoded(processor: Any, ids: Tensor) -> list[str]:
    return processor.batch_decode(ids, skip_special_tokens=True)


@contextmanager
def seeded(device: Any, seed: int) -> Iterator[None]:
    """Seed torch's global generator, which is all that `generate` takes, and put it back afterwards."""
    import torch

    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _choose(picture: Tensor, proposals: list[Candidate], clip: Clip | None, keep: int) -> CaptionResult:
    """The candidates without repetitions and empty ones, ranked where there is a CLIP."""
    unique: dict[str, Candidate] = {}
    for candidate in proposals:
        if candidate.text:
            unique.setdefault(candidate.text.casefold(), candidate)
    candidates = list(unique.values())
    if not candidates:
        return CaptionResult("", (), clip is not None, "the captioner said nothing about this picture")
    if clip is None:
        return CaptionResult(candidates[0].text, tuple(candidates[:keep]), False, UNRANKED)
    scores = ranking_scores(clip, picture, [c.text for c in candidates])
    scored = [Candidate(c.text, c.method, round(s, 6)) for c, s in zip(candidates, scores)]
    ranked = sorted(scored, key=lambda c: -(c.score or 0))
    return CaptionResult(ranked[0].text, tuple(ranked[:keep]), True)
