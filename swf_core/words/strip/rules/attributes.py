"""Words of style set before the thing that a caption is about: "hand-embroidered owl", "surreal island".

What things can be made of stays before things so made: "a hand-embroidered cushion", "a minimalist kitchen".
"""

from __future__ import annotations

from .lexicon import WORDS, word_set
from .tagged_caption import TaggedCaption
from .tags import ADJ, COLOR, DET, FUNC, MADE, MATERIAL, MEDIUM, MOOD, MOVE, NOUN, SHOWS, STYLE, TECH, THING, VIEW, WEAK

MANNERS, PARTICIPLES, TOOLS, MEDIA, MOVEMENTS, CRAFTED, DESIGNED = map(
    word_set,
    ("technique adverbs", "technique participles", "technique tools", "attributes", "movements", "crafted", "designed"),
)
# What stands between the words of style and the noun: "a hand-painted red fox".
_BETWEEN = ADJ | COLOR | MOOD

ROUGH = frozenset("bold colorful delicate fine loose minimal quick rough simple sketchy soft".split())
# No thing is so by itself.
ALWAYS = frozenset("stylized chibi cartoonish cartoony".split())
# Said of a painted vase, too, unlike "loosely painted".
CAREFUL = frozenset("delicately finely meticulously vividly lightly".split())
# Of a picture that hangs in the scene: "a framed watercolor hangs on the wall".
SAID_OF_PICTURES = word_set("said of pictures")
_PREPOSITIONS = word_set("behind a noun")


def attributes(c: TaggedCaption) -> None:
    """Delete words of style before the first thing of a caption, and of what stands behind segments of style alone."""
    for first, behind, _ in c.segments:
        alive = next((k for k in range(first, behind) if not c.deleted[k]), None)
        if alive is None:
            continue
        _before_a_thing(c, alive, behind)
        return


def _before_a_thing(c: TaggedCaption, first: int, behind: int) -> None:
    at = first
    while at < behind and not _styles(c, at) and c.tags[at] & (DET | _BETWEEN | WEAK):
        at += 1
    k, sure, made, loose = at, False, False, False
    while k < behind and not c.deleted[k]:
        if n := _styles(c, k):
            sure, made = True, made or n > 1 or _participle(c.words[k])
            loose = loose or c.words[k] in ALWAYS or n == 2 and c.words[k] not in CAREFUL
            k += n
        elif c.tags[k] & WEAK and not c.tags[k] & VIEW and (sure or _styles(c, k + 1)):
            k += 1
        else:
            break
    end = k
    while k < behind and c.tags[k] & _BETWEEN and not c.tags[k] & (FUNC | DET):
        k += 1
    if (
        not sure
        or k >= behind
        or c.deleted[k]
        or c.tags[k] & (FUNC | DET | SHOWS | MADE | THING | STYLE)
        and c.words[k] != "map"
    ):
        return
    if c.words[k] in SAID_OF_PICTURES or not loose and _head(c, k, behind) & (CRAFTED if made else CRAFTED | DESIGNED):
        return
    while (
        at > first
        and (c.tags[at - 1] & (WEAK | MOOD) or c.words[at - 1] in ROUGH)
        and not c.tags[at - 1] & (DET | COLOR)
    ):
        at -= 1  # "a futuristic vaporwave bust", "dreamy watercolor garden"
    c.delete(at, end)


def _styles(c: TaggedCaption, k: int) -> int:
    """How many units at `k` say how a thing is pictured when they stand before it; 0 if they do not."""
    if k >= len(c.words) or c.deleted[k] or c.tags[k] & THING:
        return 0
    word = c.words[k]
    after = k + 1 < len(c.words) and not c.deleted[k + 1]
    if word in MANNERS and after and (c.tags[k + 1] & MADE or c.words[k + 1] in PARTICIPLES):
        return 2
    if after and c.words[k + 1] in ("style", "styled") and c.tags[k] & (ADJ | WEAK | MOVE | MOOD | MATERIAL):
        return 2  # "flat style"
    if word in PARTICIPLES and c.words[k + 1 : k + 2] == ["and"] and k + 2 < len(c.words) and c.tags[k + 2] & MADE:
        return 3  # "carved and painted"
    known = word in MEDIA | MOVEMENTS or c.tags[k] & MOVE and not c.tags[k] & (MEDIUM | NOUN | TECH | MATERIAL)
    return int(bool(known) or _participle(word))


def _participle(word: str) -> bool:
    """Whether a word is a technique as a participle: "ink-washed", "laser-engraved", "crocheted"."""
    if word in PARTICIPLES:
        return True
    tool, _, participle = word.rpartition("-")
    return participle in PARTICIPLES | {"painted", "drawn", "rendered", "printed", "cut", "washed", "colored"} and (
        tool in TOOLS or bool(WORDS.get(tool, 0) & (MEDIUM | MATERIAL | MOVE))
    )


def _head(c: TaggedCaption, k: int, behind: int) -> frozenset[str]:
    """The noun that the words from `k` on lead to, in the singular and as written."""
    while k + 1 < behind and not c.tags[k + 1] & (FUNC | DET | SHOWS | MADE):
        if c.words[k + 1] in _PREPOSITIONS or c.words[k + 1].endswith("ing"):
            break
        k += 1
    word = c.words[k]
    return frozenset({word, word.split()[-1], word.removesuffix("s"), word.removesuffix("es")})
