"""SWF_StyleStrip: captions without the words that say how a picture is made."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.media import media_input, phrases_of
from .host.schema import schema

OFFLINE, LOCAL, ENDPOINT = "offline", "local model", "endpoint"


class StyleStrip(io.ComfyNode):
    NAMES_MODELS = ("llm", "clip")

    @classmethod
    def define_schema(cls):
        from .host.caption_models import model_choices

        return schema(
            "SWF_StyleStrip",
            "Style-Strip LLM (clean caption)",
            "Takes out of captions the words that say how a picture is made, and nothing else: what is left says what "
            "it shows. The difference is what a LoRA learns as style.",
            inputs=[
                io.String.Input("caption", force_input=True, tooltip="One caption or a list of them."),
                io.Combo.Input(
                    "method",
                    options=[OFFLINE, LOCAL, ENDPOINT],
                    tooltip="offline: word lists and grammar, no model. The others ask a language model which words "
                    "to delete; code deletes them, so no word is ever added.",
                ),
                io.Combo.Input(
                    "llm",
                    options=model_choices("llm"),
                    tooltip="For 'local model': an instruct model's folder in models/LLM.",
                ),
                io.String.Input(
                    "endpoint_url",
                    default="http://127.0.0.1:11434/v1",
                    tooltip="For 'endpoint': Ollama, LM Studio, llama.cpp, vLLM or the like, on this machine.",
                ),
                io.String.Input("endpoint_model", default="", tooltip="Its model; empty: the first that it lists."),
                io.String.Input(
                    "key_variable",
                    default="",
                    tooltip="Name of the environment variable that holds the endpoint's key, never the key itself.",
                ),
                io.Float.Input("timeout", default=120.0, min=1.0, max=3600.0, step=1.0, tooltip="Seconds a caption."),
                io.Boolean.Input(
                    "allow_remote",
                    default=False,
                    tooltip="On: the endpoint may be elsewhere; captions leave this machine.",
                ),
                io.Boolean.Input("keep_loaded", default=False, tooltip="Off: the models are freed after use."),
                io.String.Input(
                    "edited",
                    default="",
                    multiline=True,
                    tooltip="Your own words, a line a caption: a line that is not empty is the result on the next run.",
                ),
                io.Image.Input(
                    "image", optional=True, tooltip="The captions' pictures: the semantic gap is measured with them."
                ),
                io.Combo.Input(
                    "clip",
                    options=model_choices("clip"),
                    optional=True,
                    tooltip="Measures the gap, where there is an image.",
                ),
                media_input(),
            ],
            outputs=[
                io.String.Output(display_name="stripped", is_output_list=True, tooltip="What each picture shows."),
                io.String.Output(display_name="removed", is_output_list=True, tooltip="What was taken out."),
                io.String.Output(display_name="caption", is_output_list=True, tooltip="The captions as they came."),
                io.String.Output(display_name="report", is_output_list=True, tooltip="Method, notes and gap."),
            ],
            is_input_list=True,
            is_output_node=True,
            search_aliases=["strip style", "remove style words", "caption cleanup", "semantic gap"],
        )

    @classmethod
    def execute(cls, caption: list[str], method: list[str], **lists: Any) -> io.NodeOutput:
        from dataclasses import replace

        import comfy.model_management as mm
        from comfy.utils import ProgressBar

        from ..swf_core.words.strip import strip, strip_all
        from .host.edited_text import edited_lines
        from .host.ui_rows import panel_output, strip_row

        # Every input comes as a list; all but captions and pictures mean their first value.
        settings = {name: values[0] for name, values in lists.items() if name != "image" and values}
        typed = edited_lines(settings.get("edited", ""), len(caption))
        bar = ProgressBar(len(caption))
        untyped = [text for text, own in zip(caption, typed) if not own]
        with _marker(method[0] if untyped else OFFLINE, settings) as marker:  # what a person wrote needs no model
            stripped = iter(
                strip_all(
                    untyped,
                    marker,
                    mm.throw_exception_if_processing_interrupted,
                    lambda v: bar.update_absolute(round(v * len(untyped)), len(untyped)),
                    phrases_of(settings.get("media")),
                )
            )
        results = [
            replace(strip(text), stripped=own, method="edited", note="") if own else next(stripped)
            for text, own in zip(caption, typed)
        ]
        gaps = _gaps(results, lists.get("image"), settings)
        rows = [strip_row(k, len(results), s, bool(typed[k]), gaps[k]) for k, s in enumerate(results)]
        gap_reports = [g and f"gap {g.text:.3f}: {g.interpretation}" for g in gaps]
        report = ["; ".join(filter(None, (s.method, s.note, g))) for s, g in zip(results, gap_reports)]
        return io.NodeOutput(
            [s.stripped for s in results],
            [" | ".join(s.removed) for s in results],
            [s.caption for s in results],
            report,
            ui=panel_output(rows),
        )


@contextmanager
def _marker(method: str, settings: dict[str, Any]):
    """The language model that marks words, or None for the offline method."""
    from .host.caption_models import NONE, loaded_model

    if method == ENDPOINT:
        from ..swf_core.words.strip.llm.endpoint import Endpoint, EndpointMarker

        endpoint = Endpoint(
            settings["endpoint_url"],
            settings["endpoint_model"],
            settings["key_variable"],
            settings["timeout"],
            settings["allow_remote"],
            release=not settings["keep_loaded"],
        )
        marker = EndpointMarker(endpoint)
        try:
            yield marker
        finally:
            marker.close()
    elif method == LOCAL:
        from ..swf_core.words.strip.llm.local import load_instruct

        if settings["llm"] == NONE:
            raise UserError("No local model is chosen; put an instruct model's folder in models/LLM, or use 'offline'.")
        import comfy.model_management as mm

        dtype = None if mm.cpu_mode() else mm.text_encoder_dtype(mm.get_torch_device())
        with loaded_model(
            "llm", settings["llm"], lambda w, _: load_instruct(w, dtype=dtype), settings["keep_loaded"]
        ) as marker:
            yield marker
    elif method == OFFLINE:
        yield None
    else:
        raise UserError(f"There is no method {method!r}; choose {OFFLINE}, {LOCAL} or {ENDPOINT}.")


def _gaps(results: list[Any], images: list[Any] | None, settings: dict[str, Any]) -> list[Any]:
    """The semantic gap of each caption, None where no picture belongs to it."""
    from .host.caption_models import EMBEDDED, NONE, loaded_model

    chosen = settings.get("clip", EMBEDDED)
    if not images or chosen == NONE:
        return [None] * len(results)
    from ..swf_core.words.clip import load_clip
    from ..swf_core.words.gap import semantic_gap

    pictures = [p[..., :3].permute(2, 0, 1).float().cpu() for batch in images for p in batch]
    if len(pictures) == 1:
        pictures *= len(results)
    if len(pictures) != len(results):
        raise UserError(
            f"There are {len(pictures)} pictures for {len(results)} captions; give one a caption, or one for all."
        )
    with loaded_model("clip", chosen, lambda w, d: load_clip(w, download=d), settings["keep_loaded"]) as clip:
        return list(semantic_gap(clip, results, pictures))
