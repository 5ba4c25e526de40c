"""The words of a transfer where none are connected: read from content and style picture by a captioner of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from ....swf_core.transfer.options import TransferOptions
from ....swf_core.transfer.presets import DIALED, FAST
from ....swf_core.transfer.word_guidance import guided_by_words
from ....swf_core.words.pretrained import EMBEDDED
from ..caption_models import NONE, loaded_model, model_choices, resolve
from ..ui_rows import prompt_row

if TYPE_CHECKING:
    from ....swf_core.words.picture_words import PictureWords

UNUSED = (
    "No words were used: connect clip and choose a captioner to have them read from the pictures, or connect positive."
)
PICTURES_ALONE = "No words were used: they are read where content and style are IMAGEs, the content a single one."
STYLEID = "No words were used: the preset styleid has none."


def words_inputs() -> list[Any]:
    """The widgets, for the end of a schema."""
    return [
        io.Combo.Input(
            "captioner",
            options=[NONE, *model_choices("captioner")],
            default=NONE,
            optional=True,
            tooltip="Reads the words from the two pictures where positive is not connected and clip is: the content's "
            "caption, with the style picture's words of style around it. Where cfg is 1 it is then 2.5, "
            "and cfg_detail 1. none: no words.",
        ),
        io.Combo.Input(
            "ranker",
            options=model_choices("clip"),
            optional=True,
            tooltip="Chooses among the captioner's captions, and keeps a medium unsaid that is not sure: mini for "
            "mini's captions, a whole CLIP in models/clip_whole for others, or none.",
        ),
    ]


@dataclass(frozen=True)
class ReadWords:
    """What a sampler is given: a CONDITIONING, or None for no words, and the panel's row."""

    positive: Any
    row: dict[str, Any] | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The row, where there is one."""
        return [] if self.row is None else [self.row]

    @property
    def found(self) -> bool:
        """Whether words were read from the pictures."""
        return self.row is not None and self.positive is not None


def guidance_by_words(
    preset: str, dials: Mapping[str, Any], words: ReadWords, lora_guides: bool = False
) -> dict[str, float]:
    """The dials cfg and cfg_detail where the widget leaves guidance off (cfg is 1): the command line's where words were
    read; where they are connected, the free presets, which need them, have their own.

    `lora_guides`: whether a LoRA is on the positive alone.
    """
    free = preset in ("free", FAST) or (preset == DIALED and dials["freedom"] > 0.0)
    if dials["cfg"] != 1.0 or words.positive is None or not (words.found or free):
        return {}
    options = guided_by_words(TransferOptions(), words.found, lora_guides, free)
    return {"cfg": options.cfg, "cfg_detail": options.cfg_detail}


def take_models(widgets: dict[str, Any]) -> tuple[str, str]:
    """The options of `words_inputs`, taken out of a node's widgets; without them, in graphs of before, no captioner."""
    return widgets.pop("captioner", NONE), widgets.pop("ranker", EMBEDDED)


def read_words(positive: Any, clip: Any, pictures: tuple[Any, Any], models: tuple[str, str], preset: str) -> ReadWords:
    """What is connected to `positive`, if anything is; else the words read from `pictures`, content and style.

    `models`: the options of `words_inputs`.
    """
    if positive is not None:
        return ReadWords(positive)
    captioner, ranker = models
    if clip is None or captioner == NONE:
        return ReadWords(None, prompt_row("", [UNUSED]))
    if preset == "styleid":
        return ReadWords(None, prompt_row("", [STYLEID]))
    contents, styles = map(_pictures, pictures)
    if len(contents) != 1 or not styles:
        return ReadWords(None, prompt_row("", [PICTURES_ALONE]))
    from ....swf_core.words.picture_words import transfer_words

    content, *read = _words_of([*contents, *styles], captioner, ranker)
    words = transfer_words(content, read)
    row = prompt_row(words.prompt, words.notes)
    if not words.prompt:
        return ReadWords(None, row)
    return ReadWords(clip.encode_from_tokens_scheduled(clip.tokenize(words.prompt)), row)


def _words_of(pictures: Sequence[torch.Tensor], captioner: str, ranker: str) -> list[PictureWords]:
    """Of each picture [3, H, W]; models are loaded only for pictures that they have not read before."""
    from ....swf_core.words.caption import load_captioner
    from ....swf_core.words.clip import load_clip
    from ....swf_core.words.picture_words import WordReader, kept_words

    names = resolve("captioner", captioner)[0], None if ranker == NONE else resolve("clip", ranker)[0]
    known = [kept_words(*names, picture) for picture in pictures]
    if found := [words for words in known if words is not None]:
        if len(found) == len(pictures):
            return found
    blip = loaded_model("captioner", captioner, lambda where, d: load_captioner(where, download=d), False)
    ranked = nullcontext()
    if ranker != NONE:
        ranked = loaded_model("clip", ranker, lambda where, d: load_clip(where, download=d), False)
    with blip as reads, ranked as ranks:
        reader = WordReader(reads, ranks)
        return [reader.words_of(picture) for picture in pictures]


def _pictures(value: Any) -> list[torch.Tensor]:
    """An IMAGE as pictures [3, H, W]; none of anything else."""
    if not isinstance(value, torch.Tensor):
        return []
    return [picture[..., :3].permute(2, 0, 1).float().cpu() for picture in value]
