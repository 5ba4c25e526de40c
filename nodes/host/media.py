"""The input `media` of the word nodes: phrases that name a medium in these captions and are things elsewhere."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io


def media_input() -> Any:
    """The text of phrases, for a schema."""
    return io.String.Input(
        "media",
        default="",
        optional=True,
        tooltip="Phrases, with commas between, that name a medium in these captions though they are things "
        "elsewhere, such as: neon sign. Connect 'media' of BLIP Caption.",
    )


def phrases_of(text: str | None) -> list[str]:
    """The phrases of such a text."""
    return [phrase for phrase in map(str.strip, (text or "").split(",")) if phrase]
