"""The map of every folder and file in docs/design.md, from the first sentence of each module: `make map` writes it."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "design.md"
BEGIN, END = "<!-- The map: written by `make map`. -->", "<!-- End of the map. -->"
MAPPED = ("nodes", "web", "workflows", "subgraphs", "making", "swf_core", "tests")
# Folders that are no packages have nowhere else to say what they are for.
FOLDERS = {
    "web": "What ComfyUI's page loads: JavaScript modules, and the help pages of the nodes.",
    "web/docs": "A help page of each node, in English and Chinese; their pictures.",
    "web/gallery": "Human Feedback Gallery.",
    "web/panel": "The panel on nodes that show captions, pieces or swatches.",
    "web/kept": "What pictures showed, kept on the server: forgetting it.",
    "workflows": "The shipped graphs, each with its thumbnail.",
    "subgraphs": "The blueprint that newer ComfyUI lists among the nodes.",
    "making/help": "The prose of the help pages, in English and Chinese; inputs are added from the schemas.",
    "swf_core/measure/metrics/weights": "The classifier's weights.",
    "swf_core/models/mini/weights": "The embedded models, and their card.",
    "swf_core/words/strip/rules/languages/lists": "The lists of other languages, and marks of those that are not read.",
    "swf_core/words/strip/rules/lists": "The word lists, a class of words to a section.",
    "tests": "Tests; marks: `host` needs a real ComfyUI, `browser` Chromium too, `slow` is slow.",
    "tests/core": "Tests of swf_core, without a host.",
    "tests/core/old_files": "Files that earlier versions wrote, which must still be read.",
    "tests/host": "Tests that start a real ComfyUI.",
    "tests/host/inside": "Scripts that run in ComfyUI's Python.",
    "tests/host/old_graphs": "Graphs of earlier versions, which must still load.",
    "tests/pack": "Tests of the pack, the page's files and the house, without a host.",
    "tests/support/captions": "Captions written by hand, and what must be left of them.",
    "tests/web": "Tests of the page's pure modules, a file each, by Node's own test runner.",
}


def first_sentence(text: str) -> str:
    """The first sentence of a docstring or comment, on one line."""
    return re.split(r"(?<=[.!?])\s|\n\n", " ".join(text.split("\n\n")[0].split()), maxsplit=1)[0]


def purpose(path: Path) -> str:
    """What a module says of itself; raises ValueError where it says nothing."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = ast.get_docstring(ast.parse(source)) or ""
    else:
        head = re.match(r"(?://.*\n)+", source)
        text = "\n".join(line.removeprefix("//").strip() for line in head[0].splitlines()) if head else ""
    if not text:
        raise ValueError(f"{path.relative_to(ROOT)} does not begin with a sentence on what it is for")
    return first_sentence(text)


def purpose_of_folder(folder: Path) -> str:
    """What a package's docstring or the table above says of a folder; raises ValueError where neither does."""
    name = folder.relative_to(ROOT).as_posix()
    if name in FOLDERS:
        return FOLDERS[name]
    if not (folder / "__init__.py").exists():
        raise ValueError(f"{name}/ is no package: say in tests/support/design_map.py what it is for")
    return purpose(folder / "__init__.py")


def is_module(path: Path) -> bool:
    if path.name == "__init__.py" or path.name.endswith(".test.mjs"):  # named after the module that it tests
        return False
    return path.suffix in (".py", ".js", ".mjs") and "__pycache__" not in path.parts


def lines_of(folder: Path, depth: int = 0) -> list[str]:
    """A folder and all under it, modules before folders; a folder of data is one line."""
    lines = [f"{'  ' * depth}{folder.name}/  {purpose_of_folder(folder)}"]
    if not any(map(is_module, folder.rglob("*"))):
        return lines
    for path in sorted(filter(is_module, folder.iterdir())):
        lines.append(f"{'  ' * (depth + 1)}{path.name}  {purpose(path)}")
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and has_files(p)):
        lines += lines_of(path, depth + 1)
    return lines


def has_files(folder: Path) -> bool:
    return any(path.is_file() and "__pycache__" not in path.parts for path in folder.rglob("*"))


def map_text() -> str:
    """The whole map, as it stands between the two markers."""
    door = f"__init__.py  {purpose(ROOT / '__init__.py')}"
    lines = [door, *(line for name in MAPPED for line in lines_of(ROOT / name))]
    return "\n".join(["```", *lines, "```"])


def mapped_page(page: str) -> str:
    """The page with the map of today; raises ValueError where its markers are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no markers for the map")
    return f"{head}{BEGIN}\n{map_text()}\n{END}{tail}"


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(mapped_page(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
