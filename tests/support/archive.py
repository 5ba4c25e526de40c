"""The archive that artists get: what the registry's tool packs of this repository, by the tool itself or by its rule.

`comfy node pack` (comfy-cli 1.23.0, comfy_cli/file_utils.py) takes the files that git tracks, without those that the
patterns of .comfyignore match as a .gitignore's would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The tool with what its packing imports; with all that it needs otherwise it is 300 MB.
TOOL = ("comfy-cli==1.23.0", "pathspec", "rich", "typer", "pyyaml", "shellingham", "annotated-doc", "typing_extensions")
CACHE = Path(os.environ.get("COMFY_CLI_FOLDER", Path.home() / ".cache" / "stylewallfacer" / "comfy-cli"))
PACK = "from comfy_cli.file_utils import zip_files; import sys; zip_files(sys.argv[1], includes=[])"


def packed_files(root: Path = ROOT) -> list[str] | None:
    """Paths in the archive by the tool's rule; None where this is no git checkout."""
    tracked, ignored = _git(root), _git(root, "--ignored", "--cached", "--exclude-from=.comfyignore")
    return None if tracked is None else sorted(set(tracked) - set(ignored or ()))


def write_archive(target: Path, root: Path = ROOT) -> None:
    """Write the archive by the rule."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in packed_files(root) or ():
            if (root / name).exists():  # git still tracks what was removed since
                archive.write(root / name, name)


def pack_by_tool(target: Path, root: Path = ROOT) -> bool:
    """Write the archive by comfy-cli itself, which is fetched once; False where that cannot be."""
    if not (CACHE / "comfy_cli").is_dir():
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(CACHE), *TOOL]
        if subprocess.run(fetch, capture_output=True).returncode:
            return False
    environment = {**os.environ, "PYTHONPATH": str(CACHE), "DO_NOT_TRACK": "1"}
    subprocess.run([sys.executable, "-c", PACK, str(target)], cwd=root, env=environment, check=True)
    return True


def _git(root: Path, *options: str) -> list[str] | None:
    """`git ls-files` with options; None where there is no git or no checkout."""
    try:
        command = ["git", "-C", str(root), "ls-files", "-z", *options]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        return None
    return None if result.returncode else [name for name in result.stdout.split("\0") if name]
