"""The words of a language written in Latin letters: which say how a picture is made, by class, from `lists/`.

Sections that are a class of `tags.Tag` tag their words; the others are sets that a rule asks for:

* endings: plural, feminine and case endings and what stands for them in the lists ("es=": "es" away);
* of, make, means, with, by: prepositions before what a picture shows, its medium, its tool, its maker;
* heads, stems: last parts of German compounds that are a medium or a way of making;
* subject: nouns that are the picture's only with a word of style beside them ("soft light");
* strong: nouns of style whose sentence speaks of nothing else; beside: words that a tag of style makes one too;
* display: words by which a picture is a thing in the scene ("on the wall");
* makers: nouns for who makes pictures; surfaces: last parts of German compounds that are a support;
* acts: verbs by which somebody in the scene makes a picture;
* negation and count: what no model may delete;
* common: words of everyday by which the language is told.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..lexicon import look_up, read_list
from ..tags import (
    ABOUT,
    ADJ,
    ARTIST,
    BOTH,
    COLOR,
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
    TECH,
    THING,
    VIEW,
    WEAK,
    Tag,
)

FOLDER = Path(__file__).parent / "lists"
_TAGS = {
    "det": DET, "func": FUNC, "adj": ADJ, "color": COLOR, "medium": MEDIUM, "material": MATERIAL, "move": MOVE,
    "weak": WEAK, "quality": QUALITY, "noun": NOUN, "mood": MOOD, "shows": SHOWS, "made": MADE, "about": ABOUT,
    "view": VIEW, "both": BOTH, "thing": THING, "negation": NUMBER, "count": NUMBER, "artist": ARTIST,
}  # fmt: skip
_FUNCTION = ("of", "make", "means", "with", "by")
_ELISION = r"(?:[cdjlmnst]|qu|jusqu|lorsqu)['\u2019](?=\w|$)"
WORD = re.compile(
    rf"\b{_ELISION}|\b[A-Z]\.(?=\ ?[A-Z])|\b(?:St|ca?|Mr|Dr|Jh|Jhd)\.|\w+(?:[-'\u2019./&+]\w+)*%?", re.IGNORECASE
)
_YEAR = re.compile(r"(?:1[0-9]|20)\d\d(?:er|s|[-\u2013]\d{2,4})?|[xvi]+e?|\d+x\d+|\d{1,2}e")
# Abbreviations of options: in prompts of any language.
_ENGLISH = QUALITY | TECH
_PARTICIPLE = re.compile("\u00e9e?s?$")
_PREFIXES = ("ultra", "hyper", "hiper", "super", "semi", "foto", "photo")


def fold(word: str) -> str:
    """A word as the lists have it: lower case, no accents, ligatures and sharp s in two letters."""
    text = unicodedata.normalize("NFKD", word.replace("\u2019", "'").lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.replace("\xdf", "ss").replace("\u0153", "oe").replace("\xe6", "ae")


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A language's words: tags of single ones, phrases by their first word (longest first), and sets."""

    language: str
    words: dict[str, Tag]
    phrases: dict[str, list[tuple[tuple[str, ...], Tag]]]
    sets: dict[str, frozenset[str]]
    endings: tuple[tuple[str, str], ...]

    def forms(self, low: str) -> list[str]:
        """What a word may be written as in the lists: itself, then without its endings."""
        return [low, *(low[: -len(end)] + base for end, base in self.endings if low.endswith(end) and len(low) > 3)]

    def look_up(self, word: str) -> tuple[str, Tag]:
        """A word folded, and its tags."""
        low, tags = fold(word), self._tags(word)
        if low in self.sets.get("acts", ()) and not _PARTICIPLE.search(word):
            if low not in self.words:  # "dibuja" is no "dibujo"
                return low, Tag(0)
            if low.endswith("e"):  # "dessine" is no "dessin\u00e9"
                tags = Tag(tags & ~MADE)
        return low, tags

    def evidence(self) -> set[str]:
        """The words by which a text shows that it is in this language, those of phrases among them."""
        named = ARTIST | THING
        single = {word for word, tags in self.words.items() if not tags & named}
        parts = {p for known in self.phrases.values() for phrase, tags in known if not tags & named for p in phrase}
        return {
            word
            for word in single | parts | set(self.sets.get("common", ()))
            if word.rstrip("'").isalpha() and len(word) > 1
        }

    @lru_cache(maxsize=20_000)  # noqa: B019  (a lexicon lives as long as the program)
    def _tags(self, word: str) -> Tag:
        low = fold(word)
        for form in self.forms(low):
            tags = Tag(self.words.get(form, 0))
            if form != low:  # a little word has no endings: "Mann" is not "man"
                tags &= ~(DET | FUNC)
            if tags:
                return Tag(tags)
        if _YEAR.fullmatch(low):
            return ABOUT
        if low[0].isdigit():
            return look_up(word)[1] & _ENGLISH or NUMBER
        if tags := self._compound(low):
            return tags
        if "-" in low:
            return self._hyphenated(low.split("-"))
        return Tag(look_up(word)[1] & _ENGLISH)

    def _compound(self, low: str) -> Tag:
        """Tags by a word's beginning ("ultrarealista") or last part ("Kinderbuchillustration")."""
        for prefix in _PREFIXES:
            if low.startswith(prefix):
                rest = low[len(prefix) :].lstrip("-")
                tags = next((self.words[form] for form in self.forms(rest) if form in self.words), Tag(0))
                if tags & (ADJ | MOVE):
                    return MOVE if tags & MOVE else QUALITY
        for stem in self.sets.get("stems", ()):
            if any(form.endswith(stem) and len(form) > len(stem) + 2 for form in self.forms(low)):
                return MOVE
        for head in self.sets.get("surfaces", ()):
            if low.endswith(head) and len(low) > len(head) + 2:
                return MATERIAL
        for head in self.sets.get("heads", ()):
            if any(form.endswith(head) and len(form) > len(head) + 1 for form in self.forms(low)):
                return MEDIUM
        return Tag(0)

    def _hyphenated(self, parts: list[str]) -> Tag:
        """Tags of "anime-stil" and "ultra-detaille": the last part's, if all parts are known, or it is a style's."""
        tags = [next((self.words[f] for f in self.forms(p) if f in self.words), Tag(0)) for p in parts]
        if tags[-1] & NOUN and not tags[-1] & THING:
            return MOVE
        if any(tuple(parts[:-1]) == p and t & MOVE for p, t in self.phrases.get(parts[0], ())) and tags[-1]:
            return MEDIUM  # "pop-art-portrat"
        if all(tags) or (tags[-1] & (MEDIUM | MOVE) and len(parts) > 1):
            return next((t for t in (MEDIUM, MOVE, QUALITY) if tags[-1] & t), tags[-1])
        return Tag(0)


@lru_cache(maxsize=8)
def lexicon(language: str) -> Lexicon:
    """The lexicon of "french", "german" or "spanish"."""
    sections = read_list(language, FOLDER)
    words: dict[str, Tag] = {}
    phrases: dict[str, dict[tuple[str, ...], Tag]] = {}

    def put(entry: str, tag: Tag) -> None:
        parts = split(entry)
        if len(parts) == 1:
            words[parts[0]] = Tag(words.get(parts[0], 0) | tag)
        elif parts:
            known = phrases.setdefault(parts[0], {})
            known[parts] = Tag(known.get(parts, 0) | tag)

    for name, entries in sections.items():
        if tag := _TAGS.get(name, FUNC if name in _FUNCTION else None):
            for entry in entries:
                put(entry, tag)
    for entries in read_list("artists").values():
        for entry in entries:
            if " ".join(split(entry)) not in words:
                put(entry, ARTIST)
    ordered = {
        first: sorted(((p, THING if t & THING else t) for p, t in known.items()), key=lambda each: -len(each[0]))
        for first, known in phrases.items()
    }
    endings = tuple(tuple(e.split("=")) for e in sections.get("endings", ()))
    return Lexicon(
        language,
        {w: THING if t & THING else t for w, t in words.items()},
        ordered,
        {name: frozenset(" ".join(split(e)) for e in entries) for name, entries in sections.items()},
        endings,  # pyright: ignore[reportArgumentType]
    )


def split(text: str) -> tuple[str, ...]:
    """A phrase in its words, folded."""
    return tuple(fold(match[0]) for match in WORD.finditer(text))
