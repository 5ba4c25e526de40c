"""In which language a caption is written: by its script, and where that is Latin by its little words.

Deterministic and small: nothing is learnt. English is what a text is taken for when nothing speaks against it, such as
a list of tags.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..lexicon import read_list
from .lexicon import FOLDER, WORD, fold, lexicon, split

LATIN = ("french", "german", "spanish")
READ = ("english", "chinese", "japanese", *LATIN)
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa\u30fd-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007]|[\U00020000-\U0003134f]")
# Characters that Japan simplified for itself: neither the mainland nor Taiwan writes them.
_ONLY_JAPANESE = frozenset(
    "絵図広駅桜気黒歩渋売読畑込辻峠働匂榊様観畳転軽検総続緑戸辺児価仮覚単厳鉄銭霊髪顔塩歯聴収択拝挙斎弾壊実変楽薬栄営沢浜渓満滝焼猟獣県"
    "稲窓経継茎蔵訳賛郷酔釈鋳関雑頼験駆鶏齢"
)
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb|\u201e[^\u201c\u201d]*[\u201c\u201d]")
_LATIN_LETTER = re.compile(r"[A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06]")
# Parts of names in English captions too: they weigh little.
_PARTICLES = frozenset("de la le les el los las da di do dos das del della der den des die du van von ter ten".split())
_LITTLE = 0.4
_ENOUGH = 1.0
# Of longer texts one word proves nothing.
_SHORT = 3
# Letters that speak for one language, in words without a capital (names keep theirs in any language).
_OWN_LETTERS = {
    "german": "\xdf\xe4\xf6\xfc",
    "french": "\xe7\xe8\xea\xe0\xf9\u0153\xee\xf4\xfb",
    "spanish": "\xf1\xed\xf3\xfa",
    "portuguese": "\xe3\xf5",
    "vietnamese": "\u0103\u0111\u01a1\u01b0\u1ea1\u1ea3\u1ea5\u1ea7\u1ea9\u1eab\u1ead\u1eaf\u1eb1\u1eb3\u1eb5\u1eb7"
    "\u1eb9\u1ebb\u1ebd\u1ebf\u1ec1\u1ec3\u1ec5\u1ec7\u1ec9\u1ecb\u1ecd\u1ecf\u1ed1\u1ed3\u1ed5\u1ed7"
    "\u1ed9\u1edb\u1edd\u1edf\u1ee1\u1ee3\u1ee5\u1ee7\u1ee9\u1eeb\u1eed\u1eef\u1ef1\u1ef3",
}  # fmt: skip


@lru_cache(maxsize=4096)  # a caption is asked about several times
def language_of(text: str) -> str:
    """One of `READ`, or "" for a language that the rules do not read."""
    unquoted = _QUOTED.sub(" ", text)
    text = unquoted if any(c.isalpha() for c in unquoted) else text
    han, kana = len(_HAN.findall(text)), len(_KANA.findall(text))
    letters = sum(c.isalpha() for c in text)
    if han + kana and 2 * (han + kana) > letters - han - kana:
        only = _ONLY_JAPANESE & set(text)
        return "japanese" if kana >= 2 or 8 * kana >= han + kana or only else "chinese"
    latin = len(_LATIN_LETTER.findall(text))
    if letters and 2 * latin < letters:
        return ""
    return _latin(text)


def _latin(text: str) -> str:
    """The language of a text in Latin letters whose little words weigh most."""
    known = _known()
    score: dict[str, float] = {}
    seen: dict[str, set[str]] = {}
    words = [match[0] for match in WORD.finditer(text)]
    for k, word in enumerate(words):
        low = fold(word)
        plural = low.endswith("s") and not low.endswith("ss") and known.get(low[:-1])
        languages = known.get(low) or plural or known.get(low.rpartition("-")[2]) or ()
        weight = 1 / len(languages) if languages else 0
        if low in _PARTICLES and (k + 1 == len(words) or words[k + 1][0].isupper() or weight == 1):
            weight *= _LITTLE
        for language in languages:
            if language != "english" or word.isascii():  # "a" is English, "\xe0" is not
                score[language] = score.get(language, 0) + weight
                seen.setdefault(language, set()).add(low)
        for language, own in _OWN_LETTERS.items():
            if word[0].islower() and any(c in own for c in word):
                score[language] = score.get(language, 0) + _LITTLE
                seen.setdefault(language, set()).add(own)
    english = score.pop("english", 0)
    best = max(sorted(score), key=lambda language: (score[language], language in LATIN), default="")
    if best:
        several = len(seen[best]) > 1 or len(words) <= _SHORT
        clear = score[best] >= _ENOUGH and (several or not english and best in LATIN)
        if clear and score[best] > english or several and score[best] >= english + _LITTLE:
            return best if best in LATIN else ""
    return "" if english <= 0.2 * len(words) and _foreign_letters(words) else "english"


def _foreign_letters(words: list[str]) -> bool:
    """Whether a text of some length is full of letters that English does not have."""
    marked = sum(any(ord(c) > 127 and unicodedata.category(c)[0] == "L" for c in word) for word in words)
    return len(words) >= 4 and 3 * marked >= len(words)


@lru_cache(maxsize=1)
def _known() -> dict[str, tuple[str, ...]]:
    """Little words and media, folded, with the languages that have them."""
    known: dict[str, set[str]] = {}
    for entries in read_list("english").values():
        for entry in entries:
            for word in split(entry):
                known.setdefault(word, set()).add("english")
    for language, entries in read_list("others", FOLDER).items():
        for entry in entries:
            known.setdefault(fold(entry), set()).add(language)
    for language in LATIN:
        for word in lexicon(language).evidence():
            known.setdefault(word, set()).add(language)
    return {word: tuple(sorted(languages)) for word, languages in known.items()}
