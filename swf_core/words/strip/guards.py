"""What a marked caption must still hold once the marks are deleted: pure functions, no model.

They are asked about what a language model marked. What the offline method marks as well passes: it knows that the "one"
of "one painting of" counts no thing, and that a color before "tones" is the picture's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .rules import is_chinese, style_spans
from .rules.lexicon import look_up
from .rules.tags import COLOR, QUALITY, STYLE

CONTENT_SHARE = 0.5
_WORD = re.compile(r"\w+(?:[-'\u2019.:/]\w+)*")
# What a caption may not lose.
PROTECTED = {
    "number": re.compile(r"(?<![\w-])\d[\d.,:]*(?![\w%])"),
    "count": re.compile(
        r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|both)\b"
        r"|\b(?:deux|trois|quatre|cinq|sept|huit|neuf|dix|zwei|drei|vier|f\u00fcnf|sechs|sieben|acht|neun|zehn|dos|tres"
        r"|cuatro|cinco|seis|siete|ocho|nueve|diez)\b"
        r"|[\u4e00\u4e8c\u4e24\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341]+"
        r"[\u53ea\u4e2a\u4f4d\u8258\u5ea7\u68f5\u5339\u5934\u4eba\u982d\u7fbd\u672c\u679a\u500b\u53f0\u8ed2\u96bb\u3064]",
        re.IGNORECASE,
    ),
    "negation": re.compile(
        r"\b(?:no|not|without|none|nobody|never|empty|neither)\b|\w+n't\b"
        r"|\b(?:sans|aucune?|ohne|kein(?:e[nmrs]?)?|sin|ning\u00fan|ninguna|nadie|niemand)\b|"
        r"\u6ca1\u6709|\u65e0\u4eba",
        re.IGNORECASE,
    ),
    "quoted": re.compile(
        r"\"[^\"]+\"|\u201c[^\u201d]+\u201d|\u201e[^\u201c\u201d]+[\u201c\u201d]|\u00ab[^\u00bb]+\u00bb"
        r"|\u300c[^\u300d]+\u300d|\u300e[^\u300f]+\u300f|(?<!\w)'[^']+'(?!\w)"
    ),
}
NAMES = {"number": "a number", "count": "a count", "negation": "a negation", "quoted": "quoted text"}


def complaint(caption: str, spans: Sequence[tuple[int, int]], media: Sequence[str] = ()) -> str:
    """Why deleting `spans` from `caption` would lose content, in one sentence, or "" when nothing speaks against it.

    `media`: as for `rules.style_spans`.
    """
    deleted = [False] * len(caption)
    for start, end in spans:
        deleted[start:end] = [True] * (end - start)
    if not any(c.isalnum() and not d for c, d in zip(caption, deleted)):
        return "nothing would be left" if caption.strip() else ""
    style = [False] * len(caption)
    for start, end in style_spans(caption, media):
        style[start:end] = [True] * (end - start)
    for name, pattern in PROTECTED.items():
        for match in pattern.finditer(caption):
            if deleted[match.start()] and not style[match.start()]:
                return f"{NAMES[name]} would be lost ({match[0]!r})"
    return _color(caption, deleted, style) or _share(caption, deleted, style)


def _color(caption: str, deleted: list[bool], style: list[bool]) -> str:
    """A color that stands before a thing belongs to it: "a red house"."""
    words = list(_WORD.finditer(caption))
    for word, after in zip(words, words[1:]):
        tags = look_up(word[0])[1]
        if tags & COLOR and deleted[word.start()] and not style[word.start()]:
            if not look_up(after[0])[1] & STYLE and not deleted[after.start()]:
                return f"the color of a thing would be lost ({word[0]!r} of {after[0]!r})"
    return ""


def _share(caption: str, deleted: list[bool], style: list[bool]) -> str:
    """Of the words that the offline method takes for content, enough must remain."""
    if is_chinese(caption):
        content = [k for k, c in enumerate(caption) if c.isalnum() and not style[k]]
    else:
        content = [
            m.start()
            for m in _WORD.finditer(caption)
            if not style[m.start()] and len(m[0]) > 2 and not look_up(m[0])[1] & QUALITY
        ]
    remaining = sum(not deleted[k] for k in content)
    if content and remaining < CONTENT_SHARE * len(content):
        return f"only {remaining} of {len(content)} content words would be kept"
    return ""
