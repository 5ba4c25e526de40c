"""`make release`: what must hold before a version is published; one sentence for each thing that does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.host_record import RESULT, ROOT, failures, is_fresh

BANNED = ("pip install", "torch.load(", "pickle.load", "os.system(", "shell=True")


def registry_complaints(project: Mapping[str, Any], root: Path = ROOT) -> list[str]:
    """docs.comfy.org/registry/specifications, and its standards; `project`: pyproject.toml as read."""
    metadata, comfy = project["project"], project["tool"]["comfy"]
    name, version = metadata["name"], metadata["version"]
    ignored = {line.strip("/") for line in (root / ".comfyignore").read_text(encoding="utf-8").split()}
    named = bool(re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,98}", name)) and "comfyui" not in name.lower()
    described = metadata.get("description") and metadata.get("requires-python")
    rules = {
        f"The name '{name}' is none that the registry takes": named,
        f"The version '{version}' is not three numbers": bool(re.fullmatch(r"\d+\.\d+\.\d+", version)),
        "The license file is missing": metadata["license"] == {"file": "LICENSE"} and (root / "LICENSE").is_file(),
        "Description, Python version or repository address is missing": described
        and metadata["urls"]["Repository"].startswith("https://"),
        "No operating system is classified": any(c.startswith("Operating System ::") for c in metadata["classifiers"]),
        "Publisher, display name or ComfyUI version is missing": re.fullmatch(r"[a-z0-9-]+", comfy["PublisherId"])
        and comfy["DisplayName"]
        and comfy["requires-comfyui"],
        "The registry refuses an install.py": not (root / "install.py").exists(),
        "tests/ and docs/ would be published (.comfyignore)": {"tests", "docs"} <= ignored,
    }
    return [f"{sentence}." for sentence, holds in rules.items() if not holds] + banned_calls(root)


def banned_calls(root: Path = ROOT) -> list[str]:
    """Calls in published Python files that the registry's scanner refuses."""
    paths = [root / "__init__.py", *(p for room in ("nodes", "swf_core") for p in sorted((root / room).rglob("*.py")))]
    return [
        f"{path.relative_to(root).as_posix()} holds '{call}', which the registry refuses."
        for path in paths
        for call in BANNED
        if call in path.read_text(encoding="utf-8")
    ]


def record_complaints(record: str) -> list[str]:
    """What speaks against the record of the last host tests."""
    if not is_fresh(record):
        return ["nodes/ or web/ changed after the last host tests: run `make test-host`."]
    failed = failures(record)
    return [f"The last host tests did not all pass: {failed[0]}."] if failed else []


def changelog_complaints(changelog: str, version: str) -> list[str]:
    """Whether the version has a dated section."""
    if re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        return []
    return [f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD'."]


def project_of(root: Path = ROOT) -> dict[str, Any]:
    """pyproject.toml as read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def main() -> int:
    project = project_of()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    complaints = [
        *registry_complaints(project),
        *record_complaints(RESULT.read_text(encoding="utf-8")),
        *changelog_complaints(changelog, project["project"]["version"]),
    ]
    for sentence in complaints:
        print(f"release: {sentence}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
