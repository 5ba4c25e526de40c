"""Deleting spans from a caption: what is left is put together again with the caption's own words and signs alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

_STRENGTH = {"\u3002": 3, ".": 3, "!": 3, "?": 3, "\uff01": 3, "\uff1f": 3, ";": 2, "\uff1b": 2, "|": 2}
_SIGN = r".!?;,:|\u3002\uff01\uff1f\uff1b\uff0c\u3001\uff1a"
# Before a letter or a bracket ":" and ";" are a part of what follows, a weight ":1.3)", a face ":3"; so is "-" of "-1".
_SIGN_BEFORE = r"(?:[.!?,|\u3002\uff01\uff1f\uff1b\uff0c\u3001\uff1a]|[:;](?![\w()<>\[\]]))"
_SIGNS = re.compile(f"[{_SIGN}]")
_DASH = re.compile(r"[\-\u2013\u2014]")
# What stands around a cut and belongs to nothing else: blanks, signs, dashes, a lone stroke or plus.
_LEAD = re.compile(rf"(?:{_SIGN_BEFORE}|[\s\u2013\u2014]|-(?!\d)|[/+*~\u2022\u00b7\u2026](?=\s|\Z))*")
_AROUND = re.compile(rf"[\s{_SIGN}\-\u2013\u2014]")
_LONE_MARKS = "/+*~\u2022\u00b7\u2026"
_BLANK = re.compile(r"\s")
_LETTER = re.compile(r"\w")
# Of a piece without a letter only these stay.
_QUOTES = r"\"'\u201c\u201d\u2018\u2019\u00ab\u00bb\u300c-\u300f"
_LOOSE = re.compile(rf"[^\s{_SIGN}\-\u2013\u2014()\[\]{{}}\uff08\uff09{_QUOTES}]")
_PAIRS = {"(": ")", "[": "]", "{": "}", "\u201c": "\u201d", "\uff08": "\uff09"}
_INSIDE = " \t\n\r\f\v,;:"
_CLOSED = re.compile(r"[ \t\n\r\f\v,;:]*\\?([)\]}\u201d\uff09])")
_ENDS = " ,;:|\uff0c\uff1b\uff1a\u3001-\u2013\u2014"


def delete(caption: str, spans: Sequence[tuple[int, int]]) -> str:
    """The caption without the characters in `spans` (sorted, not overlapping).

    Where something was taken out, one sign of those that stood around it remains; a bracket goes with its partner.
    Words are never changed, moved or added, and what no cut touches stays byte for byte.
    """
    if not spans:
        return caption
    pieces = _pieces(caption, _with_partners(caption, spans))
    text = pieces[0]
    for piece in pieces[1:]:
        text = _join(text, piece)
    if not _LETTER.search(pieces[-1]):
        text = _ended(text, caption)
    return text


def _with_partners(caption: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans, and beside them the brackets whose partner lies in one."""
    gone = {k for start, end in spans for k in range(start, end)}
    waiting: dict[str, list[int]] = {")": [], "]": [], "}": []}
    lone: list[tuple[int, int]] = []
    for k, char in enumerate(caption):
        if char in "([{":
            waiting[_PAIRS[char]].append(k)
        elif char in ")]}" and waiting[char]:
            opened = waiting[char].pop()
            if (opened in gone) != (k in gone):
                at = k if opened in gone else opened
                lone.append((at - 1 if caption[at - 1 : at] == "\\" and at - 1 not in gone else at, at + 1))
    return sorted([*spans, *lone])


def _pieces(caption: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """What is left between spans; of a piece without a letter its signs, brackets and quotes."""
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(caption)]
    pieces = [caption[end:start] for end, start in zip(ends, starts)]
    return [piece if _LETTER.search(piece) else _LOOSE.sub("", piece) for piece in pieces]


def _join(left: str, right: str) -> str:
    """Put two pieces together at a cut: without brackets that it emptied, a sign or a blank between them."""
    while (closed := _CLOSED.match(right)) and _PAIRS.get((before := left.rstrip(_INSIDE))[-1:]) == closed[1]:
        left, right = before[:-1].removesuffix("\\"), right[closed.end() :]
    lead = _LEAD.match(right)
    assert lead is not None  # it matches the empty text
    cut = _tail(left)
    body, rest = left[:cut], right[lead.end() :]
    if not body:
        return rest.lstrip(":; ") if rest[:1] in ":;" and rest[1:2].isalpha() else rest
    between = _between(left[cut:], lead[0])
    if not rest:
        return body + between
    if body[-1] in _PAIRS or rest[0] in _PAIRS.values():
        return body + rest
    close = rest[0] in ":;" and not lead[0] or _cjk(body[-1]) and _cjk(rest[0])
    return body + (between or ("" if close else " ")) + rest


def _tail(text: str) -> int:
    """Where the blanks, signs and dashes begin that a text ends with."""
    at = len(text)
    while at and (
        _AROUND.match(text[at - 1]) or (text[at - 1] in _LONE_MARKS and at > 1 and _BLANK.match(text[at - 2]))
    ):
        at -= 1
    return at


def _between(tail: str, lead: str) -> str:
    """The side of a cut that has the stronger sign, as written; the one before it where they are alike."""
    before, behind = _strength(tail), _strength(lead)
    if before >= behind > 0 or before > 0 == behind:
        return tail if tail[-1:].isspace() or not lead[-1:].isspace() or _wide(tail) else tail + " "
    if behind:
        return lead
    return tail if _DASH.search(tail) and _DASH.search(lead) else ""


def _strength(text: str) -> int:
    return max((_STRENGTH.get(sign, 1) for sign in _SIGNS.findall(text)), default=0)


def _wide(text: str) -> bool:
    return text[-1:] > "\u2000"


def _cjk(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"


def _ended(text: str, caption: str) -> str:
    """A text whose end was cut: no sign there but a full stop that the caption ended with."""
    text = text.rstrip().rstrip(_ENDS)
    ends = text and text[-1] in ".\u3002" and not re.search(r"\b[ap]\.m\.$", text)
    if ends and caption.rstrip()[-1:] not in ".\u3002":
        text = text[:-1].rstrip()
    return text
