"""What the nodes' schemas say, read without a ComfyUI: stand-ins of its modules write down what each schema is given.

A host adds to it only its own lists (samplers, schedulers, files); a host test compares the rest with /object_info.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # `support`
# The host's own modules; whatever is asked of one is a class that takes anything and is empty.
HOST_MODULES = ("comfy", "comfy_api", "comfy_execution", "folder_paths", "latent_preview", "server", "node_helpers")


@dataclass(frozen=True)
class Socket:
    """An input or output of a node."""

    name: str  # the id in saved graphs; of an output its place
    kind: str  # INT, COMBO, IMAGE, "LATENT,IMAGE", ...
    label: str
    tooltip: str
    optional: bool = False
    spec: dict[str, Any] = field(default_factory=dict)  # default, min, max, step, options, multiline, ...

    @property
    def is_widget(self) -> bool:
        """Whether a node shows a field for it."""
        return self.kind in ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO") and not self.spec.get("force_input")


@dataclass(frozen=True)
class NodeSchema:
    """A node as its page and its translations speak of it."""

    node_id: str
    display_name: str
    description: str
    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]
    search_aliases: tuple[str, ...]


def node_schemas() -> dict[str, NodeSchema]:
    """The schema of every node by its id, in the order of the pack."""
    with stand_ins():
        from support.pack import pack

        return {s.node_id: s for s in (node.define_schema() for node in pack("nodes").node_list())}


@contextmanager
def stand_ins() -> Iterator[None]:
    """Stand-ins of the host's modules while the nodes are imported; afterwards all is as it was."""
    from support.pack import NAME

    before = dict(sys.modules)
    for name in [n for n in sys.modules if n.partition(".")[0] in (*HOST_MODULES, NAME)]:
        del sys.modules[name]
    finder, path = _Finder(), list(sys.path)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.path[:] = path
        for name in set(sys.modules) - set(before):
            if name.partition(".")[0] in (*HOST_MODULES, NAME):
                del sys.modules[name]
        sys.modules.update(before)


class _Finder:
    """Finds every module of the host, and makes it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in HOST_MODULES:
            return None
        return ModuleSpec(name, self, is_package=True)  # pyright: ignore[reportArgumentType]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "comfy_api.latest":
            vars(module)["io"] = _Io()


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _anything(name)


class _Anything(type):
    """The type of whatever the host has: its parts and results are of the same kind; it is empty; one can inherit."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _anything(name)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        return _anything(cls.__name__) if "anything" in vars(cls) else super().__call__()

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __len__(cls) -> int:
        return 0

    def __fspath__(cls) -> str:
        return cls.__name__


def _anything(name: str) -> Any:
    return _Anything(name, (), {"anything": True})


class _Io:
    """`comfy_api.latest.io`: types whose `Input` and `Output` are written down."""

    ComfyNode = type("ComfyNode", (), {"hidden": None})
    NodeOutput = _anything("NodeOutput")

    @staticmethod
    def Schema(node_id: str, inputs: list, outputs: list, **named: Any) -> NodeSchema:
        return NodeSchema(
            node_id,
            named["display_name"],
            named["description"],
            tuple(inputs),
            tuple(Socket(str(k), o.kind, o.label or o.kind, o.tooltip) for k, o in enumerate(outputs)),
            tuple(named.get("search_aliases", ())),
        )

    @staticmethod
    def Custom(name: str) -> Any:
        return _Type(name)

    def __getattr__(self, name: str) -> Any:
        names = {"MultiType": "*", "Hooks": "HOOKS", "LoraModel": "LORA_MODEL", "LossMap": "LOSS_MAP"}
        return _Type(names.get(name, name.upper()))


class _Type:
    def __init__(self, name: str):
        self.name = self.io_type = name
        self.Type = Any

    def Input(self, name: str, types: Any = None, tooltip: str = "", optional: bool = False, **spec: Any) -> Socket:
        kind = self.name if types is None else ",".join(t.name for t in types)
        return Socket(name, kind, spec.get("display_name") or name, tooltip or "", bool(optional), spec)

    def Output(self, display_name: str = "", tooltip: str = "", **spec: Any) -> Socket:
        return Socket("", self.name, display_name, tooltip or "", spec=spec)

    def __getattr__(self, name: str) -> Any:
        return _Type(f"{self.name}.{name}")
