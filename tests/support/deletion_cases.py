"""Cases of deleting spans from captions, kept in tests/web/deletions.json: the page has to agree with the core on all.

`PYTHONPATH=.:tests python -m support.deletion_cases` writes the file anew.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from swf_core.words.strip.deletion import delete

FILE = Path(__file__).resolve().parents[1] / "web" / "deletions.json"
SEED = 12_345_678
RANDOM_CASES = 800
WRITTEN = (
    ("an oil painting of a red boat by the sea, muted tones", ((0, 18), (40, 53))),
    ("A cat (in watercolor, soft light) sleeps.", ((5, 32),)),
    ("一幅水墨画，一位老人在江边钓鱼，淡雅的色调。", ((0, 5), (16, 21))),
    ("a café at 5 p.m., in the style of Hopper", ((16, 40),)),
    ("🎨 a painting, a 🐈 on a mat", ((0, 12),)),
    (r"1girl, \(o_o\), :3, ^_^, (best_quality, masterpiece:1.2), red_hat | sea", ((25, 56), (58, 65))),
    ("(red fox, oil painting:1.2), ;), watercolor, :3", ((8, 22), (33, 43))),
    ("sepia, -1::hat::, oil, - 2 cats -oil-3", ((0, 5), (19, 22), (33, 36))),
    ("Watercolor:a fox, watercolor :d", ((0, 10), (18, 28))),
    ("a (red fox in watercolor), asleep } - pastel - a den", ((11, 25), (38, 44))),
)
TOKENS = (
    *("a", "red", "boat", "by", "Sea", "café", "Ölbild", "7", "p.m.", "a.m.", "don't", "well-known", "_", "x²", "½"),
    *(" ", " ", " ", " ", "  ", "\t", "\u3000", "\u00a0", "\ufeff", "\u200b", "\x1f", "\x85"),
    *(",", ".", "!", "?", ";", ":", "|", ", ", ". ", "; ", " - ", "–", "—", "...", ",,"),
    *("(", ")", "[", "]", "{", "}", "“", "”", "‘", "’", '"', "'", "<", "#", "@", "&", "$", "«", "（", "）"),
    *("\\(", "\\)", ":1.2", ":3", "red_hat", "^_^", "/", "+", "~", "/ "),
    *("，", "。", "、", "；", "：", "！", "？", "「", "」", "『", "』"),
    *("画", "一只猫", "水墨", "カタ", "ひら", "한국", "Ａ", "🎨", "🐈", "e\u0301", "\U00020000"),
)


def cases() -> list[dict[str, object]]:
    """Captions, spans in characters, and the text that the core makes of them."""
    rng = random.Random(SEED)
    pairs = list(WRITTEN)
    for caption, spans in WRITTEN:
        pairs += [(caption, (span,)) for span in spans]
    for _ in range(RANDOM_CASES):
        caption = "".join(rng.choice(TOKENS) for _ in range(rng.randint(1, 14)))
        ends = sorted(rng.sample(range(len(caption) + 1), min(2 * rng.randint(1, 3), (len(caption) + 1) // 2 * 2)))
        pairs.append((caption, tuple(zip(ends[::2], ends[1::2]))))
    return [{"caption": c, "spans": [list(s) for s in spans], "text": delete(c, spans)} for c, spans in pairs]


def write() -> None:
    """Write the file anew, a case a line."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases())
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    write()
