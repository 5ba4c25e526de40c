"""The nodes' texts in the page's languages: locales/en is written from the schemas, locales/zh by hand and checked.

The page shows a text of locales/LANGUAGE/nodeDefs.json in place of the schema's: display name, description, names and
tooltips of inputs and outputs. It has no place for the values of a combo; tooltips explain those.
`python -m making.locales` checks; with --translated it takes today's English as what the Chinese says.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from making.schemas import ROOT, NodeSchema, node_schemas

TRANSLATED = "zh"
DIGESTS = ROOT / "making" / "help" / "translated.json"
# The page's messages have a syntax: {placeholders}, @linked messages, plurals with |.
SYNTAX = re.compile(r"[{}@|]")


def translation(language: str = TRANSLATED, root: Path = ROOT) -> dict[str, Any]:
    """The texts of a language by node, as ComfyUI reads them."""
    return json.loads((root / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))


def english(node: NodeSchema) -> dict[str, str]:
    """A node's texts by their place in nodeDefs.json."""
    texts = {"display_name": node.display_name, "description": node.description}
    for group, sockets in (("inputs", node.inputs), ("outputs", node.outputs)):
        for socket in sockets:
            texts |= {f"{group}.{socket.name}.name": socket.label, f"{group}.{socket.name}.tooltip": socket.tooltip}
    return texts


def texts_in(entry: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a node's entry with its place."""
    for name, value in entry.items():
        if isinstance(value, Mapping):
            yield from texts_in(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def check(schemas: Mapping[str, NodeSchema]) -> list[str]:
    """What is wrong with the locales, a sentence each."""
    translated, digests = translation(), json.loads(DIGESTS.read_text(encoding="utf-8"))
    wrong = [f"locales/{TRANSLATED} knows {name}, which is no node." for name in translated.keys() - schemas.keys()]
    for name, node in schemas.items():
        wanted, got = english(node), dict(texts_in(translated.get(name, {})))
        for place in wanted.keys() | got.keys():
            where = f"{name} {place}"
            if place not in got or not got[place].strip():
                wrong.append(f"{where} has no text in locales/{TRANSLATED}.")
            elif place not in wanted:
                wrong.append(f"{where} in locales/{TRANSLATED} belongs to nothing.")
            elif SYNTAX.search(got[place]):
                wrong.append(f"{where} holds one of {{ }} @ |, which the page reads as its own syntax.")
            elif digests.get(name, {}).get(place) != _digest(wanted[place]):
                wrong.append(
                    f"{where} was translated from another English text; renew it, then `python -m making.locales "
                    "--translated`."
                )
    if translation("en") != _english_entries(schemas):
        wrong.append("locales/en is not what the schemas say; run `make pages`.")
    return sorted(wrong)


def write(schemas: Mapping[str, NodeSchema]) -> None:
    """Write locales/en: names of inputs that are not their ids, for hosts whose schemas cannot say so."""
    _write(ROOT / "locales" / "en" / "nodeDefs.json", _english_entries(schemas))


def accept(schemas: Mapping[str, NodeSchema]) -> None:
    """Remember today's English as what the translation says."""
    digests = {name: {p: _digest(t) for p, t in english(node).items()} for name, node in schemas.items()}
    _write(DIGESTS, digests)


def _english_entries(schemas: Mapping[str, NodeSchema]) -> dict[str, Any]:
    renamed = {
        name: {i.name: {"name": i.label} for i in node.inputs if i.label != i.name} for name, node in schemas.items()
    }
    return {name: {"inputs": inputs} for name, inputs in renamed.items() if inputs}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Check, or accept."""
    schemas = node_schemas()
    if "--translated" in sys.argv[1:]:
        accept(schemas)
    write(schemas)
    wrong = check(schemas)
    print("\n".join(wrong) or "All texts are translated.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
