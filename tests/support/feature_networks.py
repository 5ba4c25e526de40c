"""Networks that only show features, of real ones' exact sizes: for the memory that a transfer takes beside them."""

from __future__ import annotations

import sys
from dataclasses import replace

import torch
from torch import nn

from swf_core.measure.benches.random_models import PooledCodec, RandomText
from swf_core.measure.peak_memory import peak_growth
from swf_core.models.contracts import AttentionLayer, Backend
from swf_core.models.diffusers_backend import family_presets, sigmas_from_config
from swf_core.transfer import preset, stylize

# Name of a layer, how often the latent was halved there, channels, and heads.
SD15_LATE = [(f"up.{b}.{i}", 3 - b, 320 << (3 - b), 8) for b in (2, 3) for i in range(3)]
SDXL_LATE = [(f"up.1.{i}.{n}", 1, 640, 10) for i in range(3) for n in range(2)]
SHAPES = {"SD1.5": (SD15_LATE, "SD1.x", 512), "SDXL": (SDXL_LATE, "SDXL", 1024)}


class FeatureNetwork:
    """A `Denoiser` without a network: each layer that is edited shows random queries, keys and values."""

    def __init__(self, layers, dtype):
        self._heads = {name: heads for name, _, _, heads in layers}
        self.self_attention_layers = tuple(AttentionLayer(name, level, "", width) for name, level, width, _ in layers)
        self._dtype = dtype
        self.sigmas = sigmas_from_config({})
        self.network, self.module_names, self.device = nn.Linear(1, 1).to(dtype), {}, torch.device("cpu")

    def denoise(self, x, sigma, cond, edit=None):
        rows, _, height, width = x.shape
        for layer in self.self_attention_layers if edit is not None else ():
            if layer.name not in edit.layers:
                continue
            heads, grid = self._heads[layer.name], layer.grid(height, width)
            shape = rows, heads, grid[0] * grid[1], layer.channels // heads
            q, k, v = (torch.rand(shape, dtype=self._dtype) for _ in range(3))
            edit.function(layer, q, k, v, grid, shape[-1] ** -0.5)
        return 0.5 * x.float()


def feature_backend(shape, dtype):
    layers, family, size_px = SHAPES[shape]
    denoiser = FeatureNetwork(layers, dtype)
    presets = {"all": "all", **family_presets(family, denoiser.self_attention_layers)}
    text = RandomText() if family == "SD1.x" else RandomText(2048, 1280)
    return Backend(denoiser, text, PooledCodec(), f"features of {shape}", size_px, family, presets)


def main():
    """SHAPE DTYPE STEPS: print by how many bytes memory grows in a transfer."""
    shape, dtype, steps = sys.argv[1], getattr(torch, sys.argv[2]), int(sys.argv[3])
    backend = feature_backend(shape, dtype)
    options = replace(preset("wallfacer", backend), steps=steps, size_px=0)
    content, style = torch.rand((2, 3, backend.native_size_px, backend.native_size_px))
    stylize(backend, [content[:, :64, :64]], [style[:, :64, :64]], replace(options, steps=2))  # imports and buffers
    print(peak_growth(lambda: stylize(backend, [content], [style], options)))


if __name__ == "__main__":
    main()
