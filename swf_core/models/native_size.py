"""The size that a model was trained at, told by the heads of its files: too thin a picture is refused at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def native_size_px(spec: str | Path) -> int | None:
    """The long side in pixels; None where only loading the model can say, or say what is wrong with it."""
    if str(spec) == "mini":
        from .mini import NATIVE_SIZE_PX

        return NATIVE_SIZE_PX
    path = Path(spec)
    try:
        if path.is_dir():
            unet, vae = (json.loads((path / part / "config.json").read_text()) for part in ("unet", "vae"))
            return int(unet.get("sample_size") or 64) * _downscale(vae)
        return _size_of_file(path)
    except Exception:  # a broken model: loading it names the fault
        return None


def _downscale(vae: dict[str, Any]) -> int:
    widths = vae.get("encoder_block_out_channels") or vae["block_out_channels"]
    return 2 ** (len(widths) - 1)


def _size_of_file(path: Path) -> int | None:
    from safetensors import safe_open

    from .single_file import TEMPLATES, checkpoint_family

    with safe_open(str(path), "pt") as opened:
        shapes = {key: tuple(opened.get_slice(key).get_shape()) for key in opened.keys()}
    family = checkpoint_family(shapes)
    template = TEMPLATES[family]
    if family == "SD2.x":  # 512 or 768; the larger refuses no picture that the smaller would take
        return 768
    return int(template["unet"]["sample_size"]) * _downscale(dict(template["vae"]))
