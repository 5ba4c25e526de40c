"""The scene classifier: two small networks that say which style, object, color, ground and hour a picture shows.

Trained on the renderer's own pictures, on seeds no other model sees, and never used in the training or guidance of
what it measures. One network classifies structure (style, object) from pictures whose hue is turned, that are greyed
and blurred at random, so that it cannot answer from color; the other classifies what color alone can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserError
from ...world import COLORS, GROUNDS, OBJECTS, STYLES, TIMES

SIZE = 128
LABELS: dict[str, tuple[str, ...]] = {
    "style": STYLES,
    "object": OBJECTS,
    "color": COLORS,
    "ground": GROUNDS,
    "time": TIMES,
}
HEADS = {"structure": ("style", "object"), "hue": ("color", "ground", "time")}


class ClassifierNetwork(nn.Module):
    """Strided convolutions with batch normalisation, one linear head per question. [B, 3, S, S] in 0..1."""

    def __init__(self, heads: Sequence[str], widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for k, width in enumerate(widths):
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            if k:
                layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.trunk = nn.Sequential(*layers)
        self.heads = nn.ModuleDict({h: nn.Linear(2 * before, len(LABELS[h])) for h in heads})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        x = self.trunk(pictures * 2 - 1)
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return {name: head(F.dropout(pooled, 0.2, self.training)) for name, head in self.heads.items()}


def new_networks() -> dict[str, ClassifierNetwork]:
    """The two untrained networks."""
    return {
        "structure": ClassifierNetwork(HEADS["structure"], (32, 64, 128, 192)),
        "hue": ClassifierNetwork(HEADS["hue"], (16, 32, 48, 80)),
    }


def views(network: str, pictures: Tensor) -> Tensor:
    """What a network looks at: the structure network the whole picture, the other one half its size."""
    if pictures.shape[-2:] != (SIZE, SIZE):
        pictures = F.interpolate(pictures, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
    return pictures if network == "structure" else F.avg_pool2d(pictures, 2)


@dataclass(frozen=True)
class SceneClassifier:
    """Loaded networks. Call `probabilities` or `answers` on pictures [B, 3, H, W] in 0..1."""

    networks: dict[str, ClassifierNetwork]

    @torch.no_grad()
    def probabilities(self, pictures: Tensor) -> dict[str, Tensor]:
        """For every question the probabilities [B, answers], in the order of `LABELS`."""
        out: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            for batch in views(name, pictures.float()).split(64):
                for question, logits in network(batch).items():
                    out[question] = (
                        torch.cat([out[question], logits.softmax(-1)]) if question in out else logits.softmax(-1)
                    )
        return out

    def answers(self, pictures: Tensor) -> dict[str, list[str]]:
        """For every question the most probable answer of each picture."""
        return {q: [LABELS[q][i] for i in p.argmax(-1).tolist()] for q, p in self.probabilities(pictures).items()}


def load_classifier(path: Path | None = None) -> SceneClassifier:
    """The shipped classifier, or the one in `path`. Raises UserError when the file is missing or broken."""
    from safetensors.torch import load_file

    path = path or Path(__file__).parent / "weights" / "classifier.safetensors"
    try:
        # the shipped file was written with the British spelling
        weights = {k.replace("heads.colour.", "heads.color."): v for k, v in load_file(path).items()}
        networks = new_networks()
        for name, network in networks.items():
            prefix = f"{name}."
            network.load_state_dict(
                {
                    k.removeprefix(prefix): v.float() if v.is_floating_point() else v
                    for k, v in weights.items()
                    if k.startswith(prefix)
                }
            )
            network.eval()
    except Exception as error:
        raise UserError(
            f"The classifier {path} cannot be read ({type(error).__name__}); restore it from the repository "
            "or train it with: python -m swf_core mini build --stages judge."
        ) from error
    return SceneClassifier(networks)
