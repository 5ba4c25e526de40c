"""Words that nobody typed, in ComfyUI: the sampler reads what the command line reads; and the prompt node."""

from __future__ import annotations

import json

import pytest

from swf_core.measure.metrics.pairs import make_pairs
from swf_core.transfer import Content, preset, stylize
from swf_core.transfer.word_guidance import by_read_words, guided_by_words
from swf_core.words.caption import load_captioner
from swf_core.words.clip import load_clip
from swf_core.words.picture_words import WordReader

from support.comfy_host import INSIDE


def sampled(host, folder, pair, **inputs):
    """`latents`, `seconds` and the panel's rows of prompts of auto_words_native.py."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    request, result = folder / "request.safetensors", folder / "result.safetensors"
    images = {name: getattr(pair, name).permute(1, 2, 0)[None].contiguous() for name in ("content", "style")}
    save_file(images, request, {"inputs": json.dumps({"scheduler": "ddim_uniform", "steps": 10} | inputs)})
    run = host.run(INSIDE / "auto_words_native.py", request, result)
    assert run.returncode == 0, run.stdout
    with safe_open(result, "pt") as file:
        return file.get_tensor("latents"), file.get_tensor("seconds"), json.loads(file.metadata()["row"])


@pytest.fixture(scope="module")
def pair():
    return make_pairs(3, 12_345_700)[2]


@pytest.mark.parametrize("freedom", [0.0, 0.5])
def test_the_sampler_reads_and_paints_as_the_command_line_does(host, tmp_path, pair, freedom):
    pytest.importorskip("diffusers")
    from swf_core.models import load

    words = WordReader(load_captioner("mini"), load_clip("mini")).prompt_of(pair.content, [pair.style])
    backend = load("mini")
    options = guided_by_words(preset("faithful", backend, freedom), read=True).changed(steps=10)
    ours = stylize(backend, [Content(pair.content, words.prompt)], [pair.style], options)
    latents, seconds, (row,) = sampled(host, tmp_path, pair, captioner="mini", preset="faithful", freedom=freedom)
    assert row["text"] == words.prompt and words.prompt and row["notes"] == list(words.notes)
    assert (latents[0] - ours.latents[0]).abs().max() < 1e-3
    assert seconds[1] < 0.1 * seconds[0]  # the same pictures are not read again


def test_the_dials_reach_what_the_command_line_does_where_nothing_is_typed(host, tmp_path, pair):
    """By the dials that the help page names, the first of them rounded there to 0.33; in 10 steps, for `ddim_uniform`
    adds a level to 15."""
    pytest.importorskip("diffusers")
    from swf_core.models import load

    words = WordReader(load_captioner("mini"), load_clip("mini")).prompt_of(pair.content, [pair.style])
    backend = load("mini")
    ours = stylize(
        backend, [Content(pair.content, words.prompt)], [pair.style], by_read_words(backend).changed(steps=10), seed=0
    )
    dials = {"query_preservation": 0.325, "colour_from_style": 0.75, "renoise": 0.35, "layout": 0.35}
    latents, _, (row,) = sampled(host, tmp_path, pair, captioner="mini", **dials)
    assert row["text"] == words.prompt and words.prompt
    assert (latents[0] - ours.latents[0]).abs().max() < 1e-3


def test_without_a_captioner_it_says_how_words_would_come(host, tmp_path, pair):
    pytest.importorskip("diffusers")
    from swf_core.models import load

    backend = load("mini")
    ours = stylize(backend, [pair.content], [pair.style], preset("wallfacer", backend).changed(steps=10))
    latents, _, (row,) = sampled(host, tmp_path, pair, captioner="none", preset="wallfacer")
    assert row["text"] == "" and "clip" in row["notes"][0] and "captioner" in row["notes"][0]
    assert (latents[0] - ours.latents[0]).abs().max() < 1e-3


def prompting(content: str, style: str, edited: str = "") -> dict:
    texts = {
        str(k): {"class_type": "PrimitiveString", "inputs": {"value": text}} for k, text in enumerate((content, style))
    }
    inputs = {"content_caption": ["0", 0], "style_caption": ["1", 0], "edited": edited}
    return texts | {
        "2": {"class_type": "SWF_TransferPrompt", "inputs": inputs},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }


def test_the_prompt_node_puts_captions_together_and_what_is_typed_wins(server):
    captions = "a photo of a green house", "a watercolour of a cat in shades of rose"
    for edited, wanted in (("", "a watercolour of a green house in shades of rose"), ("a red\nhouse", "a red house")):
        entry = server.run(prompting(*captions, edited))
        (row,) = entry["outputs"]["2"]["swf_panel"]
        assert row["text"] == wanted and row["edited"] == bool(edited)
        assert entry["outputs"]["3"]["text"] == [wanted]
