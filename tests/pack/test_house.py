"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from support.host_record import RESULT, ROOT, digest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
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


def test_the_host_tests_passed_and_nodes_and_web_have_not_changed_since():
    lines = RESULT.read_text(encoding="utf-8").splitlines()
    assert digest() in lines[2], "nodes/ or web/ changed after the last `make test-host`; run it again"
    assert re.fullmatch(r"\d+ passed(, \d+ deselected)?.*", lines[-1]) and "failed" not in lines[-1], lines[-1]
    assert not [line for line in lines if re.match(r"(FAILED|ERROR|SKIPPED)\b", line)]


def test_the_registrys_rules():
    """docs.comfy.org/registry/specifications, and its standards."""
    project, comfy = PROJECT["project"], PROJECT["tool"]["comfy"]
    name = project["name"]
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,98}", name) and "comfyui" not in name.lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert project["license"] == {"file": "LICENSE"} and (ROOT / "LICENSE").is_file()
    assert (
        project["description"] and project["requires-python"] and project["urls"]["Repository"].startswith("https://")
    )
    assert any(c.startswith("Operating System ::") for c in project["classifiers"])
    assert re.fullmatch(r"[a-z0-9-]+", comfy["PublisherId"]) and comfy["DisplayName"] and comfy["requires-comfyui"]
    for path in [*(ROOT / "nodes").rglob("*.py"), *CORE, ROOT / "__init__.py"]:
        code = path.read_text(encoding="utf-8")
        for banned in ("pip install", "torch.load(", "pickle.load", "os.system(", "shell=True"):
            assert banned not in code, f"{path.name}: {banned}"
    assert not (ROOT / "install.py").exists()
    assert {"tests", "docs"} <= {line.strip("/") for line in (ROOT / ".comfyignore").read_text().split()}


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
