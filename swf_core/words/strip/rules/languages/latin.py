"""The offline method for French, German and Spanish: passes over a read caption; the words are each language's own.

As for English, rules look at whole segments ("huile sur toile"), openings ("ein Aquarell von"), tails ("al estilo de
Goya"), credits, sentences about the style, and words such as "cubiste" that mean nothing else. What is hung, sold or
held in the scene matches none of them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..tags import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    DET,
    FUNC,
    MADE,
    MATERIAL,
    MEDIUM,
    MOOD,
    MOVE,
    NOUN,
    NUMBER,
    QUALITY,
    SHOWS,
    THING,
    VIEW,
    WEAK,
)
from .credits import label_artist, lone_artists
from .judge import anchored, fills, is_name, only_style, picture_in_scene, style_or_fill
from .lexicon import lexicon
from .units import Reading, read

_MANNER = DET | ADJ | MOOD | WEAK | MOVE | NOUN | MATERIAL | MEDIUM | BOTH


_RELATIVE = ("das", "die", "der", "auf dem", "auf der")
_AND = ("et", "und", "y", "e")
_ON = ("auf", "sur", "sobre")
_FOR = ("pour", "fur", "para")
_POSTERS = ("affiche", "plakat", "poster", "cartel")


def style_spans(caption: str, language: str) -> list[tuple[int, int]]:
    """Character spans of the words that say how the picture is made, sorted, never overlapping."""
    reading = read(caption, lexicon(language))
    for each in _PASSES:
        each(reading)
    return reading.spans()


def style_alone(text: str, language: str) -> bool:
    """Whether each word of a text is one of style or a filling, with one of style among them."""
    reading = read(text, lexicon(language))
    return bool(reading.units) and only_style(reading, 0, len(reading.units))


def style_segments(r: Reading) -> None:
    """Segments of style alone: "huile sur toile", "sehr detailliert", "en estilo barroco"."""
    for number, (first, behind, _) in enumerate(r.segments):
        if only_style(r, first, behind) and not _listed_thing(r, number):
            r.delete(first, behind)


def tags_beside(r: Reading) -> None:
    """Tags that are style beside others: "fotografía analógica, grano, Leica"."""
    gone = [r.deleted[first] for first, _, _ in r.segments]
    for number, (first, behind, _) in enumerate(r.segments):
        if behind == first + 1 and r.inside(first, "beside") and any(gone[max(number - 1, 0) : number + 2]):
            r.deleted[first] = True


def _listed_thing(r: Reading, number: int) -> bool:
    """Whether a segment is "une photo" in a list of things: an article and a picture's noun behind another such."""
    first, behind, _ = r.segments[number]
    if not number or behind - first > 2 or not r.units[first].tags & DET:
        return False
    before = r.segments[number - 1][0]
    return bool(r.units[before].tags & DET) and not only_style(r, *r.segments[number - 1][:2])


def style_sentences(r: Reading) -> None:
    """Segments whose subject is the style: "la touche est épaisse", "die Stimmung ist ruhig"."""
    for number, (first, behind, sentence) in enumerate(r.segments):
        head = next((k for k in range(first, behind) if not _before_subject(r, k)), behind)
        if head == behind or r.deleted[first] or any(r.units[k].tags & SHOWS for k in range(first, behind)):
            continue
        units = r.units[first:behind]
        mostly = _mostly_style(r, first, behind)
        manner = any(r.inside(k, "make") for k in range(first, head))  # "ein im Stil von Klimt gemaltes ..."
        subject = r.inside(head, "strong") and not manner or mostly and _about_style(r, head)
        begins = number == 0 or r.segments[number - 1][2] != sentence or r.deleted[r.segments[number - 1][0]]
        if subject and (begins or mostly) and not any(is_kept(r, u) for u in units):
            r.delete(first, behind)


def is_kept(r: Reading, unit) -> bool:
    """Whether a unit is quoted, or counts what is shown."""
    return unit.low in r.lexicon.sets.get("count", ()) or unit.low[:1] in '"\u201c\u201e\u00ab'


def _before_subject(r: Reading, k: int) -> bool:
    unit = r.units[k]
    return bool(unit.tags & (DET | FUNC | ADJ | MOOD | MOVE | QUALITY | ABOUT | WEAK)) and not unit.tags & NOUN


def _mostly_style(r: Reading, first: int, behind: int) -> bool:
    words = [k for k in range(first, behind) if not r.units[k].tags & (DET | FUNC)]
    bare = bool(r.units[first].tags & NOUN)  # "estilo de libro infantil"
    said = sum(style_or_fill(r, k) or _about_style(r, k) for k in words)
    return (
        said == len(words)
        if any(r.inside(k, "makers") for k in words)
        else (3 if bare else 4) * said >= (2 if bare else 3) * len(words)
    )


def _about_style(r: Reading, k: int) -> bool:
    return bool(r.units[k].tags & NOUN) or any(r.inside(k, name) for name in ("subject", "beside", "makers"))


def relative_openings(r: Reading) -> None:
    """A clause that says what the picture before it shows: "ein Foto, das einen Mann zeigt"."""
    for (first, behind, _), (start, end, _) in zip(r.segments, r.segments[1:]):
        told = r.deleted[first] and any(u.tags & MEDIUM for u in r.units[first:behind])
        if told and r.units[start].low in _RELATIVE and r.units[end - 1].tags & SHOWS and end - start > 2:
            r.deleted[start] = r.deleted[end - 1] = True


def openings(r: Reading) -> None:
    """Where a segment begins to speak of a picture: "une aquarelle de", "das Bild zeigt", "foto en la que se ve"."""
    for first, behind, _ in r.segments:
        if r.deleted[first] or picture_in_scene(r, first, behind):
            continue
        start, cut = _opening(r, first, behind)
        if start < cut < behind:
            r.delete(start, cut)
            end = behind
            while end > cut and r.units[end - 1].tags & SHOWS:  # "... zu sehen", "stellt ... dar"
                end -= 1
            r.delete(end, behind)
            for k in range(cut, behind - 2):  # "d'un renard et d'un corbeau"
                if r.units[k].low in _AND and r.units[k + 1].low == r.units[cut - 1].low and r.units[k + 2].tags & DET:
                    r.deleted[k + 1] = r.inside(k + 1, "of")


def _opening(r: Reading, first: int, behind: int) -> tuple[int, int]:
    """From where to where an opening reaches; nowhere where there is none."""
    start = k = _view(r, first, behind)
    medium, cut = -1, 0
    while k < behind:
        unit = r.units[k]
        if unit.tags & SHOWS and (medium >= 0 or all(u.tags & FUNC for u in r.units[start:k])):
            cut = _behind_shows(r, k, behind)
            if medium >= 0:
                return start, cut
            k = cut
            continue
        if 0 <= medium < k:
            if r.inside(k, "of") and not _more_style(r, k, behind):
                keeps = unit.tags & DET and r.lexicon.language == "german" or start > first
                return start, k if keeps else k + 1
            if r.inside(k, "with") and not _more_style(r, k, behind):
                return start, k + 1
            if unit.low in _FOR and r.units[medium].low.endswith(_POSTERS):
                return start, k + 1
            if unit.tags & VIEW and r.inside(k - 1, "make"):  # "une photo en gros plan d'une abeille"
                return start, k
            if unit.low in ("ist", "sind") and r.inside(first, "make"):  # "auf dem Foto ist ein Hund zu sehen"
                return start, k + 1
        if unit.tags & MEDIUM and not unit.tags & VIEW:
            medium = k
        elif not style_or_fill(r, k) and not is_name(r, k) and not (medium == k - 1 and r.inside(k, "beside")):
            bare = medium >= 0 and k == medium + 1 and not r.units[first].tags & DET and not unit.tags
            return start, k if bare and r.lexicon.language != "german" else cut
        k += 1
    return start, 0


def _view(r: Reading, first: int, behind: int) -> int:
    """Where the picture begins in "gros plan d'une peinture de": behind the view, which is content."""
    k = first
    while k < behind and r.units[k].tags & (DET | ADJ | VIEW):
        if r.units[k].tags & VIEW and k + 1 < behind and r.inside(k + 1, "of"):
            return k + 1
        k += 1
    return first


def _behind_shows(r: Reading, k: int, behind: int) -> int:
    """The first unit behind a verb of showing and the little words that belong to it."""
    k += 1
    while k < behind and r.units[k].tags & SHOWS:
        k += 1
    if r.lexicon.language == "spanish" and k + 1 < behind and r.units[k].low == "a" and r.units[k + 1].tags & DET:
        k += 1  # "muestra a una niña"
    return k


def _more_style(r: Reading, k: int, behind: int) -> bool:
    """Whether the noun behind the preposition at `k` is style again: "d'aquarelle", "de estilo", "von Monet"."""
    for j in range(k + 1, behind):
        unit = r.units[j]
        if unit.tags & (NOUN | ARTIST | MATERIAL | MOVE | QUALITY):
            return True
        if unit.tags & MEDIUM:
            return j + 1 < behind
        if unit.tags & ABOUT and j + 1 < behind and r.units[j + 1].low[:4].isdigit():  # "des années 1950"
            return True
        if not unit.tags & (DET | ADJ | FUNC) or unit.tags & (VIEW | WEAK):
            return False
    return False


def tails(r: Reading) -> None:
    """How a segment ends by speaking of the picture: "en acuarela", "im Stil von Monet", "peint par Corot"."""
    for first, behind, _ in r.segments:
        if r.deleted[behind - 1]:
            continue
        start = behind
        while start > first and (style_or_fill(r, start - 1) or is_name(r, start - 1)):
            start -= 1
        for k in range(start, behind):
            if k > first and not r.deleted[k] and _begins_tail(r, k, behind):
                r.delete(k, behind)
                break


def _begins_tail(r: Reading, k: int, behind: int) -> bool:
    unit = r.units[k]
    rest = r.units[k:behind]
    if r.inside(k - 1, "acts") and unit.tags & FUNC or any(is_kept(r, u) for u in rest):
        return False
    made = any(u.tags & MADE for u in rest)
    style = any(u.tags & (NOUN | MOVE | QUALITY | ARTIST) and not u.tags & (WEAK | VIEW) for u in rest)
    if any(is_name(r, j) and not r.units[j].tags & ARTIST and not _named(r, k, j) for j in range(k, behind)):
        return False
    if unit.tags & MADE:
        by = any(r.inside(j, "by") for j in range(k, behind))
        return style or by or any(u.tags & (MEDIUM | MATERIAL) for u in rest)
    if unit.tags & BOTH:  # "un chien noir et blanc"
        return False
    if unit.low in _ON and any(u.tags & MATERIAL for u in rest) and not made:  # "ein Hund auf Papier"
        return any(d and u.tags & MEDIUM for u, d in zip(r.units[:k], r.deleted))
    if unit.tags & (NOUN | MOVE | QUALITY) and not unit.tags & WEAK:
        return anchored(r, k, behind) and not (r.units[k - 1].tags & DET and not unit.tags & MOVE)
    if r.inside(k, "make"):
        return anchored(r, k, behind) and (style or made or any(u.tags & (MEDIUM | MATERIAL) for u in rest[1:]))
    if r.inside(k, "means"):
        return made or style and not any(u.tags & (MEDIUM | MATERIAL) for u in rest)
    if r.inside(k, "by") or r.inside(k, "of"):
        return _credited(r, k, behind)
    return False


def _named(r: Reading, k: int, j: int) -> bool:
    """Whether the name at `j` is a maker's: behind "style", "par" or a word of making."""
    return any(r.units[i].tags & (NOUN | MADE | ARTIST) or r.inside(i, "by") for i in range(k, j))


def _credited(r: Reading, k: int, behind: int) -> bool:
    """Whether "par NAME" at the end of a segment names the maker: a known one, or behind a picture's deleted noun."""
    known = any(r.units[j].tags & ARTIST for j in range(k, behind))
    names = [j for j in range(k + 1, behind) if is_name(r, j)]
    medium = any(d and u.tags & (MEDIUM | MOVE) for u, d in zip(r.units, r.deleted))
    if r.inside(k, "by") and r.lexicon.language != "german":
        return known or len(names) >= 2 and medium
    return known and medium


def words_of_style(r: Reading) -> None:
    """Movements and quality inside what is left: "un paysage impressionniste avec deux vaches"."""
    for first, behind, _ in r.segments:
        for k in range(first, behind):
            tags = r.units[k].tags
            phrase = " " in r.units[k].low or "-" in r.units[k].low
            both = tags & BOTH and k > first and (r.inside(k - 1, "make") or r.deleted[k - 1])
            sure = tags & MOVE or tags & QUALITY and phrase or both
            if r.deleted[k] or not sure or tags & (WEAK | MATERIAL | MEDIUM):
                continue
            start, end = k, k + 1
            if both and not r.deleted[k - 1]:
                start = k - 1
            elif k > first and r.units[k - 1].tags & NOUN:  # "style cubiste", "de style cubiste"
                start = k - 1
            elif end < behind and r.units[end].tags & NOUN:  # "im kubistischen Stil", "en gran estilo"
                end += 1
            if start < k or end > k + 1:
                while start > first and r.units[start - 1].tags & (FUNC | DET):
                    start -= 1
            if start == first and end == behind or picture_in_scene(r, first, behind):
                continue
            r.delete(start, end)


def manners(r: Reading) -> None:
    """Manners and means in a segment: "dans le style de Monet avec un pont", "un retrato al pastel de una mujer"."""
    for first, behind, _ in r.segments:
        for k in range(first + 1, behind - 1):
            if r.deleted[k] or not r.inside(k, "make") or r.inside(k - 1, "acts"):
                continue
            end = k + 1
            while end < behind and r.units[end].tags & _MANNER and not r.units[end].tags & (THING | NUMBER):
                end += 1
            style = next((j for j in range(k, end) if r.units[j].tags & NOUN), None)
            means = r.units[k - 1].tags & VIEW and any(r.units[j].tags & (MEDIUM | MATERIAL) for j in range(k, end))
            while style is not None and end < behind and (
                r.units[end].tags & ARTIST or is_name(r, end) or end + 1 < behind and r.inside(end, "of") and
                (r.units[end + 1].tags & ARTIST or is_name(r, end + 1))
            ):  # fmt: skip
                end += 1
            if end < behind and r.inside(end, "acts"):  # "im Stil der Renaissance gekleidet"
                continue
            if style is not None and end - k > 1 + bool(r.units[k + 1].tags & DET) or means:
                while r.units[end - 1].tags & DET:
                    end -= 1
                r.delete(k, end)


def loose_ends(r: Reading) -> None:
    """Little words that lost what they belonged to."""
    for first, behind, _ in r.segments:
        left = [k for k in range(first, behind) if not r.deleted[k]]
        if len(left) == behind - first or not left:
            continue
        if all(fills(r, k) and not r.units[k].tags & (VIEW | ADJ | MOOD) for k in left):
            r.delete(first, behind)
            continue
        for k in reversed(left):  # a preposition, article or "und" before a cut
            if not r.units[k].tags & (FUNC | DET) or (k + 1 < behind and not r.deleted[k + 1]):
                break
            r.deleted[k] = True
        if r.deleted[first]:
            for k in left:  # "und", "qui" behind one
                if r.units[k].low not in ("et", "und", "y", "ou", "oder", "o", "qui", "que", "wie", "ou l'on"):
                    break
                r.deleted[k] = True


def something_left(r: Reading) -> None:
    """A caption of style words alone keeps its picture noun, else its first word: a result is never empty."""
    if not r.units or not all(r.deleted):
        return
    noun = next((k for k, u in enumerate(r.units) if u.tags & MEDIUM), None)
    if noun is None:
        noun = next((k for k, u in enumerate(r.units) if not fills(r, k)), 0)
    r.deleted[noun] = False


# In this order; beside each, what it relies on of those before.
_PASSES: tuple[Callable[[Reading], None], ...] = (
    style_segments,  # nothing is deleted yet
    tags_beside,  # segments of style alone are gone
    label_artist,  # a medium's segment is gone
    lone_artists,  # names between the segments of style
    style_sentences,  # of a sentence only the segments without style are left to read
    relative_openings,  # the segment of the picture is gone
    openings,  # segments of style alone are gone, so what begins here names content behind its opening
    tails,  # "par NAME" is a maker's where a picture's noun is gone
    manners,  # openings and tails are gone
    words_of_style,  # openings and tails are gone; only words that stand in the scene are left
    loose_ends,  # everything is deleted that will be
    something_left,  # last
)
