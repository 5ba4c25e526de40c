"""The offline method for captions of tags: a tag of style goes whole, others and their separators stay as written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..deletion import delete
from . import passes
from .lexicon import look_up, read_list, word_set
from .prompt_list import BREAK, Item, items
from .tags import DET, FUNC, SHOWS

_KNOWN = {name: frozenset(entries) for name, entries in read_list("prompt_tags").items()}
_QUALITY = re.compile(
    r"(?:(?:very|extremely|super) )?(?:amazing|great|best|good|normal|average|low|worst|bad|high|highest|top|perfect)"
    r" (?:quality|resolution|aesthetic)|(?:very|extremely) (?:aesthetic|displeasing|detailed)|score \d\w*(?: up)?"
    r"|very awa|source \w+|rating[: ]\w+|\w*quality|year \d{4}|aesthetic|displeasing|newest|recent|oldest"
)
_CREDIT = re.compile(
    r"(?:artist ?[:=]|@|(?:art|artwork|drawn|painted|illustrated|designed|style) (?:by|of) |in the style of |by )"
    r"\s*(?=\w)"
)
# What the picture looks at: "male focus", "eye focus"; the others are a lens's.
_FOCUS = re.compile(r"(?!sharp |soft |deep |shallow |selective |crisp )\w+ focus")
NO_AUTHORS = word_set("no authors")
_NETWORK = re.compile(r"<[a-z]+:|embedding:")
_WORDS_OF_A_TAG = 4


def style_spans(caption: str, media: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Character spans of the tags of style in a caption of tags, sorted, never overlapping.

    Of a tag that is more of a sentence the words of style; of a group in brackets the whole, if all in it is style.
    """
    entries = items(caption)
    tags = [tag for entry in entries for tag in entry.tags()]
    verdicts = {tag: _is_style(tag.text, tag.qualifier, tuple(media)) for tag in tags if _is_one(tag)}
    read = _readable(caption, verdicts)
    loose = passes.style_spans(read, media)
    for tag in tags:
        if tag not in verdicts:
            verdicts[tag] = _covered(caption, tag, loose)
    inside = _inside(loose, [tag for tag in tags if not verdicts[tag] and not _is_one(tag)])
    return sorted([*inside, *_whole(caption, entries, verdicts)])


def style_alone(text: str) -> bool:
    """Whether a text is a few tags, each of style."""
    tags = [tag for entry in items(text) for tag in entry.tags()]
    return 0 < len(tags) < 4 and all(_is_style(tag.text, tag.qualifier, ()) for tag in tags)


def whole_tags(caption: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that something else marked, so that each tag that goes as one is marked whole or not at all."""
    entries = items(caption)
    tags = [tag for entry in entries for tag in entry.tags()]
    verdicts = {tag: _share(caption, tag, spans) >= (0.5 if tag.joined else 1) for tag in tags}
    inside = _inside(spans, [tag for tag in tags if not verdicts[tag] and not tag.joined])
    return sorted([*inside, *_whole(caption, entries, verdicts)])


def _inside(spans: Sequence[tuple[int, int]], tags: Sequence[Item]) -> list[tuple[int, int]]:
    """The parts of spans that lie in tags."""
    parts = ((max(start, tag.start), min(end, tag.end)) for start, end in spans for tag in tags)
    return [(start, end) for start, end in parts if start < end]


def _is_one(tag: Item) -> bool:
    """Whether a tag goes whole or not at all: a few words without an article or a preposition among them."""
    low = tag.text.lower()
    if tag.qualifier or _NETWORK.match(low) or _CREDIT.match(low) or _QUALITY.fullmatch(low):
        return True
    if low in _KNOWN["style"] or low in _KNOWN["scene"]:
        return True
    words = tag.text.split()
    little = any(look_up(word)[1] & (DET | FUNC | SHOWS) for word in words[:-1])
    return tag.underscored or (not little and (tag.joined or len(words) <= _WORDS_OF_A_TAG))


@lru_cache(maxsize=20_000)
def _is_style(text: str, qualifier: str, media: tuple[str, ...]) -> bool:
    """Whether a tag says how the picture is made."""
    low = text.lower()
    if qualifier and not _CREDIT.match(low):
        return qualifier in _KNOWN["qualifiers"]
    if _NETWORK.match(low) or low in _KNOWN["style"] or _QUALITY.fullmatch(low):
        return True
    if low in _KNOWN["scene"] or _FOCUS.fullmatch(low) or _is_thing(low):
        return False
    if credit := _CREDIT.match(low):
        rest = low[credit.end() :].split()
        return not (credit[0] == "by " and (rest[0] in NO_AUTHORS or look_up(rest[0])[1] & DET))
    if ":" in low:
        return all(_is_style(part.strip(), "", media) for part in low.split(":"))
    return bool(low) and passes.says_only_style(text, media)


def _is_thing(text: str) -> bool:
    """Whether a tag ends with a thing and is no medium that the lists know: "rose print", but "woodblock print"."""
    words = text.split()
    return len(words) > 1 and words[-1] in _KNOWN["things"] and not passes.is_medium(text)


def _readable(caption: str, verdicts: dict[Item, bool]) -> str:
    """The caption, as long as it is, for rules that read English: no tag of the scene, no BREAK, no underscore."""
    text = list(caption)
    for tag, style in verdicts.items():
        for k in range(tag.start, tag.end):
            text[k] = "x" if not style else caption[k] if caption[k].isalnum() else " "
    for word in BREAK.finditer(caption):
        text[word.start() : word.end()] = "|" * (word.end() - word.start())
    return "".join(text)


def _covered(caption: str, tag: Item, spans: Sequence[tuple[int, int]]) -> bool:
    return _share(caption, tag, spans) == 1


def _share(caption: str, tag: Item, spans: Sequence[tuple[int, int]]) -> float:
    """Which share of a tag's letters and digits lies in spans."""
    letters = [k for k in range(tag.start, tag.end) if caption[k].isalnum()]
    marked = sum(any(start <= k < end for start, end in spans) for k in letters)
    return marked / len(letters) if letters else 0.0


def _whole(caption: str, entries: Sequence[Item], verdicts: dict[Item, bool]) -> list[tuple[int, int]]:
    """Spans of the tags and groups to delete, with a separator where deleting would leave or take one too many."""
    bare, exact = _level(caption, entries, verdicts, len(caption))
    left = list(caption)
    for start, end in exact:
        left[start:end] = [""] * (end - start)
    return bare if delete(caption, bare) == "".join(left).strip() else exact


def _level(
    caption: str, entries: Sequence[Item], verdicts: dict[Item, bool], end: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """For one level: the spans of what goes, and the same with the separators that go beside it."""
    bare: list[tuple[int, int]] = []
    exact: list[tuple[int, int]] = []
    kept: Item | None = None
    waiting: list[Item] = []  # to be deleted, since the last that is kept
    for entry in entries:
        if all(verdicts[tag] for tag in entry.tags()):
            waiting.append(entry)
            continue
        if waiting:
            bare += [(item.start, item.end) for item in waiting]
            exact += _between(caption, kept, waiting, entry)
            waiting = []
        kept = entry
        if entry.inside and not entry.choice:
            inner_bare, inner_exact = _level(caption, entry.inside, verdicts, entry.end)
            bare, exact = bare + inner_bare, exact + inner_exact
    if waiting:
        bare += [(item.start, item.end) for item in waiting]
        exact.append((kept.end if kept else waiting[0].start, waiting[-1].end))
    return bare, exact


def _between(caption: str, kept: Item | None, gone: Sequence[Item], after: Item) -> list[tuple[int, int]]:
    """Spans that take entries out between two that stay, and all separators there but the strongest."""
    if kept is None:
        return [(gone[0].start, after.start)]
    ends = [kept.end, *(item.end for item in gone)]
    starts = [*(item.start for item in gone), after.start]
    separators = list(zip(ends, starts))
    start, end = max(separators, key=lambda s: _rank(caption[s[0] : s[1]]))
    return [span for span in ((kept.end, start), (end, after.start)) if span[0] < span[1]]


def _rank(separator: str) -> int:
    return 2 if BREAK.search(separator) else 1 if "|" in separator else 0
