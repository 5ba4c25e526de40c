"""Style stripping: delete from a caption the words that say how the picture is made (arXiv 2506.15033).

One function behind which three markers stand: the offline rules, a local instruct model, an OpenAI-compatible
endpoint. A marker only points at pieces of the caption; code deletes them. So the result is the caption with words
taken out, whatever a model says, and an instruction inside a caption changes nothing.

Differs from the paper, whose language model rewrites the caption: a rewriting adds words, which a deletion cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .deletion import delete
from .guards import complaint
from .llm.prompt import MarkerError, locate
from .rules import UNREAD as UNREAD
from .rules import completed, style_alone, style_spans, unread

OFFLINE = "offline"
ALONE = "the caption says only how the picture is made"
_BLANK = re.compile(r"\s+")


class Marker(Protocol):
    """Points at the style words of a caption."""

    name: str

    def mark(self, caption: str, check: Callable[[], None] | None = None) -> list[str]:
        """Pieces of the caption, as written. `check` is called while waiting and may raise. Raises MarkerError."""
        ...


@dataclass(frozen=True)
class Stripped:
    """A caption and what is left of it.

    * caption: as given, white space folded.
    * stripped: the caption without the words in `spans`; tidied at the cuts, no word changed or added.
    * spans: character spans (start, end) in `caption` of what was deleted.
    * method: what marked them: "offline", or the marker's name.
    * note: one sentence when another method took over or something deserves a look, else "".
    """

    caption: str
    stripped: str
    spans: tuple[tuple[int, int], ...]
    method: str
    note: str = ""

    @property
    def removed(self) -> tuple[str, ...]:
        """The pieces deleted, as written."""
        return tuple(self.caption[start:end] for start, end in self.spans)


def strip(
    caption: str,
    marker: Marker | None = None,
    check: Callable[[], None] | None = None,
    media: Sequence[str] = (),
) -> Stripped:
    """Delete the style words of one caption; the offline method marks them where no `marker` is given.

    A marker that fails, marks what is not there, or whose marks would lose content (`guards`) is set aside for the
    offline method, and the note says so. A caption in a language that the offline method does not read is left as it
    is, and the note says that. A caption of style words alone keeps one. Never raises for a text.
    `media`: words and phrases that name a medium in these captions, such as those of a captioner of few words.
    """
    caption = _BLANK.sub(" ", caption).strip()
    if not caption:
        return Stripped("", "", (), OFFLINE, "the caption is empty")
    if marker is None:
        return _stripped(caption, style_spans(caption, media), OFFLINE, unread(caption))
    try:
        pieces = marker.mark(caption, check)
    except MarkerError as error:
        return _offline_instead(caption, media, f"{marker.name}: {error}")
    spans, invented = locate(caption, pieces)
    if invented and not spans:
        return _offline_instead(caption, media, f"{marker.name}: none of the marked words occur in the caption")
    note = f"{invented} of {invented + len(spans)} marked pieces do not occur and were ignored" if invented else ""
    spans = completed(caption, spans)
    if reason := complaint(caption, spans, media):
        return _offline_instead(caption, media, f"{marker.name}: {reason}")
    return _stripped(caption, spans, marker.name, note)


def strip_all(
    captions: Sequence[str],
    marker: Marker | None = None,
    check: Callable[[], None] | None = None,
    progress: Callable[[float], None] | None = None,
    media: Sequence[str] = (),
) -> list[Stripped]:
    """`strip` for several captions. `progress` is called with the share done, in 0..1."""
    results = []
    for k, caption in enumerate(captions):
        if check:
            check()
        results.append(strip(caption, marker, check, media))
        if progress:
            progress((k + 1) / len(captions))
    return results


def _offline_instead(caption: str, media: Sequence[str], reason: str) -> Stripped:
    note = f"the offline method took over ({reason.rstrip('.')})"
    if not_read := unread(caption):
        note = f"{note}, but {not_read}"
    return _stripped(caption, style_spans(caption, media), OFFLINE, note)


def _stripped(caption: str, spans: Sequence[tuple[int, int]], method: str, note: str = "") -> Stripped:
    stripped = delete(caption, spans)
    if spans and not any(c.isalnum() for c in stripped):  # nothing but signs is nothing: the longest piece stays
        longest = max(spans, key=lambda span: span[1] - span[0])
        spans = [span for span in spans if span != longest]
        stripped = delete(caption, spans)
    if not note and style_alone(stripped, caption):
        note = ALONE
    return Stripped(caption, stripped or caption, tuple(spans), method, note)
