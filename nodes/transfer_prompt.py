"""SWF_TransferPrompt: the prompt of a transfer, from the captions of its two pictures."""

from __future__ import annotations

from comfy_api.latest import io

from ..swf_core.errors import UserError
from .host.media import media_input, phrases_of
from .host.schema import schema


class TransferPrompt(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return schema(
            "SWF_TransferPrompt",
            "Prompt from Captions (style words)",
            "Puts together the prompt of a style transfer from two captions: what the content shows, in the words with "
            "which the style picture's caption says how it is made. No word is added.",
            inputs=[
                io.String.Input(
                    "content_caption",
                    force_input=True,
                    tooltip="What the content shows, such as BLIP Caption's; its own words of style are taken out. A "
                    "list gives a list of prompts.",
                ),
                io.String.Input(
                    "style_caption",
                    force_input=True,
                    tooltip="The style picture's caption: only its words of style are used. A list: all together are "
                    "one style, the first opens the prompt.",
                ),
                io.String.Input(
                    "edited",
                    default="",
                    multiline=True,
                    tooltip="Your own prompt, a line each: a line that is not empty is the result on the next run.",
                ),
                media_input(),
            ],
            outputs=[
                io.String.Output(
                    display_name="prompt", is_output_list=True, tooltip="One prompt a content, for CLIP Text Encode."
                ),
            ],
            is_input_list=True,
            is_output_node=True,
            search_aliases=["auto prompt", "caption to prompt", "style words", "transfer prompt"],
        )

    @classmethod
    def execute(
        cls,
        content_caption: list[str],
        style_caption: list[str],
        edited: list[str],
        media: list[str] | None = None,
    ) -> io.NodeOutput:
        from ..swf_core.words.prompt import transfer_prompt
        from ..swf_core.words.strip import strip_all
        from .host.edited_text import edited_lines
        from .host.ui_rows import panel_output, prompt_row

        if not content_caption:
            raise UserError("There is no content caption; connect one, such as BLIP Caption's.")
        count, typed = len(content_caption), edited_lines((edited or [""])[0], len(content_caption))
        phrases = phrases_of((media or [""])[0])
        contents, styles = (strip_all(captions, media=phrases) for captions in (content_caption, style_caption))
        prompts, rows = [], []
        for k, (content, own) in enumerate(zip(contents, typed)):
            prompts.append(own or transfer_prompt(content, styles))
            notes = [] if own else [each.note for each in (content, *styles) if each.note]
            rows.append(prompt_row(prompts[-1], notes, k, count, bool(own)))
        return io.NodeOutput(prompts, ui=panel_output(rows))
