"""A caption written as a list of tags: tags, bracketed groups and separators, as taggers and prompt sites write them.

Understood are underscores, `(tag:1.3)`, `((tag))`, `[tag]`, `{tag}`, escaped `tag \\(series\\)`, `1.2::tag::`, `tag++`,
`<lora:name:1>`, `embedding:name`, and the separators `,` `|` BREAK AND.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

# What only a list of tags has; prose may have one of these too, and is then read as one long tag.
_SIGNALS = re.compile(
    r"[^\W\d]\w*_[\w(]|\\[()]|\(\(|\[\[|\{\{|[^()\[\]{}:]:-?\d*\.?\d+[)\]]|<[a-z]+:[^<>]+>|\d::"
    r"|\b(?:BREAK|embedding:|artist:|rating:|score_\d)|\b\d\+?(?:girl|boy|other)s?\b|\bno humans\b"
)
BREAK = re.compile(r"(?<!\S)(?:BREAK|AND|ADDCOL|ADDROW|ADDCOMM|ADDBASE)(?!\S)")
_NETWORK = re.compile(r"<[a-z]+:[^<>]*>")
# Faces that have a separator's or a bracket's sign and are tags: :|  |_|  >:(  \(o_o)/
_FACE = re.compile(
    r"(?:(?<![\w.])>?[:;=8][-'^]?[()\[\]|<>]+|\|+_\|+|<o>_<o>|<\|>_<\|>|\\?\([^\w\s]?\w_\w[^\w\s]?\\?\))(?=\s*(?:[,|]|\Z))"
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_WEIGHT = re.compile(r":\s*-?\d*\.?\d+\s*\Z")
_BEHIND_GROUP = re.compile(r"[+\-]*|\d*\.?\d+")
_NOVEL = re.compile(r"(-?\d*\.?\d+::)(.*?)(::)?\Z", re.DOTALL)
_QUALIFIED = re.compile(r"(.*?\S)[ _]*(?:(?<=\\)|\\?)\(\s*([^()\\]+?)\s*\\?\)\Z", re.DOTALL)
_MOST_NESTED = 8


@dataclass(frozen=True)
class Item:
    """One entry of a list: a tag, or a bracketed group of tags.

    * start, end: its characters in the caption, brackets and weight among them.
    * text: what a tag says, without brackets, weight and qualifier, underscores as blanks; "" for a group.
    * qualifier: what stands behind a tag in brackets of its own: "medium" of `watercolor_(medium)`.
    * joined: whether a tag was one word with underscores, or stands in brackets; underscored: the first of these.
    * inside: the entries of a group; choice: whether they are alternatives (`[a|b]`, `[a:b:0.5]`).
    """

    start: int
    end: int
    text: str = ""
    qualifier: str = ""
    joined: bool = False
    underscored: bool = False
    inside: tuple[Item, ...] = field(default=())
    choice: bool = False

    def tags(self) -> Iterator[Item]:
        """The tags that an entry holds, itself if it is one."""
        if not self.inside:
            yield self
        for item in self.inside:
            yield from item.tags()


def is_list(caption: str) -> bool:
    """Whether a caption has a sign of those that only tags have."""
    return bool(_SIGNALS.search(caption))


@lru_cache(maxsize=256)
def items(caption: str) -> tuple[Item, ...]:
    """The entries of a caption that is a list of tags, in order."""
    return tuple(_items(caption, 0, len(caption), _partners(caption), False, 0))


def _partners(caption: str) -> dict[int, int]:
    """Where brackets close, by where they open; escaped ones and those of faces are none."""
    faces = {k for face in _FACE.finditer(caption) for k in range(*face.span())}
    waiting: dict[str, list[int]] = {")": [], "]": [], "}": []}
    partners: dict[int, int] = {}
    for k, char in enumerate(caption):
        if k in faces or (k and caption[k - 1] == "\\"):
            continue
        if char in _CLOSING:
            waiting[_CLOSING[char]].append(k)
        elif char in waiting and waiting[char]:
            partners[waiting[char].pop()] = k
    return partners


def _items(caption: str, start: int, end: int, partners: dict[int, int], joined: bool, depth: int) -> Iterator[Item]:
    for first, behind in _pieces(caption, start, end, partners):
        for a, b in _apart(caption, first, behind):
            group = _group(caption, a, b, partners, depth)
            yield group or _tag(caption, a, b, joined)


def _pieces(caption: str, start: int, end: int, partners: dict[int, int]) -> Iterator[tuple[int, int]]:
    """The pieces between the separators of one level, without blanks around them."""
    at = k = start
    while k <= end:
        separator = 0
        if k < end:
            if face := _FACE.match(caption, k, end) if k == at or caption[k - 1].isspace() else None:
                k = face.end()
                continue
            if k in partners and partners[k] < end:
                k = partners[k] + 1
                continue
            word = BREAK.match(caption, k) if caption[k] in "BA" else None
            separator = 1 if caption[k] in ",|\uff0c\u3001" else word.end() - k if word else 0
        if k == end or separator:
            a, b = at, k
            while a < b and caption[a].isspace():
                a += 1
            while b > a and caption[b - 1].isspace():
                b -= 1
            if a < b:
                yield a, b
            at = k + separator
        k += separator or 1


def _apart(caption: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A piece parted at `<lora:...>`, which often stands without a comma."""
    at = start
    for network in _NETWORK.finditer(caption, start, end):
        between = caption[at : network.start()]
        if between.strip():
            yield at + len(between) - len(between.lstrip()), at + len(between.rstrip())
        yield network.span()
        at = network.end()
    rest = caption[at:end]
    if rest.strip():
        yield at + len(rest) - len(rest.lstrip()), at + len(rest.rstrip())


def _group(caption: str, start: int, end: int, partners: dict[int, int], depth: int) -> Item | None:
    """A piece that is one pair of brackets, with what stands in it."""
    closed = partners.get(start)
    if (
        closed is None
        or closed >= end
        or depth >= _MOST_NESTED
        or not _BEHIND_GROUP.fullmatch(caption, closed + 1, end)
    ):
        return None
    inner = caption[start + 1 : closed]
    weight = _WEIGHT.search(inner)
    behind = start + 1 + weight.start() if weight else closed
    inside = tuple(_items(caption, start + 1, behind, partners, True, depth + 1))
    if not inside:
        return None
    choice = caption[start] != "(" and ("|" in inner or len(inner.split(":")) > 2 or (":" in inner and not weight))
    return Item(start, end, inside=inside, choice=choice)


def _tag(caption: str, start: int, end: int, joined: bool) -> Item:
    raw = caption[start:end]
    if novel := _NOVEL.match(raw):
        raw, joined = novel[2], True
    elif not _NETWORK.match(raw):
        raw = _WEIGHT.sub("", raw).rstrip("+") or raw
    qualified = _QUALIFIED.match(raw) if raw[-1:] == ")" else None
    if qualified and qualified[1] == "\\":  # the whole tag stands in escaped brackets
        return Item(start, end, _plain(qualified[2]), joined=True)
    text, qualifier = (qualified[1], qualified[2]) if qualified else (raw, "")
    one = "_" in text and not re.search(r"\s", text)
    return Item(start, end, _plain(text), qualifier.lower(), joined or one or bool(qualifier), one)


def _plain(text: str) -> str:
    return re.sub(r"[_\\\s]+", " ", text).strip()
