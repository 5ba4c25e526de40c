"""An endpoint that answers: its options, the key, what is sent, how the answer is read, and what `close` frees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from swf_core.errors import UserError
from swf_core.words.strip.llm.endpoint import Endpoint, EndpointMarker
from swf_core.words.strip.llm.prompt import SCHEMA

from support.llm_stub import CAPTION, GOOD, Stub, choice, make_marker, refused


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.stop()


# Options


@pytest.mark.parametrize(
    "options, match",
    [
        ({"url": "ftp://127.0.0.1"}, "no http or https"),
        ({"url": "127.0.0.1:11434"}, "no http or https|no URL"),
        ({"url": "http://"}, "no http or https"),
        ({"url": "http://127.0.0.1:99999"}, "no URL"),
        ({"url": "http://127.0.0.1/v1\r\nX: y"}, "no URL"),
        ({"url": "http://[::1"}, "no URL"),
        ({"url": "http://10.0.0.7:8000/v1"}, "captions would leave it"),
        ({"url": "http://localhost.example.com/v1"}, "captions would leave it"),
        ({"url": "http://0.0.0.0:11434/v1"}, "captions would leave it"),
        ({"timeout_s": 0.0}, "more than 0"),
        ({"timeout_s": float("nan")}, "more than 0"),
    ],
)
def test_options_are_checked(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        Endpoint(**options)


def test_loopback_addresses_are_accepted_and_others_with_allow_remote() -> None:
    for host in ("127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]"):
        Endpoint(f"http://{host}:11434/v1")
    Endpoint("https://models.example.com/v1", allow_remote=True)


@pytest.mark.parametrize("secret", ["sk-abc123", "sk_live", "gsk_abc", "hf_AbCdEfGh", "a1" * 16, "two words"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(UserError, match="may be a key itself") as raised:
        Endpoint(key_variable=secret)
    assert secret not in str(raised.value)
    with pytest.raises(UserError) as raised:
        Endpoint(f"http://user:{secret.replace(' ', '')}@127.0.0.1/v1")
    assert secret not in str(raised.value)


def test_the_key_comes_from_the_environment_alone(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWF_TEST_KEY", raising=False)
    with pytest.raises(UserError, match="'SWF_TEST_KEY' is not set"):
        make_marker(stub, key_variable="SWF_TEST_KEY")
    monkeypatch.setenv("SWF_TEST_KEY", "sk-1\nX-Other: 2")
    with pytest.raises(UserError, match="holds no key") as raised:
        make_marker(stub, key_variable="SWF_TEST_KEY")
    assert "sk-1" not in str(raised.value)
    monkeypatch.setenv("SWF_TEST_KEY", "sk-secret")
    endpoint = Endpoint(stub.url, "m", "SWF_TEST_KEY")
    assert "sk-secret" not in repr(endpoint)
    EndpointMarker(endpoint).mark(CAPTION)
    assert stub.requests[-1][2]["Authorization"] == "Bearer sk-secret"
    stub.replies = [(500, {"error": {"message": "bad key sk-secret given"}})]
    assert "sk-secret" not in refused(EndpointMarker(endpoint), "bad key")
    make_marker(stub, key_variable="").close()
    assert make_marker(stub).name == "endpoint"


# Answers


def test_a_good_answer_is_read_and_the_request_has_all_its_fields(stub: Stub) -> None:
    assert make_marker(stub).mark(CAPTION) == ["an oil painting of"]
    (body,) = stub.bodies()
    assert body["messages"][-1]["content"] == f"<caption>{CAPTION}</caption>"
    assert (body["model"], body["temperature"], body["seed"], body["stream"]) == ("m", 0, 0, False)
    assert body["max_tokens"] == 128 and body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "strip", "strict": True, "schema": SCHEMA},
    }
    assert "Authorization" not in stub.requests[0][2]


@pytest.mark.parametrize("path", ["", "/", "/v1/", "/v1/chat/completions"])
def test_the_address_is_accepted_in_its_usual_spellings(stub: Stub, path: str) -> None:
    assert make_marker(stub, url=stub.url.removesuffix("/v1") + path).mark(CAPTION)


@pytest.mark.parametrize("around", ["```json\n{}\n```", "<think>so</think>{}", "so</think>{}", "Here: {} Fine?"])
def test_an_answer_is_read_out_of_fences_thoughts_and_prose(stub: Stub, around: str) -> None:
    stub.replies = [around.replace("{}", GOOD)]
    assert make_marker(stub).mark(CAPTION) == ["an oil painting of"] and len(stub.bodies()) == 1


def test_invented_words_are_returned_as_written(stub: Stub) -> None:
    stub.replies = ['{"remove": ["BANANA"]}']
    assert make_marker(stub).mark(CAPTION) == ["BANANA"]


def test_one_retry_names_the_problem(stub: Stub) -> None:
    stub.replies = ["I cannot do that.", GOOD]
    assert make_marker(stub).mark(CAPTION) == ["an oil painting of"]
    assert "answered in prose" in stub.bodies()[1]["messages"][-1]["content"]
    assert stub.bodies()[1]["max_tokens"] == 128
    stub.requests, stub.replies = [], ["I cannot do that."]
    refused(make_marker(stub), "prose")
    assert len(stub.bodies()) == 2
    for content in (None, "", 7, "<think>never ends"):
        stub.replies = [(200, choice(content))]
        refused(make_marker(stub), "empty|thinking")


def test_a_truncated_thought_is_requested_again_once_with_more_tokens(stub: Stub) -> None:
    stub.replies = [(200, choice("<think>long", "length")), f"<think>long</think>{GOOD}"]
    assert make_marker(stub).mark(CAPTION) == ["an oil painting of"]
    assert [body["max_tokens"] for body in stub.bodies()] == [128, 2048]
    stub.replies = [(200, choice('{"remove": ["an oil', "length"))]
    refused(make_marker(stub), "did not finish its answer in 2048 tokens")


def test_without_a_model_name_the_first_chat_model_is_looked_up_once(stub: Stub) -> None:
    marker = make_marker(stub, model="")
    marker.mark(CAPTION), marker.mark(CAPTION)
    assert marker.model == "qwen" and [body["model"] for body in stub.bodies()] == ["qwen", "qwen"]
    assert [path for path, *_ in stub.requests].count("/v1/models") == 1
    for models in ({"data": []}, {"data": None}, {}, []):
        stub.models = models
        refused(make_marker(stub, model=""), "lists no model")


def test_a_refused_response_format_is_never_sent_again(stub: Stub) -> None:
    stub.replies = [(400, {"error": {"message": "json_schema is not supported"}}), GOOD]
    marker = make_marker(stub)
    assert marker.mark(CAPTION) and marker.mark(CAPTION)
    assert ["response_format" in body for body in stub.bodies()] == [True, False, False]
    assert not any("chat_template_kwargs" in body for body in stub.bodies()[1:])
    stub.requests, stub.replies = [], [(422, {"detail": "context is full"})]
    refused(make_marker(stub), "HTTP 422.*check the model's name")
    assert len(stub.bodies()) == 2


# Release


def test_close_frees_ollamas_memory_once_and_only_after_an_answer(stub: Stub) -> None:
    marker = make_marker(stub)
    marker.close()
    assert not stub.requests
    marker.mark(CAPTION)
    marker.close(), marker.close()
    assert stub.bodies("/api/generate") == [{"model": "m", "keep_alive": 0}]
    unreleased = make_marker(stub, release=False)
    unreleased.mark(CAPTION)
    unreleased.close()
    assert len(stub.bodies("/api/generate")) == 1
    orphan = make_marker(stub)
    orphan.mark(CAPTION)
    stub.stop()
    orphan.close()
