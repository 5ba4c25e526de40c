"""The classes of words, as tags: what a word or phrase of a caption can be to the offline method."""

from __future__ import annotations

from enum import IntFlag, auto


class Tag(IntFlag):
    """What a word may be; one word can be several things."""

    # Little words: they belong to whatever stands around them.
    DET = auto()
    FUNC = auto()
    ADJ = auto()
    COLOR = auto()
    NUMBER = auto()
    # Words for how a picture is made. Nouns for a picture: a painting, a woodcut.
    MEDIUM = auto()
    # What it is made with, which may also lie on a desk: oil, pencil, canvas.
    MATERIAL = auto()
    # Movements and techniques that describe nothing else: cubist, impasto.
    MOVE = auto()
    # Words that describe buildings and people too: modern, vintage.
    WEAK = auto()
    # Phrases of technique, of quality and camera, moods and palettes.
    TECH = auto()
    QUALITY = auto()
    MOOD = auto()
    # Style, palette, mood, ...
    NOUN = auto()
    ARTIST = auto()
    # What looks like style and is a thing: an oil lamp.
    THING = auto()
    # Verbs by which a picture shows something.
    SHOWS = auto()
    # Views, which are content: a close-up.
    VIEW = auto()
    # Participles of making: painted, drawn.
    MADE = auto()
    # "black and white": of a cat, or of a photo.
    BOTH = auto()
    # Words of sentences about a picture: no style by themselves, and nothing of the scene.
    ABOUT = auto()
    # Things made by hand that are the picture itself or stand in it: a statue, a poster.
    OBJECT = auto()

    # Asked a thousand times a caption and only whether it is zero: plain numbers, ninety times as fast as flags.
    __and__ = int.__and__  # pyright: ignore[reportAssignmentType]
    __rand__ = int.__rand__  # pyright: ignore[reportAssignmentType]
    __or__ = int.__or__  # pyright: ignore[reportAssignmentType]
    __ror__ = int.__ror__  # pyright: ignore[reportAssignmentType]


(DET, FUNC, ADJ, COLOR, NUMBER, MEDIUM, MATERIAL, MOVE, WEAK, TECH, QUALITY, MOOD, NOUN, ARTIST) = list(Tag)[:14]
(THING, SHOWS, VIEW, MADE, BOTH, ABOUT, OBJECT) = list(Tag)[14:]
NONE = Tag(0)
FILLING = DET | FUNC | ADJ | COLOR
STYLE = MEDIUM | MATERIAL | MOVE | WEAK | TECH | QUALITY | MOOD | NOUN | ARTIST
# What makes a segment one about style.
ANCHOR = MEDIUM | MOVE | TECH | QUALITY | NOUN | ARTIST | BOTH
