"""Noise that goes with the picture: a value a pixel, carried along the flow, added up to the cells of a latent.

A cell's noise is the sum of its pixels' over its side, which is unit Gaussian when they are independent (integral
noise, Chang et al., "How I Warped Your Noise", ICLR 2024). They stay so for ever: values go from place to place, none
is copied or mixed, at most one comes to a place, and where none comes a new one is drawn. (Interpolating would blur
noise; copying would repeat it.) Each keeps its fraction of a pixel, so that slow ways add up.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .flow import Flow


class MovingNoise:
    """The noise of a film's frames, one after the other.

    `values` [C, H, W]: unit noise of a pixel; `beyond` [H, W, 2]: how far right and down of its pixel's middle each
    is, in -0.5..0.5; `age` [H, W] int32: in how many frames before it has been seen. The same frames and seed give the
    same bytes.
    """

    def __init__(self, channels: int, height: int, width: int, seed: int):
        self._seed, self._drawn = seed, 0
        self.values = self._fresh((channels, height, width))
        self.beyond = torch.zeros(height, width, 2)
        self.age = torch.zeros(height, width, dtype=torch.int32)

    def follow(self, flow: Flow) -> None:
        """Go on to the next frame, of which `flow` tells, of the same size.

        Of values that come to one place the one that was seen longest stays; what is not trusted stays where it is
        unless another comes; a place that is left empty keeps its own value if that found no other, else has a new one.
        """
        channels, height, width = self.values.shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        way = torch.where(flow.seen[..., None], self.beyond + flow.ways, torch.zeros(()))
        whole = way.round()
        x, y = columns + whole[..., 0].long(), rows + whole[..., 1].long()
        seen = torch.where(flow.seen, self.age + 1, torch.zeros((), dtype=torch.int32)).flatten()
        source = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).flatten().nonzero()[:, 0]
        source = source[torch.argsort(seen[source], descending=True, stable=True)]
        nowhere = height * width
        taken = _first_come((y * width + x).flatten()[source], source, nowhere)
        here = torch.arange(nowhere)
        lost = torch.ones(nowhere + 1, dtype=torch.bool).index_fill_(0, taken, False)[:-1]
        stays = (taken == nowhere) & lost
        kept = torch.where(stays, here, taken)
        empty, kept = kept == nowhere, kept.clamp_max(nowhere - 1)
        fresh = self._fresh((channels, nowhere))
        self.values = torch.where(empty, fresh, self.values.flatten(1)[:, kept]).view_as(self.values)
        new = empty | stays
        self.beyond = torch.where(new[:, None], 0.0, (way - whole).flatten(0, 1)[kept]).view_as(self.beyond)
        self.age = torch.where(new, 0, seen[kept]).to(torch.int32).view_as(self.age)

    def of_cells(self, side: int) -> Tensor:
        """Unit noise [C, H / side, W / side] for the cells of a latent, of `side` pixels each way."""
        channels, height, width = self.values.shape
        cells = self.values.view(channels, height // side, side, width // side, side)
        return cells.sum((2, 4)) / side

    def known_for(self, frames: int) -> float:
        """The share of the picture, 0..1, that has been seen for so many frames before this one."""
        return float((self.age >= frames).float().mean())

    def state(self) -> dict[str, Tensor]:
        """All that there is, to go on with, see `restored`."""
        drawn = torch.tensor(self._drawn)
        return {"values": self.values, "beyond": self.beyond, "age": self.age, "drawn": drawn}

    @classmethod
    def restored(cls, state: Mapping[str, Tensor], seed: int) -> MovingNoise:
        """As it was when `state` was taken."""
        noise = cls(0, 1, 1, seed)
        noise.values, noise.beyond, noise.age = state["values"], state["beyond"], state["age"]
        noise._drawn = int(state["drawn"])
        return noise

    def _fresh(self, size: tuple[int, ...]) -> Tensor:
        self._drawn += 1
        generator = torch.Generator("cpu").manual_seed((self._seed * 1_000_003 + self._drawn) % 2**63)
        return torch.randn(size, generator=generator)


def _first_come(target: Tensor, source: Tensor, nowhere: int) -> Tensor:
    """For each place the first source that comes to it, [nowhere]; `nowhere` where none does."""
    first = torch.full((nowhere,), len(target), dtype=torch.long)
    first.scatter_reduce_(0, target, torch.arange(len(target)), "amin")
    return torch.cat([source, torch.tensor([nowhere])])[first]
