"""Where a model of transformers is loaded from: the embedded one, a folder, or a download that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UserError

EMBEDDED = "mini"
BLIP_IDS = ("Salesforce/blip-image-captioning-base", "Salesforce/blip-image-captioning-large")
CLIP_IDS = ("openai/clip-vit-large-patch14", "openai/clip-vit-base-patch32")


def resolve_source(where: str | Path, kind: str, download: bool, ids: tuple[str, ...]) -> tuple[str, bool]:
    """What to hand to `from_pretrained`, and whether it may use the network.

    `where`: "mini", a folder, or with `download` the name of a model on the hub. Raises UserError for a folder that is
    missing or holds no such model, or a name without `download`.
    """
    if str(where) == EMBEDDED:
        from ..models.mini.weight_files import WEIGHTS, check_sum

        check_sum(WEIGHTS / kind / "model.safetensors", WEIGHTS)
        return str(WEIGHTS / kind), False
    folder = Path(where)
    if folder.is_dir():
        needed = (("config.json",), ("preprocessor_config.json", "processor_config.json"))
        missing = [names[0] for names in needed if not any((folder / name).is_file() for name in names)]
        weights = list(folder.glob("*.safetensors")) or list(folder.glob("pytorch_model*.bin"))
        if missing or not weights:
            raise UserError(
                f"The folder '{folder}' is no {kind.upper()} model: {(*missing, 'model.safetensors')[0]} is missing; "
                f"put all files of {ids[0]} there."
            )
        return str(folder), False
    if download and str(where) in ids:
        return str(where), True
    if download:
        raise UserError(f"'{where}' is not downloaded; choose one of {', '.join(ids)}, or give a folder.")
    raise UserError(
        f"The {kind.upper()} folder '{where}' does not exist; give a folder with the files of {ids[0]}, or mini."
    )


def load_or_explain(load: Callable[[], Any], where: str, what: str) -> Any:
    """Call a loader of transformers; what goes wrong becomes one sentence."""
    try:
        return load()
    except UserError:
        raise
    except Exception as error:  # transformers raises OSError, ValueError, KeyError, RuntimeError, ...
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UserError(f"The {what} in '{where}' cannot be loaded ({reason}); copy its files again.") from error


def complete_model(loaded: tuple[Any, dict[str, Any]], what: str, hint: str) -> Any:
    """The model of `from_pretrained(..., output_loading_info=True)`. Raises UserError when weights were missing, which
    transformers would fill with random numbers."""
    model, info = loaded
    lost = sorted(name for name in info["missing_keys"] if "position_ids" not in name)
    if lost:
        raise UserError(f"{what} is not whole ({lost[0]} is missing): {hint}.")
    return model


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Let transformers log errors alone, and show no bars; as it was before afterwards."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
