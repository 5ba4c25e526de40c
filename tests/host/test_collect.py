"""Inside a custom_nodes folder, under an awkward name, pytest still collects the pack's tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_collection_inside_custom_nodes(tmp_path):
    pack = tmp_path / "ComfyUI" / "custom_nodes" / "Style Wallfacer-0.1"
    leave = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for name in ("swf_core", "nodes", "making", "tests"):
        shutil.copytree(ROOT / name, pack / name, ignore=leave)
    for name in ("__init__.py", "pyproject.toml"):
        shutil.copy(ROOT / name, pack / name)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/core/test_pictures.py", "tests/host"]
    result = subprocess.run(command, cwd=pack, capture_output=True, text=True)
    assert result.returncode == 0 and "test_start.py" in result.stdout, result.stdout + result.stderr
