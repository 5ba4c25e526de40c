"""The triple process on the frames of a film: one bank of the style, noise that follows the motion, a key frame.

Frames come in their order. The flow from the frame before carries the noise (`film.moving_noise`) and says how much of
the key frame is still to be seen: a new one is painted when it is less than half, a new shot begins at a cut. The
first frame of a shot reads itself beside the style, a later key frame that one, every other frame the newest key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..film.flow import flow_between
from ..film.moving_noise import MovingNoise
from ..models.round_trip import pad_to_cells
from . import randomness
from .cost import Progress
from .inputs import Content
from .key_frame import KeyFrame, KeyFrames
from .sizes import to_long_side
from .triple_process import SharedStyles

NOISES = ("flow", "still")
USES = (randomness.CONTENT, randomness.START, randomness.DAMPING)
KEY_WEIGHT = 1.0
# Shares of the picture: a key frame of which less is still to be seen gives way; of a cut less than this is.
STALE, CUT = 0.5, 0.2


@dataclass(frozen=True)
class FilmOptions:
    """How frames hold together.

    * noise: "flow", it follows the motion; "still", all frames have the same.
    * key_weight: of the key frame's keys and values, where a style has 1; 0 is none.

    Raises ValueError (UserError) for a value outside of that.
    """

    noise: str = "flow"
    key_weight: float = KEY_WEIGHT

    def __post_init__(self) -> None:
        if self.noise not in NOISES:
            raise UserError(f"noise is {self.noise!r}; use {' or '.join(NOISES)}.")
        KeyFrames(weight=self.key_weight)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A key frame: its content, its number in the film, and what it showed, None where that is to be found again."""

    content: Content
    number: int
    shown: KeyFrame | None

    def state(self) -> dict[str, Tensor]:
        """Its content and number as tensors."""
        content = self.content
        assert content.picture is not None
        prompt = torch.frombuffer(bytearray(content.prompt.encode() + b"."), dtype=torch.uint8)
        noise = {f"noise{use}": value for use, value in (content.noise or {}).items()}
        return {"picture": content.picture, "prompt": prompt, "number": torch.tensor(self.number), **noise}

    @classmethod
    def restored(cls, state: Mapping[str, Tensor]) -> _Kept:
        """Of `state`; what it showed is to be found again."""
        noise = {use: state[f"noise{use}"] for use in USES if f"noise{use}" in state}
        prompt = bytes(state["prompt"].tolist())[:-1].decode()
        return cls(Content(state["picture"], prompt, noise=noise or None), int(state["number"]), None)


class FilmPainter:
    """Paints the frames of one film, some at a time, in their order."""

    def __init__(self, options: FilmOptions, seed: int = 0):
        self._options, self._seed = options, seed
        self._number = 0
        self._before: Tensor | None = None
        self._noise: MovingNoise | None = None
        self._first: _Kept | None = None  # of the shot
        self._key: _Kept | None = None

    def paint(
        self, shared: SharedStyles, frames: Sequence[Tensor], prompt: str, progress: Progress | None = None
    ) -> list[Tensor]:
        """The next frames [3, H, W] in 0..1, painted under this prompt in these styles: as many pictures.

        Raises ValueError (UserError) where a frame has another size than the one before it.
        """
        images: list[Tensor] = []
        row: list[Content] = []
        for frame in frames:
            content, known = self._followed(shared, frame, prompt)
            if self._options.key_weight > 0.0 and known < STALE:
                images += self._plain(shared, row, progress)
                row = []
                images.append(self._as_key(shared, content, known < CUT, progress))
            else:
                row.append(content)
            self._number += 1
        return images + self._plain(shared, row, progress)

    def state(self) -> dict[str, Tensor]:
        """What later frames depend on, without what can be painted again: to go on with, after `restore`."""
        state: dict[str, Tensor] = {"number": torch.tensor(self._number)}
        if self._before is not None and self._noise is not None:
            state["before"] = self._before
            state |= {f"noise.{name}": value for name, value in self._noise.state().items()}
        for name, kept in (("first", self._first), ("key", self._key)):
            if kept is not None:
                state |= {f"{name}.{part}": value for part, value in kept.state().items()}
        return state

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on as after the frame when `state` was taken, under the same options and styles."""
        parts: dict[str, dict[str, Tensor]] = {"noise": {}, "first": {}, "key": {}}
        for name, value in state.items():
            if "." in name:
                group, rest = name.split(".", 1)
                parts[group][rest] = value
        self._number, self._before = int(state["number"]), state.get("before")
        self._noise = MovingNoise.restored(parts["noise"], self._seed) if parts["noise"] else None
        self._first, self._key = (_Kept.restored(parts[name]) if parts[name] else None for name in ("first", "key"))

    def _plain(self, shared: SharedStyles, row: Sequence[Content], progress: Progress | None) -> list[Tensor]:
        """Frames that are no keys, in one call."""
        if not row:
            return []
        read = None if self._key is None else self._shown(shared, self._key)
        return shared.stylize(row, progress, keys=KeyFrames(read, self._options.key_weight)).images

    def _as_key(self, shared: SharedStyles, content: Content, cut: bool, progress: Progress | None) -> Tensor:
        first = None if cut or self._first is None else self._first
        show = KeyFrame()
        read = show if first is None else self._shown(shared, first)
        keys = KeyFrames(read, self._options.key_weight, show)
        (image,) = shared.stylize([content], progress, keys=keys).images
        self._key = _Kept(content, self._number, show)
        self._first = first or self._key
        return image

    def _shown(self, shared: SharedStyles, kept: _Kept) -> KeyFrame:
        """What a key frame shows; after `restore` it is painted once more, as it was."""
        if kept.shown is not None:
            return kept.shown
        of_shot = self._first is not None and kept.number == self._first.number
        show = KeyFrame()
        read = show if of_shot or self._first is None else self._shown(shared, self._first)
        shared.stylize([kept.content], keys=KeyFrames(read, self._options.key_weight, show))
        again = _Kept(kept.content, kept.number, show)
        if of_shot:
            self._first = again
        if self._key is not None and self._key.number == kept.number:
            self._key = again
        return show

    def _followed(self, shared: SharedStyles, frame: Tensor, prompt: str) -> tuple[Content, float]:
        """A frame with its noise, and the share of it that the key frame shows too; 0 for the first of a shot."""
        follows = self._options.noise == "flow"
        if not follows and self._options.key_weight == 0.0:
            return Content(frame, prompt), 1.0
        cell, channels = shared.cell_px, shared.latent_channels
        fitted = pad_to_cells(to_long_side(frame, shared.side_px), cell)
        if self._noise is None or self._before is None:
            count = len(USES) * channels if follows else 0
            self._noise, known = MovingNoise(count, fitted.shape[-2], fitted.shape[-1], self._seed), 0.0
        elif fitted.shape != self._before.shape:
            raise UserError("The film's frames differ in size; give a film of one size.")
        else:
            self._noise.follow(flow_between(self._before, fitted))
            since = self._number - (self._key.number if self._key is not None else 0)
            known = 0.0 if self._noise.known_for(1) < CUT else max(CUT, self._noise.known_for(since))
        self._before = fitted
        if not follows:
            return Content(frame, prompt), known
        parts = self._noise.of_cells(cell).split(channels)
        return Content(frame, prompt, noise=dict(zip(USES, parts, strict=True))), known
