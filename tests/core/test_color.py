"""Color: spaces and gamut, palettes, transport, and the colors of a reference, on real photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swf_core.color.match import METHODS, Gaussian, match
from swf_core.color.palette import extract, parse, sampled_pixels
from swf_core.color.spaces import edit_colors, from_oklab, saturation, to_linear, to_oklab
from swf_core.color.transport import palette_map, plan, repalette
from swf_core.color.wavelet import low_pass
from swf_core.errors import UserError
from swf_core.pictures import load

skimage = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def photos() -> dict[str, torch.Tensor]:
    folder = Path(skimage.__file__).parent
    return {n: load(folder / f, 256).pixels for n, f in (("cat", "chelsea.png"), ("coffee", "coffee.png"))}


def test_oklab_is_ottossons():
    # The examples of the publication, from CIE XYZ of the primaries.
    known = {
        (1.0, 1.0, 1.0): (1.0, 0.0, 0.0),
        (1.0, 0.0, 0.0): (0.62796, 0.22486, 0.12585),
        (0.0, 0.0, 1.0): (0.45201, -0.03246, -0.31153),
        (0.0, 1.0, 0.0): (0.86644, -0.23389, 0.17950),
    }
    lab = to_oklab(torch.tensor(list(known)).T).T
    assert torch.allclose(lab, torch.tensor(list(known.values())), atol=2e-4)


def test_oklab_and_back_is_the_same_picture(photos):
    for picture in photos.values():
        assert (from_oklab(to_oklab(picture)) - picture).abs().max() < 2e-3
        assert (edit_colors(picture, lambda lab, _: lab) - picture).abs().max() < 2e-3


def test_colors_beyond_the_gamut_keep_their_light_and_stay_different():
    lab = torch.stack([torch.full((50,), 0.6), torch.linspace(0.1, 0.5, 50), torch.full((50,), 0.05)])
    picture = from_oklab(torch.tensor([[0.6], [0.1], [0.05]])).view(3, 1, 1).expand(3, 1, 50)
    out = edit_colors(picture, lambda _, part: lab[:, part]).view(3, 50)
    assert out.min() >= 0 and out.max() < 1
    ratio = saturation(to_linear(out))[1]
    assert (ratio[5:].diff() > -1e-5).all() and (ratio[5:18].diff() > 1e-5).all() and ratio.max() < 1.0
    light = to_linear(out).T @ torch.tensor([0.2126, 0.7152, 0.0722])
    assert torch.isfinite(light).all()


def test_strength_zero_and_outside_the_mask_are_the_picture_itself(photos):
    cat, coffee = photos["cat"], photos["coffee"]
    mask = torch.zeros(cat.shape[1:])
    mask[20:90, 30:120] = 0.7
    for method in METHODS:
        assert match(cat, coffee, method, strength=0.0) is cat
        out = match(cat, coffee, method, mask=mask)
        assert torch.equal(out[:, mask == 0], cat[:, mask == 0]) and not torch.equal(out, cat)
    target = parse("navy, gold, white")
    assert repalette(cat, target, strength=0.0) is cat
    assert torch.equal(repalette(cat, target, mask=mask)[:, mask == 0], cat[:, mask == 0])


def test_linear_transport_has_the_references_mean_and_covariance(photos):
    own, theirs = Gaussian.of(photos["cat"]), Gaussian.of(photos["coffee"])
    moved = Gaussian.of_points(own.linear_to(theirs)(sampled_pixels(photos["cat"], None, 1 << 21)[0].double().T).T)
    assert (moved.mean - theirs.mean).abs().max() < 1e-4
    assert (moved.covariance - theirs.covariance).abs().max() < 1e-4
    matrix = own.linear_to(theirs).matrix
    assert torch.allclose(matrix, matrix.T, atol=1e-9) and torch.linalg.eigvalsh(matrix).min() >= 0


@pytest.mark.parametrize("method", METHODS[:4])
def test_a_picture_takes_the_references_colors(photos, method):
    def color_distance(a: torch.Tensor, b: torch.Tensor) -> float:
        a, b = (sampled_pixels(x)[0][: 1 << 13].sort(0).values for x in (a, b))
        return float((a - b).abs().mean())

    before = color_distance(photos["cat"], photos["coffee"])
    assert color_distance(match(photos["cat"], photos["coffee"], method), photos["coffee"]) < 0.35 * before


def test_wavelet_takes_the_broad_colors_and_leaves_the_strokes(photos):
    cat = photos["cat"]
    blue = cat.clone()
    blue[0] *= 0.5
    out = match(cat, blue, "wavelet")
    assert (to_oklab(out) - to_oklab(blue)).abs().mean() < 0.4 * (to_oklab(cat) - to_oklab(blue)).abs().mean()
    assert torch.allclose(low_pass(torch.full((3, 40, 50), 0.3)), torch.full((3, 40, 50), 0.3), atol=1e-6)
    spot = torch.zeros(1, 129, 129)
    spot[0, 64, 64] = 1.0
    assert abs(float(low_pass(spot).sum()) - 1.0) < 1e-5
    luminance = match(cat, blue, "luminance")
    assert (to_oklab(luminance)[0] - to_oklab(cat)[0]).abs().mean() < 5e-3


def test_a_palette_is_found_the_same_each_time_and_is_right():
    picture = torch.zeros(3, 40, 100)
    for color, first, last in (((0.8, 0.2, 0.2), 0, 50), ((0.2, 0.4, 0.6), 50, 80), ((1.0, 1.0, 1.0), 80, 100)):
        picture[:, :, first:last] = torch.tensor(color).view(3, 1, 1)
    palette = extract(picture, 6)
    assert palette.codes == ["#cc3333", "#336699", "#ffffff"] and extract(picture, 6).codes == palette.codes
    assert palette.shares is not None and torch.allclose(palette.shares, torch.tensor([0.5, 0.3, 0.2]), atol=5e-3)
    assert extract(torch.full((3, 9, 9), 0.4), 5).codes == ["#666666"]


def test_a_plan_has_its_marginals(photos):
    source, target = extract(photos["cat"], 12), parse("red 20%, #123 50%, white 30%")
    odds = plan(source, target)
    assert torch.allclose(odds.sum(0), target.weights(), atol=2e-3)
    assert torch.allclose(odds.sum(1), source.weights(), atol=1e-3)
    assert torch.allclose(plan(source, parse("red, #123, white")).sum(1), source.weights(), atol=1e-3)


def test_an_edited_palette_moves_each_color_where_it_was_put(photos):
    cat = photos["cat"]
    source = extract(cat, 5)
    colors = source.colors.clone()
    colors[0, 1:] = torch.tensor([-0.02, -0.08])
    out = repalette(cat, type(source)(colors, source.shares), source=source)
    points, after = (sampled_pixels(x)[0] for x in (cat, out))
    near = torch.cdist(points, source.colors).argmin(1)
    assert (after[near == 0].mean(0)[1:] - colors[0, 1:]).norm() < 0.03
    assert (after[near == 3] - points[near == 3]).norm(dim=1).mean() < 0.02
    same = palette_map(cat, source, source=source)
    assert same.moves.abs().max() < 1e-4


@pytest.mark.parametrize(
    "picture",
    [
        torch.full((3, 16, 16), 0.5),
        torch.rand(1, 20, 30, generator=torch.Generator().manual_seed(1)).expand(3, 20, 30),
        torch.zeros(3, 8, 8),
        torch.ones(3, 8, 8),
        torch.rand(3, 1, 1, generator=torch.Generator().manual_seed(1)),
    ],
    ids=["one color", "grey", "black", "white", "one pixel"],
)
def test_odd_pictures_give_pictures(photos, picture):
    for target in ("#ff0000", "navy, gold, tomato, white, black"):
        out = repalette(picture, parse(target))
        assert out.shape == picture.shape and torch.isfinite(out).all() and 0 <= out.min() and out.max() <= 1
    for method in METHODS:
        for a, b in ((picture, photos["cat"]), (photos["cat"], picture)):
            out = match(a, b, method)
            assert out.shape == a.shape and torch.isfinite(out).all() and 0 <= out.min() and out.max() <= 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#12345", "'#12345' is no color"),
        ("red, blurple", "'blurple' is no color"),
        ("", "has 0 colors"),
        ("red 20%, blue", "1 of 2 colors have a share"),
        (", ".join(["red"] * 33), "has 33 colors"),
    ],
)
def test_palettes_that_cannot_be_read(text, message):
    with pytest.raises(UserError, match=message):
        parse(text)


def test_palettes_that_can_be_read():
    assert parse("#f00; 0000ff\nhsl(120, 100%, 25%), Tomato").codes == ["#ff0000", "#0000ff", "#008000", "#ff6347"]
    assert parse("f00").codes == ["#ff0000"]


def test_bad_values_are_named(photos):
    cat = photos["cat"]
    with pytest.raises(UserError, match="mask is empty"):
        match(cat, cat, mask=torch.zeros(cat.shape[1:]))
    with pytest.raises(UserError, match="method 'magic' is unknown"):
        match(cat, cat, "magic")
    with pytest.raises(UserError, match="strength is 2"):
        match(cat, cat, strength=2.0)
    with pytest.raises(UserError, match="edited from 2 colors to 1"):
        repalette(cat, parse("red"), source=parse("red, blue"))
    with pytest.raises(UserError, match="lightness is -1"):
        repalette(cat, parse("red"), lightness=-1.0)
    with pytest.raises(UserError, match="0 colors were asked"):
        extract(cat, 0)
