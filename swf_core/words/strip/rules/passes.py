"""The offline method for English: passes over a tagged caption that mark the words saying how the picture is made.

No model and no download. Rules look at whole segments ("oil on canvas"), openings ("a woodcut of ..."), tails ("...
in the style of Klimt"), authors, sentences about the style, and words such as "cubist" that can mean nothing else. What
stands inside the scene (a pencil on a desk) matches none of them and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .appended import appended_medium
from .attributes import attributes
from .authors import credits
from .clauses import adjectives, stray_words, style_clauses, unfinished_sentences
from .effects import effect_sentences, left_clauses, stumps
from .leading import openings
from .lone_artists import lone_artists
from .modifiers import articles, styled_things
from .named_pictures import named_pictures
from .parted_openings import interrupted_openings
from .picture_sentences import style_sentences
from .segments import style_segments
from .tagged_caption import TaggedCaption, tag_caption
from .tags import ANCHOR, FILLING, MATERIAL, MEDIUM, MOOD, THING, VIEW, WEAK
from .trailing import tails


def something_left(c: TaggedCaption) -> None:
    """A caption of style words alone keeps its picture noun, else its first word: a result is never empty."""
    if not c.words or not all(c.deleted):
        return
    noun = next((k for k, tags in enumerate(c.tags) if tags & MEDIUM), None)
    if noun is None:
        noun = next((k for k, tags in enumerate(c.tags) if not tags & FILLING), 0)
    c.deleted[noun] = False


# In this order; beside each, what it relies on of those before.
PASSES: tuple[Callable[[TaggedCaption], None], ...] = (
    style_segments,  # nothing is deleted yet
    effect_sentences,  # segments of style alone do not count: a sentence is read whole
    style_sentences,  # of a sentence only the segments without style are left to read
    named_pictures,  # before openings, which would leave the picture that a sentence names as if it were content
    openings,  # segments of style alone are gone, so what begins here names content behind its opening
    lone_artists,  # deleted words elsewhere show a caption that has style; a label's medium is gone already
    credits,  # media and openings are gone: "by" and a name at the end is an author if anything was deleted before
    tails,  # credits are gone, so that a tail before them ends its segment
    interrupted_openings,  # insertions between a picture noun and its verb are gone
    style_clauses,  # of a clause the openings, credits and tails are gone; subject and verb are left to read
    stumps,  # tails are gone: of "the character is drawn with clean lines" a subject and "is" are left
    left_clauses,  # the main clause of their sentence is gone
    unfinished_sentences,  # clauses about the style are gone, the beginning of their sentence may be left
    styled_things,  # openings are gone: a medium that is left before a view belongs to none
    attributes,  # openings are gone: a medium that is left at the beginning stands before a thing
    appended_medium,  # tails are gone: what ends a segment now has no preposition
    adjectives,  # only words that stand in the scene are left
    stray_words,  # everything is deleted that will be; little words may have lost what they belonged to
    articles,  # nothing but articles is deleted behind it
    something_left,  # last: nothing deletes behind it
)


def style_spans(caption: str, media: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    return mark(caption, media).spans()


def says_only_style(text: str, media: Sequence[str] = ()) -> bool:
    """Whether nothing of the scene is in a text: a tag by itself, "oil painting" or "soft pastel colors"."""
    tagged = tag_caption(text, media)
    for each in (style_segments, lone_artists, credits, adjectives):
        each(tagged)
    return bool(tagged.words) and all(tagged.deleted)


def with_articles(caption: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that something else marked, and the articles that do not fit behind them: "an" of "an anime girl"."""
    tagged = tag_caption(caption)
    for k, (start, end) in enumerate(zip(tagged.starts, tagged.ends)):
        tagged.deleted[k] = any(a <= start and end <= b for a, b in spans)
    marked = list(tagged.deleted)
    articles(tagged)
    places = zip(tagged.starts, tagged.ends, tagged.deleted, marked)
    joined: list[tuple[int, int]] = []
    for start, end in sorted([*spans, *((a, b) for a, b, now, before in places if now and not before)]):
        if joined and not caption[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def is_medium(text: str) -> bool:
    """Whether a text is one name of a medium: "woodblock print"."""
    tagged = tag_caption(text)
    return len(tagged.words) == 1 and bool(tagged.tags[0] & (MEDIUM | MATERIAL)) and not tagged.tags[0] & THING


def mark(caption: str, media: Sequence[str] = ()) -> TaggedCaption:
    """Read an English caption and mark what is style as deleted."""
    tagged = tag_caption(caption, media)
    for each in PASSES:
        each(tagged)
    return tagged


def style_alone(text: str) -> bool:
    """Whether each word of a text is one of style or a filling, and at least one can mean nothing else."""
    tags = tag_caption(text).tags
    sure = any(b & ANCHOR and not b & (WEAK | VIEW | THING) for b in tags)
    return sure and all(b & (ANCHOR | MATERIAL | MOOD | FILLING) and not b & (VIEW | THING) for b in tags)
