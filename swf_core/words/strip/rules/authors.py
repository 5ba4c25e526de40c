"""Who made a picture: "by Claude Monet", "in the style of Hokusai", an artist as a tag or as a label's first line."""

from __future__ import annotations

from .lexicon import (
    ADJ,
    ARTIST,
    DET,
    FUNC,
    MATERIAL,
    MEDIUM,
    MOVE,
    NUMBER,
    STYLE,
    THING,
    WEAK,
    word_set,
)
from .tagged_caption import Reading

PARTICLES, PLACES, TITLE, MASTERS = map(word_set, ("particles", "places", "title", "masters"))
# By their first word, longest first.
CREDITS = sorted((tuple(credit.split()) for credit in word_set("credits")), key=lambda c: (-len(c), c))
# "in the style of" and its like, with adjectives in between, have one of these words.
MANNERS = frozenset(credit[2] for credit in CREDITS if credit[0] == "in")
BY_START: dict[str, list[tuple[str, ...]]] = {}
for _credit_words in CREDITS:
    BY_START.setdefault(_credit_words[0], []).append(_credit_words)


def name_run(r: Reading, k: int, behind: int, lower: bool = False) -> int:
    """Behind a run of names that begins at unit `k`: artists known, and words with capitals; k itself if there is none.

    `lower`: an unknown name may be written without capitals, as captioners do.
    """
    start, certain = k, False
    while k < behind:
        bits, word = r.bits[k], r.words[k]
        if bits & ARTIST:
            certain = True
        elif bits & THING or bits & FUNC and word not in ("and", "de", "or") and word not in PARTICLES:
            break
        elif word in ("and", "&", "or"):
            if not (
                k > start and k + 1 < behind and (r.bits[k + 1] & ARTIST or (r.capital(k + 1) and not _place(r, k + 1)))
            ):
                break
        elif word in PARTICLES and (k > start or r.capital(k)) and k + 1 < behind:
            pass
        elif not r.capital(k) and not (lower and not bits and k - start < 3):
            break
        k += 1
    while k > start and (
        r.words[k - 1] in PARTICLES
        and r.words[k - 1] not in ("elder", "younger", "jr", "sr")
        and not r.capital(k - 1)
        or r.words[k - 1] in ("and", "&", "or")
    ):
        k -= 1
    if k > start and not certain and _place(r, start, k):
        return start
    return k


def _place(r: Reading, first: int, behind: int = 0) -> bool:
    return any(r.words[k] in PLACES for k in range(first, behind or first + 1))


def author_tails(r: Reading) -> None:
    """Delete credits and the names behind them."""
    styled = any(r.gone)
    for first, behind, _ in r.segments:
        k = first
        while k < behind:
            if r.gone[k]:
                k += 1
                continue
            end = _credit(r, first, k, behind, styled)
            if end > k:
                r.drop(k, end)
                k = end
            else:
                k += 1
        _possessives(r, first, behind)


def _credit(r: Reading, first: int, k: int, behind: int, styled: bool) -> int:
    """Where a credit that begins at unit `k` ends; `k` when none does."""
    word = r.words[k]
    if (credits := BY_START.get(word.partition(" ")[0])) and (
        word != "in" or not MANNERS.isdisjoint(r.words[k + 1 : behind])
    ):
        for credit in credits:
            n = _matches(r, k, credit, behind)
            if not n:
                continue
            after = k + n
            while after < behind and (
                r.bits[after] & DET or r.words[after] in MASTERS or r.words[after].endswith("century")
            ):
                after += 1
            end = name_run(r, after, behind, lower=True)
            while end < behind and r.bits[end] & (STYLE | ADJ) and not r.bits[end] & THING:
                end += 1
            if end > after or credit[0] == "in" and after == behind:
                return end
    if word == "by" and k + 1 < behind:
        end = name_run(r, k + 1, behind)
        known = any(r.bits[j] & ARTIST for j in range(k + 1, end))
        closes = (
            end == behind or r.gone[end] or r.words[end] in ("in", "from", "with", "at", "for", "on", "rises", "of")
        )
        alone = first < k and all(r.bits[j] & (STYLE | DET | ADJ) for j in range(first, k))
        alone = alone and any(r.bits[j] & MEDIUM for j in range(first, k))  # "a lithograph by Mara Ilić"
        if end > k + 1 and (known or ((styled or alone) and closes and not r.bits[k + 1] & DET)):
            if alone and end == behind:
                r.drop(first, k)
            return end
        if k + 1 < behind and r.words[k + 1] in ("unknown", "anonymous"):
            return min(behind, k + 3)
    if word == "after" and k + 1 < behind and r.bits[k + 1] & ARTIST:
        return name_run(r, k + 1, behind)
    if r.bits[k] & ARTIST and k + 1 < behind:
        if r.words[k + 1] in ("shows", "depicts", "portrays", "captures", "presents", "paints", "renders"):
            return k + 2
        if r.words[k + 1] in ("style", "styled", "inspired", "like", "esque", "aesthetic"):
            return k + 2
    return k


def _matches(r: Reading, k: int, credit: tuple[str, ...], behind: int) -> int:
    """How many units a credit takes at `k` (some may be one unit of two words); 0 when it is not there."""
    n, words = 0, []
    while k + n < behind and len(words) < len(credit):
        words += r.words[k + n].split()
        n += 1
    if tuple(words) == credit:
        return n
    # adjectives in between: "in the distinctive style of"
    if credit[0] == "in" and r.words[k] == "in":
        kept, n = [], 0
        while k + n < behind and len(kept) < len(credit):
            if n and not kept[-1:] == ["of"] and r.bits[k + n] & (ADJ | MOVE | WEAK) and r.words[k + n] not in credit:
                n += 1
                continue
            kept += ["the"] if r.words[k + n] in ("a", "an") else r.words[k + n].split()
            n += 1
        return n if tuple(kept) == credit else 0
    return 0


def _possessives(r: Reading, first: int, behind: int) -> None:
    """ "Monet's painting" names the author, "Van Gogh's chair" the subject."""
    for k in range(first, behind - 1):
        word = r.words[k]
        if r.gone[k] or not (word.endswith("'s") and r.capital(k)):
            continue
        if r.gone[k + 1] and r.bits[k + 1] & MEDIUM:
            r.drop(k, k + 1)


def lone_artists(r: Reading) -> None:
    """Delete segments that are an artist's name, and a label's unknown artist: "Rosalba Carriera, Lady, pastel"."""
    for first, behind, _ in r.segments:
        if r.gone[first]:
            continue
        end = name_run(r, first, behind)
        if (
            end == behind
            and any(r.bits[k] & ARTIST for k in range(first, behind))
            and all(
                r.bits[k] & (ARTIST | DET) or r.capital(k) or r.words[k] in PARTICLES or r.words[k] in ("and", "&")
                for k in range(first, behind)
            )
        ):
            r.drop(first, behind)
    for (first, behind, _), (year, after, _) in zip(r.segments, r.segments[1:]):
        dated = after - year == 1 and r.words[year].isdigit() and len(r.words[year]) == 4
        if dated and any(r.gone) and behind - first in (2, 3) and not r.gone[first] and not _everyday(r, first, behind):
            if all(r.capital(k) or r.words[k] in PARTICLES for k in range(first, behind)):
                r.drop(first, behind)  # "..., Anna Atkins, 1843"
    _label(r)


def _everyday(r: Reading, first: int, behind: int) -> bool:
    return any(w in TITLE or w in PLACES or w.endswith(("ing", "s'")) for w in r.words[first:behind]) or any(
        r.bits[k] & (THING | DET | FUNC | NUMBER) for k in range(first, behind)
    )


def _label(r: Reading) -> None:
    """The first line of a museum's label, when two or more follow and one of them is a medium."""
    if len(r.segments) < 3:
        return
    first, behind, _ = r.segments[0]
    if r.gone[first] or not 2 <= behind - first <= 4:
        return
    medium = any(r.gone[a] and any(r.bits[k] & (MEDIUM | MATERIAL) for k in range(a, b)) for a, b, _ in r.segments[1:])
    titled = any(not r.gone[a] and any(not r.bits[k] & NUMBER for k in range(a, b)) for a, b, _ in r.segments[1:])
    words = r.words[first:behind]
    named = all(r.capital(k) or r.words[k] in PARTICLES for k in range(first, behind))
    unknown = words[:2] in (["unknown", "artist"], ["anonymous", "artist"], ["artist", "unknown"])
    if medium and titled and ((named and not _everyday(r, first, behind)) or unknown):
        r.drop(first, behind)
