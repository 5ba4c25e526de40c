"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings

import pytest

from support.host_record import RESULT, ROOT, WARNING, is_fresh
from support.release import project_of, registry_complaints

PROJECT = project_of()
CORE = sorted((ROOT / "swf_core").rglob("*.py"))
HEAVY = ("torch", "transformers", "diffusers", "peft", "scipy", "PIL")


def python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_metadata():
    import swf_core

    assert PROJECT["project"]["version"] == swf_core.__version__
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    assert required == PROJECT["project"]["dependencies"]
    assert not any(re.match(r"torch\b", line) for line in required), "the host's torch is never touched"
    assert not any("==" in line for line in required)


def test_the_record_of_the_host_tests_is_of_nodes_and_web_as_they_are():
    """Without a ComfyUI nobody can make it so: a warning here, a failure of `make release`."""
    if not is_fresh(RESULT.read_text(encoding="utf-8")):
        warnings.warn(WARNING, stacklevel=1)


def test_the_registrys_rules():
    assert registry_complaints(PROJECT) == []


def test_the_pack_imports_without_comfyui_and_at_once():
    name = "/a folder/custom_nodes/style_x_wall"  # ComfyUI uses the path, with _x_ for dots, as the module's name
    code = f"""
import importlib.util, sys, time
start = time.process_time()
path = {str(ROOT / "__init__.py")!r}
spec = importlib.util.spec_from_file_location({name!r}, path, submodule_search_locations=[{str(ROOT)!r}])
module = importlib.util.module_from_spec(spec)
sys.modules[{name!r}] = module
spec.loader.exec_module(module)
import importlib
importlib.import_module({name!r} + ".nodes")
core = importlib.import_module({name!r} + ".swf_core")
assert core.__version__ and module.comfy_entrypoint and module.WEB_DIRECTORY
print(time.process_time() - start, [m for m in {HEAVY!r} if m in sys.modules])
"""
    seconds, heavy = python(code).split(" ", 1)
    assert float(seconds) < 0.5 and heavy.strip() == "[]"


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_no_host_and_never_prints(path):
    forbidden = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "aiohttp", "server", "execution", "nodes"}
    talks = path.parent.name == "cli" or path.name == "__main__.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots = {(node.module or "").split(".")[0]}
        else:
            roots = set()
        assert not roots & forbidden, f"line {node.lineno}: the core never imports the host"
        assert "swf_core" not in roots, f"line {node.lineno}: relative imports only"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), f"line {node.lineno}"
            assert talks or node.func.id != "print", f"line {node.lineno}: the core never prints"
