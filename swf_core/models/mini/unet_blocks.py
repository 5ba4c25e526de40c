"""The blocks of the embedded model's UNet: residual convolutions with a transformer after each, in diffusers' names."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .transformer import GROUPS, Transformer2DModel


class ResnetBlock2D(nn.Module):
    """Two normalised convolutions around a skip, told the noise level between them (arXiv 2006.11239, appendix B)."""

    def __init__(self, into: int, out: int, time_width: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, into, eps=1e-5)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_width, out)
        self.norm2 = nn.GroupNorm(GROUPS, out, eps=1e-5)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(into, out, 1) if into != out else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """[B, into, h, w] and the noise level [B, time_width] -> [B, out, h, w]."""
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.norm2(hidden + self.time_emb_proj(F.silu(time))[:, :, None, None])
        hidden = self.conv2(F.silu(hidden))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + hidden


class Downsample2D(nn.Module):
    """Half the height and width, by a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, C, ceil(h / 2), ceil(w / 2)]."""
        return self.conv(x)


class Upsample2D(nn.Module):
    """Repeated cells and a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """[B, C, h, w] -> [B, C, *size]: that of the skip it meets, which is 2h or one less."""
        return self.conv(F.interpolate(x, size=size, mode="nearest"))


class CrossAttnDownBlock2D(nn.Module):
    """One residual block and transformer, then half the size unless it is the last."""

    def __init__(self, into: int, out: int, time_width: int, heads: int, context_width: int, last: bool) -> None:
        super().__init__()
        resnet, attention = ResnetBlock2D(into, out, time_width), Transformer2DModel(out, heads, context_width)
        self.attentions, self.resnets = nn.ModuleList([attention]), nn.ModuleList([resnet])
        self.downsamplers = None if last else nn.ModuleList([Downsample2D(out)])

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> list[Tensor]:
        """[B, into, h, w] -> what the way up skips to, the last of which goes on down."""
        x = self.attentions[0](self.resnets[0](x, time), context)
        return [x] if self.downsamplers is None else [x, self.downsamplers[0](x)]


class UNetMidBlock2DCrossAttn(nn.Module):
    """A transformer between two residual blocks, at the smallest size."""

    def __init__(self, width: int, time_width: int, heads: int, context_width: int) -> None:
        super().__init__()
        first = ResnetBlock2D(width, width, time_width)
        self.attentions = nn.ModuleList([Transformer2DModel(width, heads, context_width)])
        self.resnets = nn.ModuleList([first, ResnetBlock2D(width, width, time_width)])

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, C, h, w]."""
        x = self.attentions[0](self.resnets[0](x, time), context)
        return self.resnets[1](x, time)


class CrossAttnUpBlock2D(nn.Module):
    """A residual block and transformer for each skip, then twice the size unless it is the last.

    `into`: channels from below; `skips`: channels of the skips, in the order in which they are met.
    """

    def __init__(
        self,
        into: int,
        skips: tuple[int, ...],
        out: int,
        time_width: int,
        heads: int,
        context_width: int,
        last: bool,
    ) -> None:
        super().__init__()
        resnets, attentions = [], []
        for skip in skips:
            resnets.append(ResnetBlock2D(into + skip, out, time_width))
            attentions.append(Transformer2DModel(out, heads, context_width))
            into = out
        self.attentions, self.resnets = nn.ModuleList(attentions), nn.ModuleList(resnets)
        self.upsamplers = None if last else nn.ModuleList([Upsample2D(out)])

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, context: Tensor) -> Tensor:
        """[B, into, h, w] -> [B, out, ...]; takes its skips from the end of the list, up to the size of what is left
        there."""
        for resnet, attention in zip(self.resnets, self.attentions, strict=True):
            x = attention(resnet(torch.cat([x, skips.pop()], 1), time), context)
        return x if self.upsamplers is None else self.upsamplers[0](x, skips[-1].shape[2:])
