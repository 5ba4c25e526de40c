"""Marking by an OpenAI-compatible endpoint: Ollama, LM Studio, llama.cpp's server, vLLM. Standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ....errors import UserError
from . import prompt
from .http import TooLarge, Unreachable, is_loopback, request, split_url
from .prompt import MarkerError

RELEASE_S = 3.0
_FORMAT = {"type": "json_schema", "json_schema": {"name": "strip", "strict": True, "schema": prompt.SCHEMA}}


@dataclass(frozen=True)
class Endpoint:
    """Where a language model answers. All values are checked; ValueError (UserError) says what is allowed.

    * url: http or https, up to and including /v1 (which is added when there is no path).
    * model: its name there; "": the first that the endpoint lists.
    * key_variable: the NAME of the environment variable that holds the key; "": no key. The key itself is never kept
      in options, so no workflow file and no report can hold it.
    * timeout_s: more than 0, the longest wait for one caption, loading the model included.
    * allow_remote: allow an address that is not this machine's own.
    * release: have Ollama free the model's memory on close, which else it keeps for minutes and slows sampling.
    """

    url: str = "http://127.0.0.1:11434/v1"
    model: str = ""
    key_variable: str = ""
    timeout_s: float = 120.0
    allow_remote: bool = False
    release: bool = True

    def __post_init__(self) -> None:
        parts = split_url(self.url)
        if not self.allow_remote and not is_loopback(parts.hostname or ""):
            raise UserError(
                f"The language model's address '{parts.hostname}' is not this machine, so captions would leave it; "
                "use 127.0.0.1, or allow a remote endpoint."
            )
        if not (self.timeout_s > 0 and math.isfinite(self.timeout_s)):
            raise UserError(f"timeout_s is {self.timeout_s}; give the seconds to wait for one caption, more than 0.")
        if self.key_variable and _is_no_variable(self.key_variable):
            raise UserError(
                "key_variable is not the name of an environment variable and may be a key itself; put the key into an "
                "environment variable and give that one's name, such as OPENAI_API_KEY."
            )

    def key(self) -> str:
        """The key, or "" where none is asked for. Raises UserError when the variable named is unset or unusable."""
        if not self.key_variable:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise UserError(
                f"The environment variable '{self.key_variable}' is not set; set it to the endpoint's key, or leave "
                "key_variable empty."
            )
        if not re.fullmatch(r"[!-~]+", key):  # http.client would repeat it in its own error
            raise UserError(f"The environment variable '{self.key_variable}' holds no key: it has spaces or accents.")
        return key


def _is_no_variable(name: str) -> bool:
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or re.match(r"(g?sk|hf|xai)_", name):
        return True
    return len(name) >= 20 and bool(re.search(r"\d", name) and re.search(r"[a-z]", name))  # most keys mix them


class EndpointMarker:
    """Asks one endpoint about captions; after a refused connection or a timeout it stays down and says so at once.

    `model` is the name of the model in use, "" before the first question when none was given.
    """

    name = "endpoint"

    def __init__(self, endpoint: Endpoint):
        """Raises UserError when the key's variable is unset. Nothing is sent yet."""
        self.model = endpoint.model
        self._endpoint, self._parts = endpoint, split_url(endpoint.url)
        self._key = endpoint.key()
        self._headers = {"Content-Type": "application/json"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"
        self._address = f"{self._parts.scheme}://{self._parts.netloc}{self._parts.path}"
        self._down = ""
        self._plain = False  # the endpoint has refused response_format
        self._answered = False

    def mark(self, caption: str, check: Callable[[], None] | None = None) -> list[str]:
        """The pieces that the model marked, as it wrote them (`prompt.locate` places them in the caption).

        `check` is called ten times a second while waiting, and what it raises ends the wait. Raises MarkerError when
        there is no usable answer, after one retry with the problem named.
        """
        deadline = time.monotonic() + self._endpoint.timeout_s
        if not self.model:
            self.model = self._first_model(deadline, check)
        length = prompt.answer_words(caption)
        answer, cut_off = self._chat(prompt.messages(caption), length, deadline, check)
        try:
            return prompt.parse(answer)
        except MarkerError as error:
            # Thinking that the server does not show can fill any answer: more room is the only cure from here.
            length = max(4 * length, 2048) if cut_off else length
            answer, cut_off = self._chat(prompt.messages(caption, str(error)), length, deadline, check)
        try:
            return prompt.parse(answer)
        except MarkerError as error:
            if not cut_off:
                raise
            raise MarkerError(
                f"The model '{self.model}' did not finish its answer in {length} tokens; choose a model that does not "
                "think aloud."
            ) from error

    def close(self) -> None:
        """Have Ollama free the model (its /v1 ignores keep_alive); for other servers, or a dead one, a no-op."""
        if not (self._endpoint.release and self._answered and self.model):
            return
        self._answered = False
        path = self._parts.path.removesuffix("/v1") + "/api/generate"
        with contextlib.suppress(Exception):  # nothing that a caller could do about it
            body = json.dumps({"model": self.model, "keep_alive": 0}).encode()
            request("POST", self._parts, path, self._headers, body, time.monotonic() + RELEASE_S)

    def _first_model(self, deadline: float, check: Callable[[], None] | None) -> str:
        reply_data = self._request("GET", "/models", None, deadline, check)
        models = reply_data.get("data") if isinstance(reply_data, dict) else None
        names = [m["id"] for m in models or [] if isinstance(m, dict) and isinstance(m.get("id"), str) and m["id"]]
        names = [name for name in names if "embed" not in name.lower()] or names  # LM Studio lists those too
        if not names:
            raise MarkerError(f"{self._address} lists no model; load one there, or give its name.")
        return names[0]

    def _chat(
        self, messages: list[dict[str, str]], length: int, deadline: float, check: Callable[[], None] | None
    ) -> tuple[str, bool]:
        """The answer's text, and whether it was cut off at `length` tokens."""
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "seed": 0,
            "max_tokens": length,
            "stream": False,
        }
        extra = {"response_format": _FORMAT, "chat_template_kwargs": {"enable_thinking": False}}
        try:
            reply_data = self._request(
                "POST", "/chat/completions", body if self._plain else body | extra, deadline, check
            )
        except _BadRequest:
            if self._plain:
                raise
            reply_data = self._request("POST", "/chat/completions", body, deadline, check)
            self._plain = True
        try:
            choice = reply_data["choices"][0]
            content, why = choice["message"].get("content"), choice.get("finish_reason")
        except (TypeError, KeyError, IndexError, AttributeError):
            raise MarkerError(
                f"{self._address} answered without any choices{self._quote(reply_data)}; try another model."
            ) from None
        self._answered = True
        return content if isinstance(content, str) else "", why == "length"

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None, deadline: float, check: Callable[[], None] | None
    ) -> Any:
        if self._down:
            raise MarkerError(self._down)
        data = None if body is None else json.dumps(body).encode()
        # A retry that ran out of what the first answer left of the time does not show that the endpoint is down.
        most_of_it = deadline - time.monotonic() >= self._endpoint.timeout_s / 2
        try:
            status, reply = request(method, self._parts, self._parts.path + path, self._headers, data, deadline, check)
        except Unreachable as error:
            self._down = f"{self._address} {error}."
            raise MarkerError(self._down) from error
        except TimeoutError as error:
            reason = (
                f"{self._address} gave no answer within {self._endpoint.timeout_s:g} s; allow it more time, or choose "
                "a smaller model."
            )
            self._down = reason if most_of_it else ""
            raise MarkerError(reason) from error
        except TooLarge as error:
            raise MarkerError(f"{self._address} sent more than 1 MB, which is no answer; try another model.") from error
        except ConnectionError as error:
            raise MarkerError(
                f"{self._address} broke the connection off; see its log, it may have run out of memory."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise MarkerError(
                f"{self._address} sent no complete HTTP answer ({type(error).__name__}); is a language model's server "
                "there?"
            ) from error
        try:
            reply_data = json.loads(reply)
        except (ValueError, RecursionError):
            reply_data = None
        if status != 200:
            raise self._refusal(status, reply_data)
        if reply_data is None:
            raise MarkerError(f"{self._address} sent no JSON; is it an OpenAI-compatible endpoint?")
        return reply_data

    def _refusal(self, status: int, reply_data: Any) -> MarkerError:
        head = f"{self._address} answered HTTP {status}"
        if status in (400, 422):
            return _BadRequest(f"{head}{self._quote(reply_data)}; check the model's name and how long a text it takes.")
        if status in (401, 403):  # the server's message may repeat part of the key
            which = "another" if self._key else "a"
            return MarkerError(f"{head}: it wants {which} key; name the variable that holds it in key_variable.")
        if status == 404:
            named = f"no model '{self.model}', or " if self.model else ""
            return MarkerError(f"{head}: it has {named}no OpenAI-compatible endpoint there; check both names.")
        if status == 429:
            return MarkerError(f"{head}: too many questions for now; try again later.")
        if 300 <= status < 400:
            return MarkerError(f"{head}, a redirect, which is not followed; give the address that it leads to.")
        if status >= 500:
            return MarkerError(
                f"{head}{self._quote(reply_data)}; see the server's log, the model may not fit its memory."
            )
        return MarkerError(f"{head}{self._quote(reply_data)}; is it an OpenAI-compatible endpoint?")

    def _quote(self, reply_data: Any) -> str:
        error = reply_data.get("error", reply_data) if isinstance(reply_data, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        if not isinstance(message, str) or not message.strip():
            return ""
        message = " ".join(message.split())[:160]
        return f" ('{message.replace(self._key, '...') if self._key else message}')"


class _BadRequest(MarkerError):
    """HTTP 400 or 422: often only response_format or chat_template_kwargs is refused."""
