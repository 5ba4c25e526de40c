"""Deleting spans from a caption: what is left is put together again with the caption's own words and signs alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNS = re.compile(r"[.!?;,:|\u3002\uff01\uff1f\uff1b\uff0c\u3001\uff1a]")
_STRENGTH = {"\u3002": 3, ".": 3, "!": 3, "?": 3, "\uff01": 3, "\uff1f": 3, ";": 2, "\uff1b": 2, "|": 2}
_EMPTY = re.compile(r"\(\s*[,;:]?\s*\)|\[\s*\]|\{\s*\}|\u201c\s*\u201d|\uff08\s*\uff09")
_ALNUM = re.compile(r"\w")


def delete(caption: str, spans: Sequence[tuple[int, int]]) -> str:
    """The caption without the characters in `spans` (sorted, not overlapping).

    Where something was taken out, one sign of those that stood around it remains; words are never changed, moved or
    added. Without spans the caption comes back as it is.
    """
    if not spans:
        return caption
    pieces: list[str] = []
    at = 0
    for start, end in [*spans, (len(caption), len(caption))]:
        pieces.append(caption[at:start])
        at = end
    out = ""
    for piece in pieces:
        body, lead = _split_lead(piece)
        if not body:
            out = _join(out.rstrip(), lead, "")
            continue
        out = _join(out, lead, body)
    return _finish(out, caption)


def _split_lead(piece: str) -> tuple[str, str]:
    """A piece from its first word on, and the blanks and signs before that."""
    match = re.search(r"[\w\"'\u201c\u2018\u300c\u300e(\[<#@&$\u00ab\u201d\u2019\u300d\u300f)\]]", piece)
    if match is None or not _ALNUM.search(piece):
        return "", piece
    return piece[match.start() :], piece[: match.start()]


def _join(left: str, lead: str, right: str) -> str:
    """Put two pieces together with the strongest of the signs between them, or a blank."""
    match = re.search(r"[\s.!?;,:|\u3002\uff01\uff1f\uff1b\uff0c\u3001\uff1a\-\u2013\u2014]*$", left)
    tail = left[match.start() :] if match else ""
    body = left[: len(left) - len(tail)]
    signs = _SIGNS.findall(tail + lead)
    if not body:
        return right
    sign = max(signs, key=lambda s: _STRENGTH.get(s, 1)) if signs else ""
    if not right:
        return body + sign
    wide = bool(sign) and ord(sign) > 0x2000
    cjk = _cjk(body[-1]) and _cjk(right[0])
    return body + sign + ("" if wide or (cjk and not sign) else " ") + right


def _cjk(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef" or "\u3000" <= char <= "\u30ff"


def _unpaired(text: str) -> str:
    """Without brackets whose partner was deleted."""
    waiting: list[int] = []
    lone: set[int] = set()
    for k, char in enumerate(text):
        if char in "([{":
            waiting.append(k)
        elif char in ")]}":
            if waiting:
                waiting.pop()
            else:
                lone.add(k)
    lone |= set(waiting)
    return "".join(c for k, c in enumerate(text) if k not in lone) if lone else text


def _finish(text: str, caption: str) -> str:
    """Empty brackets away, no sign at the ends but a full stop that the caption ended with."""
    before = None
    while before != text:
        before = text
        text = _EMPTY.sub("", text)
    text = _unpaired(text)
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r",(\s*,)+", ",", text)
    text = re.sub(r"\s+([,;:.!?])", r"\1", text).strip()
    text = text.lstrip(" ,;:.!?|\u3002\uff0c\uff1b\uff1a\u3001-\u2013\u2014")
    text = text.rstrip(" ,;:|\uff0c\uff1b\uff1a\u3001-\u2013\u2014")
    ends = text and text[-1] in ".\u3002" and not re.search(r"\b[ap]\.m\.$", text)
    if ends and caption.rstrip()[-1:] not in ".\u3002":
        text = text[:-1].rstrip()
    return text
