"""Fine Detail on the host's pictures and VAE."""

from __future__ import annotations

from typing import Any

import comfy.utils
import torch
from torch import Tensor

from ...swf_core.color.fine_detail import with_fine_detail
from ...swf_core.errors import UserError
from ...swf_core.pictures import resize
from .codec import VaeCodec


def detailed(images: Tensor, contents: Tensor, vae: Any, amount: float) -> Tensor:
    """Results [B, H, W, C] with the fine detail of contents [1 or B, h, w, C]; alpha stays."""
    if len(contents) not in (1, len(images)):
        raise UserError(f"{len(images)} results and {len(contents)} contents are given; give one content, or as many.")
    codec, bar, results = VaeCodec(vae, channels_last=False), comfy.utils.ProgressBar(len(images)), []
    for k, image in enumerate(images):
        picture = image[..., :3].movedim(-1, 0).float().cpu()
        content = contents[k % len(contents)][..., :3].movedim(-1, 0).float().cpu()
        result = image.clone()
        moved = with_fine_detail(picture, resize(content, *picture.shape[1:]), codec, amount)
        result[..., :3] = moved.movedim(0, -1)
        results.append(result)
        bar.update(1)
    return torch.stack(results)
