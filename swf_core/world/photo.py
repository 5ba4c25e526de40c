"""A scene as a smooth "photo" and its region map, drawn with Pillow at twice the size and averaged down."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from .noise import smooth_noise
from .objects import FIXED, PARTS
from .scene import BOXES, Scene, Thing

COLOR_RGB = {
    "red": (0.83, 0.13, 0.12),
    "yellow": (0.96, 0.80, 0.12),
    "green": (0.12, 0.56, 0.22),
    "blue": (0.12, 0.32, 0.82),
    "purple": (0.55, 0.18, 0.66),
    "white": (0.95, 0.95, 0.93),
}
GROUND_RGB = {
    "grass": (0.40, 0.66, 0.27),
    "sand": (0.88, 0.76, 0.52),
    "snow": (0.92, 0.95, 0.99),
    "sea": (0.16, 0.45, 0.62),
}
SKY_RGB = {
    "noon": ((0.36, 0.62, 0.92), (0.78, 0.90, 0.98)),
    "sunset": ((0.46, 0.28, 0.52), (0.99, 0.62, 0.28)),
    "night": ((0.04, 0.05, 0.18), (0.14, 0.19, 0.42)),
}
LIGHT_RGB = {"noon": (1.0, 1.0, 1.0), "sunset": (1.0, 0.86, 0.76), "night": (0.70, 0.72, 0.90)}

_OVERSAMPLE = 2


def render_photo(scene: Scene, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture [size, size, 3] float32 in 0..1 and its region map [size, size] int32 (0 = sky)."""
    big = size * _OVERSAMPLE
    label = Image.new("L", (big, big), 0)
    draw = ImageDraw.Draw(label)
    colors: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)]  # sky: filled with a gradient below
    rng = np.random.default_rng([scene.seed, 202])
    light = np.array(LIGHT_RGB[scene.time])

    def part(color: tuple[float, ...] | np.ndarray, lit: bool = True) -> int:
        colors.append(tuple(np.asarray(color) * light) if lit else tuple(np.asarray(color)))
        return len(colors) - 1

    horizon = scene.horizon * big
    _sky_things(scene, draw, part, rng, big)
    ground = part(GROUND_RGB[scene.ground])
    draw.rectangle((0, horizon, big, big), fill=ground)
    if scene.second is not None:
        _draw_thing(scene.second, draw, part, big)
    _draw_thing(scene.main, draw, part, big)

    labels = np.asarray(label)
    image = np.asarray(colors, dtype=np.float32)[labels]
    y = np.linspace(0, 1, big, dtype=np.float32)[:, None]
    top, low = (np.array(c, dtype=np.float32) for c in SKY_RGB[scene.time])
    sky = top + (low - top) * np.clip(y / max(scene.horizon, 0.01), 0, 1)[..., None]
    image = np.where((labels == 0)[..., None], sky, image)
    image = image.reshape(size, _OVERSAMPLE, size, _OVERSAMPLE, 3).mean(axis=(1, 3))
    regions = labels[_OVERSAMPLE // 2 :: _OVERSAMPLE, _OVERSAMPLE // 2 :: _OVERSAMPLE].astype(np.int32)

    # Light falls from the side of the sun; the ground darkens towards the viewer; both keep the photo smooth.
    x = np.linspace(0, 1, size, dtype=np.float32)[None, :]
    yy = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    shade = 1.0 + 0.16 * (0.5 - np.abs(x - scene.light_x)) * (regions > 0)
    shade = shade * (1.0 - 0.22 * (regions == ground) * np.clip((yy - scene.horizon) / (1 - scene.horizon), 0, 1))
    shade = shade * (1.0 + 0.05 * smooth_noise(rng, size, size, 24.0))
    return np.clip(gaussian_filter(image * shade[..., None], (0.7, 0.7, 0)), 0, 1).astype(np.float32), regions


def silhouette(scene: Scene, size: int = 128) -> np.ndarray:
    """Where the main object is, [size, size] bool, as the region map of `render_photo` has it."""
    big = size * _OVERSAMPLE
    label = Image.new("L", (big, big), 0)
    _draw_thing(scene.main, ImageDraw.Draw(label), lambda *_: 1, big)
    return np.asarray(label)[_OVERSAMPLE // 2 :: _OVERSAMPLE, _OVERSAMPLE // 2 :: _OVERSAMPLE] > 0


def _sky_things(scene: Scene, draw: ImageDraw.ImageDraw, part, rng: np.random.Generator, big: int) -> None:
    x, r = scene.light_x * big, 0.075 * big
    y = {"noon": 0.14, "sunset": scene.horizon - 0.06, "night": 0.15}[scene.time] * big
    color = {"noon": (1.0, 0.95, 0.62), "sunset": (1.0, 0.86, 0.50), "night": (0.93, 0.93, 0.84)}[scene.time]
    draw.ellipse((x - r, y - r, x + r, y + r), fill=part(color, lit=False))
    if scene.time == "night":
        star = part((0.95, 0.95, 0.85), lit=False)
        for sx, sy in rng.random((5, 2)):
            cx, cy, s = sx * big, sy * 0.45 * big, 0.014 * big
            draw.ellipse((cx - s, cy - s, cx + s, cy + s), fill=star)
    else:
        for cx, cy in rng.random((scene.clouds, 2)):
            cloud = part({"noon": (0.97, 0.98, 1.0), "sunset": (0.93, 0.66, 0.60)}[scene.time], lit=False)
            cx, cy = cx * big, (0.08 + 0.22 * cy) * big
            for dx, w, h in ((-0.09, 0.09, 0.035), (0.0, 0.11, 0.055), (0.09, 0.09, 0.035)):
                draw.ellipse((cx + (dx - w) * big, cy - h * big, cx + (dx + w) * big, cy + h * big), fill=cloud)


def _draw_thing(thing: Thing, draw: ImageDraw.ImageDraw, part, big: int) -> None:
    main = np.array(COLOR_RGB[thing.color])
    own = {"main": main, "shade": main * 0.78, "deep": main * 0.58, "tint": main * 0.80 + 0.20}
    wide, high, lift = BOXES[thing.kind]
    wide, high = wide * thing.scale * big, high * thing.scale * big
    x0, y0 = thing.x * big, (thing.y - lift * thing.scale) * big
    flip = -1.0 if thing.mirrored else 1.0
    ids: dict[str, int] = {}
    for shape, coordinates, role in PARTS[thing.kind]:
        if role not in ids:
            # The hole in a handle shows what lies behind; drawn in a light neutral it stays readable everywhere.
            ids[role] = part(FIXED["cream"] if role == "hole" else own.get(role, FIXED.get(role)))
        if shape == "poly":
            draw.polygon([(x0 + flip * px * wide, y0 - py * high) for px, py in coordinates], fill=ids[role])
        else:
            ax, ay, bx, by = coordinates
            xs = sorted((x0 + flip * ax * wide, x0 + flip * bx * wide))
            box = (xs[0], y0 - by * high, xs[1], y0 - ay * high)
            (draw.ellipse if shape == "oval" else draw.rectangle)(box, fill=ids[role])
