"""What a preposition or a participle at the end of a clause leads to: "in watercolour", "with loose brushwork"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import (
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
    DET,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
    OBJECT,
    QUALITY,
    STYLE,
    TECH,
)

STAINED, PIED, MAKING, WITH = map(word_set, ("stained", "pied", "making", "with"))
SUBDUED, HUES, DRAWN_WITH = map(word_set, ("subdued", "hues", "drawn with"))
SURFACES = frozenset("canvas panel vellum linen parchment masonite paper silk board".split())
# What institutions call themselves too: "in school" is no style.
INSTITUTIONS = frozenset("school movement format finish tradition".split())
# Behind these, "as a cartoon" is what somebody plays or does.
PLAYED = frozenset("used serves serve acts works working serving known such same well just posing dancing job".split())


def making(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether somebody in the scene draws, paints or writes in these units."""
    return any(
        not c.deleted[k] and (c.words[k] in MAKING or c.words[k] in ("drawn", "written") and not c.tags[k] & MADE)
        for k in range(first, behind)
    )


@dataclass(frozen=True)
class _Phrase:
    """Units of a caption that begin with a preposition or a participle and end their segment.

    * first: the segment's first unit; start, end: those of the phrase, `end` behind its last.
    * tags: what the units behind the first are, all together; nouns: those of them that mean style (look, palette).
    * before: the word before the phrase, "" at the segment's beginning; busy: whether somebody draws or writes there.
    * article: whether an article follows the first word.
    """

    caption: TaggedCaption
    first: int
    start: int
    end: int
    tags: int
    nouns: frozenset[str]
    before: str
    busy: bool
    article: bool

    @property
    def rest(self) -> range:
        """The units behind the first."""
        return range(self.start + 1, self.end)


def _phrase(c: TaggedCaption, first: int, start: int, end: int) -> _Phrase:
    tags = 0
    for k in range(start + 1, end):
        tags |= c.tags[k]
    nouns = frozenset(c.words[k] for k in range(start + 1, end) if c.tags[k] & NOUN)
    before = c.words[start - 1] if start > first else ""
    article = bool(c.tags[start + 1] & DET)
    return _Phrase(c, first, start, end, tags, nouns, before, making(c, first, start), article)


def is_style(c: TaggedCaption, first: int, start: int, end: int) -> bool:
    """Whether units start..end-1, which begin with a preposition or a participle, speak of style."""
    if start + 1 >= end:
        return False
    word = c.words[start]
    if word == "done" or c.tags[start] & MADE and word not in ("made", "like", "similar"):
        return _participle(_phrase(c, first, start, end))
    rule = BY_PREPOSITION.get(word)
    return rule is not None and rule(_phrase(c, first, start, end))


def _participle(p: _Phrase) -> bool:
    """A participle of making with a medium, a technique or a quality behind it.

    a fox drawn with charcoal -> a fox
    a boat rendered in loose brushwork -> a boat
    a man is painting a wall painted in oil -> a man is painting a wall painted in oil
    """
    c = p.caption
    if c.words[p.start : p.start + 2] == ["rendered", "in"] and p.end == p.start + 3 and c.capital(p.start + 2):
        return True  # "rendered in Arnold"
    anchors = p.tags & (MOVE | TECH | QUALITY | ARTIST | MATERIAL) or p.nouns or (p.tags & MEDIUM and not p.article)
    return bool(anchors) and not (p.busy and p.start > p.first) and not (p.before in ("is", "are") and p.busy)


def _made(p: _Phrase) -> bool:
    """ "made" needs more than a material, of which things are made too.

    a city made in high resolution -> a city
    a mask made with soft shading -> a mask
    a dress made of silk -> a dress made of silk
    """
    return bool(p.tags & (TECH | QUALITY) or p.nouns & WITH)


def _in(p: _Phrase) -> bool:
    """ "in" a medium, a movement, a style, or colors of the whole picture.

    a red boat in watercolor -> a red boat
    a harbor in cubist style -> a harbor
    a hand stained in ink -> a hand stained in ink
    """
    if p.before in STAINED:
        return False
    if p.tags & BOTH:
        return p.before not in PIED and (any(p.caption.deleted) or p.start > p.first + 1)
    if p.tags & (MOVE | TECH | ARTIST) or not p.nouns <= INSTITUTIONS:
        return not (p.busy and not p.nouns and not p.tags & MOVE)
    if p.tags & QUALITY:
        return True
    if p.tags & (MEDIUM | MATERIAL):
        words = " ".join(p.caption.words[p.start : p.end])
        drawn = any(p.caption.words[k] in DRAWN_WITH for k in p.rest)
        color_of_thing = p.tags & COLOR and not p.tags & MEDIUM and "pencil" not in words and not drawn
        return not p.article and not p.busy and not color_of_thing
    return _in_colors(p)


def _in_colors(p: _Phrase) -> bool:
    """ "in" colors that are the whole picture's: one of them subdued or a mood, none of a thing.

    a lake in muted blues -> a lake
    a forest in muted greens and browns -> a forest
    a girl in blue -> a girl in blue
    """
    c = p.caption
    hues = [bool(c.tags[k] & COLOR) or c.words[k].rstrip("s") in HUES for k in p.rest]
    only = all(hue or c.tags[k] & (MOOD | ADJ | FUNC) for hue, k in zip(hues, p.rest))
    whole = any(c.words[k] in SUBDUED or c.tags[k] & MOOD for k in p.rest)
    return only and whole and p.end - p.start <= 6 and any(hues)


def _with(p: _Phrase) -> bool:
    """ "with" and its like before a technique, a quality or a noun of style.

    a hill with loose brushwork -> a hill
    a bridge with a muted palette -> a bridge
    a child with a serene look -> a child with a serene look
    """
    if p.caption.words[p.end - 1] in ("wallpaper", "wallpapers"):
        return False  # "a hallway with green wallpaper"
    if p.tags & (TECH | QUALITY) or p.nouns & WITH or (p.tags & MOVE and p.nouns):
        return not p.busy or bool(p.nouns)
    return p.caption.words[p.start] == "using" and bool(p.tags & MATERIAL) and not p.busy


def _on(p: _Phrase) -> bool:
    """ "on" what pictures are made on, or on film.

    two cats, oil on canvas -> two cats
    a child shot on 35mm -> a child
    a cat on a canvas bag -> a cat on a canvas bag
    """
    c, k = p.caption, p.start
    known = c.words[p.end - 1].split()[-1] in SURFACES
    after_style = k > p.first and (c.deleted[k - 1] or c.tags[k - 1] & (MATERIAL | MEDIUM))
    surface = p.tags & MATERIAL and not p.article and (after_style or (known and not p.busy))
    return bool(surface or p.tags & QUALITY and not p.tags & DET)


def _from(p: _Phrase) -> bool:
    """ "from" a camera or a site of pictures.

    a skyline from unsplash -> a skyline
    a cat from a dslr -> a cat
    a letter from a friend -> a letter from a friend
    """
    return bool(p.tags & QUALITY)


def _as(p: _Phrase) -> bool:
    """ "as" a picture of some kind.

    a cat as an oil painting -> a cat
    a castle by the sea as a woodcut -> a castle by the sea
    a boy dressed as a cartoon -> a boy dressed as a cartoon
    """
    c, last = p.caption, p.caption.tags[p.end - 1]
    only = all(c.tags[k] & (STYLE | DET | ADJ | COLOR | OBJECT) for k in p.rest)
    played = p.before.endswith(("ed", "ing")) or p.before in PLAYED
    return only and bool(last & (MEDIUM | OBJECT)) and not played and not p.busy and p.start > 0


BY_PREPOSITION: dict[str, Callable[[_Phrase], bool]] = {
    "made": _made,
    "in": _in,
    "with": _with,
    "featuring": _with,
    "using": _with,
    "through": _with,
    "via": _with,
    "by": _with,
    "on": _on,
    "from": _from,
    "as": _as,
}
