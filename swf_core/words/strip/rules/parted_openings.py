"""Openings that an insertion parts: "The artwork, reminiscent of Hopper, depicts ..." is one."""

from __future__ import annotations

from .clauses import sentences
from .tagged_caption import TaggedCaption
from .tags import ADJ, BOTH, COLOR, DET, MADE, MEDIUM, OBJECT, SHOWS, STYLE


def _made_between(c: TaggedCaption, first: int, behind: int) -> int:
    """Behind the verb of "The photo, taken from a low angle, shows": three segments, of which one says how; else 0."""
    parts = [(a, b) for a, b, _ in c.segments if first <= a < behind][:3]
    if len(parts) < 3 or c.deleted[parts[2][0]]:
        return 0
    (a, b), (made, end), (verb, _) = parts
    picture = c.tags[a] & DET and b - a < 5 and c.tags[b - 1] & (MEDIUM | OBJECT)
    style = all(c.tags[k] & (STYLE | DET | ADJ | COLOR | OBJECT) for k in range(a, b))
    worn = all(c.tags[k] & ADJ or c.words[k].endswith("ed") or c.words[k] == "and" for k in range(made, end))
    how = (c.tags[made] & MADE or worn) and sum(not c.tags[k] for k in range(made, end)) < 3
    return verb + 1 if picture and style and how and c.tags[verb] & SHOWS and c.words[verb] != "of" else 0


def interrupted_openings(c: TaggedCaption) -> None:
    """Openings that an insertion parted: "The artwork, [reminiscent of Hopper], depicts ..."."""
    for first, behind in sentences(c):
        if after := _made_between(c, first, behind):
            c.delete(first, after)
            continue
        alive = [k for k in range(first, behind) if not c.deleted[k]]
        n = next((n for n, k in enumerate(alive[:6]) if c.tags[k] & (MEDIUM | OBJECT) or c.words[k] == "scene"), -1)
        if n < 0 or len(alive) == behind - first or n + 1 >= len(alive):
            continue
        verb = alive[n + 1]
        fits = all(c.tags[k] & (STYLE | DET | ADJ | COLOR | BOTH) for k in alive[:n])
        shows = c.tags[verb] & SHOWS and (c.words[verb] != "of" or c.deleted[verb - 1])
        if fits and c.tags[alive[0]] & (DET | STYLE) and shows:
            for k in alive[: n + 2]:
                c.deleted[k] = True
