"""What a running ComfyUI says of its nodes: widgets and sockets, in the order in which a saved graph holds them."""

from __future__ import annotations

from typing import Any

KINDS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
NOTE = "MarkdownNote"


def widgets_of(info: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names and defaults of a node's widgets in the order in which a graph's file holds their values.

    The front end adds one after a seed ("control_after_generate") and one after an upload, under no name of the node.
    """
    widgets: list[tuple[str, Any]] = []
    for group in ("required", "optional"):
        for name, (kind, *rest) in info["input"].get(group, {}).items():
            spec = rest[0] if rest else {}
            options = kind if isinstance(kind, list) else spec.get("options") if kind == "COMBO" else None
            if (options is None and kind not in KINDS) or spec.get("forceInput"):
                continue
            empty = "" if options is not None else {"STRING": "", "BOOLEAN": False}.get(kind, 0)
            default = spec.get("default", options[0] if options else empty)
            widgets.append((name, default))
            if spec.get("control_after_generate", kind == "INT" and name in ("seed", "noise_seed")):
                widgets.append(("control_after_generate", "fixed"))
            if spec.get("image_upload"):
                widgets.append(("upload", "image"))
    return widgets


def sockets_of(info: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and types of a node's inputs that are no widgets."""
    widgets = {name for name, _ in widgets_of(info)}
    both = [*info["input"].get("required", {}).items(), *info["input"].get("optional", {}).items()]
    return [(name, spec[0]) for name, spec in both if name not in widgets]


def kind_of(info: dict[str, Any], name: str) -> str:
    """The type of an input, as a link's type names it."""
    kind = next(group[name][0] for group in info["input"].values() if name in group)
    return "COMBO" if isinstance(kind, list) else kind


def long_texts(info: dict[str, Any]) -> int:
    """How many of a node's widgets are fields of several lines."""
    specs = [spec for group in info["input"].values() if isinstance(group, dict) for spec in group.values()]
    return sum(1 for kind, *rest in specs if kind == "STRING" and rest and rest[0].get("multiline"))
