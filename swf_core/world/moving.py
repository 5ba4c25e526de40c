"""Moving scenes whose motion is known exactly, so that the flicker of a film made of them can be measured.

The main object goes to and fro by whole pixels before a ground that stands still; light, sky and the small accidents
are the scene's. So every pixel's way to the next frame is known, and where there is none: what gets covered, and what
leaves the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from .photo import silhouette
from .scene import Scene, random_scene

# Pixels beside an edge, which hold some of both sides.
MIXED = 2


@dataclass(frozen=True)
class MovingScene:
    """A scene whose main object moves `step` pixels a frame, `reach` to either side of where it stands.

    `size`: of the square frames in pixels.
    """

    scene: Scene
    size: int = 128
    step: int = 1
    reach: int = 12

    def offset(self, frame: int) -> int:
        """How far right of its place the object is, in pixels: 0, up to `reach`, down to -`reach`, and so on."""
        turn = frame * self.step % (4 * self.reach)
        return (
            turn if turn <= self.reach else 2 * self.reach - turn if turn <= 3 * self.reach else turn - 4 * self.reach
        )

    def at(self, frame: int) -> Scene:
        """The scene of a frame."""
        main = self.scene.main
        return replace(self.scene, main=replace(main, x=main.x + self.offset(frame) / self.size))

    def flow(self, frame: int, gap: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Each pixel's way to the frame `gap` later, [size, size, 2] (right, down) in pixels; and whether it is seen in
        both, [size, size] bool, edges left out."""
        here, there = silhouette(self.at(frame), self.size), silhouette(self.at(frame + gap), self.size)
        moved = self.offset(frame + gap) - self.offset(frame)
        flow = np.zeros((self.size, self.size, 2), np.float32)
        flow[here, 0] = moved
        edge = np.ones((2 * MIXED + 1, 2 * MIXED + 1), bool)
        inside = binary_erosion(here, edge) & _within(self.size, moved)
        outside = np.logical_not(binary_dilation(here | there, edge))
        return flow, np.logical_or(inside, outside)


def moving_scene(seed: int, size: int = 128) -> MovingScene:
    """The moving scene of a seed: one object, far enough from the sides to stay whole."""
    scene = random_scene(seed, second=False)
    return MovingScene(replace(scene, main=replace(scene.main, x=0.5, scale=0.8 * scene.main.scale)), size)


def _within(size: int, moved: int) -> np.ndarray:
    columns = np.arange(size) + moved
    return np.broadcast_to((columns >= 0) & (columns < size), (size, size))
