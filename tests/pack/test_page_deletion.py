"""The page deletes words from captions as the core does: both are tested on the same cases."""

from __future__ import annotations

import json

from support.deletion_cases import FILE, cases


def test_the_cases_that_the_pages_deletion_is_tested_on_are_what_the_core_does():
    """Where this fails the core's deletion has changed: write the cases anew (support/deletion_cases.py says how) and
    change web/panel/deletion.js until its tests pass."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == cases()
