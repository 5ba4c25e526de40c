"""The rows that web/panel.js shows on a node: plain JSON under the key `swf_panel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...swf_core.color.palette import Palette
    from ...swf_core.words.caption import CaptionResult
    from ...swf_core.words.gap import Gap
    from ...swf_core.words.strip import Stripped


def candidates_row(index: int, count: int, captioned: CaptionResult) -> dict[str, Any]:
    """A picture's caption and the candidates with their scores; the picture is number `index` of `count`."""
    return {
        "kind": "candidates",
        "index": index,
        "count": count,
        "chosen": captioned.caption,
        "ranked": captioned.ranked,
        "note": captioned.note,
        "candidates": [{"text": c.text, "how": c.method, "score": c.score} for c in captioned.candidates],
    }


def strip_row(index: int, count: int, stripped: Stripped, edited: bool, gap: Gap | None) -> dict[str, Any]:
    """A caption before and after stripping, what was taken out, and by what method."""
    return {
        "kind": "strip",
        "index": index,
        "count": count,
        "caption": stripped.caption,
        "stripped": stripped.stripped,
        "spans": [[_utf16(stripped.caption, a), _utf16(stripped.caption, b)] for a, b in stripped.spans],
        "method": stripped.method,
        "note": stripped.note,
        "edited": edited,
        "gap": None if gap is None else _gap(gap),
    }


def prompt_row(text: str, notes: Sequence[str], index: int = 0, count: int = 1, edited: bool = False) -> dict[str, Any]:
    """A prompt that was put together, number `index` of `count`, and what is to be said of it."""
    return {"kind": "prompt", "index": index, "count": count, "text": text, "edited": edited, "notes": list(notes)}


def palette_row(palette: Palette, edit: tuple[Palette | None, Palette] | None) -> dict[str, Any]:
    """A picture's colors with their shares, and the palette that it was moved to, unless that edits its own."""
    shares = [float(share) for share in palette.weights()]
    target = [] if edit is None or edit[0] is not None else edit[1].codes
    colors = [{"color": code, "share": share} for code, share in zip(palette.codes, shares)]
    return {"kind": "palette", "colors": colors, "target": target}


def panel_output(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The node's ui output."""
    return {"swf_panel": rows}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "text": gap.text,
        "picture": gap.picture,
        "control_text": gap.control_text,
        "control_picture": gap.control_picture,
        "reading": gap.interpretation,
    }


def _utf16(text: str, at: int) -> int:
    """A place in a text as JavaScript counts: characters beyond the basic plane are two."""
    return len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
