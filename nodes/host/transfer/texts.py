"""The texts of a transfer where nothing is connected: the empty text, by the model's own encoder."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....swf_core.errors import UserError
from .network import Network


def text_or_empty(conditioning: Any, clip: Any, network: Network, name: str) -> Any:
    """A CONDITIONING as it is connected to `name`; else the empty text by `clip`, or for mini by its own encoder.

    Raises UserError where there is none of these.
    """
    if conditioning is not None:
        return conditioning
    if clip is not None:
        return clip.encode_from_tokens_scheduled(clip.tokenize(""))
    if network.family == "mini":
        return _empty_mini()
    raise UserError(f"Nothing is connected to '{name}'; connect a CLIP Text Encode (it may be empty), or 'clip'.")


def sampled_texts(positive: Any, negative: Any, clip: Any, network: Network, cfg: float) -> tuple[Any, Any]:
    """Positive and negative of a sampling. At cfg 1 the negative is but the pictures' own text: without an encoder for
    the empty one, that is the positive's."""
    positive = text_or_empty(positive, clip, network, "positive")
    if negative is None and clip is None and network.family != "mini" and cfg == 1.0:
        return positive, positive
    return positive, text_or_empty(negative, clip, network, "negative")


@lru_cache(maxsize=1)
def _empty_mini() -> Any:
    from ..native_mini import load_clip

    clip = load_clip()
    return clip.encode_from_tokens_scheduled(clip.tokenize(""))
