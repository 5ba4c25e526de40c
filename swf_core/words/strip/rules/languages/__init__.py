"""Languages other than English that the offline method reads, each by a small lexicon, and how a language is told.

French, German and Spanish share one engine (`latin`) and differ by their lists; Chinese and Japanese have no blanks
between words and rules of their own. A caption in any other language is left as it is, and `UNREAD` says so.
"""

from __future__ import annotations

from . import chinese, japanese, latin
from .detection import LATIN, READ, language_of

UNREAD = (
    "the offline method does not read this caption's language, so nothing was taken out: it reads "
    f"{', '.join(name.capitalize() for name in READ[:-1])} and {READ[-1].capitalize()}; let a language model mark the "
    "words, or edit the caption"
)
__all__ = ["LATIN", "READ", "UNREAD", "language_of", "style_alone", "style_spans"]


def style_spans(caption: str, language: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made; none for a language that is not read."""
    if language == "chinese":
        return chinese.style_spans(caption)
    if language == "japanese":
        return japanese.style_spans(caption)
    return latin.style_spans(caption, language) if language in LATIN else []


def style_alone(text: str, language: str) -> bool:
    """Whether a text names nothing but a way of making pictures."""
    bare = text.strip("\uff0c\u3002\u3001,. ")
    if language == "chinese":
        return chinese.covered(bare)
    if language == "japanese":
        return japanese.covered(bare)
    return language in LATIN and len(text) < 60 and latin.style_alone(text, language)
