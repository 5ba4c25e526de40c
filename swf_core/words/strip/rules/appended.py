"""A medium set behind a caption without a comma, as captioners do: "a man standing in the snow watercolor"."""

from __future__ import annotations

from .tagged_caption import TaggedCaption
from .tags import DET, MEDIUM, THING
from .trailing import making

# Of what stands behind these, the place is shown; "in front of a mural painting" is a thing.
_PLACES = frozenset("in on under over through across inside".split())
# What somebody does may end a caption too: "a woman in the garden painting".
_VERBS = frozenset("painting drawing etching engraving rendering sketch still shot".split())
_LOOKING = frozenset("looking holding hanging showing selling carrying taking making admiring watching".split())


def appended_medium(c: TaggedCaption) -> None:
    """Delete the last word of a caption of one segment if it is a picture that nothing in the scene holds."""
    alive = [k for k in range(len(c.words)) if not c.deleted[k]]
    if len(c.segments) != 1 or len(alive) < 6 or any(c.deleted) or making(c, 0, alive[-1]):
        return
    last = alive[-1]
    if not c.tags[last] & MEDIUM or c.tags[last] & THING or c.tags[last - 1]:
        return
    acts = [c.words[k] for k in alive[:-1] if c.words[k].endswith("ing") and not c.tags[k]]
    placed = next((k for k in (last - 3, last - 2) if c.words[k] in _PLACES), None)
    in_a_place = placed is not None and (last - placed == 2 or c.tags[placed + 1] & DET)
    if in_a_place and c.words[last] not in _VERBS and not _LOOKING & set(acts):
        c.delete(last, last + 1)
