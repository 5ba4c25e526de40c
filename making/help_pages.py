"""The nodes' help pages: prose of making/help with the inputs and outputs of the schemas, written into web/docs.

A page's pictures are resolved against web/docs itself, whatever the page's own folder; SWF_X.md is what the page falls
back to in a language that has none. `python -m making.help_pages` writes all; `check` says what is not up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from making import locales
from making.schemas import ROOT, NodeSchema, Socket, node_schemas
from swf_core.presets import ENTRIES

PROSE, PAGES = ROOT / "making" / "help", ROOT / "web" / "docs"
LANGUAGES = ("en", "zh")
PICTURE = re.compile(r"(!\[[^\]]*\]\()([^)/]+\))")
# Sockets in words; whatever is not named is its own name.
KINDS = {
    "en": {"INT": "whole number", "FLOAT": "number", "STRING": "text", "BOOLEAN": "on or off", "COMBO": "choice"},
    "zh": {"INT": "整数", "FLOAT": "数值", "STRING": "文字", "BOOLEAN": "开关", "COMBO": "选项"},
}
WORDS = {
    "en": {"inputs": "Inputs", "outputs": "Outputs", "to": " to ", "or": ", ", "optional": "optional", "no": "none"},
    "zh": {"inputs": "输入", "outputs": "输出", "to": " 到 ", "or": "、", "optional": "可选", "no": "无"},
}
STARTS = {"en": "starts as ", "zh": "默认 "}


def pages(schemas: Mapping[str, NodeSchema]) -> dict[Path, str]:
    """Every page's text by its file."""
    texts = {}
    for name, node in schemas.items():
        for language in LANGUAGES:
            texts[PAGES / name / f"{language}.md"] = page(node, language)
        texts[PAGES / f"{name}.md"] = texts[PAGES / name / "en.md"]
    return texts


def page(node: NodeSchema, language: str) -> str:
    """A node's page: its name, the prose, and the lists in place of {inputs}, {outputs} and {presets}."""
    named = dict(locales.texts_in(locales.translation(language).get(node.node_id, {})))
    prose = (PROSE / f"{node.node_id}.{language}.md").read_text(encoding="utf-8").strip()
    for group, sockets in (("inputs", node.inputs), ("outputs", node.outputs)):
        lines = [_line(socket, group, named, language) for socket in sockets]
        listed = "\n".join([f"## {WORDS[language][group]}", *lines]) if lines else ""
        prose = prose.replace(f"{{{group}}}", listed)
    prose = prose.replace("{presets}", "\n".join(f"- `{name}`: {entry.line}." for name, entry in ENTRIES.items()))
    text = f"# {named.get('display_name', node.display_name)}\n\n{prose}\n"
    return re.sub(r"\n{3,}", "\n\n", PICTURE.sub(rf"\1{node.node_id}/\2", text))


def _line(socket: Socket, group: str, named: Mapping[str, str], language: str) -> str:
    """An input or output as an item of a list, which no sidebar is too narrow for."""
    label = named.get(f"{group}.{socket.name}.name", socket.label)
    label = f"**{label}**" if group == "outputs" or label == socket.name else f"**{label}** `{socket.name}`"
    text = named.get(f"{group}.{socket.name}.tooltip", socket.tooltip)
    return (
        f"- {label} ({_facts(socket, language)}): {text}"
        if language == "en"
        else (f"- {label}（{_facts(socket, language)}）：{text}")
    )


def _facts(socket: Socket, language: str) -> str:
    """What goes in, what it starts as and where it ends, in few words."""
    words, spec = WORDS[language], socket.spec
    kind = KINDS[language].get(socket.kind) or words["or"].join(k.removeprefix("SWF_") for k in socket.kind.split(","))
    if not socket.is_widget:
        return (
            f"{kind}, {words['optional']}"
            if socket.optional and language == "en"
            else (f"{kind}，{words['optional']}" if socket.optional else kind)
        )
    facts, default = [kind], spec.get("default")
    if socket.kind in ("INT", "FLOAT") and "seed" not in socket.name and "min" in spec:
        facts.append(f"{_number(spec['min'])}{words['to']}{_number(spec['max'])}")
    if socket.kind == "BOOLEAN":
        default = {"en": ("off", "on"), "zh": ("关", "开")}[language][bool(default)]
    elif socket.kind == "COMBO":
        options = list(spec.get("options", ()))
        default = default or next(iter(options), None)
    if default not in (None, ""):
        facts.append(f"{STARTS[language]}{_number(default)}")
    return ("; " if language == "en" else "；").join(facts)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def check(schemas: Mapping[str, NodeSchema]) -> list[str]:
    """What is wrong with the pages, a sentence each."""
    wanted = pages(schemas)
    wrong = [
        f"{path.relative_to(ROOT).as_posix()} is not up to date; run `make pages`."
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    stale = sorted(set(PAGES.rglob("*.md")) - wanted.keys())
    return wrong + [f"{path.relative_to(ROOT).as_posix()} is no node's page." for path in stale]


def write(schemas: Mapping[str, NodeSchema]) -> None:
    """Write every page."""
    for path, text in pages(schemas).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main() -> int:
    """Write locales and pages; what is wrong with them."""
    schemas = node_schemas()
    locales.write(schemas)
    write(schemas)
    wrong = locales.check(schemas) + check(schemas)
    print("\n".join(wrong) or "Help pages and locales are up to date.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
