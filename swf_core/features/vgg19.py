"""VGG-19 up to relu5_4 (Simonyan and Zisserman, arXiv 1409.1556), max pooling, as Gatys et al. (2016) read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .layer_names import check_layers

# Convolutions and channels of each block; a pooling by 2 stands between blocks.
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
CONVOLUTIONS = tuple(f"conv{b}_{k}" for b, (count, _) in enumerate(BLOCKS, 1) for k in range(1, count + 1))
VGG_STYLE = tuple(f"relu{b}_1" for b in range(1, 6))
VGG_CONTENT = "relu4_1"


def shapes() -> dict[str, tuple[int, int]]:
    """Channels out and in of each convolution, by name."""
    out, width_in = {}, 3
    for name in CONVOLUTIONS:
        width = BLOCKS[int(name[4]) - 1][1]
        out[name], width_in = (width, width_in), width
    return out


@dataclass(frozen=True)
class Normalization:
    """What a picture in 0..1 becomes before the first convolution: (channels * scale - mean) / deviation.

    `bgr`: channels in the order blue, green, red.
    """

    scale: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    bgr: bool

    def __call__(self, pictures: Tensor) -> Tensor:
        x = pictures.float()
        x = x.flip(1) if self.bgr else x
        mean, deviation = (torch.tensor(v, device=x.device)[:, None, None] for v in (self.mean, self.deviation))
        return (x * self.scale - mean) / deviation


# Keras and Caffe: BGR in 0..255 less the mean color; torchvision: RGB by ImageNet's mean and deviation.
CAFFE = Normalization(255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), bgr=True)
TORCHVISION = Normalization(1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), bgr=False)


@dataclass(frozen=True)
class Vgg19:
    """The network by `Features`: layers "relu1_1" (64 channels, full size) to "relu5_4" (512, a sixteenth).

    `weights`: [out, in, 3, 3] and [out] of each of `CONVOLUTIONS`.
    """

    name: str
    weights: Mapping[str, tuple[Tensor, Tensor]]
    normalization: Normalization
    layers: tuple[str, ...] = tuple(name.replace("conv", "relu") for name in CONVOLUTIONS)
    style_layers: tuple[str, ...] = VGG_STYLE
    content_layer: str = VGG_CONTENT

    def extract(self, pictures: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """See `Features.extract`; sides of at least 16 px. No layer above the last one asked for is computed."""
        check_layers(layers, self.layers)
        x, found = self.normalization(pictures), {}
        for convolution, layer in zip(CONVOLUTIONS, self.layers, strict=True):
            if layer.endswith("_1") and layer != "relu1_1":
                x = F.max_pool2d(x, 2)
            weight, bias = (each.to(x.device) for each in self.weights[convolution])
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if layer in layers:
                found[layer] = x
            if len(found) == len(set(layers)):
                break
        return {layer: found[layer] for layer in layers}
