"""The prompt of a transfer, from captions of its pictures: what the content shows, in the style picture's words.

A style picture's caption is read the other way round: what `strip` takes out of it says how the picture is made. Those
words go around the content's own stripped caption as they stood around the style's: "a watercolour of" a green house
"in shades of rose". This puts the first stage of arXiv 2506.15033 to use in its last one, which the paper does not; no
word is added, none comes from the style picture's content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .strip import Stripped
from .strip.rules import is_chinese, language_of, style_alone
from .strip.rules.lexicon import look_up
from .strip.rules.tags import DET, FUNC, NUMBER, SHOWS

_SIGNS = r"\-\s.,:;!?|\u3002\uff0c\uff1a\uff1b\u3001\uff01\uff1f\u2013\u2014"
_ENDS = re.compile(rf"^[{_SIGNS}]+|[{_SIGNS}]+$")
_BEFORE = re.compile(rf"[{_SIGNS}()\[\]]*$")
_LEAD = re.compile(rf"[{_SIGNS}]*")
_FULL_STOP = re.compile(r"[.!?\u3002\uff01\uff1f]")
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")
# Little words in whose stead nothing else joins a tail to what stands before it.
_JOINED = frozenset("in with aux en avec in mit con en".split())
BESIDE, APART, SENTENCE = "beside", "apart", "sentence"


@dataclass(frozen=True)
class Tail:
    """Words of style that stand behind what a picture shows, and how: "beside" it, "apart" by a comma, or as a
    "sentence" of their own."""

    text: str
    joint: str = APART


@dataclass(frozen=True)
class StyleWords:
    """What a caption says of how its picture is made: `front`, with the sign or blank it ends with, and the tails."""

    front: str = ""
    tails: tuple[Tail, ...] = ()


def transfer_prompt(content: Stripped, styles: Sequence[Stripped]) -> str:
    """The prompt of a transfer: the content's stripped caption with the removed words of the styles' around it.

    `styles`: captions of the style pictures, the one that counts most first; its words open the prompt, those of the
    others follow behind, said once where they are alike. Nothing removed: the content's stripped caption alone. A
    content of which only the style was said adds nothing; with no words at all the prompt is empty.
    """
    shown = "" if _says_style_alone(content) else _bare(content.stripped)
    words = joined_words([style_words(style) for style in styles])
    return _around(shown, words)


def style_words(style: Stripped) -> StyleWords:
    """What stripping took out of a caption, by where it stood; the whole caption where it says only how."""
    if _says_style_alone(style):
        return StyleWords(tails=(Tail(_without_end(_bare(style.caption))),)) if style.caption else StyleWords()
    caption, gone = style.caption, {k for start, end in style.spans for k in range(start, end)}
    first = min((k for k, c in enumerate(caption) if c.isalnum() and k not in gone), default=len(caption))
    leading = [span for span in style.spans if span[0] < first]
    tails = [_tail(caption, span) for span in style.spans if span[0] >= first]
    front = ""
    if leading:
        end = leading[-1][1]
        lead = _LEAD.match(caption, end)
        front = caption[leading[0][0] : end] + (lead[0] if lead else "")
        if not _opens(front, caption[first:]):
            tails.insert(0, Tail(_without_article(_bare(front))))
            front = ""
    return StyleWords(front, tuple(tail for tail in tails if tail.text))


def joined_words(words: Sequence[StyleWords]) -> StyleWords:
    """Several styles' words as those of one: the first's front, everybody's tails, each said once."""
    if not words:
        return StyleWords()
    front, tails = words[0].front, list(words[0].tails)
    for other in words[1:]:
        if other.front:
            joint = SENTENCE if _FULL_STOP.search(other.front.rstrip()[-1:]) else APART
            tails.append(Tail(_without_end(_bare(other.front)), joint))
        tails += other.tails
    said, kept = {_key(_without_end(_bare(front)))}, []
    for tail in tails:
        if _key(tail.text) not in said:
            said.add(_key(tail.text))
            kept.append(tail)
    return StyleWords(front, tuple(kept))


def _around(shown: str, words: StyleWords) -> str:
    """What is shown, with style words before and behind it."""
    text = f"{words.front}{_lowered(shown, words.front)}" if shown else _without_end(_bare(words.front))
    several = bool(_FULL_STOP.search(shown))  # a tail beside the last sentence would speak of that alone
    wide = is_chinese(text) if text else False
    comma, stop = ("\uff0c", "\u3002") if wide else (", ", ". ")
    beside = "" if wide else " "
    for tail in sorted(words.tails, key=lambda tail: tail.joint == SENTENCE):
        joint = {BESIDE: comma if several else beside, APART: comma, SENTENCE: stop}[tail.joint]
        text += joint + tail.text if text else tail.text
    return text


def _tail(caption: str, span: tuple[int, int]) -> Tail:
    """A removed span behind the first kept word, and how it stood there."""
    start, end = span
    text = _bare(caption[start:end])
    signs = _BEFORE.search(caption, 0, start)
    before = (signs[0] if signs else "") + (_LEAD.match(caption[start:end]) or [""])[0]
    behind = caption[end:].lstrip()
    ends = not behind or not behind[0].isalnum()
    if _FULL_STOP.search(before):
        return Tail(text, SENTENCE if not behind or _FULL_STOP.match(behind) else APART)
    begins = _WORD.match(text)
    joins = begins is not None and begins[0].casefold() in _JOINED
    return Tail(text, BESIDE if not before.strip() and (ends or joins) else APART)


def _opens(front: str, rest: str) -> bool:
    """Whether words can stand before another thing as well: "a watercolour of", not the "an anime style" of a girl."""
    if language_of(front + rest) != "english" or not front[-1:].isspace() or _ENDS.search(front.rstrip()):
        return True
    words, following = _WORD.findall(front), _WORD.match(rest)
    if words and look_up(words[-1])[1] & (FUNC | SHOWS):
        return True
    return following is not None and bool(look_up(following[0])[1] & (DET | NUMBER))


def _says_style_alone(stripped: Stripped) -> bool:
    return not stripped.stripped or style_alone(stripped.stripped, stripped.caption)


def _lowered(shown: str, front: str) -> str:
    """A beginning such as "A" or "Two" in small letters where words stand before it in the same sentence."""
    first = _WORD.match(shown)
    if not front or _FULL_STOP.search(front.rstrip()[-1:]) or first is None or language_of(shown) != "english":
        return shown
    little = look_up(first[0])[1] & (DET | NUMBER) or first[0] == "There"
    return shown[:1].lower() + shown[1:] if little else shown


def _bare(text: str) -> str:
    """Without signs and blanks at its ends."""
    return _ENDS.sub("", text)


def _without_article(text: str) -> str:
    first, *rest = text.split(" ", 1)
    return rest[0] if rest and look_up(first)[1] & DET else text


def _without_end(text: str) -> str:
    """Without little words that wait for a thing: "a watercolour" of "a watercolour of"."""
    words = text.split(" ")
    while len(words) > 1 and look_up(words[-1])[1] & (FUNC | SHOWS):
        words.pop()
    return " ".join(words)


def _key(text: str) -> str:
    """What makes two tails alike: their words without articles, whatever their case."""
    return " ".join(_plain_words(text))


def _plain_words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        if not look_up(word)[1] & DET:
            yield word.casefold()
