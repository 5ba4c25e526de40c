"""Who made a picture: "by Claude Monet", "in the style of Hokusai", an artist as a tag or as a label's first line."""

from __future__ import annotations

from .lexicon import word_set
from .tagged_caption import TaggedCaption
from .tags import ADJ, ARTIST, DET, FUNC, MADE, MEDIUM, MOOD, MOVE, NUMBER, OBJECT, STYLE, THING, WEAK

PARTICLES, PLACES, TITLE, MASTERS, NO_AUTHORS = map(word_set, ("particles", "places", "title", "masters", "no authors"))
# By their first word, longest first.
CREDITS = sorted((tuple(credit.split()) for credit in word_set("credits")), key=lambda c: (-len(c), c))
# "in the style of" and its like, with adjectives in between, have one of these words.
MANNERS = frozenset(credit[2] for credit in CREDITS if credit[0] == "in")
# What an artist does to show something, and what makes a style of a name: "Monet depicts", "Monet style".
NAMELESS = frozenset("unknown anonymous unidentified local various several self-taught emerging".split())
MAKERS = word_set("makers")
UNSURE = frozenset("likely maybe perhaps possibly presumably probably reportedly".split())
OWN = frozenset("aesthetic fashion manner palette style technique vein way".split())
SHOWING = frozenset("shows depicts portrays captures presents paints renders".split())
LIKENESS = frozenset("style styled inspired like esque aesthetic".split())
# What may follow a credit: "a sketch by Ana Luz of a dog".
BEHIND_NAMES = frozenset("in from with at for on rises of".split())
BY_START: dict[str, list[tuple[str, ...]]] = {}
for _credit_words in CREDITS:
    BY_START.setdefault(_credit_words[0], []).append(_credit_words)


def name_run(c: TaggedCaption, k: int, behind: int, lower: bool = False) -> int:
    """Behind a run of names that begins at unit `k`: artists known, and words with capitals; k itself if there is none.

    `lower`: an unknown name may be written without capitals, as captioners do.
    """
    start, certain = k, False
    while k < behind:
        tags, word = c.tags[k], c.words[k]
        if tags & ARTIST:
            certain = True
        elif tags & THING or tags & FUNC and word not in ("and", "de", "or") and word not in PARTICLES:
            break
        elif word == "of" and certain and k > start and k + 2 == behind and c.capital(k + 1):
            pass  # "Joseph Wright of Derby"
        elif word in ("and", "&", "or"):
            if not (
                k > start and k + 1 < behind and (c.tags[k + 1] & ARTIST or (c.capital(k + 1) and not place(c, k + 1)))
            ):
                break
        elif word in PARTICLES and (k > start or c.capital(k)) and k + 1 < behind:
            pass
        elif not c.capital(k) and not (lower and not tags and k - start < 3):
            break
        k += 1
    while k > start and (
        c.words[k - 1] in PARTICLES
        and c.words[k - 1] not in ("elder", "younger", "jr", "sr")
        and not c.capital(k - 1)
        or c.words[k - 1] in ("and", "&", "or")
    ):
        k -= 1
    if k > start and not certain and place(c, start, k):
        return start
    return k


def place(c: TaggedCaption, first: int, behind: int = 0) -> bool:
    return any(c.words[k] in PLACES for k in range(first, behind or first + 1))


def credits(c: TaggedCaption) -> None:
    """Delete credits and the names behind them."""
    styled = any(c.deleted)
    for first, behind, _ in c.segments:
        k = first
        while k < behind:
            if c.deleted[k]:
                k += 1
                continue
            end = _credit(c, first, k, behind, styled)
            if end > k:
                if k > first and c.words[k - 1] in UNSURE:
                    k -= 1  # "possibly by Pietro Longhi"
                made = k > first and c.words[k].startswith("in") and c.tags[k - 1] & MADE and not c.tags[k - 1] & STYLE
                c.delete(k - 1 if made else k, end)
                k = end
            else:
                k += 1
        _possessives(c, first, behind)


def _credit(c: TaggedCaption, first: int, k: int, behind: int, styled: bool) -> int:
    """Where a credit that begins at unit `k` ends; `k` when none does. `styled`: whether style was found before."""
    word = c.words[k]
    end = _manner(c, k, behind)
    if end > k:
        return end
    if word == "by" and k + 1 < behind:
        return _by(c, first, k, behind, styled)
    if word == "after" and k + 1 < behind:
        return _after(c, first, k, behind)
    if word == "in" and (end := _in_a_persons(c, k, behind)) > k:
        return end
    if c.tags[k] & ARTIST and k + 1 < behind and c.words[k + 1] in SHOWING | LIKENESS:
        return k + 2
    return k


def _after(c: TaggedCaption, first: int, k: int, behind: int) -> int:
    """Where "after Monet" ends, or "mezzotint after Gerard Dou", whoever that is; `k` without a credit."""
    end = name_run(c, k + 1, behind)
    copied = k > first and all(c.tags[j] & (STYLE | ADJ | DET) for j in range(first, k))
    if copied and end == behind and any(c.tags[j] & MEDIUM for j in range(first, k)):
        c.delete(first, k)
        return end
    return end if c.tags[k + 1] & ARTIST else k


def _in_a_persons(c: TaggedCaption, k: int, behind: int) -> int:
    """Where "in Keith Haring's style" ends; `k` without one."""
    j = k + 1
    while j < min(behind, k + 5) and c.capital(j) and not c.words[j].endswith("'s"):
        j += 1
    if j >= behind or not (c.words[j].endswith("'s") and c.capital(j)):
        return k
    j += 1
    while j < behind and c.tags[j] & (ADJ | MOVE | WEAK | MOOD) and c.words[j] not in OWN:
        j += 1
    return j + 1 if j < behind and c.words[j] in OWN else k


def _manner(c: TaggedCaption, k: int, behind: int) -> int:
    """Where "in the style of", "inspired by" and their like end, with the names behind them; `k` without one."""
    word = c.words[k]
    credits = BY_START.get(word.partition(" ")[0], ())
    if word == "in" and MANNERS.isdisjoint(c.words[k + 1 : behind]):
        return k
    for credit in credits:
        n = _matches(c, k, credit, behind)
        if not n:
            continue
        after = k + n
        while after < behind and (
            c.tags[after] & DET or c.words[after] in MASTERS | NAMELESS | MAKERS or c.words[after].endswith("century")
        ):
            after += 1
        end = name_run(c, after, behind, lower=True)
        while end < behind and c.tags[end] & (STYLE | ADJ) and not c.tags[end] & THING:
            end += 1
        if end + 1 < behind and not c.tags[end] and c.tags[end + 1] & (MEDIUM | OBJECT) and not c.tags[end + 1] & THING:
            end += 2  # "of 1970s protest art"
        if c.words[after - 1] in MAKERS and NAMELESS & set(c.words[k + n : after]):
            return after  # "painting by unknown artist"
        if end > after or credit[0] == "in" and after == behind:
            return end
    return k


def _by(c: TaggedCaption, first: int, k: int, behind: int, styled: bool) -> int:
    """Where "by NAME" ends: an artist, or any name where style was found and nothing of the scene follows."""
    end = name_run(c, k + 1, behind)
    known = any(c.tags[j] & ARTIST for j in range(k + 1, end))
    closes = end == behind or c.deleted[end] or c.words[end] in BEHIND_NAMES
    alone = first < k and all(c.tags[j] & (STYLE | DET | ADJ) for j in range(first, k))
    alone = alone and any(c.tags[j] & MEDIUM for j in range(first, k))  # "a lithograph by Mara Ilić"
    if not alone and _signed(c, first, k, end, behind):
        return behind
    if end > k + 1 and (known or ((styled or alone) and closes and not c.tags[k + 1] & DET)):
        if alone and end == behind:
            c.delete(first, k)
        return end
    maker = next((j for j in range(k + 1, min(behind, k + 6)) if c.words[j] in MAKERS), 0)
    between = range(k + 1, maker)  # "by an unknown Flemish painter"
    if maker and all(c.tags[j] & (DET | ADJ | WEAK) or c.words[j] in NAMELESS for j in between):
        follower = c.words[maker + 1 : maker + 2] == ["of"]  # "by an admirer of Renoir"
        if follower and (end := name_run(c, maker + 2, behind)) > maker + 2:
            return end
        named = any(c.tags[j] & WEAK or c.words[j] in NAMELESS for j in between)
        dated = behind - maker == 4 and c.words[maker + 1] == "of" and c.words[behind - 1] == "century"
        after = name_run(c, maker + 1, behind)  # "by the American illustrator N. C. Wyeth"
        return behind if named and dated else after if named else k
    return min(behind, k + 3) if c.words[k + 1] in ("unknown", "anonymous") else k


def _signed(c: TaggedCaption, first: int, k: int, end: int, behind: int) -> bool:
    """Whether "by NAME" without any other word of style is a credit.

    As a segment of its own: ", by Ana Luz", ", by ana luz". At the end of one: a full name behind a thing, "a lake by
    Ana Luz", not behind what one does by somebody or somewhere, "standing by Anna Maria", "a hut by Loch Ness".
    """
    names = range(k + 1, behind)
    if not names or len(names) > 4 or place(c, k + 1, behind) or c.words[k + 1] in NO_AUTHORS:
        return False
    if first == k:
        little = any(c.tags[j] & (DET | THING | NUMBER) or c.tags[j] & FUNC and c.words[j] != "and" for j in names)
        return end == behind or (not little and not any(c.tags[j] for j in names) and len(c.segments) > 1)
    before = c.words[k - 1]
    doing = before.endswith(("ing", "ed", "ly")) or c.tags[k - 1] & (FUNC | MADE)
    return end == behind and len(names) > 1 and not any(c.tags[j] for j in names) and not doing


def _matches(c: TaggedCaption, k: int, credit: tuple[str, ...], behind: int) -> int:
    """How many units a credit takes at `k` (some may be one unit of two words); 0 when it is not there."""
    n, words = 0, []
    while k + n < behind and len(words) < len(credit):
        words += c.words[k + n].split()
        n += 1
    if tuple(words) == credit:
        return n
    # adjectives in between: "in the distinctive style of"
    if credit[0] == "in" and c.words[k] == "in":
        words, n = [], 0
        while k + n < behind and len(words) < len(credit):
            if n and not words[-1:] == ["of"] and c.tags[k + n] & (ADJ | MOVE | WEAK) and c.words[k + n] not in credit:
                n += 1
                continue
            words += ["the"] if c.words[k + n] in ("a", "an") else c.words[k + n].split()
            n += 1
        return n if tuple(words) == credit else 0
    return 0


def _possessives(c: TaggedCaption, first: int, behind: int) -> None:
    """ "Monet's painting" names the author, "Van Gogh's chair" the subject."""
    for k in range(first, behind - 1):
        word = c.words[k]
        if c.deleted[k] or not (word.endswith("'s") and c.capital(k)):
            continue
        if c.deleted[k + 1] and c.tags[k + 1] & MEDIUM:
            c.delete(k, k + 1)
