"""The offline method for French, German and Spanish: passes over a read caption; the words are each language's own.

As for English, rules look at whole segments ("huile sur toile"), openings ("ein Aquarell von"), tails ("al estilo de
Goya"), credits, sentences about the style, and words such as "cubiste" that mean nothing else. What is hung, sold or
held in the scene matches none of them.
"""

from __future__ import annotations

from collections.abc import Callable

from ..tags import ABOUT, ADJ, DET, FUNC, MEDIUM, MOOD, MOVE, NOUN, QUALITY, SHOWS, VIEW, WEAK
from .credits import label_artist, lone_artists
from .judge import fills, is_kept, only_style, style_or_fill
from .lexicon import lexicon
from .openings import openings, relative_openings
from .tails import manners, tails, words_of_style
from .units import Reading, read


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
        strong = mostly and number and any(r.inside(k, "strong") for k in range(first, behind))
        subject = subject or strong and _whole(r, number)
        begins = number == 0 or r.segments[number - 1][2] != sentence or r.deleted[r.segments[number - 1][0]]
        if subject and (begins or mostly) and not any(is_kept(r, u) for u in units):
            r.delete(first, behind)


def _whole(r: Reading, number: int) -> bool:
    """Whether a segment is its sentence: "Lasuren verleihen der Szene eine friedliche Stimmung"."""
    sentence = r.segments[number][2]
    return sum(of == sentence for _, _, of in r.segments) == 1


def _before_subject(r: Reading, k: int) -> bool:
    unit = r.units[k]
    return bool(unit.tags & (DET | FUNC | ADJ | MOOD | MOVE | QUALITY | ABOUT | WEAK)) and not unit.tags & NOUN


def _mostly_style(r: Reading, first: int, behind: int) -> bool:
    words = [k for k in range(first, behind) if not r.units[k].tags & (DET | FUNC | VIEW)]
    bare = bool(r.units[first].tags & NOUN)  # "estilo de libro infantil"
    if not words:
        return False
    said = sum(style_or_fill(r, k) or _about_style(r, k) for k in words)
    if any(r.inside(k, "makers") for k in words):
        return said == len(words)
    return (3 if bare else 4) * said >= (2 if bare else 3) * len(words)


def _about_style(r: Reading, k: int) -> bool:
    return bool(r.units[k].tags & NOUN) or any(r.inside(k, name) for name in ("subject", "beside", "makers"))


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
