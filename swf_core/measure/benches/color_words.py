"""`bench color-words`: "the house is blue instead of red" during a transfer, by words alone, against the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...color.concepts import Concept
from ...color.guidance import ColorGuidance
from ...color.palette import Palette, extract
from ...color.spaces import to_oklab
from ...color.transport import repalette
from ...models.contracts import Backend
from ...pictures import sheet
from ...transfer import Content, preset, stylize
from ...transfer.sigmas import schedule
from ...world import COLORS, Look, Scene, caption, random_look, random_scene
from ...world.photo import COLOR_RGB
from ...world.seeds import TEST_SEED
from ..metrics.classifier import SceneClassifier
from ..metrics.fidelity import CAPTIONED_CFG
from ..metrics.pairs import PAINTED, picture
from ..metrics.structure import edge_f1
from .context import BenchContext, BenchResult
from .tables import Row, as_text, read_rows, table_path, write_rows

TABLE, FORMER_TABLE = "color-words.csv", "colour-words.csv"
COUNT, STEPS = 105, 20
# A truth shows the hue where its object is this colorful, and the new hue is this far from the old one.
LEAST_CHROMA, LEAST_TURN = 0.04, 40.0
NEAR_DEGREES, OUTSIDE_PX = 20.0, 2
# The guidance's setting, chosen on scenes of the tuning seed (docs/figures.md).
STRENGTH, BEGINS, FOCUS = 3.0, 0.45, 0.4
FIELDS = ("case", "style", "object", "old", "new", "arm", "hue_error", "chroma", "style_right", "edges", "outside")


@dataclass(frozen=True)
class Case:
    """A content, a style picture, and the truth with the new color; `inside` [H, W] is the object's own pixels."""

    number: int
    scene: Scene
    look: Look
    new: str
    content: Tensor
    style: Tensor
    truth: Tensor
    inside: Tensor

    @property
    def edited(self) -> Scene:
        """The scene with the object in its new color."""
        return replace(self.scene, main=replace(self.scene.main, color=self.new))


def cases(count: int = COUNT, start: int = TEST_SEED + 70_000) -> list[Case]:
    """Painters in turn, scenes of one object with a hue; those whose truth does not show the new one are left out."""
    result: list[Case] = []
    seed = start
    while len(result) < count:
        seed += 1
        scene = random_scene(seed, second=False)
        others = [c for c in COLORS if c not in ("white", scene.main.color)]
        new = others[int(np.random.default_rng([seed, 7]).integers(len(others)))]
        look = random_look(PAINTED[len(result) % len(PAINTED)], seed, "natural")
        photo = random_look("photo", seed)
        edited = replace(scene, main=replace(scene.main, color=new))
        content = picture(scene, photo)
        inside = (content - picture(edited, photo)).abs().amax(0) > 0.08
        truth, old = (picture(each, look.reseeded(seed + 1)) for each in (edited, scene))
        if scene.main.color == "white" or float(inside.float().mean()) < 0.04:
            continue
        (new_hue, chroma), (old_hue, _) = hue_of(truth, inside), hue_of(old, inside)
        if chroma < LEAST_CHROMA or hue_difference(new_hue, old_hue) < LEAST_TURN:
            continue
        other = random_scene(seed + 500_000, ground=scene.ground, time=scene.time)
        result.append(Case(len(result), scene, look, new, content, picture(other, look), truth, inside))
    return result


def hue_of(image: Tensor, inside: Tensor) -> tuple[float, float]:
    """Hue in degrees and chroma of the mean color inside."""
    a, b = to_oklab(image)[1:, inside].mean(1)
    return float(torch.rad2deg(torch.atan2(b, a))), float(torch.hypot(a, b))


def hue_difference(one: float, other: float) -> float:
    """Degrees between two hues, 0 to 180."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def arms(backend: Backend, case: Case, seed: int) -> dict[str, Tensor]:
    """The arms of one case: each the transfer of one content with a caption as prompt."""
    options = preset("wallfacer", backend).changed(size_px=0, steps=STEPS, cfg=CAPTIONED_CFG)
    before, after = caption(case.scene, case.look), caption(case.edited, case.look)
    begins = schedule(backend.denoiser.sigmas, STEPS)[round(BEGINS * STEPS)]
    guidance = ColorGuidance((Concept(after, strength=STRENGTH, focus=FOCUS),), sigma_high=begins)

    def repaint(prompt: str, steering: ColorGuidance | None = None, **changes: Any) -> Tensor:
        own = options.changed(**changes)
        run = stylize(backend, [Content(case.content, prompt)], [case.style], own, seed=seed, steering=steering)
        return run.images[0].clamp(0, 1)

    unedited = repaint(before)
    return {
        "unedited": unedited,
        "prompt alone": repaint(after),
        "prompt, AdaIN 0, value shift 1": repaint(after, adain=0.0, value_shift=1.0),
        "words": repaint(before, guidance),
        "recolored after, truth's mask": recolored(unedited, case),
    }


def recolored(unedited: Tensor, case: Case) -> Tensor:
    """The baseline that needs a mask: the object's colors turned to the named color's hue in the finished picture."""
    mask = case.inside.float()
    source = extract(unedited, 3, mask)
    goal = to_oklab(torch.tensor(COLOR_RGB[case.new])[:, None])[1:, 0]
    colors = source.colors.clone()
    colors[:, 1:] = goal / goal.norm() * colors[:, 1:].norm(dim=1, keepdim=True)
    return repalette(unedited, Palette(colors, source.shares), source=source, mask=mask)


def scores(image: Tensor, unedited: Tensor, case: Case, classifier: SceneClassifier) -> dict[str, Any]:
    """The figures of one picture."""
    from scipy.ndimage import binary_dilation

    hue, chroma = hue_of(image, case.inside)
    outside = torch.from_numpy(np.logical_not(binary_dilation(case.inside.numpy(), iterations=OUTSIDE_PX)))
    difference = (to_oklab(image) - to_oklab(unedited)).square().sum(0).sqrt()[outside].mean()
    return {
        "hue_error": round(hue_difference(hue, hue_of(case.truth, case.inside)[0]), 2),
        "chroma": round(chroma, 4),
        "style_right": int(classifier.answers(image[None])["style"][0] == case.look.style),
        "edges": round(edge_f1(image, unedited), 4),
        "outside": round(float(difference), 4),
    }


def run(context: BenchContext) -> BenchResult:
    """Rows in color-words.csv, one an arm and case; continues where it stopped. Report by arm, and a page."""
    table = table_path(context.out, TABLE, former=FORMER_TABLE)
    rows = [row | {"arm": row["arm"].replace("recoloured", "recolored")} for row in read_rows(table)]
    present = {row["case"] for row in rows}
    jobs = cases(context.share_of(COUNT))
    page: list[list[Tensor]] = []
    labels: list[str] = []
    for case in jobs:
        if str(case.number) in present:
            continue
        images = arms(context.backend, case, context.seed + case.number)
        rows += _rows(case, images, context.classifier)
        write_rows(table, rows, FIELDS)
        if len(page) < 15:
            page.append([case.content, case.style, *images.values(), case.truth])
            labels.append(f"{case.look.style}, {case.new}")
        context.bar((case.number + 1) / len(jobs))
    names = list(dict.fromkeys(row["arm"] for row in rows))
    pages = {"": sheet(page, ["content", "style", *names], labels, cell_px=112)} if page else {}
    return {name: summary([row for row in rows if row["arm"] == name]) for name in names}, pages


def _rows(case: Case, images: dict[str, Tensor], classifier: SceneClassifier) -> list[Row]:
    return [
        as_text(
            {
                "case": case.number,
                "style": case.look.style,
                "object": case.scene.main.kind,
                "old": case.scene.main.color,
                "new": case.new,
                "arm": arm,
                **scores(image, images["unedited"], case, classifier),
            }
        )
        for arm, image in [*images.items(), ("truth", case.truth)]
    ]


def summary(rows: list[Row]) -> dict[str, Any]:
    """One arm's figures; "style where the hue is right" is the share among those."""
    near = [row for row in rows if float(row["hue_error"]) <= NEAR_DEGREES]
    mean = {k: round(float(np.mean([float(row[k]) for row in rows])), 4) for k in FIELDS[6:]}
    return {
        "hue within 20 degrees": round(len(near) / len(rows), 4),
        "median hue error": round(float(np.median([float(row["hue_error"]) for row in rows])), 2),
        "style": mean["style_right"],
        "style where the hue is right": round(sum(int(r["style_right"]) for r in near) / max(1, len(near)), 4),
        "edges": mean["edges"],
        "outside": mean["outside"],
        "chroma": mean["chroma"],
        "cases": len(rows),
    }
