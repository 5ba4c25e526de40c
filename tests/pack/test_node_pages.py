"""Help pages and translations are what the nodes' schemas say: read without a host, by stand-ins of its modules."""

from __future__ import annotations

import re

import pytest

from making import help_pages, locales
from making.schemas import ROOT, NodeSchema, node_schemas
from swf_core.presets import PRESETS

PAGES = ROOT / "web" / "docs"
SCHEMAS = node_schemas()
HEART = {
    "SWF_BlipCaption": "BLIP Caption",
    "SWF_StyleStrip": "Style-Strip LLM",
    "SWF_LoraTrain": "LoRA Style Train",
    "SWF_FeedbackGallery": "Human Feedback Gallery",
    "SWF_TripleSampler": "Triple Diffusion Sampler",
    "SWF_QueryPreservePatch": "Query-Preserve Attention Patch",
    "SWF_ColorEdit": "Color Edit",
}
# A word that begins after this character of a display name is not found by the page's search: it looks for it near the
# name's beginning (Fuse: distance 100 by threshold 0.3).
FOUND_WITHIN = 30
WORDS = {
    "SWF_TripleSampler": ["style", "transfer", "wallfacer", "triple"],
    "SWF_QueryPreservePatch": ["style", "transfer", "ipadapter"],
    "SWF_ColorEdit": ["color", "edit", "recolor", "palette"],
    "SWF_BlipCaption": ["caption", "describe", "image"],
    "SWF_StyleStrip": ["style", "strip", "caption"],
    "SWF_LoraTrain": ["train", "lora", "style"],
    "SWF_FeedbackGallery": ["feedback", "gallery", "pick"],
    "SWF_Trajectory": ["inversion"],
    "SWF_MiniLoader": ["wallfacer"],
}
BRITISH = re.compile(r"\b\w*(colour|favour|behaviour|grey|centre|learnt|cancelled|quantis|normalis|recognis)\w*", re.I)
# Ids that saved graphs hold, words of the field, and what a person may type.
SPELLED_SO = {"colour_from_style"}


def test_every_node_of_the_pack_is_read_without_a_host():
    classes = (ROOT / "nodes").glob("*.py")
    ids = {i for path in classes for i in re.findall(r'^ +"(SWF_\w+)",$', path.read_text(), re.MULTILINE)}
    assert set(SCHEMAS) == ids and len(ids) >= 14


def test_pages_and_locales_are_up_to_date_and_complete():
    assert locales.check(SCHEMAS) + help_pages.check(SCHEMAS) == []


def test_a_changed_tooltip_is_seen_by_the_checks():
    node = SCHEMAS["SWF_StyleMix"]
    weight = next(i for i in node.inputs if i.name == "weight")
    changed = [i if i is not weight else type(i)(**{**vars(i), "tooltip": "Another text."}) for i in node.inputs]
    schemas = SCHEMAS | {node.node_id: NodeSchema(**{**vars(node), "inputs": tuple(changed)})}
    assert any("SWF_StyleMix inputs.weight.tooltip" in sentence for sentence in locales.check(schemas))
    assert "web/docs/SWF_StyleMix/en.md is not up to date; run `make pages`." in help_pages.check(schemas)
    without = SCHEMAS | {node.node_id: NodeSchema(**{**vars(node), "inputs": node.inputs[1:]})}
    assert "SWF_StyleMix inputs.style.name in locales/zh belongs to nothing." in locales.check(without)


@pytest.mark.parametrize("node", SCHEMAS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_help_page_shows_pictures_and_every_input(node, language):
    page = (PAGES / node / f"{language}.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    assert pictures and all((PAGES / picture).is_file() for picture in pictures)  # resolved against web/docs
    for socket in SCHEMAS[node].inputs:
        assert f"`{socket.name}`" in page or f"**{socket.label}**" in page
    assert (re.search(r"[\u4e00-\u9fff]", page) is not None) == (language == "zh")


@pytest.mark.parametrize("node", SCHEMAS)
def test_a_language_without_pages_falls_back_to_the_english_page(node):
    assert (PAGES / f"{node}.md").read_bytes() == (PAGES / node / "en.md").read_bytes()


@pytest.mark.parametrize("node", SCHEMAS)
def test_no_emphasis_ends_on_a_sign_before_a_letter(node):
    """`**words。**more` stays literal asterisks: a mark that closes after a sign must not stand before a letter."""
    for language in ("en", "zh"):
        page = (PAGES / node / f"{language}.md").read_text(encoding="utf-8")
        for before, _, text, after in re.findall(r"(\w?)(?<!\*)(\*\*?)([^*\n]+)\2(\w?)", page):
            assert not (before and not text[0].isalnum()) and not (after and not text[-1].isalnum()), text


@pytest.mark.parametrize("node", HEART)
def test_the_heart_names_stay(node):
    assert HEART[node] in SCHEMAS[node].display_name


@pytest.mark.parametrize("node", WORDS)
def test_plain_words_begin_where_the_page_search_finds_them(node):
    name = SCHEMAS[node].display_name.lower()
    assert {word: 0 <= name.find(word) <= FOUND_WITHIN for word in WORDS[node]} == dict.fromkeys(WORDS[node], True)


@pytest.mark.parametrize("node", SCHEMAS)
def test_every_name_and_socket_has_a_text_in_american_english(node):
    texts = locales.english(SCHEMAS[node])
    assert all(text.strip() for text in texts.values())
    page = (PAGES / node / "en.md").read_text(encoding="utf-8")
    found = {match[0] for text in (*texts.values(), page) for match in BRITISH.finditer(text)}
    assert found <= SPELLED_SO


@pytest.mark.parametrize("language", help_pages.LANGUAGES)
def test_the_samplers_page_says_what_each_preset_is(language):
    text = help_pages.page(SCHEMAS["SWF_TripleSampler"], language)
    assert re.findall(r"^- `([a-z -]+)`[:：]", text, re.MULTILINE) == list(PRESETS)
