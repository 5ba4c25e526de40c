"""The text widget `edited` of the word nodes: what a person typed wins over what was found."""

from __future__ import annotations

from ...swf_core.errors import UserError


def edited_lines(text: str, count: int) -> list[str]:
    """One text for each of `count` pictures or captions, "" where nothing was typed.

    For one, the whole text with its line ends folded; for several, a line each. Raises UserError for too many lines.
    """
    if count == 1:
        return [" ".join(text.split())]
    lines = [" ".join(line.split()) for line in text.rstrip().splitlines()]
    if len(lines) > count:
        raise UserError(
            f"'edited' has {len(lines)} lines for {count} texts; write one line each and leave a line empty to keep it."
        )
    return lines + [""] * (count - len(lines))
