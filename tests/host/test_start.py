"""ComfyUI, really started, takes the pack."""

from __future__ import annotations

import re


def test_the_pack_is_imported_quickly(start_log):
    assert "IMPORT FAILED" not in start_log, start_log
    line = re.search(r"([\d.]+) seconds: .*style\.wallfacer-0\.1", start_log)
    assert line, start_log
    assert float(line[1]) < 0.5


def test_nothing_of_the_pack_is_complained_about(start_log):
    for line in start_log.splitlines():
        if "wallfacer" in line.lower() or "swf" in line.lower():
            assert not re.search(r"error|warn|cannot|fail", line, re.IGNORECASE), line
