"""Sentences with the picture as their subject that say how it is made: "The drawing has a humorous, satirical tone"."""

from __future__ import annotations

from .clauses import ABOUT_PICTURES, BEFORE_THINGS, sentences
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import ABOUT, DET, FILLING, MADE, MATERIAL, MEDIUM, MOOD, MOVE, NOUN, OBJECT, QUALITY, STYLE, TECH, THING

LONE = word_set("lone adjectives")
# Pictures that the list of media does not have, and adverbs with which one begins to speak of style.
SPOKEN_OF = frozenset(
    "composition design figures forms layout poster mural piece scene sculpture shapes statue cover sticker banner "
    "postcard whole work".split()
)
OF_STYLE = frozenset("stylistically technically compositionally tonally".split())
SAYING = word_set("saying")
MATTER = frozenset("dots lines stitches strips tesserae threads tiles".split())
OPENING = frozenset("of showing depicting featuring portraying for advertising".split())
# Behind "the scene is", only these say how it is pictured.
LIT = frozenset("bathed composed depicted drawn executed illuminated lit painted rendered".split())
# What an unknown word may end with that describes.
_DESCRIBING = ("ed", "ly", "ic", "al", "ous", "ive", "acy", "ity", "ness")


def style_sentences(c: TaggedCaption) -> None:
    """Delete sentences that say of the picture how it is made: "The drawing has a humorous, satirical tone." """
    for first, behind in sentences(c):
        alive = [k for k in range(first, behind) if not c.deleted[k]]
        if _tells_of_style(c, alive) or _said_of_the_picture(c, alive):
            c.delete(first, behind)


def _said_of_the_picture(c: TaggedCaption, alive: list[int]) -> bool:
    """Whether a sentence says of a picture, its composition or its figures nothing but style."""
    n = next((n for n, k in enumerate(alive[:5]) if c.tags[k] & MEDIUM or c.words[k] in SPOKEN_OF), -1)
    if n < 0 or n + 1 >= len(alive) or not c.tags[alive[0]] & DET or any(c.tags[k] & THING for k in alive):
        return False
    if c.words[alive[n + 1]] == "quality" and len(alive) > n + 3:
        n += 1  # "The image quality is low, with compression artifacts."
        return c.words[alive[n + 1]] in ("is", "was")
    head, verb, rest = alive[n], c.words[alive[n + 1]], alive[n + 2 :]
    if verb not in SAYING or not rest:
        return False
    whole = range(rest[0], alive[-1] + 3)  # with what is deleted behind the last word: "by soft, [diffuse light]"
    whole = [k for k in whole if k in rest or k < len(c.words) and c.deleted[k]]
    unknown = [
        k for k in rest if not c.tags[k] and not c.capital(k) and c.words[k] not in MATTER | LONE | ABOUT_PICTURES
    ]
    if any(c.words[k] in OPENING and c.tags[k - 1] & (MEDIUM | OBJECT) or c.words[k] == "take on" for k in rest):
        return False
    about = any(c.tags[k] & (NOUN | TECH | MOOD | QUALITY | MOVE) or c.words[k] in MATTER | LONE for k in whole)
    if not c.tags[head] & MEDIUM and c.words[head] not in ("composition", "design", "layout", "poster", "mural"):
        if c.words[head] == "scene" and c.words[rest[0]] not in LIT:
            return False
        made = c.words[head] == "whole" and c.tags[rest[0]] & MADE
        plain = all(c.words[k].endswith(_DESCRIBING) for k in unknown)
        named = any(c.capital(k) and not c.tags[k] for k in rest)
        return bool(about or made) and plain and not named
    uses = verb in ("uses", "employs") and any(c.tags[k] & MATERIAL for k in rest)
    last = c.words[rest[-1]]
    made = c.tags[rest[0]] & MADE and (c.words[rest[0]] != "framed" or last.endswith("ly")) or last == "lit"
    described = made and all(c.words[k].endswith(_DESCRIBING) for k in unknown)
    return about and len(unknown) <= 2 or bool(uses and len(unknown) <= 1) or bool(described and not _named(c, rest))


def _named(c: TaggedCaption, rest: list[int]) -> bool:
    return any(c.capital(k) and not c.tags[k] for k in rest)


def _tells_of_style(c: TaggedCaption, alive: list[int]) -> bool:
    """Whether a sentence is about the style at once: "Stylistically, ...", "There is a strong contrast"."""
    if not alive or len(alive) == len(c.words):
        return False
    if c.words[alive[0]] in OF_STYLE and len(alive) > 2:
        return any(c.tags[k] & (STYLE | ABOUT) for k in alive[1:])
    words = [c.words[k] for k in alive[:2]]
    if words == ["everything", "is"] and len(alive) > 2 and c.words[alive[2]] in LIT:
        return True
    there = 1 if words[0] in ("there is", "there are") else 2 if words in (["there", "is"], ["there", "are"]) else 0
    rest = alive[there:] if there else []
    known = all(
        (c.tags[k] & (STYLE | FILLING | ABOUT | MADE) or c.words[k] in ABOUT_PICTURES | BEFORE_THINGS)
        and not c.tags[k] & THING
        for k in rest
    )
    return known and any(c.tags[k] & (NOUN | TECH | QUALITY) and not c.tags[k] & (MATERIAL | MEDIUM) for k in rest)
