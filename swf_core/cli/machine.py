"""What the machine decides in a transfer: precision, memory, and what is kept on disk, as arguments of verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .argument_types import number

# Names of torch's types, float32 first.
PRECISIONS = ("fp32", "fp16", "bf16")


def add_machine(group: Any) -> None:
    """Add to the transfer's group what the machine decides: precision and memory."""
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=PRECISIONS[0],
        help="of the network and of what is kept of the pictures; half of the memory and, on a GPU, of the time with "
        "fp16 or bf16; the pictures change a little (default fp32)",
    )
    group.add_argument(
        "--feature-memory",
        type=number(0, 1e6),
        metavar="MB",
        help="what is kept of the styles, and of a batch of contents, may take; over it, fewer noise levels are kept, "
        "in half precision (default 1024)",
    )


def add_style_cache(group: Any) -> None:
    """Add to the transfer's group where pictures of styles are kept between commands."""
    group.add_argument(
        "--style-cache",
        type=Path,
        metavar="DIR",
        help="keep what the style pictures showed in this folder, for the next command: then they cost one evaluation "
        "instead of one a step (at most 4 GB; the verb cache shows and clears it)",
    )
