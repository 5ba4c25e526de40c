"""The default way to mark style words: no model, no download, in English and the languages of `languages`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import languages, passes, prompt_list, prompt_tags
from .languages import UNREAD, language_of

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTER = re.compile(r"[^\W\d_]")


def is_chinese(text: str) -> bool:
    """Whether most of a text's letters are Chinese (or Japanese), so that words have no blanks between them."""
    return 2 * len(_CJK.findall(text)) > len(_LETTER.findall(text)) - len(_CJK.findall(text))


def style_spans(caption: str, media: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping.

    None are marked in a caption whose language is not read (`unread`). `media`: English words and phrases that name a
    medium in these captions, whatever else they may be elsewhere.
    """
    language = language_of(caption)
    if language != "english":
        spans = languages.style_spans(caption, language)
        return prompt_tags.whole_tags(caption, spans) if spans and prompt_list.is_list(caption) else spans
    if prompt_list.is_list(caption):
        return prompt_tags.style_spans(caption, media)
    return passes.style_spans(caption, media)


def completed(caption: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that a model marked, with what must go with them: the rest of a tag, an article that no longer fits."""
    if prompt_list.is_list(caption):
        return prompt_tags.whole_tags(caption, spans)
    return passes.with_articles(caption, spans) if language_of(caption) == "english" else list(spans)


def unread(caption: str) -> str:
    """One sentence if a caption's language is not read, else ""."""
    return "" if language_of(caption) else UNREAD


def style_alone(text: str, caption: str = "") -> bool:
    """Whether a text of a few words names nothing but a way of making pictures: "painting", "8k", "水墨画".

    It is read in the language of `caption`, which it was a part of.
    """
    language = language_of(caption or text)
    if language != "english":
        return languages.style_alone(text, language)
    if prompt_list.is_list(text):
        return prompt_tags.style_alone(text)
    return len(text) < 40 and passes.style_alone(text)
