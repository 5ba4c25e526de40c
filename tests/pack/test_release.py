"""What `make release` refuses: a stale or failed host record, an undated changelog, what the registry refuses."""

from __future__ import annotations

import copy

import pytest

from support.host_record import digest
from support.release import changelog_complaints, project_of, record_complaints, registry_complaints

RECORD = "Title\n2026-01-01, ComfyUI\nafter commit 1; nodes/ and web/: {}\n\n{}PASSED   a::b\n\n{}\n"


def test_a_fresh_record_in_which_all_passed_is_taken():
    assert record_complaints(RECORD.format(digest(), "", "205 passed, 12 deselected in 3.00s")) == []


@pytest.mark.parametrize(
    ("made_of", "lines", "summary", "sentence"),
    [
        ("0123456789abcdef", "", "205 passed in 3.00s", "nodes/ or web/ changed"),
        (None, "FAILED   a::c\n", "1 failed, 204 passed in 3.00s", "did not all pass"),
        (None, "SKIPPED  a::c\n", "204 passed, 1 skipped in 3.00s", "did not all pass"),
    ],
)
def test_a_stale_or_failed_record_is_refused_with_one_sentence(made_of, lines, summary, sentence):
    (complaint,) = record_complaints(RECORD.format(made_of or digest(), lines, summary))
    assert sentence in complaint


def test_the_version_needs_a_dated_section():
    assert changelog_complaints("# C\n\n## [0.1.0] - 2026-12-01\n- all\n", "0.1.0") == []
    for text in ("## [Unreleased]\n", "## [0.1.0]\n", "## [0.1.0] - soon\n", "## [0.2.0] - 2026-12-01\n"):
        (complaint,) = changelog_complaints(text, "0.1.0")
        assert "0.1.0" in complaint


def test_each_rule_of_the_registry_is_a_sentence():
    project = copy.deepcopy(project_of())
    project["project"]["version"] = "0.1"
    project["tool"]["comfy"]["PublisherId"] = "Style Wallfacer"
    assert len(registry_complaints(project)) == 2
