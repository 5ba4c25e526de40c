"""The shapes of the ten objects, as parts in a unit box (x -0.5..0.5, y 0 at the base to 1 at the top).

A part is (shape, coordinates, role): shape "poly" takes a list of points, "oval" and "rect" take
(x0, y0, x1, y1). The role names a color: the object's own ("main", "shade", "tint", "deep") or a fixed one.
"""

from __future__ import annotations

from typing import Any

Part = tuple[str, Any, str]

# Fixed colors of parts that do not carry the object's color, linear in 0..1 sRGB.
FIXED = {
    "wood": (0.42, 0.27, 0.16),
    "cream": (0.96, 0.92, 0.80),
    "dark": (0.13, 0.12, 0.15),
    "glass": (0.72, 0.86, 0.93),
    "lamp": (1.00, 0.88, 0.45),
    "metal": (0.55, 0.57, 0.62),
    "snowcap": (0.97, 0.98, 1.00),
}


def _house() -> list[Part]:
    return [
        ("rect", (0.20, 0.55, 0.32, 0.98), "wood"),
        ("rect", (-0.40, 0.0, 0.40, 0.55), "main"),
        ("poly", [(-0.5, 0.52), (0.5, 0.52), (0.0, 1.0)], "deep"),
        ("rect", (-0.09, 0.0, 0.09, 0.34), "wood"),
        ("rect", (-0.32, 0.20, -0.16, 0.40), "cream"),
        ("rect", (0.16, 0.20, 0.32, 0.40), "cream"),
    ]


def _tree() -> list[Part]:
    return [
        ("poly", [(-0.10, 0.0), (0.10, 0.0), (0.06, 0.45), (-0.06, 0.45)], "wood"),
        ("oval", (-0.5, 0.30, 0.08, 0.74), "shade"),
        ("oval", (-0.08, 0.30, 0.5, 0.74), "main"),
        ("oval", (-0.34, 0.50, 0.34, 1.0), "tint"),
    ]


def _boat() -> list[Part]:
    return [
        ("rect", (-0.03, 0.2, 0.03, 1.0), "wood"),
        ("poly", [(0.06, 0.32), (0.42, 0.32), (0.06, 0.96)], "cream"),
        ("poly", [(-0.06, 0.32), (-0.34, 0.32), (-0.06, 0.84)], "tint"),
        ("poly", [(-0.5, 0.26), (0.5, 0.26), (0.34, 0.0), (-0.36, 0.0)], "main"),
    ]


def _mountain() -> list[Part]:
    return [
        ("poly", [(-0.5, 0.0), (0.5, 0.0), (0.04, 1.0)], "main"),
        ("poly", [(0.04, 1.0), (0.5, 0.0), (0.10, 0.0), (0.16, 0.42)], "shade"),
        ("poly", [(0.04, 1.0), (-0.135, 0.67), (-0.05, 0.73), (0.03, 0.62), (0.10, 0.72), (0.19, 0.67)], "snowcap"),
    ]


def _car() -> list[Part]:
    return [
        ("poly", [(-0.30, 0.52), (0.24, 0.52), (0.14, 1.0), (-0.20, 1.0)], "main"),
        ("poly", [(-0.24, 0.56), (-0.04, 0.56), (-0.04, 0.92), (-0.16, 0.92)], "glass"),
        ("poly", [(0.01, 0.56), (0.18, 0.56), (0.11, 0.92), (0.01, 0.92)], "glass"),
        ("poly", [(-0.5, 0.18), (0.5, 0.18), (0.48, 0.48), (0.28, 0.56), (-0.46, 0.56)], "main"),
        ("oval", (-0.38, 0.0, -0.12, 0.42), "dark"),
        ("oval", (0.14, 0.0, 0.40, 0.42), "dark"),
        ("oval", (-0.30, 0.12, -0.20, 0.30), "metal"),
        ("oval", (0.22, 0.12, 0.32, 0.30), "metal"),
    ]


def _balloon() -> list[Part]:
    return [
        ("poly", [(-0.36, 0.46), (0.36, 0.46), (0.12, 0.18), (-0.12, 0.18)], "shade"),
        ("oval", (-0.5, 0.34, 0.5, 1.0), "main"),
        ("oval", (-0.20, 0.34, 0.20, 1.0), "cream"),
        ("rect", (-0.14, 0.0, 0.14, 0.15), "wood"),
    ]


def _lighthouse() -> list[Part]:
    def band(low: float, high: float, role: str) -> Part:
        def half(y: float) -> float:
            return 0.42 - 0.20 * y / 0.72

        return ("poly", [(-half(low), low), (half(low), low), (half(high), high), (-half(high), high)], role)

    return [
        band(0.0, 0.18, "main"),
        band(0.18, 0.36, "cream"),
        band(0.36, 0.54, "main"),
        band(0.54, 0.72, "cream"),
        ("rect", (-0.34, 0.70, 0.34, 0.76), "dark"),
        ("rect", (-0.18, 0.76, 0.18, 0.88), "lamp"),
        ("poly", [(-0.26, 0.88), (0.26, 0.88), (0.0, 1.0)], "deep"),
    ]


def _cat() -> list[Part]:
    return [
        ("poly", [(0.24, 0.06), (0.50, 0.10), (0.48, 0.50), (0.38, 0.50), (0.38, 0.20), (0.24, 0.20)], "shade"),
        ("oval", (-0.36, -0.06, 0.32, 0.66), "main"),
        ("poly", [(-0.34, 0.72), (-0.32, 1.0), (-0.08, 0.86)], "main"),
        ("poly", [(0.30, 0.72), (0.28, 1.0), (0.04, 0.86)], "main"),
        ("oval", (-0.36, 0.46, 0.32, 0.92), "tint"),
        ("oval", (-0.22, 0.66, -0.11, 0.78), "dark"),
        ("oval", (0.07, 0.66, 0.18, 0.78), "dark"),
        ("poly", [(-0.07, 0.62), (0.03, 0.62), (-0.02, 0.55)], "dark"),
    ]


def _teapot() -> list[Part]:
    return [
        ("oval", (0.16, 0.20, 0.50, 0.74), "shade"),
        ("oval", (0.24, 0.30, 0.42, 0.64), "hole"),
        ("poly", [(-0.22, 0.18), (-0.22, 0.44), (-0.40, 0.80), (-0.50, 0.76), (-0.40, 0.34)], "shade"),
        ("oval", (-0.32, 0.0, 0.32, 0.78), "main"),
        ("oval", (-0.20, 0.64, 0.20, 0.86), "tint"),
        ("oval", (-0.07, 0.82, 0.07, 1.0), "deep"),
    ]


def _windmill() -> list[Part]:
    parts: list[Part] = [
        ("poly", [(-0.28, 0.0), (0.28, 0.0), (0.16, 0.56), (-0.16, 0.56)], "main"),
        ("poly", [(-0.20, 0.56), (0.20, 0.56), (0.0, 0.76)], "deep"),
        ("rect", (-0.07, 0.0, 0.07, 0.20), "wood"),
    ]
    cx, cy, long, wide = 0.0, 0.60, 0.42, 0.075
    for dx, dy in ((0.75, 0.66), (-0.66, 0.75), (-0.75, -0.66), (0.66, -0.75)):
        nx, ny = -dy * wide, dx * wide
        tip = (cx + dx * long * 1.1, cy + dy * long * 0.92)
        parts.append(
            (
                "poly",
                [
                    (cx - nx * 0.4, cy - ny * 0.4),
                    (tip[0] - nx, tip[1] - ny),
                    (tip[0] + nx, tip[1] + ny),
                    (cx + nx * 0.4, cy + ny * 0.4),
                ],
                "cream",
            )
        )
    parts.append(("oval", (-0.05, 0.55, 0.05, 0.65), "dark"))
    return parts


PARTS: dict[str, list[Part]] = {
    "house": _house(),
    "tree": _tree(),
    "boat": _boat(),
    "mountain": _mountain(),
    "car": _car(),
    "balloon": _balloon(),
    "lighthouse": _lighthouse(),
    "cat": _cat(),
    "teapot": _teapot(),
    "windmill": _windmill(),
}
