"""Every node has a help page in English and Chinese, a Chinese name, and a place in a shipped graph."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODES = sorted({i for p in (ROOT / "nodes").glob("*.py") for i in re.findall(r'^ +"(SWF_\w+)",$', p.read_text(), re.M)})


def test_the_nodes_are_found():
    assert {"SWF_TripleSampler", "SWF_QueryPreservePatch", "SWF_Trajectory", "SWF_MiniLoader"} <= set(NODES)


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_help_page_in_two_languages(node, language):
    page = (ROOT / "web" / "docs" / node / f"{language}.md").read_text(encoding="utf-8")
    assert page.startswith("# ") and len(page) > 150
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    assert pictures and all((ROOT / "web" / "docs" / node / picture).is_file() for picture in pictures)
    assert (re.search(r"[\u4e00-\u9fff]", page) is not None) == (language == "zh")


@pytest.mark.parametrize("node", NODES)
def test_a_chinese_name(node):
    names = json.loads((ROOT / "locales" / "zh" / "nodeDefs.json").read_text(encoding="utf-8"))
    assert names[node]["display_name"] and names[node]["description"]
