"""Where a caption names the picture and nothing in it, as in "The image shows a watercolor by Winslow Homer".

Beside whole sentences these are a label before a colon ("Screenshot from a game: ..."), a kind of picture before a list
("Minecraft screenshot, a village"), where in it something is ("in the foreground of this photograph") and whose
signature is in its corner.
"""

from __future__ import annotations

from .clauses import sentences
from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import ADJ, BOTH, COLOR, DET, FUNC, MEDIUM, NUMBER, OBJECT, SHOWS, STYLE, THING

GENERIC, PUBLISHED = map(word_set, ("generic", "published"))
BEGINNINGS = tuple(
    tuple(words.split())
    for words in ("this is", "it is", "it's", "here is", "here we have", "we see", "what we see here is", "there is")
)
# What is pictured on a screen or a skin, a kind of picture whatever stands before it.
KINDS = frozenset("screenshot screenshots screengrab fanart graffiti tattoo wallpaper".split())
LABELS = KINDS | frozenset("miniature plate frame still page panel print number illustration".split())
PARTS = frozenset("foreground background center centre middle corner left right top bottom half side edge".split())
MARKS = frozenset("signature monogram watermark signed".split())


def named_pictures(c: TaggedCaption) -> None:
    """Delete sentences, labels and phrases that name the picture and show nothing."""
    spans = sentences(c)
    for first, behind in spans:
        if len(spans) > 1 and (_names_it(c, first, behind) or _signature(c, first, behind)):
            c.delete(first, behind)
    for first, behind, _ in c.segments:
        if not c.deleted[first] and (_label(c, first, behind) or _kind(c, first, behind)):
            c.delete(first, behind)
        for k in range(first, behind - 3):
            if c.words[k] in PARTS and c.words[k + 1 : k + 3] == ["of", "this"]:
                _of_this(c, k + 1, behind)


def _names_it(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a sentence says what kind of picture it is, by whom or from where, and nothing that it shows."""
    k = _behind_beginning(c, first, behind)
    if k == first or k >= behind or not c.tags[k] & DET or _segments(c, first, behind) > 1:
        return False
    head = next((j for j in range(k + 1, min(behind, k + 7)) if c.tags[j] & (MEDIUM | OBJECT)), 0)
    unknown = [j for j in range(k + 1, head) if not c.tags[j] & (STYLE | ADJ | COLOR | BOTH)]
    if not head or len(unknown) > 1 or any(c.tags[j] & (THING | SHOWS) for j in range(k, head + 1)):
        return False
    rest = range(head + 1, behind)
    while rest and c.tags[rest[0]] & (MEDIUM | OBJECT) and not c.tags[rest[0]] & FUNC:
        rest = rest[1:]
    if not rest:
        return True
    word = c.words[rest[0]]
    if any(c.words[j] == "of" or c.tags[j] & SHOWS for j in rest):
        return False
    if word == "from":
        return c.words[rest[-1]].split()[-1] in PUBLISHED and len(rest) < 8
    if word == "by":
        return all(c.capital(j) or c.tags[j] & (FUNC | DET | ADJ) or not c.tags[j] & ~STYLE for j in rest[1:])
    return word == "in" and all(c.tags[j] & (STYLE | DET | ADJ | COLOR | FUNC) for j in rest)


def _behind_beginning(c: TaggedCaption, first: int, behind: int) -> int:
    """Behind "This is", "Here we have", "The image shows"; `first` where a sentence begins otherwise."""
    for words in BEGINNINGS:
        for n in (len(words), 1):
            if " ".join(c.words[first : first + n]) == " ".join(words):
                return first + n
    generic = c.tags[first] & DET and first + 2 < behind and c.words[first + 1].split()[-1] in GENERIC
    verb = first + 2
    return verb + 1 if generic and (c.tags[verb] & SHOWS and c.words[verb] != "of" or c.words[verb] == "is") else first


def _segments(c: TaggedCaption, first: int, behind: int) -> int:
    return sum(first <= start < behind for start, _, _ in c.segments)


def _signature(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a sentence tells where the picture is signed."""
    words = c.words[first:behind]
    where = {"corner", "bottom", "visible", "margin"} & set(words)
    whose = any(word.startswith(("artist", "painter", "photographer")) for word in words)
    return bool(MARKS & set(words)) and bool(where or whose) and len(words) < 13 and bool(c.tags[first] & DET)


def _label(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether the first segment is a label before a colon: "Miniature from a book of hours: ..."."""
    colon = c.text[c.ends[behind - 1] :].lstrip()[:1] == ":" and behind < len(c.words)
    if first or not colon or not 2 < behind < 9:
        return False
    named = (
        c.words[0].split()[-1] in LABELS or c.tags[0] & MEDIUM or c.tags[1] & MEDIUM and not c.tags[0] & (DET | THING)
    )
    placed = next((k for k in (1, 2) if c.words[k] in ("from", "in", "by", "for")), 0)
    return bool(named and placed) and not any(c.tags[k] & SHOWS and c.words[k] != "of" for k in range(behind))


def _kind(c: TaggedCaption, first: int, behind: int) -> bool:
    """Whether a list begins with a kind of picture that lists do not have whole: "Original movie poster, a mantis"."""
    if first or not 1 < behind < min(5, len(c.words)) or not c.tags[behind] & (DET | NUMBER):
        return False
    last = behind - 1
    little = any(c.tags[k] & (DET | FUNC & ~ADJ | SHOWS | THING | NUMBER) for k in range(last))
    if little or any(c.words[k].endswith("ing") for k in range(behind)):
        return False
    unknown = sum(not c.tags[k] for k in range(last))
    return c.words[last] in KINDS and unknown < 2 or bool(c.tags[last] & OBJECT) and not unknown


def _of_this(c: TaggedCaption, of: int, behind: int) -> None:
    """Delete "of this panoramic photograph" behind a part of the picture."""
    end = of + 2
    while end < behind and end < of + 5 and not c.tags[end] & MEDIUM:
        end += 1
    fits = end < behind and c.tags[end] & MEDIUM and (end + 1 == behind or c.tags[end + 1] & (DET | FUNC | NUMBER))
    if fits and not any(c.tags[k] & (THING | SHOWS) for k in range(of + 2, end)):
        c.delete(of, end + 1)
