"""What our page code leaves on the page that all packs share: nothing but extensions under our name and own elements.

The rules are those of the field's page linter (comfy-test 0.4.15, level "javascript").
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.release import project_of

WEB = Path(__file__).resolve().parents[2] / "web"
SCRIPTS = sorted(WEB.rglob("*.js"))
NAMESPACE = re.sub("[^a-z0-9]+", "", project_of()["tool"]["comfy"]["DisplayName"].lower())
FORBIDDEN = {
    "a global of ours": r"\b(?:window|globalThis)(?:\.\w+|\[[^\]]+\])\s*=(?!=)",
    "a global by assignment of an object": r"Object\.(?:assign|define\w+)\(\s*(?:window|globalThis|document|app|api)\b",
    "a listener on the shared document": r"\bdocument(?:\.\w+)*\.addEventListener\(",
    "a listener on the window but for the page's end": r"\bwindow\.addEventListener\((?!\s*\"pagehide\")",
    "an element put straight into the shared document": r"\bdocument\.(?:head|body)\.(?:append|prepend|replace|insert)",
    "an event on the shared document": r"\bdocument\.dispatchEvent\(",
    "a change of the host's own objects": r"\b(?:app|api|LiteGraph|LGraph\w*|ComfyWidgets)(?:\.\w+)+\s*=(?!=)",
    "a store that all packs share": r"\b(?:local|session)Storage\b",
    "code from text": r"\beval\(|new Function\(|\.innerHTML\s*=",
}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", text, flags=re.S | re.M)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(WEB)))
def test_our_page_code_touches_nothing_that_all_packs_share(path):
    code = without_comments(path.read_text(encoding="utf-8"))
    found = {word: re.search(pattern, code) for word, pattern in FORBIDDEN.items()}
    assert not {word: match[0] for word, match in found.items() if match}


def test_the_rules_find_what_they_are_for():
    for code in (
        "window.ready = true;",
        "Object.assign(window, {});",
        "document.body.addEventListener('x', f);",
        'window.addEventListener("keydown", f);',
        "document.head.append(style);",
        "document.dispatchEvent(event);",
        "app.queuePrompt = f;",
        "localStorage.setItem('a', 1);",
        "element.innerHTML = text;",
    ):
        assert any(re.search(pattern, code) for pattern in FORBIDDEN.values()), code


def test_elements_are_put_on_the_page_in_one_place():
    bodies = [p.relative_to(WEB).as_posix() for p in SCRIPTS if re.search(r"\{ body \}|document\.body", p.read_text())]
    assert bodies == ["dom.js"]


def test_extensions_begin_with_the_packs_name():
    names = [
        name
        for path in SCRIPTS
        for name in re.findall(r"registerExtension\(\{\s*name: \"([^\"]+)\"", path.read_text(encoding="utf-8"))
    ]
    assert len(names) >= 2 and all(name.startswith(f"{NAMESPACE}.") for name in names)
    assert len(names) == sum(path.read_text().count("registerExtension(") for path in SCRIPTS)
