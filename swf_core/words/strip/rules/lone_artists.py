"""Artists who stand by themselves: as a tag, on a museum's label before the title or in brackets behind a name."""

from __future__ import annotations

from .authors import MAKERS, NAMELESS, PARTICLES, PLACES, name_run
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import ARTIST, DET, FUNC, MATERIAL, MEDIUM, NUMBER, THING

DATING, TITLE = map(word_set, ("dating", "title"))


def lone_artists(c: TaggedCaption) -> None:
    """Delete segments that are an artist's name, and a label's unknown artist: "Rosalba Carriera, Lady, pastel"."""
    for first, behind, _ in c.segments:
        if c.deleted[first]:
            continue
        end = name_run(c, first, behind)
        if (
            end == behind
            and any(c.tags[k] & ARTIST for k in range(first, behind))
            and all(
                c.tags[k] & (ARTIST | DET) or c.capital(k) or c.words[k] in PARTICLES or c.words[k] in ("and", "&")
                for k in range(first, behind)
            )
        ):
            c.delete(first, behind)
    for (before, last, _), (first, behind, _) in zip(c.segments, c.segments[1:]):
        bracket = "(" in c.text[c.ends[last - 1] : c.starts[first]]
        if bracket and all(c.deleted[before:last]) and c.tags[last - 1] & ARTIST and behind - first < 4:
            if all(c.capital(k) and not c.tags[k] or c.words[k] in PARTICLES for k in range(first, behind)):
                c.delete(first, behind)  # "Titian (Tiziano Vecellio)"
    for (first, behind, _), (year, after, _) in zip(c.segments, c.segments[1:]):
        dated = after - year == 1 and c.words[year].isdigit() and len(c.words[year]) == 4
        may_be_name = behind - first in (2, 3) and not c.deleted[first] and not _everyday(c, first, behind)
        if dated and may_be_name and any(c.deleted) and not _has_author(c):
            if all(c.capital(k) or c.words[k] in PARTICLES for k in range(first, behind)):
                c.delete(first, behind)  # "..., Anna Atkins, 1843"
    _label(c)


def _has_author(c: TaggedCaption) -> bool:
    return any(deleted and tags & ARTIST for deleted, tags in zip(c.deleted, c.tags))


def _everyday(c: TaggedCaption, first: int, behind: int) -> bool:
    return any(w in TITLE or w in PLACES or w.endswith(("ing", "s'")) for w in c.words[first:behind]) or any(
        c.tags[k] & (THING | DET | FUNC | NUMBER) for k in range(first, behind)
    )


def _label(c: TaggedCaption) -> None:
    """The first line of a museum's label, when two or more follow and one of them is a medium."""
    if len(c.segments) < 3:
        return
    first, behind, _ = c.segments[0]
    if behind - first == 1 and c.words[first] in NAMELESS:
        c.delete(first, behind)  # "Anonymous, Cat Catching a Mouse, ink on papyrus"
    after, end, _ = c.segments[1]
    surname = c.capital(first) and not c.tags[first] and c.words[first] not in TITLE and all(c.deleted[after:end])
    if behind - first == 1 and surname and c.tags[after] & (MEDIUM | MATERIAL):
        c.delete(first, behind)  # "Liotard, pastel, Girl Carrying a Tray"
    if c.deleted[first] or not 2 <= behind - first <= 4:
        return
    rest = [(c.deleted[a], c.tags[a:b]) for a, b, _ in c.segments[1:]]
    medium = any(deleted and any(tag & (MEDIUM | MATERIAL) for tag in tags) for deleted, tags in rest)
    dates = [all(c.words[k] in DATING or c.tags[k] & NUMBER for k in range(a, b)) for a, b, _ in c.segments[1:]]
    titled = any(not deleted and not dated for (deleted, _), dated in zip(rest, dates))
    words = c.words[first:behind]
    named = all(c.capital(k) or c.words[k] in PARTICLES for k in range(first, behind))
    unknown = NAMELESS & set(words) and MAKERS & set(words)
    if medium and titled and ((named and not _everyday(c, first, behind)) or unknown):
        c.delete(first, behind)
