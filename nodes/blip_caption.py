"""SWF_BlipCaption: what pictures show, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.schema import schema

if TYPE_CHECKING:
    from ..swf_core.words.caption import CaptionResult


class BlipCaption(io.ComfyNode):
    NAMES_MODELS = ("captioner", "clip")

    @classmethod
    def define_schema(cls):
        from .host.caption_models import model_choices

        return schema(
            "SWF_BlipCaption",
            "BLIP Caption (describe image)",
            "Says in words what pictures show: BLIP proposes captions, CLIP ranks them by how well they fit the "
            "picture. The first stage of teaching a style.",
            inputs=[
                io.Image.Input("image", tooltip="One picture or a batch; each gets its own caption."),
                io.Combo.Input(
                    "captioner",
                    options=model_choices("captioner"),
                    tooltip="mini comes with the pack and knows its small world; folders lie in models/blip; a "
                    "download happens only when you choose it.",
                ),
                io.Combo.Input(
                    "clip",
                    options=model_choices("clip"),
                    tooltip="Ranks the captions: mini, a whole CLIP in models/clip_whole, or none (not ranked).",
                ),
                io.Int.Input(
                    "samples",
                    default=6,
                    min=0,
                    max=32,
                    tooltip="Captions drawn at random for each beginning; 0: only the best found.",
                ),
                io.Int.Input("beams", default=5, min=1, max=16, tooltip="Width of the search; 1 is greedy."),
                io.Int.Input("max_words", default=50, min=5, max=200, tooltip="Longest caption in word pieces."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=False,
                    tooltip="Of the draws.",
                ),
                io.Boolean.Input("keep_loaded", default=False, tooltip="Off: models are freed after use."),
                io.String.Input(
                    "edited",
                    default="",
                    multiline=True,
                    tooltip="Your own words, a line a picture: a line that is not empty is the caption next run.",
                ),
                io.String.Input(
                    "caption",
                    optional=True,
                    force_input=True,
                    tooltip="A caption from any other captioner, instead of BLIP's.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="caption", is_output_list=True, tooltip="One caption a picture."),
                io.String.Output(
                    display_name="candidates", is_output_list=True, tooltip="All candidates with scores, as JSON."
                ),
                io.String.Output(
                    display_name="media",
                    tooltip="Phrases that name a medium in this captioner's captions, for 'media' of Style-Strip LLM; "
                    "mini's, else empty.",
                ),
            ],
            is_output_node=True,
            search_aliases=["caption", "describe image", "image to text", "interrogate", "BLIP"],
        )

    @classmethod
    def execute(
        cls,
        image: Any,
        captioner: str,
        clip: str,
        samples: int,
        beams: int,
        max_words: int,
        seed: int,
        keep_loaded: bool,
        edited: str,
        caption: str | None = None,
    ) -> io.NodeOutput:
        from dataclasses import replace

        from comfy.utils import ProgressBar

        from ..swf_core.words.caption import CaptionOptions, caption_pictures, load_captioner
        from ..swf_core.words.clip import load_clip
        from .host.caption_models import NONE, loaded_model
        from .host.edited_text import edited_lines
        from .host.ui_rows import candidates_row, panel_output

        if not len(image):
            raise UserError("The image is an empty batch; give at least one picture.")
        pictures = [picture[..., :3].permute(2, 0, 1).float().cpu() for picture in image]
        typed = edited_lines(edited, len(pictures))
        texts = [text or " ".join((caption or "").split()) for text in typed]
        bar = ProgressBar(100)
        media: list[str] = []

        def caption_all(ranker: Any) -> list[CaptionResult]:
            if caption is not None or all(typed):
                return [
                    _without_model(text, "edited" if own else "given", p, ranker)
                    for text, own, p in zip(texts, typed, pictures)
                ]
            options = CaptionOptions(beams=beams, samples=samples, max_new_tokens=max_words)
            with loaded_model("captioner", captioner, lambda w, d: load_captioner(w, download=d), keep_loaded) as blip:
                media.extend(blip.media)
                return caption_pictures(
                    blip, pictures, options, ranker, seed, lambda v: bar.update_absolute(round(100 * v), 100)
                )

        if clip == NONE:
            results = caption_all(None)
        else:
            with loaded_model("clip", clip, lambda w, d: load_clip(w, download=d), keep_loaded) as ranker:
                results = caption_all(ranker)
        results = [replace(c, caption=text) if text else c for c, text in zip(results, typed)]
        rows = [candidates_row(k, len(results), result) for k, result in enumerate(results)]
        reports = [_candidates_json(result) for result in results]
        return io.NodeOutput([r.caption for r in results], reports, ", ".join(media), ui=panel_output(rows))


def _without_model(text: str, method: str, picture: Any, ranker: Any) -> CaptionResult:
    """A caption that a person or another node wrote, scored where there is a CLIP."""
    from ..swf_core.words.caption import Candidate, CaptionResult
    from ..swf_core.words.clip import ranking_scores

    score = None if ranker is None else ranking_scores(ranker, picture, [text])[0]
    return CaptionResult(text, (Candidate(text, method, score),), ranker is not None)


def _candidates_json(result: CaptionResult) -> str:
    candidates = [{"caption": c.text, "score": c.score, "how": c.method} for c in result.candidates]
    return json.dumps(candidates, ensure_ascii=False)
