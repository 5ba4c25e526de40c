"""What may stand before the noun of a picture, though no list has it: "microscope image", "Hokusai's", "a scanned"."""

from __future__ import annotations

from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import ADJ, COLOR, DET, MADE, MEDIUM, MOVE, NUMBER, QUALITY, WEAK

PEOPLE = word_set("people")
PERSONS = frozenset("man men woman women person people boy girl child children kid kids he she they who".split())
ADJECTIVE_ENDINGS = tuple("ist ic al ian ish ese esque an ive ary ed y 's \u2019s ful ous".split())


def describes(c: TaggedCaption, k: int) -> bool:
    """Whether an unknown word before a picture noun looks like an adjective or a name."""
    word = c.words[k]
    if c.tags[k] & (MADE | NUMBER):
        return True
    if c.tags[k] or word in PEOPLE:
        return modifies_picture(c, k)
    return (
        modifies_picture(c, k)
        or c.capital(k)
        or "-" in word
        or word.endswith(ADJECTIVE_ENDINGS)
        or _before_picture(c, k)
    )


def _before_picture(c: TaggedCaption, k: int) -> bool:
    """Whether an unknown word stands right before "picture of" or its like: "a microscope image of"."""
    picture = k + 2 < len(c.words) and c.tags[k + 1] & MEDIUM and c.words[k + 2] == "of"
    plain = not c.words[k].endswith("ing")
    one = k + 1 < len(c.words) and not c.words[k + 1].endswith("s")
    return bool(picture) and plain and one and bool(c.tags[k - 1] & (DET | ADJ | WEAK | MOVE | COLOR))


def begins(c: TaggedCaption, k: int) -> bool:
    """Whether an unknown word may begin an opening: "Hokusai's ...", "Ana Luz's ...", "scanned daguerreotype of"."""
    scanned = c.words[k].endswith("ed") and k + 1 < len(c.tags) and c.tags[k + 1] & MEDIUM
    return _owner(c, k) or _owner(c, k + 1) or bool(scanned) or modifies_picture(c, k)


def _owner(c: TaggedCaption, k: int) -> bool:
    return k < len(c.words) and c.words[k].endswith("'s") and c.capital(k)


def modifies_picture(c: TaggedCaption, k: int) -> bool:
    """Whether up to three unknown nouns from `k` on stand before a picture noun and "of": "webcam screenshot of"."""
    j = k
    while j < len(c.words) and j < k + 3 and _may_modify(c, j):
        j += 1
    return k < j < len(c.words) - 1 and bool(c.tags[j] & (MEDIUM | QUALITY)) and c.words[j + 1] == "of"


def _may_modify(c: TaggedCaption, j: int) -> bool:
    word = c.words[j]
    plural = word.endswith("s") and not word.endswith("ss") and not c.capital(j)
    return not c.tags[j] and word not in PERSONS and not word.endswith("ing") and not plural
