"""The world: same seed, same bytes; independent factors; painters for anything; captions that tell the truth."""

from __future__ import annotations

import numpy as np
import pytest

from swf_core.world import (
    COLORS,
    GROUNDS,
    HELD_OUT,
    OBJECTS,
    PALETTES,
    STYLE_WORDS,
    STYLES,
    TIMES,
    TRAINED,
    caption,
    describe,
    paint,
    random_look,
    random_scene,
    regions_of,
    render,
    render_photo,
)
from swf_core.world.captions import vocabulary


@pytest.mark.parametrize("style", STYLES)
def test_same_seed_same_bytes_and_another_seed_another_picture(style: str) -> None:
    scene, look = random_scene(11), random_look(style, 12)
    first = render(scene, look)
    assert first.shape == (128, 128, 3) and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= 1
    assert first.tobytes() == render(scene, look).tobytes()
    assert np.abs(first - render(random_scene(13), look)).mean() > 0.02


@pytest.mark.parametrize("style", [s for s in STYLES if s not in ("photo", "comic", "papercut", "blueprint")])
def test_another_painter_seed_moves_the_strokes_but_not_the_picture(style: str) -> None:
    scene, look = random_scene(21), random_look(style, 22)
    a, b = render(scene, look), render(scene, look.reseeded(99))
    assert np.abs(a - b).mean() > 0.004
    if style != "stained glass":  # a pane is as large as a sixteenth of the picture
        blocks = [x.reshape(4, 32, 4, 32, 3).mean((1, 3)) for x in (a, b)]
        assert np.abs(blocks[0] - blocks[1]).mean() < 0.06
    quarters = [x.reshape(2, 64, 2, 64, 3).mean((1, 3)) for x in (a, b)]
    assert np.abs(quarters[0] - quarters[1]).mean() < 0.04


@pytest.mark.parametrize("style", STYLES)
def test_painters_take_any_photograph_of_any_shape(style: str) -> None:
    rng = np.random.default_rng(0)
    photograph = np.clip(rng.random((9, 14, 3)).repeat(11, 0).repeat(13, 1)[:97, :180], 0, 1).astype(np.float32)
    painted = paint(photograph, random_look(style, 5))
    assert painted.shape == photograph.shape and np.isfinite(painted).all()
    assert painted.std() > 0.01


def test_every_factor_is_drawn_and_can_be_held() -> None:
    scenes = [random_scene(i) for i in range(400)]
    assert {s.main.kind for s in scenes} == set(OBJECTS) and len(OBJECTS) >= 10
    assert {s.main.color for s in scenes} == set(COLORS)
    assert {s.ground for s in scenes} == set(GROUNDS) and {s.time for s in scenes} == set(TIMES)
    assert 0.2 < np.mean([s.second is not None for s in scenes]) < 0.4
    plain, held = random_scene(7), random_scene(7, color="blue", time="night")
    assert (held.main.color, held.time) == ("blue", "night")
    assert (held.main.kind, held.ground, held.main.x) == (plain.main.kind, plain.ground, plain.main.x)


def test_objects_are_large_and_whole() -> None:
    for seed in range(60):
        scene = random_scene(seed, second=False)
        with_object = render_photo(scene)[1]
        colors, counts = np.unique(with_object, return_counts=True)
        assert len(colors) >= 4
        share = counts[colors > colors.max() - 3].sum() / with_object.size
        assert share > 0.004
        assert 0.25 < scene.main.x < 0.75


def test_style_and_palette_are_independent() -> None:
    names = {style: {random_look(style, seed).palette.name for seed in range(160)} for style in STYLES}
    assert all(names[style] == set(PALETTES) for style in STYLES if style != "photo")
    assert names["photo"] == {"natural"}


def test_there_are_enough_painters_and_some_are_held_out() -> None:
    assert len([s for s in TRAINED if s != "photo"]) >= 14
    assert len(HELD_OUT) >= 3 and not set(HELD_OUT) & set(TRAINED)
    with pytest.raises(ValueError, match="no painter 'etching'"):
        random_look("etching", 0)


def test_the_stripped_caption_is_the_full_one_without_its_style() -> None:
    rng_pairs = [(np.random.default_rng(i), i) for i in range(120)]
    style_words = {w for options in STYLE_WORDS.values() for o in options for w in o.split()} - {"a", "an", "in", "of"}
    for rng, i in rng_pairs:
        scene, look = random_scene(i), random_look(STYLES[i % len(STYLES)], i)
        stripped = caption(scene, look, "stripped", rng)
        assert not style_words & set(stripped.replace(",", " ").split())
        assert scene.main.color in stripped and scene.main.kind in stripped
        assert set(describe(scene).split()) <= set(caption(scene, look, "full").replace(",", " ").split())
        known = set(vocabulary())
        for kind in ("full", "stripped", "style"):
            assert set(caption(scene, look, kind, rng).replace(",", " ,").replace("-", " ").split()) <= known
    with pytest.raises(ValueError, match="unknown"):
        caption(random_scene(0), random_look("oil", 0), "short")


def test_captions_come_in_several_phrasings() -> None:
    scene, look = random_scene(3), random_look("oil", 3)
    assert len({caption(scene, look, "full", np.random.default_rng(i)) for i in range(60)}) > 10


def test_regions_of_a_photograph_are_few_and_follow_its_edges() -> None:
    image = np.zeros((120, 90, 3), np.float32)
    image[:60] = (0.2, 0.4, 0.8)
    image[60:] = (0.7, 0.6, 0.3)
    regions = regions_of(image)
    assert 2 <= len(np.unique(regions)) <= 6
    assert regions[20, 40] != regions[100, 40]


def test_a_look_keeps_color_and_structure_apart() -> None:
    """The same palette in two styles gives nearby mean colors; the pictures still differ in structure."""
    scene = random_scene(31, second=False)
    means = []
    for style in ("strokes", "mosaic", "pixel"):
        look = random_look(style, 33, "blue")
        means.append(render(scene, look).mean((0, 1)))
    assert np.abs(np.array(means) - np.mean(means, 0)).max() < 0.12
