"""The hand-written captions, and how a stripped one is scored: by case, all of it or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "captions"
TUNED = ("set_a", "set_b", "set_c")
HELD = (("held_out",), ("set_d",))
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def cases(*names: str) -> list[dict[str, Any]]:
    lines = [line for name in names for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines if line]


def holds(text: str, phrase: str) -> bool:
    """Whether a phrase stands in a text: whole words, case folded; in Chinese as a part."""
    if _CJK.search(phrase):
        return phrase in text
    return re.search(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", text.casefold()) is not None


def score(captions: list[dict[str, Any]], strip: Callable[[str], str]) -> tuple[float, float, list[str]]:
    """Share of cases that kept all content, share that lost all style, and what went wrong."""
    content_kept = style_gone = 0
    wrong = []
    for case in captions:
        out = strip(case["caption"])
        lost = [p for p in case["kept"] if not holds(out, p)]
        remaining = [p for p in case["gone"] if holds(out, p)]
        content_kept += not lost
        style_gone += not remaining
        if lost or remaining:
            wrong.append(f"{case['caption'][:80]!r} -> {out[:80]!r}: lost {lost}, left {remaining}")
    return content_kept / len(captions), style_gone / len(captions), wrong


def comes_from(result: str, caption: str) -> bool:
    """Whether a result is the caption with letters taken out: every letter and digit in order, none added."""
    rest = iter(c for c in caption if c.isalnum())
    return all(c in rest for c in result if c.isalnum())


def new_words(result: str, caption: str) -> set[str]:
    """Words of a result that the caption does not have."""
    return set() if _CJK.search(caption) else set(re.findall(r"\w+", result)) - set(re.findall(r"\w+", caption))


if __name__ == "__main__":  # python tests/support/caption_sets.py: the figures of docs/figures.md
    import sys

    sys.path.insert(0, str(FOLDER.parents[2]))
    from swf_core.words.strip import strip

    for names in (TUNED, *HELD):
        shares = score(cases(*names), lambda c: strip(c).stripped)
        print(f"{' + '.join(names)}: content kept {shares[0]:.1%}, style gone {shares[1]:.1%} of {len(cases(*names))}")
