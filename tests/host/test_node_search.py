"""The page's node search finds the nodes by the words that an artist types: double-click on the canvas, type, read.

What it searches: a node's id and display name (newer front ends also `search_aliases`, which hosts of before cannot
hand over), and a word that begins after the name's 30th character is not found: Fuse's `distance` 100 by `threshold`
0.3, from the name's beginning. So the plain words come first, and the method's own name after them.
"""

from __future__ import annotations

from typing import Any

import pytest

from support import browser as b

pytestmark = pytest.mark.browser

MAIN = "Style Transfer (Wallfacer Triple Diffusion Sampler)"
PATCH = "Style Transfer like IPAdapter (Query-Preserve Attention Patch)"
# What is typed, and what must then be among the first ten.
TYPED = {
    "style": [MAIN, PATCH],
    "transfer": [MAIN, PATCH],
    "style transfer": [MAIN, PATCH],
    "wallfacer": [MAIN, "Mini Loader (StyleWallfacer)"],
    "ipadapter": [PATCH],
    "triple": [MAIN],
    "palette": ["Color Edit (recolor, palette)"],
    "recolor": ["Color Edit (recolor, palette)"],
    "color edit": ["Color Edit (recolor, palette)"],
    "caption": ["BLIP Caption (describe image)", "Style-Strip LLM (clean caption)"],
    "describe": ["BLIP Caption (describe image)"],
    "train lora": ["LoRA Style Train", "Style Dataset (for LoRA training)"],
    "feedback": ["Human Feedback Gallery (pick images)"],
    "query-preserve": [PATCH],
    "inversion": ["Trajectory (DDIM inversion)"],
    "prompt from": ["Prompt from Captions (style words)"],
}
# Where the main node is the very first, or the second: an id is searched too, and SWF_TransferPrompt has the bare word.
LEADING = {"style transfer": 1, "transfer": 2}
LISTED = """
() => [...document.querySelectorAll('.p-autocomplete-option, [data-testid=result-item]')]
    .filter(e => e.getBoundingClientRect().top < innerHeight)
    .map(e => e.innerText.split('\\n')[0].trim())
"""


@pytest.fixture(scope="module")
def page(artists_server) -> Any:
    """The page of the host's own front end, and of the newest."""
    with b.browsing() as browser:
        page = b.open_page(browser, artists_server)
        page.evaluate("app.graph.clear()")
        yield page


def search(page: Any, words: str) -> list[str]:
    """Open the search as a person does, type, and read what is listed on the first screen."""
    open_search(page)
    page.keyboard.type(words, delay=20)
    page.wait_for_function("words => document.activeElement.value === words", arg=words, timeout=10_000)
    listed = settled(page)
    page.keyboard.press("Escape")
    return listed


def open_search(page: Any) -> None:
    """Double-click on the canvas until the search has the keys: a first run's templates may still come over it."""
    for _ in range(5):
        for _ in range(3):
            page.keyboard.press("Escape")
            page.wait_for_timeout(200)
        page.mouse.dblclick(700, 600)
        for _ in range(15):
            page.wait_for_timeout(200)
            if page.evaluate("document.activeElement.matches('[role=search] input')"):
                return
    raise AssertionError("The search did not open on a double-click.")


def settled(page: Any) -> list[str]:
    """The list once it has stood still: it is filled a moment after the last key, later on a busy machine."""
    before = None
    for _ in range(10):
        page.wait_for_timeout(900)
        listed = page.evaluate(LISTED)
        if listed and listed == before:
            break
        before = listed
    return listed


@pytest.mark.parametrize("words", TYPED)
def test_typed_words_find_the_node(page, words):
    listed = search(page, words)
    first_screen = listed[:10]
    assert set(TYPED[words]) <= set(first_screen), listed
    if words in LEADING:
        assert MAIN in first_screen[: LEADING[words]], listed
