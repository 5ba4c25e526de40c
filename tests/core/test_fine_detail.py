"""Fine detail put back into a result, with the embedded autoencoder, on real photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swf_core.color.fine_detail import with_fine_detail
from swf_core.color.match import match
from swf_core.color.spaces import to_oklab
from swf_core.errors import UserError
from swf_core.models import load as load_model
from swf_core.models.round_trip import round_trip
from swf_core.pictures import load

skimage = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def codec():
    return load_model("mini").codec


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    return load(Path(skimage.__file__).parent / "chelsea.png", 203).pixels


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).square().mean().sqrt())


def test_a_round_trip_keeps_any_size_and_loses_what_is_fine(codec, photo):
    assert photo.shape[1] % codec.downscale and photo.shape[2] % codec.downscale
    back = round_trip(codec, photo)
    assert back.shape == photo.shape and 0 <= float(back.min()) and float(back.max()) <= 1
    assert 0.02 < error(back, photo) < 0.2


def test_what_the_autoencoder_lost_is_all_back(codec, photo):
    """The round trip itself as the result: with its fine detail it is the photograph again."""
    back = round_trip(codec, photo)
    errors = [error(with_fine_detail(back, photo, codec, amount), photo) for amount in (0.0, 0.5, 1.0)]
    assert errors[1] < 0.6 * errors[0] and errors[2] < 0.25 * errors[0], errors


def test_it_comes_in_the_colors_of_the_result(codec, photo):
    grey = round_trip(codec, photo).mean(0, keepdim=True).expand(3, -1, -1)
    detailed = with_fine_detail(grey, photo, codec)
    chroma = [float(to_oklab(picture)[1:].norm(dim=0).mean()) for picture in (grey, detailed, photo)]
    assert chroma[1] < 0.15 * chroma[2], chroma
    # Light and dark came back, of the photograph in greys.
    wanted = match(photo, grey, "linear")
    assert error(detailed, wanted) < 0.5 * error(grey, wanted)


def test_amount_zero_is_the_result_bit_for_bit_and_the_rest_is_the_same_each_time(codec, photo):
    back = round_trip(codec, photo)
    assert torch.equal(with_fine_detail(back, photo, codec, 0.0), back)
    assert torch.equal(with_fine_detail(back, photo, codec, 0.5), with_fine_detail(back, photo, codec, 0.5))


def test_what_does_not_fit_is_refused(codec, photo):
    with pytest.raises(UserError, match="between 0"):
        with_fine_detail(photo, photo, codec, 1.5)
    with pytest.raises(UserError, match=f"{photo.shape[2]} x {photo.shape[1]} and 100 x 40 pixels"):
        with_fine_detail(photo, photo[:, :40, :100], codec)
