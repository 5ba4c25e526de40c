"""What styles showed, on disk, so that a restarted host knows them: the core's cache, where a person names a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ....swf_core.transfer.features import FeatureBank
from ....swf_core.transfer.reference_cache import Kept, ReferenceCache, key_of
from ....swf_core.transfer.trajectory import Trajectory
from .plan import LatentSource
from .roles import Role

# The environment variable that names the folder.
VARIABLE = "SWF_STYLE_CACHE"


def style_cache() -> ReferenceCache | None:
    """The cache in the folder that the environment names; None where it names none."""
    folder = os.environ.get(VARIABLE, "").strip()
    return ReferenceCache(Path(folder).expanduser()) if folder else None


def kept_or_found(
    cache: ReferenceCache, source: LatentSource, clean: Tensor, role: Role, find: Callable[[], Trajectory]
) -> Trajectory:
    """The trajectory of `clean` latents in the model's scale, with its features in the role's bank: as it lies in the
    cache, or found by `find` and put there. Asking costs one evaluation, which tells whose weights they are."""
    key = _key(source, clean, role)
    if (kept := cache.find(key)) is not None:
        return kept.restore(role.bank, torch.device("cpu"))
    trajectory = find()
    cache.keep(key, Kept.of(trajectory, role.bank))
    return trajectory


def _key(source: LatentSource, clean: Tensor, role: Role) -> str:
    """What decides trajectory and features, the weights by what they predict half way up."""
    sigma = role.rising[len(role.rising) // 2]
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)).to(clean)
    probe = role.denoiser.denoise(clean + sigma * noise, sigma, role.text)
    tokens, more = role.text.entry
    read = [level for level in role.rising if role.reads(level)]
    told = (list(role.rising), role.clean_at, read, role.captured)
    bank: FeatureBank = role.bank
    banked = (sorted(bank.layers), bank.parts, bank.precision, [bank.stand_in(level) for level in read])
    return key_of((probe, clean, tokens, more.get("pooled_output"), source.identity[1], told, banked))
