"""The structure of the house: which room may import which, and how long files and functions may be."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.host_record import ROOT

# Rooms of the core from the ground up. A module imports from its own room and from lower floors.
FLOORS = (
    "errors files finite json_shape masks presets",
    "world pictures features batch film",
    "models style_file",
    "words color transfer",
    "learn classics",
    "measure",
    "demo mini_build",
    "cli",
)
# Rooms of one floor do not import each other, but for these.
NEIGHBOURS = {("files", "errors"), ("json_shape", "errors"), ("finite", "errors")}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
# The front door: it may name every room.
DOORS = {"swf_core", "swf_core.__main__"}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One import statement's arrow from a module to another module of the repository, both as dotted names."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in python_files("swf_core", "nodes")}


def targets(node: ast.Import | ast.ImportFrom, path: Path) -> Iterator[str]:
    """The modules of the repository that one import statement names, wherever in a file it stands."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in modules())
        return
    front = node.module or ""
    if node.level:
        package = path.relative_to(ROOT).parent.parts
        parents = package[: len(package) - (node.level - 1)]
        front = ".".join([*parents, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{front}.{alias.name}" if front else alias.name
        if inner in modules():
            yield inner
        elif front in modules():
            yield front


@functools.cache
def imports() -> tuple[Import, ...]:
    """Every arrow between modules of the core and the nodes, those inside functions too."""
    return tuple(
        Import(module, target, node.lineno)
        for module, path in modules().items()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in targets(node, path)
        if target != module
    )


def room(module: str) -> str:
    return module.split(".")[1]


def core_arrows() -> list[Import]:
    """Imports of the core from one room into another."""
    core = [arrow for arrow in imports() if arrow.source.startswith("swf_core.")]
    return [
        arrow
        for arrow in core
        if arrow.source not in DOORS and arrow.target not in DOORS and room(arrow.source) != room(arrow.target)
    ]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node (Tarjan, SIAM J. Computing 1, 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for successor in sorted(graph.get(node, ())):
            if successor not in order:
                visit(successor)
                lowest[node] = min(lowest[node], lowest[successor])
            elif successor in stack:
                lowest[node] = min(lowest[node], order[successor])
        if lowest[node] == order[node]:
            start = stack.index(node)
            components.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return [component for component in components if len(component) > 1]


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """All functions with their dotted names, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


def is_public(name: str) -> bool:
    """Whether a dotted name can be called from another module: nothing private on its way, a constructor counts."""
    return all(part == "__init__" or not part.startswith(("_", "<")) for part in name.split("."))


def parameters(function: Function, is_method: bool) -> int:
    """How many parameters a caller sees: all kinds, without self and cls."""
    arguments = function.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    count += (arguments.vararg is not None) + (arguments.kwarg is not None)
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    return count - (is_method and not static)


def test_every_room_of_the_core_has_a_floor():
    rooms = {room(module) for module in modules() if module.startswith("swf_core.") and module not in DOORS}
    assert rooms == set(FLOOR_OF)


def test_import_arrows_go_down_by_floors():
    wrong = [
        str(arrow)
        for arrow in core_arrows()
        if FLOOR_OF[room(arrow.target)] >= FLOOR_OF[room(arrow.source)]
        and (room(arrow.source), room(arrow.target)) not in NEIGHBOURS
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_imports_no_node():
    wrong = [str(arrow) for arrow in imports() if arrow.source.startswith("swf_core") and "nodes" in arrow.target]
    assert not wrong, "\n".join(wrong)


def test_models_import_nothing_of_the_methods_built_on_them():
    methods = {"measure", "transfer", "words", "color", "learn"}
    wrong = [str(a) for a in core_arrows() if room(a.source) == "models" and room(a.target) in methods]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ["swf_core", "nodes"])
def test_no_modules_import_each_other_in_a_circle(package):
    graph: dict[str, set[str]] = {}
    for arrow in imports():
        if arrow.source.split(".")[0] == arrow.target.split(".")[0] == package:
            graph.setdefault(arrow.source, set()).add(arrow.target)
    components = [" <-> ".join(component) for component in circles(graph)]
    assert not components, "\n".join(components)


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_files_of_the_product_are_short():
    paths = [*python_files("swf_core", "nodes"), *(ROOT / "making").glob("*.py"), ROOT / "__init__.py"]
    paths += sorted((ROOT / "web").rglob("*.js"))
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    long = [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > MAX_FILE_LINES]
    assert not long, "\n".join(long)


def test_functions_are_short():
    long = [
        f"{relative(path)}:{node.lineno} {name}: {lines} lines"
        for path in python_files("swf_core", "nodes", "making", "tests")
        for name, node in functions(parse(path))
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
        and node.name != "define_schema"
    ]
    assert not long, "\n".join(long)


def test_public_functions_of_the_core_take_few_parameters():
    wrong = []
    for path in python_files("swf_core"):
        methods = {
            node for c in ast.walk(parse(path)) if isinstance(c, ast.ClassDef) for node in c.body if node is not c
        }
        for name, node in functions(parse(path)):
            count = parameters(node, node in methods)
            if is_public(name) and count > MAX_PARAMETERS:
                wrong.append(f"{relative(path)}:{node.lineno} {name}: {count} parameters")
    assert not wrong, "\n".join(wrong)


def test_every_module_begins_with_a_sentence_that_says_what_it_is_for():
    """design.md's map of the folders is made of these lines."""
    wrong = []
    for path in [*python_files("swf_core", "nodes"), *(ROOT / "making").glob("*.py")]:
        line = (ast.get_docstring(parse(path)) or "").split("\n")[0]
        begins = line[:1].isupper() or line.startswith(("`", "sRGB "))
        if not begins or not line.endswith((".", "?")) or len(line.split()) < 4:
            wrong.append(f"{relative(path)}: {line!r}")
    assert not wrong, "\n".join(wrong)
