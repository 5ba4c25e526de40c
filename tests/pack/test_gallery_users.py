"""Whose a page is, and which runs and waits its user may see. They need no ComfyUI."""

from __future__ import annotations

import pytest

from support.pack import pack

users = pack("nodes.host.gallery.users")
run_tokens = pack("nodes.host.gallery.run_tokens")
waits = pack("nodes.host.gallery.waits")
checks = pack("nodes.host.gallery.host_names")


def test_a_page_belongs_to_the_user_it_named_last_and_unknown_ones_to_nobody():
    pages = users.Pages()
    pages.register("a", "anna")
    pages.register("b", "ben")
    assert (pages.owner("a"), pages.owner("c"), pages.owner(None), pages.owner("")) == ("anna", "", "", "")
    pages.register("a", "ben")  # another user logs in on the same page
    assert pages.owner("a") == "ben" and pages.of("ben", ["a", "c"]) == ["a"] and not pages.of("anna", ["a", "b"])


def test_the_last_pages_are_remembered():
    pages = users.Pages(limit=3)
    for k in range(5):
        pages.register(str(k), "anna")
        pages.register("0", "anna")  # one that is used stays
    assert [pages.owner(str(k)) for k in range(5)] == ["anna", "", "", "anna", "anna"]


@pytest.mark.parametrize("value", [None, 1, "", "a" * 129, "a\n", "\ud800", "é", ["a"]])
def test_what_can_be_no_pages_id(value):
    assert not users.is_client_id(value) and users.is_client_id("0a2b-3")


def test_a_token_opens_its_owners_run_alone(tmp_path):
    for owner in ("anna", "ben", ""):
        (tmp_path / owner / "a run").mkdir(parents=True, exist_ok=True)
        (tmp_path / owner / "a run" / "run.json").write_text("{}")
    tokens = run_tokens.RunTokens(lambda owner: tmp_path / owner)
    (annas,) = tokens.runs("anna")
    (nobodys,) = tokens.runs()
    assert tokens.folder(annas["token"], "anna") == tmp_path / "anna" / "a run"
    assert tokens.folder(annas["token"], "ben") is None and tokens.folder(annas["token"]) is None
    assert tokens.folder(nobodys["token"], "anna") is None and tokens.folder(nobodys["token"]) is not None


def test_a_wait_is_seen_and_confirmed_by_its_owner_alone(tmp_path):
    room = waits.Waits()
    wait = room.start(tmp_path, "token", "5", "client", 20, 0.0, "anna")
    assert not room.payloads("ben") and not room.payloads() and len(room.payloads("anna")) == 1
    assert not room.confirm(wait.id, True, "ben") and wait.confirmed_at is None
    assert room.confirm(wait.id, True, "anna") and wait.confirmed_at is not None


@pytest.mark.parametrize("text", ["", "[", "a b:c:d", "http://[", "://", "null"])
def test_what_is_no_origin_has_no_authority(text):
    assert checks.authority_of(text) is None


def test_names_are_read_in_small_letters_without_port_and_final_dot():
    assert checks.name_in("LocalHost.:8188") == "localhost" and checks.name_in("[::1]:80") == "::1"
    assert checks.name_in("") is None and checks.name_in(None) is None and checks.name_in("[::1") is None
