"""Running the graphs on the embedded model for their thumbnails."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from making import thumbnails
from making.prompt import prompt_of

PICTURES = "2 style transfer with words, mini"  # whose pictures stand for an artist's own
FRONT = "thumbnail_"


class Runs:
    """Runs of graphs in a ComfyUI, each once."""

    def __init__(self, server: Any, nodes: dict[str, Any], folder: Path):
        self.server, self.nodes, self.folder = server, nodes, folder
        self._outputs: dict[str, dict[str, Any]] = {}

    def paint(self, due: dict[Path, tuple[str, str]]) -> None:
        """Paint these thumbnails: by file, the graph to run and what the file says of its origin."""
        for path, (name, origin) in due.items():
            print(f"{path.name} ...", file=sys.stderr, flush=True)
            results, inputs, words = self._shown(name)
            twin = path.stem != name
            thumbnails.save(thumbnails.thumbnail(results, inputs, words, twin), path, origin)

    def _graph(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))

    def _run(self, name: str) -> dict[str, Any]:
        """The outputs of a graph's nodes by their numbers."""
        if name not in self._outputs:
            prompt = prompt_of(self._graph(name), self.nodes)
            loaders = [node for node in prompt.values() if node["class_type"] == "LoadImage"]
            for loader, picture in zip(loaders, self._own_pictures() if loaders else ()):
                loader["inputs"]["image"] = picture
            history = self.server.run(prompt, seconds=1200)
            self.server.pictures(history)  # that it succeeded
            self._outputs[name] = history["outputs"]
        return self._outputs[name]

    def _own_pictures(self) -> list[str]:
        """A content and a style picture in the input folder, under their names there."""
        names = []
        for number, output in self._by_kind(PICTURES, "PreviewImage"):
            image = output["images"][0]
            source = self.server.base / image["type"] / image["subfolder"] / image["filename"]
            names.append(f"{FRONT}{number}.png")
            shutil.copy(source, self.server.base / "input" / names[-1])
        return names

    def _by_kind(self, name: str, kind: str) -> list[tuple[int, dict[str, Any]]]:
        outputs = self._run(name)
        numbers = [node["id"] for node in self._graph(name)["nodes"] if node["type"] == kind]
        return [(number, outputs[str(number)]) for number in numbers]

    def _shown(self, name: str) -> tuple[list[Image.Image], list[Image.Image], list[str]]:
        """The results of the first node that saves, the pictures that went in, and what was written of them."""
        base = self.server.base
        results = thumbnails.opened(base, self._by_kind(name, "SaveImage")[0][1])
        inputs = [thumbnails.opened(base, output)[0] for _, output in self._by_kind(name, "PreviewImage")]
        if not inputs:
            self._run(PICTURES)
            inputs = [Image.open(base / "input" / picture).copy() for picture in self._own_pictures()]
        texts = ["\n".join(output["text"]) for _, output in self._by_kind(name, "PreviewAny")]
        if not texts:
            return results, inputs, []
        shown, removed = texts[-1], texts[0]
        return results, inputs, [_one_line(shown), f"without: {_one_line(removed)}"]


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
