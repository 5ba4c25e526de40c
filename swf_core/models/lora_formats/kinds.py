"""Kinds of adapters as weight differences: LoRA, LoCon, LoHa, LoKr, IA3, GLoRA, full differences, DoRA over them.

Sources of the formulas: LoRA arXiv 2106.09685; LoHa (FedPara) 2108.06098; LyCORIS, with LoCon and LoKr, 2309.14859;
IA3 2205.05638; GLoRA 2306.07967; DoRA 2402.09353. As the makers compute them (LyCORIS's forward, peft's merge), in
float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .layouts import FileLayer

# What a layer adds to its module at strength 1: to the weight and to the bias, either may be None.
Difference = tuple["Tensor | None", "Tensor | None"]


class Misfit(ValueError):
    """A layer's tensors do not fit each other or the module's weight."""


def kind_of(layer: FileLayer) -> str:
    """The name of what adds to the weight, "bias" where nothing does. Raises Misfit for halves and mixtures."""
    kinds = list(dict.fromkeys(_KIND_OF_ROLE[role] for role in layer.tensors if role not in _BESIDE))
    if len(kinds) > 1:
        raise Misfit(f"mixes tensors of several kinds ({', '.join(kinds)})")
    decomposed = "dora_scale" in layer or "magnitude" in layer
    if not kinds:
        if decomposed or not layer.tensors:
            raise Misfit("has a DoRA magnitude alone" if decomposed else "has an alpha and no weights")
        return "bias"
    missing = [role for role in _KINDS[kinds[0]].needed if role not in layer]
    if missing:
        raise Misfit(f"is half a {kinds[0]}: its tensor '{missing[0]}' is missing")
    if decomposed and kinds[0] not in _DECOMPOSABLE:
        raise Misfit(f"has a DoRA magnitude over a {kinds[0]}")
    return kinds[0]


def is_plain_lora(layer: FileLayer) -> bool:
    """Whether the layer is up @ down and nothing else."""
    return set(layer.tensors) == {"down", "up"}


def rank_of(layer: FileLayer) -> int | None:
    """The rank, from the factor that has it; None where there is none (a full difference, a LoKr of two matrices)."""
    for role in ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b"):
        if role in layer:
            return int(layer[role].shape[0]) if layer[role].dim() else 0
    if "a2" in layer:
        a1, a2 = layer["a1"], layer["a2"]
        return min(int(a1.shape[0]), int(a2.shape[0])) if a1.dim() and a2.dim() else 0
    return layer.rank


def scale_of(layer: FileLayer) -> float:
    """alpha / rank; 1 where either is not said."""
    rank = rank_of(layer)
    if layer.alpha is None or rank is None:
        return 1.0
    return layer.alpha / (rank**0.5 if layer.rank_stabilized else rank)


def difference(layer: FileLayer, weight: Tensor, bias: Tensor | None) -> Difference:
    """What `layer` adds to a module of this `weight` (and `bias`) at strength 1.

    Works on the meta device too, to try the shapes. Raises Misfit when they do not fit.
    """
    kind = kind_of(layer)
    added = None
    try:
        if kind != "bias":
            added = _KINDS[kind].formula(layer, weight)
            if added.shape != weight.shape:
                added = _as_weight(added, weight)
            if _KINDS[kind].scaled:
                added = added * scale_of(layer)
            if "dora_scale" in layer or "magnitude" in layer:
                added = _decompose(layer, weight, added)
        return added, _bias_difference(layer, kind, weight, bias)
    except (RuntimeError, IndexError) as error:
        raise Misfit("has another shape than the model's") from error


def _as_weight(product: Tensor, weight: Tensor) -> Tensor:
    if product.dim() == 0 or weight.dim() == 0 or product.shape[0] != weight.shape[0]:
        raise Misfit("has another shape than the model's")
    return product.reshape(weight.shape)


def _lora(layer: FileLayer, weight: Tensor) -> Tensor:
    down, up = layer["down"], layer["up"]
    if "mid" in layer:
        return tucker(layer["mid"], up.flatten(1), down.flatten(1))
    return up.flatten(1) @ down.flatten(1)


def tucker(core: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """core [r, r, *kernel], up [out, r], down [r, in] -> [out, in, *kernel]."""
    return torch.einsum("m n ..., o m, n i -> o i ...", core, up, down)


def _loha(layer: FileLayer, weight: Tensor) -> Tensor:
    halves = []
    for k in (1, 2):
        a, b = layer[f"hada_w{k}_a"], layer[f"hada_w{k}_b"]
        core = layer.tensors.get(f"hada_t{k}")
        halves.append(a @ b if core is None else tucker(core, a.T, b))
    return halves[0] * halves[1]


def _lokr(layer: FileLayer, weight: Tensor) -> Tensor:
    factors = []
    for k in (1, 2):
        if f"lokr_w{k}" in layer:
            factors.append(layer[f"lokr_w{k}"])
        elif f"lokr_w{k}_a" not in layer or f"lokr_w{k}_b" not in layer:
            raise Misfit(f"is half a LoKr: its factor {k} is missing")
        elif k == 2 and "lokr_t2" in layer:
            factors.append(tucker(layer["lokr_t2"], layer["lokr_w2_a"].T, layer["lokr_w2_b"]))
        else:
            factors.append(layer[f"lokr_w{k}_a"] @ layer[f"lokr_w{k}_b"].flatten(1))
    small, large = factors
    return torch.kron(small.reshape(*small.shape, *[1] * (large.dim() - small.dim())), large.contiguous())


def _ia3(layer: FileLayer, weight: Tensor) -> Tensor:
    """LyCORIS: W (1 + w), along the inputs or the outputs."""
    return weight * _along(layer["weight"], weight, 1 if layer.on_input else 0)


def _ia3_of_peft(layer: FileLayer, weight: Tensor) -> Tensor:
    """peft: W l."""
    axis = _ia3_axis(layer, weight)
    if layer["ia3_l"].numel() != weight.shape[axis]:
        raise Misfit("has another shape than the model's")
    return weight * (_along(layer["ia3_l"], weight, axis) - 1)


def _ia3_axis(layer: FileLayer, weight: Tensor) -> int:
    """0: along the outputs, 1: the inputs. peft: [out, 1], [1, in]; of a convolution [1, C, 1, 1] for either."""
    vector = layer["ia3_l"]
    if layer.on_input is not None:
        return int(layer.on_input)
    if weight.dim() == 2 and vector.dim() == 2 and vector.shape[0] != vector.shape[1]:
        return int(vector.shape[0] == 1)
    if weight.shape[0] == weight.shape[1] or vector.numel() not in weight.shape[:2]:
        raise Misfit("does not say whether its IA3 is along the inputs or the outputs")
    return int(vector.numel() == weight.shape[1])


def _along(vector: Tensor, weight: Tensor, axis: int) -> Tensor:
    shape = [1] * weight.dim()
    shape[axis] = weight.shape[axis]
    return vector.reshape(shape)


def _glora(layer: FileLayer, weight: Tensor) -> Tensor:
    """W A + B: a1 [in, r], a2 [r, in], b1 [out, r], b2 [r, in, *kernel]; the first LyCORIS wrote both pairs swapped."""
    a1, a2, b1, b2 = (layer[role].flatten(1) for role in ("a1", "a2", "b1", "b2"))
    if b1.shape[0] != weight.shape[0] or a1.shape[0] != weight.shape[1]:
        a1, a2, b1, b2 = a2, a1, b2, b1
    core = layer.tensors.get("bm")
    added = b1 @ b2 if core is None else tucker(core, b1, b2)
    turned = torch.einsum("o i ..., i j, j k -> o k ...", weight, a1, a2)
    return turned + added.reshape(weight.shape)


def _decompose(layer: FileLayer, weight: Tensor, added: Tensor) -> Tensor:
    """DoRA: m (W + D) / |W + D| - W, the norm per output (peft, LyCORIS's default) or per input.

    `dora_scale`: [out, 1], [out, 1, 1, 1], [1, in], [1, in, 1, 1]; peft's magnitude [out] or [1, out, 1, 1].
    """
    scale = layer.tensors.get("magnitude", layer.tensors.get("dora_scale"))
    assert scale is not None
    outputs = scale.numel() == weight.shape[0] and ("magnitude" in layer or scale.dim() < 2 or scale.shape[0] != 1)
    inputs = not outputs and scale.dim() >= 2 and scale.shape[:2] == (1, weight.shape[1])
    axis = 0 if outputs or (not inputs and scale.numel() == weight.shape[0]) else 1
    if scale.numel() != weight.shape[axis]:
        raise Misfit("has a DoRA magnitude of another shape than the model's")
    merged = weight + added
    others = [k for k in range(weight.dim()) if k != axis]
    norm = torch.linalg.vector_norm(merged, dim=others, keepdim=True) + torch.finfo(torch.float32).eps
    return merged * (_along(scale, weight, axis) / norm) - weight


def _bias_difference(layer: FileLayer, kind: str, weight: Tensor, bias: Tensor | None) -> Tensor | None:
    added = next((layer[role] for role in ("diff_b", "b_norm") if role in layer), None)
    if "up_bias" in layer:
        added = layer["up_bias"] * scale_of(layer)
    if kind == "IA3 of peft" and bias is not None and _ia3_axis(layer, weight) == 0:
        added = bias * (layer["ia3_l"].reshape(-1) - 1)  # peft scales the layer's output, its bias with it
    if added is None:
        return None
    if bias is None:
        raise Misfit("has a difference for a bias that the model's layer has not")
    if added.shape != bias.shape:
        raise Misfit("has a bias of another shape than the model's")
    return added


@dataclass(frozen=True)
class _Kind:
    """A kind of adapter: the roles that it must have, those that it may have, its formula, whether alpha scales it."""

    formula: Callable[[FileLayer, Tensor], Tensor]
    needed: tuple[str, ...]
    more: tuple[str, ...] = ()
    scaled: bool = False


_KINDS = {
    "LoRA": _Kind(_lora, ("down", "up"), ("mid", "up_bias"), True),
    "LoHa": _Kind(_loha, ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"), ("hada_t1", "hada_t2"), True),
    "LoKr": _Kind(
        _lokr,
        (),
        ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
        True,
    ),
    "IA3": _Kind(_ia3, ("weight",)),
    "IA3 of peft": _Kind(_ia3_of_peft, ("ia3_l",)),
    "GLoRA": _Kind(_glora, ("a1", "a2", "b1", "b2"), ("bm",), True),
    "full difference": _Kind(lambda layer, weight: layer["diff"], ("diff",)),
    "norm": _Kind(lambda layer, weight: layer["w_norm"], ("w_norm",)),
    "whole weight": _Kind(lambda layer, weight: layer["set_weight"] - weight, ("set_weight",)),
}
_KIND_OF_ROLE = {role: name for name, kind in _KINDS.items() for role in (*kind.needed, *kind.more)}
_BESIDE = ("diff_b", "b_norm", "dora_scale", "magnitude")  # stand beside any kind
_DECOMPOSABLE = ("LoRA", "LoHa", "LoKr")
