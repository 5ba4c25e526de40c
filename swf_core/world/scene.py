"""Scenes drawn from independent factors, so that content and style are independent by construction.

A `Scene` says *what* is in the picture (object, color, ground, time of day, layout, second object) and nothing
about how it is made. Every factor is drawn on its own; no two are correlated, which is what makes
"this content in that style" a question with one exact answer (`world.render`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OBJECTS = ("house", "tree", "boat", "mountain", "car", "balloon", "lighthouse", "cat", "teapot", "windmill")
COLORS = ("red", "yellow", "green", "blue", "purple", "white")
GROUNDS = ("grass", "sand", "snow", "sea")
TIMES = ("noon", "sunset", "night")

# Width and height of each object's drawing box as shares of the picture's height, and how far it floats
# above the ground line. All are large: an object that cannot be recognised cannot be measured.
BOXES = {
    "house": (0.74, 0.66, 0.0),
    "tree": (0.64, 0.78, 0.0),
    "boat": (0.70, 0.74, 0.0),
    "mountain": (1.00, 0.66, 0.0),
    "car": (0.86, 0.48, 0.0),
    "balloon": (0.54, 0.80, 0.14),
    "lighthouse": (0.40, 0.84, 0.0),
    "cat": (0.60, 0.70, 0.0),
    "teapot": (0.82, 0.56, 0.0),
    "windmill": (0.72, 0.86, 0.0),
}


@dataclass(frozen=True)
class Thing:
    """One object in a scene: kind, color, centre x in 0..1 of the width, base y in 0..1 of the height, scale."""

    kind: str
    color: str
    x: float
    y: float
    scale: float
    mirrored: bool


@dataclass(frozen=True)
class Scene:
    """What is in the picture. `seed` fixes the small accidents (clouds, stars, grain of the ground)."""

    main: Thing
    second: Thing | None
    ground: str
    time: str
    horizon: float
    light_x: float
    clouds: int
    seed: int


def random_scene(seed: int, **fixed: object) -> Scene:
    """Draw the scene of `seed`; factors given by name (kind, color, ground, time, second) are held at that value.

    The same seed with another fixed factor keeps everything else, so a scene can be varied one factor at a time.
    """
    rng = np.random.default_rng([seed, 101])
    kind = str(rng.choice(OBJECTS))
    color = str(rng.choice(COLORS))
    ground = str(rng.choice(GROUNDS))
    time = str(rng.choice(TIMES))
    layout = rng.random(8)
    has_second = bool(rng.random() < 0.3)
    second_kind, second_color = str(rng.choice(OBJECTS)), str(rng.choice(COLORS))
    kind, color = str(fixed.get("kind", kind)), str(fixed.get("color", color))
    ground, time = str(fixed.get("ground", ground)), str(fixed.get("time", time))
    has_second = bool(fixed.get("second", has_second))
    if second_kind == kind:
        second_kind = OBJECTS[(OBJECTS.index(kind) + 3) % len(OBJECTS)]

    base = 0.86 + 0.08 * layout[0]
    side = 1.0 if layout[1] < 0.5 else -1.0
    # With a second object the main one steps aside; alone it stays near the middle, always whole.
    x = 0.5 + (side * 0.13 if has_second else 0.16 * (2 * layout[2] - 1))
    main = Thing(kind, color, float(x), float(base), float(0.90 + 0.14 * layout[3]), bool(layout[4] < 0.5))
    second = None
    if has_second:
        second = Thing(
            second_kind, second_color, float(0.5 - side * 0.34), float(base - 0.10), 0.46, bool(layout[5] < 0.5)
        )
    return Scene(
        main,
        second,
        ground,
        time,
        float(0.58 + 0.14 * layout[6]),
        float(0.12 + 0.76 * layout[7]),
        int(rng.integers(0, 3)),
        seed,
    )
