"""The offline method: an opening and tail grammar over a lexicon that marks the words saying how a picture is made.

No model and no download. Rules look at whole segments ("oil on canvas"), openings ("a woodcut of ..."), tails ("...
in the style of Klimt"), authors, sentences about the style, and words such as "cubist" that can mean nothing else. What
stands inside the scene (a pencil on a desk) matches none of them and stays.
"""

from __future__ import annotations

from .authors import author_tails, lone_artists
from .lexicon import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
    DET,
    FILLING,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
    NUMBER,
    OBJECT,
    QUALITY,
    SHOWS,
    STYLE,
    TECH,
    THING,
    VIEW,
    WEAK,
)  # fmt: skip
from .reading import Reading, read
from .tails import cut_tails, making

# Anything that may stand in a segment that only speaks of style, and what makes it one.
PART = STYLE | FILLING | BOTH | ABOUT
ANCHOR = MEDIUM | MOVE | TECH | QUALITY | NOUN | ARTIST | BOTH
# Heads before which an unknown word is taken for style too: "Secessionist style", "acid palette".
HEADS = frozenset(
    """style styles palette colors color tones hues brushwork brushstroke brushstrokes linework lighting atmosphere mood
    aesthetic technique realism texture shading renderer render light flatness quality strokes outlines focus color finish
    school""".split()
)
# Movements among the words that also describe buildings: "Spanish Baroque".
PERIODS = frozenset("gothic baroque renaissance medieval modernist classical neoclassical romantic byzantine realist".split())
# Where a statue or a poster stands when it is part of a scene.
PLACED = frozenset(
    """park garden square museum plaza courtyard city street fountain church temple field wall room table shelf grass lawn
    building pedestal gallery window door lobby bedroom kitchen office house station bus background foreground sky people
    pigeon pigeons tourists crowd sidewalk""".split()
)
GENERIC = frozenset("image picture artwork art scene work piece shot still photo photograph visualization".split())
# Materials that alone, as a tag, name a medium.
ALONE = frozenset(
    """charcoal ink inks acrylic acrylics oil oils pastels bronze airbrush vector graphite chalk blender octane
    photoshop procreate relief pixels glazes glaze pigments""".split()
)
LEADS = (
    ("there", "is"), ("there", "are"), ("this", "is"), ("here", "is"), ("it", "is"), ("it's",), ("we", "see"), ("i", "see"),
    ("some", "sort", "of"), ("some", "kind", "of"), ("what", "we", "see", "is"), ("that", "is"), ("these", "are"), ("an", "example", "of"), ("a", "piece", "of"), ("arafed",), ("araffe",), ("image", "of"),
)  # fmt: skip


def style_spans(caption: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    return mark(caption).spans()


def mark(caption: str) -> Reading:
    """Read an English caption and mark what is style as gone."""
    r = read(caption)
    for first, behind, _ in r.segments:
        if _only_style(r, first, behind):
            r.drop(first, behind)
    _style_sentences(r)
    for n, (first, behind, sentence) in enumerate(r.segments):
        if r.gone[first]:
            continue
        _open(r, first, behind)
        if r.gone[first] and n and not sentence:  # "a faded, sepia drawing of": the adjectives before a comma
            a, b, _ = r.segments[n - 1]
            if all(r.bits[k] & (DET | ADJ | COLOR | MOOD) for k in range(a, b)):
                r.drop(a, b)
    lone_artists(r)
    author_tails(r)
    for n, (first, behind, _) in enumerate(r.segments):
        cut_tails(r, first, behind)
        _in_a_picture(r, first, behind, n + 1 == len(r.segments))
    _across(r)
    _style_clauses(r)
    _unfinished(r)
    _before_nouns(r)
    _leftovers(r)
    if r.words and all(r.gone):
        _keep_something(r)
    return r


def _only_style(r: Reading, first: int, behind: int) -> bool:
    """Whether a segment speaks of style alone, such as "loose ink drawing", "8k", "soft pastel colors"."""
    anchors, unknown, mood, materials = 0, 0, 0, 0
    for k in range(first, behind):
        bits = r.bits[k]
        if bits & THING:
            return r.words[first:behind] == ["a", "neon sign"] and behind == len(r.words) and first > 2
        if bits & ANCHOR:
            anchors += 1
        elif bits & MOOD:
            mood += 1
        elif bits & MATERIAL:
            materials += 2 if " on " in r.words[k] or " and " in r.words[k] else 1
        elif bits & (FILLING | ABOUT | WEAK | MADE | NUMBER):
            pass
        elif bits & (SHOWS | VIEW):
            return False
        else:
            unknown += 1
    words = behind - first
    if r.words[first] in ("the", "this") and not unknown and r.words[behind - 1] in GENERIC and words == 2:
        return False  # "the image", of "the image, ... , has"
    if unknown:
        head = _head(r, first, behind)
        low = r.words[head]
        strong = low in HEADS or r.bits[head] & TECH
        surface = materials >= 1 and r.bits[behind - 1] & MATERIAL and "on" in r.words[first:behind]
        surface = surface and (anchors + materials) >= 2
        near = unknown <= 2 and unknown < words and not any(
            r.words[k].endswith("ing") and not r.bits[k] for k in range(first, behind)
        )
        return bool((strong or surface or materials >= 2) and near and not r.bits[first] & DET)
    if anchors:
        # A picture noun as the object of a preposition, or a lone "the painting", is no tag.
        return not (r.bits[first] & FUNC and r.words[first] in ("on", "with", "at", "to", "from") and not materials)
    if materials:
        return materials >= 2 or r.words[behind - 1] in ALONE or (words > 1 and r.words[first] == "on")
    if mood:
        return True
    if words > 1 and all(r.bits[k] & (WEAK | DET | ADJ) for k in range(first, behind)):
        return any(r.words[k] in PERIODS for k in range(first, behind))
    if r.words[first] in ("inked", "etched", "engraved", "hand-painted", "sketched"):
        return True
    return words == 1 and bool(r.bits[first] & WEAK and r.words[first] not in ("night", "street", "food", "action"))


def _head(r: Reading, first: int, behind: int) -> int:
    """The last unit before a preposition: what a segment is about."""
    for k in range(first + 1, behind):
        if r.words[k] in ("of", "on", "in", "with", "by", "for", "and") and k > first:
            if r.words[k] != "and":
                return k - 1
    return behind - 1


def sentences(r: Reading) -> list[tuple[int, int]]:
    """First unit and behind the last of each sentence."""
    starts = [first for first, _, begins in r.segments if begins]
    return list(zip(starts, [*starts[1:], len(r.words)]))


def _style_sentences(r: Reading) -> None:
    """Delete sentences that say of the picture how it is made: "The drawing has a humorous, satirical tone." """
    for first, behind in sentences(r):
        alive = [k for k in range(first, behind) if not r.gone[k]]
        n = next((n for n, k in enumerate(alive[:5]) if r.bits[k] & MEDIUM or r.words[k] == "composition"), -1)
        if n < 0 or n + 1 >= len(alive) or not r.bits[alive[0]] & DET or any(r.bits[k] & THING for k in alive):
            continue
        if r.words[alive[n + 1]] not in ("is", "has", "was", "follows", "uses", "features", "employs", "exhibits"):
            continue
        rest = alive[n + 2 :]
        unknown = [k for k in rest if not r.bits[k] and not r.capital(k)]
        about = [k for k in rest if r.bits[k] & (NOUN | TECH | MOOD | QUALITY | MOVE)]
        if about and len(unknown) <= 2 and "take on" not in (r.words[k] for k in rest) and not any(r.words[k] in ("of", "showing") and r.bits[k - 1] & MEDIUM for k in rest):
            r.drop(first, behind)


def _in_a_picture(r: Reading, first: int, behind: int, last: bool) -> None:
    """ "... in this watercolour" at the end, "in this photograph a boy ..." at the beginning of a segment."""
    for k in range(first, behind - 1):
        if r.gone[k] or r.words[k] != "in" or not r.bits[k + 1] & DET:
            continue
        end = k + 2
        while end < behind and r.bits[end] & (STYLE | ADJ | BOTH | COLOR) and not r.bits[end] & THING:
            end += 1
        pictured = end > k + 2 and r.bits[end - 1] & MEDIUM
        this = r.words[k + 1] == "this" or (r.words[k + 1] == "the" and k == first)
        closes = end == behind and last and r.words[end - 1].split()[-1] in GENERIC | {"painting", "drawing"}
        if pictured and (this or closes and k > first) and not (end < behind and r.words[end] in ("of", "on")):
            r.drop(k, end)
            return


def _across(r: Reading) -> None:
    """Openings that an insertion parted: "The artwork, reminiscent of Hopper, depicts ..." once the insertion is gone."""
    for first, behind in sentences(r):
        alive = [k for k in range(first, behind) if not r.gone[k]]
        n = next((n for n, k in enumerate(alive[:6]) if r.bits[k] & MEDIUM), -1)
        if n < 0 or len(alive) == behind - first or n + 1 >= len(alive):
            continue
        verb = alive[n + 1]
        fits = all(r.bits[k] & (STYLE | DET | ADJ | COLOR | BOTH) for k in alive[:n])
        if fits and r.bits[alive[0]] & (DET | STYLE) and r.bits[verb] & SHOWS and r.words[verb] != "of":
            for k in alive[: n + 2]:
                r.gone[k] = True


def _open(r: Reading, first: int, behind: int) -> None:
    """Take openings off a segment: "a painting of", "the image shows", "this is a loose sketch that depicts"."""
    at, nested = first, True
    while at < behind:
        for lead in LEADS:
            if tuple(r.words[at : at + len(lead)]) == lead:
                end = opening(r, at + len(lead), behind)
                if end:
                    r.drop(at, end)
                    at = end
                elif lead[0] in ("arafed", "araffe"):
                    r.drop(at, at + 1)
                    at += 1
                else:
                    return
                break
        else:
            end = opening(r, at, behind) if nested else 0
            if end:
                heads = [r.words[k] for k in range(at, end) if r.bits[k] & MEDIUM]
                # A painting in a painting is a thing; "an image of a woodcut" is said of one picture.
                nested = bool(heads) and heads[-1].split()[-1] in GENERIC
                r.drop(at, end)
                at = end
            elif r.bits[at] & (DET | ADJ | VIEW | COLOR | NUMBER) and (view := _view(r, at, behind)):
                at = view
            else:
                return


def _view(r: Reading, at: int, behind: int) -> int:
    """Behind "a close up of", which is content and may stand before an opening."""
    k = at
    while k < behind and r.bits[k] & (DET | ADJ | NUMBER) and not r.bits[k] & VIEW:
        k += 1
    return k + 2 if k + 1 < behind and r.bits[k] & VIEW and r.words[k + 1] == "of" else 0


def opening(r: Reading, at: int, behind: int) -> int:
    """Where an opening that begins at a unit ends: behind its "of" or its verb; 0 when there is none."""
    k, head, unknown = at, -1, 0
    while k < behind:
        bits = r.bits[k]
        if bits & THING and not (r.words[k] == "neon sign" and k + 1 < behind and r.words[k + 1] == "of"):
            return 0
        if r.words[k] in ("take on", "spin on") and k > at:
            return k + 1
        of = k + 1 < behind and r.words[k + 1] == "of"
        if bits & MEDIUM or of and (bits & MOVE or r.words[k] == "neon sign") or bits & OBJECT and _the_picture(r, k, behind):
            head = k
        elif bits & VIEW and head < 0 and k + 1 < behind and r.bits[k + 1] & (MEDIUM | ADJ) and r.words[k + 1] != "of":
            pass
        elif bits & (STYLE | DET | ADJ | COLOR | BOTH) or r.words[k] in ("and", "but") and k > at:
            if head >= 0 and bits & DET:
                break
            if head >= 0 and r.words[k] in ("and", "but") and not (
                k + 1 < behind and r.bits[k + 1] & (STYLE | DET | ADJ)
            ):
                break
        elif _describes(r, k) and head < 0 and unknown < 2 and (k > at or _owner(r, k) or _owner(r, k + 1)):
            unknown += 1
        else:
            break
        k += 1
    if head < 0:
        return _style_subject(r, at, behind)
    k = head + 1
    if k >= behind:
        return 0
    return _after_head(r, k, behind)


def _owner(r: Reading, k: int) -> bool:
    return k < len(r.words) and r.words[k].endswith("'s") and r.capital(k)


def _the_picture(r: Reading, k: int, behind: int) -> bool:
    """Whether a statue or a poster is what the picture is, rather than something that stands in a place."""
    if k + 1 >= behind or r.words[k + 1] not in ("of", "for", "advertising", "with", "showing", "depicting", "design"):
        return False
    return not any(r.words[j] in PLACED for j in range(k + 1, len(r.words)))


def _after_head(r: Reading, k: int, behind: int) -> int:
    """Where the opening ends whose picture noun stands just before unit `k`."""
    while k < behind and (
        r.words[k] in ("in", "on", "with", "and", "by", "from", "made", "done") and _part_until_of(r, k + 1, behind)
    ):
        k = _part_until_of(r, k + 1, behind)
    if k >= behind:
        return 0
    word = r.words[k]
    if word == "of" or r.bits[k] & SHOWS or (r.bits[k - 1] & OBJECT and word in ("for", "advertising")):
        return k + 1
    if r.bits[k] & MADE:  # "composed of cut paper depicts ..."
        for j in range(k + 1, min(behind, k + 10)):
            if r.bits[j] & SHOWS and r.words[j] != "of":
                return j + 1
        return 0
    if word in ("that", "which", "where") and k + 1 < behind and (r.bits[k + 1] & SHOWS or r.words[k + 1] in ("is", "has")):
        return k + 2
    if word in ("is", "was", "are"):
        inner = opening(r, k + 1, behind)
        if inner:
            return inner
        if k + 1 < behind and r.bits[k + 1] & (SHOWS | MADE):
            return k + 2
        return 0
    if word in ("has", "with", "by", "to"):
        return k + 1 if word == "has" or (word == "with" and r.bits[k - 1] & MEDIUM) else 0
    return 0


def _part_until_of(r: Reading, k: int, behind: int) -> int:
    """Behind a run of style words, names and fillings that ends before "of" or a verb of showing; 0 if it does not."""
    start = k
    while k < behind and not (r.words[k] == "of" or r.bits[k] & SHOWS):
        # One unknown word at most: "a painting in dots of"
        fits = r.bits[k] & (PART | MADE) or (r.capital(k) and not r.bits[k]) or (k == start and not r.bits[k])
        if not fits or r.bits[k] & THING:
            return 0
        k += 1
    return k if start < k < behind else 0


def _style_subject(r: Reading, at: int, behind: int) -> int:
    """An opening without a picture noun: "thick impasto and a muted palette describe ..."."""
    k, anchors = at, 0
    while k < behind and r.bits[k] & (STYLE | DET | ADJ | COLOR) or (k < behind and r.words[k] in ("and", "of")):
        anchors += bool(r.bits[k] & (TECH | NOUN | MOVE | ARTIST))
        k += 1
    return k + 1 if anchors and k < behind and r.bits[k] & SHOWS and r.words[k] != "of" else 0


def _describes(r: Reading, k: int) -> bool:
    """Whether an unknown word before a picture noun looks like an adjective or a name."""
    word = r.words[k]
    if r.bits[k] & (MADE | NUMBER):
        return True
    if r.bits[k]:
        return False
    endings = ("ist", "ic", "al", "ian", "ish", "ese", "esque", "an", "ive", "ary", "ed", "y", "'s", "\u2019s", "ful", "ous")
    return r.capital(k) or "-" in word or word.endswith(endings)


def _style_clauses(r: Reading) -> None:
    """Delete clauses whose subject is the style: "the brushwork is loose", "the artist uses thick paint"."""
    before = False  # whether the clause before, of the same sentence, was one
    for first, behind, sentence in r.segments:
        before = before and not sentence
        alive = [k for k in range(first, behind) if not r.gone[k]]
        if not alive:
            before = before or sentence and bool(r.bits[first] & (DET | FUNC))
            continue
        joined = r.words[alive[0]] in ("and", "while", "with", "but", "as", "in")
        if joined and len(alive) > 1:
            alive = alive[1:]
        style = [j for j in alive if r.bits[j] & (TECH | NOUN | MOVE | MOOD | QUALITY | MEDIUM | ARTIST | MATERIAL)]
        unknown = [j for j in alive if not r.bits[j] and not r.capital(j)]
        if any(r.bits[j] & THING for j in alive):
            continue
        if not (sentence or joined or before or r.bits[alive[0]] & DET or r.bits[alive[0]] & (MOOD | TECH) and alive[3:]):
            continue
        few = len(unknown) <= 3 or len(unknown) < len(style)
        if style and few and (_subject(r, alive, unknown) or before and joined and len(unknown) <= 2):
            r.drop(first, behind)
            before = True
        elif not unknown and (before or len(alive) < behind - first) and all(
            r.bits[j] & (FILLING | ABOUT | MOOD | NOUN | TECH | WEAK | MOVE) for j in alive
        ):  # what is left of a sentence about the style
            r.drop(first, behind)


def _unfinished(r: Reading) -> None:
    """Delete the beginning of a sentence about the style whose rest is gone: "The artist uses thick, [visible ...]"."""
    for (first, behind, sentence), (after, end, new) in zip(r.segments, r.segments[1:]):
        if sentence and not new and r.bits[first] & DET and not any(r.gone[first:behind]) and all(r.gone[after:end]):
            words = range(first, behind)
            if all(r.bits[k] & (FILLING | ABOUT | MOOD) for k in words) and any(r.bits[k] & ABOUT for k in words):
                r.drop(first, behind)


def _subject(r: Reading, alive: list[int], unknown: list[int]) -> bool:
    """Whether a clause begins with a noun phrase about the style, or with the artist at work."""
    for n, k in enumerate(alive):
        bits, word = r.bits[k], r.words[k]
        if word in ("artist", "painter", "photographer", "illustrator") and n <= 1:
            return bool(r.bits[alive[0]] & DET) and any(r.bits[j] & (TECH | NOUN | MATERIAL) for j in alive)
        if word == "composition" and any(r.bits[j] & (TECH | NOUN | QUALITY | MOOD) for j in alive):
            return True
        if word in ("use", "attention", "it") and n <= 1 and (word != "it" or any(r.bits[j] & MADE for j in alive[:3])):
            return True
        if bits & (NOUN | TECH) or (bits & MATERIAL and word in ("paint", "pigment", "pigments", "glazes", "brush")):
            return True
        if bits & MEDIUM and n + 1 < len(alive) and (r.words[alive[n + 1]] in ("is", "has", "was")):
            return not unknown
        if not bits & (STYLE | DET | ADJ | COLOR | ABOUT) and word not in ("and", "of"):
            return False
    return False


def _before_nouns(r: Reading) -> None:
    """Delete words like "cubist" that stand before what they describe, unless that is a picture in the scene."""
    for first, behind, _ in r.segments:
        for k in range(first, behind):
            if r.gone[k] or not r.bits[k] & MOVE or r.bits[k] & THING or r.words[k] in ("sepia", "tinted", "polychrome"):
                continue
            head = k + 1
            while head < behind and r.bits[head] & (MOVE | ADJ | COLOR | WEAK | MATERIAL | MOOD) and not r.gone[head]:
                head += 1
            if head < behind and not r.gone[head] and r.bits[head] & (MEDIUM | TECH | NOUN) and _inside(r, first, k):
                continue
            r.drop(k, k + 1)


def _inside(r: Reading, first: int, k: int) -> bool:
    """Whether something of the scene stands before a unit in its segment."""
    return any(not r.gone[j] and not r.bits[j] & FILLING for j in range(first, k))


def _leftovers(r: Reading) -> None:
    """Little words that lost what they belonged to go too: "in a", "and", "by"."""
    for first, behind, _ in r.segments:
        alive = [k for k in range(first, behind) if not r.gone[k]]
        if not alive or len(alive) == behind - first:
            continue
        if all(r.bits[k] & (FUNC | DET | ADJ) and not r.bits[k] & VIEW or r.words[k] in ("then",) for k in alive):
            r.drop(first, behind)
            continue
        # Trailing little words before what was taken away.
        for k in reversed(alive):
            if r.bits[k] & (FUNC | DET) and (k + 1 == behind or r.gone[k + 1]) and r.words[k] not in _KEEP_END:
                if k + 1 < behind:
                    rest = any(not r.gone[j] for j in range(k + 1, behind))
                    if rest and not (r.bits[k] & FUNC and r.words[k] in ("in", "by", "with", "and")):
                        break
                    if rest and r.words[k] != "and":
                        break
                    if k + 1 == behind:
                        break
                    r.drop(k, k + 1)
                    continue
                break
            break


_KEEP_END = frozenset(("on", "over", "under", "across", "it", "one"))


def _keep_something(r: Reading) -> None:
    """A caption of style words alone keeps its picture noun, else its first word: a result is never empty."""
    kept = next((k for k, bits in enumerate(r.bits) if bits & MEDIUM), None)
    if kept is None:
        kept = next((k for k, bits in enumerate(r.bits) if not bits & FILLING), 0)
    r.gone[kept] = False


__all__ = ["making", "mark", "style_spans", "ARTIST"]
