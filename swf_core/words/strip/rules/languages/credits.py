"""Makers' names in captions in French, German and Spanish that stand in a segment of their own."""

from __future__ import annotations

from ..tags import ABOUT, ARTIST, DET, FUNC, MATERIAL, MEDIUM, MOVE
from .judge import fills, is_name
from .units import Reading


def label_artist(r: Reading) -> None:
    """A museum's label names its maker first: "Berthe Morisot, Jeune fille, huile sur toile"."""
    if len(r.segments) < 3 or not _style_gone(r, MEDIUM | MATERIAL):
        return
    first, behind, _ = r.segments[0]
    names = [k for k in range(first, behind) if is_name(r, k) or r.units[k].tags & ARTIST or _capital(r, k)]
    _named_before_medium(r)
    if not r.deleted[first] and len(names) == behind - first and (len(names) > 1 or r.units[first].tags & ARTIST):
        if len(names) < 5:
            r.delete(first, behind)


def _named_before_medium(r: Reading) -> None:
    """A label may name its maker between title and medium: "Landschaft, Joseph Anton Koch, Öl auf Leinwand"."""
    common = r.lexicon.sets.get("common", ())
    for (first, behind, _), (start, end, _) in zip(r.segments[1:], r.segments[2:]):
        label = r.deleted[start] and any(u.tags & (MEDIUM | MATERIAL) for u in r.units[start:end])
        names = [k for k in range(first, behind) if _capital(r, k) and r.units[k].low not in common]
        if label and 2 <= len(names) == behind - first <= 4 and not r.deleted[first]:
            r.delete(first, behind)


def _capital(r: Reading, k: int) -> bool:
    return r.units[k].capital and not r.units[k].tags


def lone_artists(r: Reading) -> None:
    """Segments that are a known maker's name alone, or credit one: "Claude Monet", "d'après Franz Marc"."""
    for first, behind, _ in r.segments:
        units = r.units[first:behind]
        known = any(u.tags & ARTIST and u.capital for u in units)
        if r.deleted[first] or not known:
            continue
        rest = [k for k in range(first, behind) if not r.units[k].tags & ARTIST]
        if all(fills(r, k) or is_name(r, k) or r.units[k].tags & (MOVE | ABOUT | FUNC) for k in rest):
            if not r.units[first].tags & DET and (rest or len(r.segments) > 1):
                r.delete(first, behind)


def _style_gone(r: Reading, tags: int) -> bool:
    return any(d and u.tags & tags for u, d in zip(r.units, r.deleted))
