"""Marking by an instruct model from a local folder, run by transformers.

Nothing is downloaded, no code from the folder is run, and only safetensors weights are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import UserError
from . import prompt
from .prompt import MarkerError

if TYPE_CHECKING:
    import torch

NEEDED = "config.json, tokenizer.json with tokenizer_config.json, and all *.safetensors weights"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")


def load_instruct(
    folder: Path | str, device: str | torch.device = "cpu", dtype: torch.dtype | None = None
) -> InstructMarker:
    """A marker from a transformers folder. `dtype`: None means bfloat16 on a GPU and float32 on the processor.

    Raises UserError when the folder is missing, incomplete, of an unknown kind, or not of a model that chats.
    """
    folder = Path(folder)
    _check_files(folder)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    if dtype is None:
        dtype = torch.float32 if torch.device(device).type == "cpu" else torch.bfloat16
    offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **offline)
        chats = bool(tokenizer.chat_template)
        if chats:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **offline
            )
            model, info = loaded
    except Exception as error:  # whatever transformers raises, this folder cannot be loaded
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(
            f"The language model '{folder}' cannot be loaded ({reason}); needed are {NEEDED}, of a kind that "
            "transformers knows."
        ) from error
    if not chats:
        raise UserError(
            f"The language model '{folder}' has no chat template, so it was not taught to follow instructions; choose "
            "an instruct model, or add its chat_template.jinja."
        )
    if info["missing_keys"]:
        raise UserError(
            f"The language model '{folder}' lacks {len(info['missing_keys'])} of its tensors, such as "
            f"'{sorted(info['missing_keys'])[0]}'; copy it again. Needed are {NEEDED}."
        )
    # The folder's own settings may sample, or punish repeating the prompt, which is just what marking is.
    ends = model.generation_config.eos_token_id
    ends = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id} - {None}
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else next(iter(ends), None)
    model.generation_config = GenerationConfig(eos_token_id=sorted(ends) or None, pad_token_id=padding)
    return InstructMarker(model.eval().to(device), tokenizer)


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(f"The language model's folder '{folder}' is missing; give a folder that holds {NEEDED}.")
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        missing.append("tokenizer.json")
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            parts = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            missing += [part for part in parts if not (folder / part).is_file()]
        except (ValueError, KeyError, TypeError, AttributeError):
            missing.append(index.name)
    elif not (folder / "model.safetensors").is_file():
        missing.append("model.safetensors")
    if missing:
        raise UserError(f"The language model '{folder}' lacks {', '.join(missing)}; needed are {NEEDED}.")


class InstructMarker:
    """One instruct model and its tokenizer. A host may move `model` between devices; questions follow it there."""

    name = "local model"

    def __init__(self, model: Any, tokenizer: Any):
        self.model: Any = model
        self._tokenizer = tokenizer

    def mark(self, caption: str, check: Callable[[], None] | None = None) -> list[str]:
        """The pieces that the model marked, as it wrote them (`prompt.locate` places them in the caption).

        Greedy, so the same each time.

        `check` is called at every token, and what it raises ends the work. Raises MarkerError when there is no usable
        answer, after one retry with the problem named.
        """
        if self.model is None:
            raise RuntimeError("mark() after close()")
        length = max(128, 2 * len(self._tokenizer(prompt.neutral(caption)).input_ids) + 64)
        answer = self._answer(prompt.messages(caption), length, check)
        try:
            return prompt.parse(answer)
        except MarkerError as error:
            if "<think" in answer:  # it thinks although asked not to: give it room
                length = max(4 * length, 1024)
            answer = self._answer(prompt.messages(caption, str(error)), length, check)
        return prompt.parse(answer)

    def close(self) -> None:
        """Drop the model, so that its memory can be had again."""
        self.model = None

    def _answer(self, messages: list[dict[str, str]], length: int, check: Callable[[], None] | None) -> str:
        import torch
        from transformers import StoppingCriteriaList

        def never_stop(ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            if check is not None:
                check()
            return torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)

        if check is not None:
            check()
        device = next(self.model.parameters()).device
        prompt = self._prompt(messages)
        inputs = {name: prompt[name].to(device) for name in ("input_ids", "attention_mask")}
        start = inputs["input_ids"].shape[1]
        room = getattr(self.model.config, "max_position_embeddings", None)
        if room is not None and start + length > room:
            raise MarkerError(
                f"The question takes {start} tokens and the answer up to {length}, more than the {room} that the local "
                "model can read; shorten the caption, or choose a model with a longer context."
            )
        ids = self.model.generate(
            **inputs, max_new_tokens=length, do_sample=False, stopping_criteria=StoppingCriteriaList([never_stop])
        )
        return self._tokenizer.decode(ids[0, start:], skip_special_tokens=True)

    def _prompt(self, messages: list[dict[str, str]]) -> Any:
        from jinja2 import TemplateError

        # enable_thinking is Qwen's; other templates do not look at it.
        options = {"add_generation_prompt": True, "enable_thinking": False, "return_dict": True, "return_tensors": "pt"}
        try:
            return self._tokenizer.apply_chat_template(messages, **options)
        except TemplateError:  # Gemma's and others' know no system role
            system, first, *rest = messages
            first = {"role": "user", "content": f"{system['content']}\n\n{first['content']}"}
            try:
                return self._tokenizer.apply_chat_template([first, *rest], **options)
            except TemplateError as error:
                raise MarkerError(f"The local model's chat template cannot hold the question ({error}).") from error
