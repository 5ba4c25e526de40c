"""What the shipped graphs, the blueprint and the thumbnails must be, and what is not as it must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from making import thumbnails
from making.blueprint import NAME, blueprint_file
from making.graphs import TOLD, graph_files
from making.prompt import prompt_of

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS, SUBGRAPHS = ROOT / "workflows", ROOT / "subgraphs"


def texts(nodes: dict[str, Any]) -> dict[Path, str]:
    """Every file of text that a ComfyUI's nodes decide."""
    files = {WORKFLOWS / f"{name}.json": text for name, text in graph_files(nodes).items()}
    return files | {SUBGRAPHS / f"{NAME}.json": blueprint_file(nodes)}


def origins(files: dict[Path, str], nodes: dict[str, Any]) -> dict[Path, tuple[str, str]]:
    """By thumbnail: the graph on mini that is run for it, and what its comment must be."""
    wanted = {}
    for name, (_, family) in TOLD.items():
        mini = name if family.family == "mini" else f"{name.rpartition(', ')[0]}, mini"
        prompt = prompt_of(json.loads(files[WORKFLOWS / f"{mini}.json"]), nodes)
        wanted[WORKFLOWS / f"{name}.jpg"] = (mini, thumbnails.comment(mini, prompt, name != mini))
    return wanted


def stale(files: dict[Path, str], wanted: dict[Path, tuple[str, str]]) -> list[str]:
    """What is not as it must be, a sentence each."""
    wrong = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    wrong += [path for path, (_, origin) in wanted.items() if thumbnails.comment_of(path) != origin]
    sentences = [f"{path.relative_to(ROOT).as_posix()} is not up to date; run `make pages`." for path in wrong]
    known = {*files, *wanted}
    unknown = sorted(p for folder in (WORKFLOWS, SUBGRAPHS) for p in folder.glob("*") if p not in known)
    return sentences + [f"{path.relative_to(ROOT).as_posix()} is of no story." for path in unknown]
