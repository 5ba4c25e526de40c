"""How captions in French, German and Spanish begin to speak of a picture: "une aquarelle de", "das Bild zeigt"."""

from __future__ import annotations

from ..tags import ABOUT, ADJ, ARTIST, DET, FUNC, MATERIAL, MEDIUM, MOVE, NOUN, QUALITY, SHOWS, VIEW, WEAK
from .judge import anchored, is_name, picture_in_scene, style_or_fill
from .units import Reading

_RELATIVE = ("das", "die", "der", "auf dem", "auf der")
_AND = ("et", "und", "y", "e")
_THIS = frozenset("dem diesem der dieser ce cet cette la le l' este esta el".split())
# A poster "for" something shows it.
_FOR = ("pour", "fur", "para")
_POSTERS = tuple("affiche plakat poster cartel werbefoto produktfoto preparatoire preparatorio cover".split())


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
        told = medium >= 0 or all(u.tags & FUNC for u in r.units[start:k])
        if unit.tags & SHOWS and (told or k > start and anchored(r, start, k)):
            cut = _behind_shows(r, k, behind)
            if medium >= 0 or not told:
                return start, cut
            k = cut
            continue
        if 0 <= medium < k:
            if r.inside(k, "of") and not _more_style(r, k, behind):
                keeps = unit.tags & DET and r.lexicon.language == "german" or start > first
                return start, k if keeps else k + 1
            if r.inside(k, "with") and not _more_style(r, k, behind):
                return start, k + 1
            if unit.low in _FOR and any(each in r.units[medium].low for each in _POSTERS):
                return start, k + 1
            if unit.tags & VIEW and r.inside(k - 1, "make"):  # "une photo en gros plan d'une abeille"
                return start, k
            if unit.low in ("ist", "sind") and r.inside(first, "make"):  # "auf dem Foto ist ein Hund zu sehen"
                return start, k + 1
        if unit.tags & MEDIUM and not unit.tags & VIEW:
            medium = k
        elif not style_or_fill(r, k) and not is_name(r, k) and not (medium == k - 1 and r.inside(k, "beside")):
            if (
                medium >= 0 and not unit.tags & VIEW and r.inside(first, "make") and r.units[first + 1].low in _THIS
            ):  # "auf dem Bild hält sie"
                return start, k - bool(r.units[k - 1].tags & DET)
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
    for j in range(k + 1, min(behind, k + 12)):
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
