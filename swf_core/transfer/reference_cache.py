"""What pictures showed, kept in a folder for the next command: their trajectories and features, on disk.

A picture shows the same whenever weights, text, levels and options are the same. Whether the weights are, LoRAs and
all, is told by one evaluation of the network, whose result is part of the name under which a picture is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files import write_files
from .features import FeatureBank
from .trajectory import Trajectory

LIMIT_BYTES = 4 << 30
_SUFFIX = ".reference.safetensors"


class ReferenceCache:
    """A folder of kept pictures, at most `limit_bytes` of them: what was used longest ago goes first.

    Several processes may share it: a file is there whole or not at all.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES):
        self.folder, self.limit_bytes = folder, limit_bytes

    def find(self, key: str) -> Kept | None:
        """What is kept under a key; it was used now. A file that cannot be read is taken away."""
        from safetensors import SafetensorError, safe_open

        path = self.folder / f"{key}{_SUFFIX}"
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                kept = Kept({name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["facts"]))
            os.utime(path)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            with suppress(OSError):
                path.unlink()
            return None
        return kept

    def keep(self, key: str, kept: Kept) -> None:
        """Keep it, and drop what was used longest ago as far as the limit asks.

        Raises UserError where the folder cannot be written to.
        """
        from safetensors.torch import save

        tensors = {name: tensor.cpu().contiguous() for name, tensor in kept.tensors.items()}
        write_files({self.folder / f"{key}{_SUFFIX}": save(tensors, {"facts": json.dumps(kept.facts)})})
        files = sorted(self.files(), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in files:
            total += path.stat().st_size
            if total > self.limit_bytes:
                with suppress(OSError):  # another process was quicker
                    path.unlink()

    def files(self) -> list[Path]:
        """The files that are there."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def clear(self) -> int:
        """Drop all; how many there were."""
        files = self.files()
        for path in files:
            path.unlink(missing_ok=True)
        return len(files)


class Kept:
    """A trajectory and the features of a bank as plain tensors, with what names them: levels and grids, as JSON holds
    them."""

    def __init__(self, tensors: dict[str, Tensor], facts: dict[str, Any]):
        self.tensors, self.facts = tensors, facts

    @classmethod
    def of(cls, trajectory: Trajectory, bank: FeatureBank) -> Kept:
        """What a picture has shown."""
        points = sorted(trajectory.points)
        tensors = {"clean": trajectory.clean} | {f"point {i}": trajectory.points[s] for i, s in enumerate(points)}
        features = list(bank.items())
        tensors |= {f"feature {i}": tensor for i, (_, _, _, tensor) in enumerate(features)}
        named = [(sigma, layer, part, bank.grid(layer)) for sigma, layer, part, _ in features]
        return cls(tensors, {"points": points, "features": named})

    def restore(self, bank: FeatureBank, device: torch.device) -> Trajectory:
        """The trajectory, on a device; the features go into the bank."""
        for i, (sigma, layer, part, grid) in enumerate(self.facts["features"]):
            bank.put(sigma, layer, part, self.tensors[f"feature {i}"].to(device), (grid[0], grid[1]))
        points = {s: self.tensors[f"point {i}"].to(device) for i, s in enumerate(self.facts["points"])}
        return Trajectory(self.tensors["clean"].to(device), points)


def key_of(parts: Iterable[object]) -> str:
    """32 hexadecimal digits of the SHA-256 of tensors, by their bytes, and of anything else, by its text."""
    digest = hashlib.sha256(b"reference 1")
    for part in parts:
        if isinstance(part, Tensor):
            data = part.detach().float().cpu().contiguous()
            digest.update(repr(tuple(data.shape)).encode())
            digest.update(data.view(torch.uint8).numpy().tobytes() if data.dim() else repr(float(data)).encode())
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:32]
