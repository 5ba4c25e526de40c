"""The map in docs/design.md names every folder and file of the house, in the words of the files themselves."""

from __future__ import annotations

from support.design_map import PAGE, first_sentence, map_text, mapped_page


def test_the_map_is_that_of_the_tree():
    page = PAGE.read_text(encoding="utf-8")
    assert page == mapped_page(page), "docs/design.md's map is stale: run `make map`"


def test_the_map_names_folders_modules_and_scripts_with_what_they_are_for():
    text = map_text()
    for name in ("swf_core/", "generation.py", "board.js", "graphs.py", "inside/"):
        (line,) = {line for line in text.splitlines() if line.split()[0] == name}
        assert len(line.split()) > 3, line
    assert "__pycache__" not in text


def test_a_first_sentence_ends_at_its_full_stop_or_paragraph():
    assert first_sentence("One thing,\nover two lines. Another.") == "One thing, over two lines."
    assert first_sentence("`swf_core.files`: a name with a dot\n\nMore.") == "`swf_core.files`: a name with a dot"
