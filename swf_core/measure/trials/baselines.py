"""Arms that are no preset: what results are measured beside, and the simplest ways there are."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ...color.match import match
from ...models.contracts import Backend
from ...models.round_trip import round_trip
from ...transfer import Injection, TransferOptions
from ...transfer.start_latent import adain
from ...transfer.whitening import whiten_and_color
from ..metrics.pairs import Pair
from .arms import AUTO_WORDS, Arm, Painted, Transfer, arm_name

# img2img at this strength repaints while the object stays where it is (SDEdit, arXiv 2108.01073).
IMG2IMG_DENOISE, IMG2IMG_CFG = 0.7, 2.0

CONTENT, STYLE_PICTURE, TRUTH, OTHER_RENDER = "content", "style picture", "truth", "another render"


def references() -> dict[str, Arm]:
    """Doing nothing, copying the style picture, the truth, another render of it, and what the autoencoder loses."""
    pictures: dict[str, Callable[[Pair], Tensor]] = {
        CONTENT: lambda pair: pair.content,
        STYLE_PICTURE: lambda pair: pair.style,
        TRUTH: lambda pair: pair.truth,
        OTHER_RENDER: lambda pair: pair.other,
    }
    arms = {name: Arm(_shown(show), name, "reference") for name, show in pictures.items()}
    arms["content through the codec"] = Arm(_round_trip(pictures[CONTENT]), "round trip of the content", "reference")
    arms["truth through the codec"] = Arm(_round_trip(pictures[TRUTH]), "round trip of the truth", "reference")
    return arms


def baselines() -> dict[str, Arm]:
    """Statistics of colors and of latents carried over, and img2img under the words."""
    img2img = TransferOptions(
        Injection(strength=0.0), start="stochastic", adain=0.0, denoise=IMG2IMG_DENOISE, cfg=IMG2IMG_CFG, size_px=0
    )
    return {
        "pixel AdaIN": Arm(pixel_adain, "reinhard in OKLab"),
        "latent AdaIN": Arm(latent_adain, "AdaIN of clean latents"),
        "latent WCT": Arm(latent_wct, "WCT of clean latents"),
        arm_name("img2img", AUTO_WORDS): Arm(Transfer(img2img), repr(img2img), words=AUTO_WORDS),
    }


def pixel_adain(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
    """Mean and deviation of each channel of the picture, in OKLab (Reinhard et al. 2001)."""
    return Painted(match(pair.content, pair.style, "reinhard").clamp(0, 1))


def latent_adain(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
    """Mean and deviation of each channel of the clean latent (Huang and Belongie, arXiv 1703.06868)."""
    content, style = (backend.codec.encode(picture[None]) for picture in (pair.content, pair.style))
    return Painted(backend.codec.decode(adain(content, [style], [1.0]))[0].clamp(0, 1))


def latent_wct(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
    """Mean and covariance of the clean latent (Li et al., arXiv 1705.08086, there on VGG's features)."""
    content, style = (backend.codec.encode(picture[None]) for picture in (pair.content, pair.style))
    return Painted(backend.codec.decode(whiten_and_color(content, style))[0].clamp(0, 1))


def _shown(show: Callable[[Pair], Tensor]) -> Callable[[Backend, Pair, str, int], Painted]:
    return lambda backend, pair, prompt, seed: Painted(show(pair))


def _round_trip(show: Callable[[Pair], Tensor]) -> Callable[[Backend, Pair, str, int], Painted]:
    def paint(backend: Backend, pair: Pair, prompt: str, seed: int) -> Painted:
        return Painted(round_trip(backend.codec, show(pair)))

    return paint
