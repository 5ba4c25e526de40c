"""Where the real ComfyUI is, and how to start it.

Looked for in this order: the environment variable COMFYUI_DIR; the ComfyUI whose custom_nodes folder this pack lies in;
~/comfy/ComfyUI. Its Python: COMFYUI_PYTHON, else venv or .venv beside or inside that folder, else the running one.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import zipfile
from dataclasses import dataclass
from pathlib import Path

from support.comfy_server import Server

ROOT = Path(__file__).resolve().parents[2]
INSIDE = ROOT / "tests" / "host" / "inside"  # scripts that run in ComfyUI's Python


@dataclass(frozen=True)
class Host:
    """A ComfyUI that can be started."""

    folder: Path
    python: str

    def run(self, *arguments: str | Path, seconds: int = 300) -> subprocess.CompletedProcess:
        """Run its Python in its folder; output and errors come back as one text."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONUTF8": "1"}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            timeout=seconds,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def find() -> Host | str:
    """Return the host, or the sentence that says why there is none."""
    named = os.environ.get("COMFYUI_DIR")
    places = [Path(named)] if named else []
    if not named:
        if ROOT.parent.name == "custom_nodes":
            places.append(ROOT.parent.parent)
        places.append(Path.home() / "comfy" / "ComfyUI")
    folder = next((place.resolve() for place in places if (place / "comfy_execution").is_dir()), None)
    if folder is None:
        return f"no ComfyUI in {' or '.join(map(str, places))}; set COMFYUI_DIR"
    scripts = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    candidates = [folder / up / name / scripts for up in ("..", ".") for name in ("venv", ".venv")]
    python = os.environ.get("COMFYUI_PYTHON") or next((str(c) for c in candidates if c.exists()), sys.executable)
    host = Host(folder, python)
    needed = "import torch, torchvision, torchsde, aiohttp, yaml"
    probe = host.run("-c", needed)
    if probe.returncode:
        return f"{python} cannot run ComfyUI ({probe.stdout.strip().splitlines()[-1]}); set COMFYUI_PYTHON"
    return host


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(host: Host, base: Path, port: int, *arguments: str) -> tuple[Server, subprocess.Popen]:
    """Start ComfyUI on a base directory and wait until it answers; whoever called ends the process."""
    log = base / "server.log"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONUTF8": "1"}
    with log.open("a") as out:
        process = subprocess.Popen(
            [
                host.python,
                "main.py",
                "--cpu",
                "--port",
                str(port),
                "--disable-api-nodes",
                "--base-directory",
                base,
                "--preview-method",
                "latent2rgb",
                "--database-url",
                f"sqlite:///{base / 'server.db'}",
                *arguments,
            ],
            cwd=host.folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", base, log)
    for _ in range(1500):  # 300 s: a busy machine imports torch slowly
        try:
            server.get("/system_stats")
            return server, process
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    process.kill()
    raise AssertionError(log.read_text())


def new_base(folder: Path, archive: Path | None = None) -> Path:
    """A base directory with this pack as the only custom node.

    It is this folder, under a name with a dot in it (with a space in it the host itself cannot serve the scripts), or
    an archive of it, unpacked under the project's name as the registry does.
    """
    for name in ("custom_nodes", "user", "input", "output", "models"):
        (folder / name).mkdir()
    if archive is None:
        (folder / "custom_nodes" / "style.wallfacer-0.1").symlink_to(ROOT, target_is_directory=True)
    else:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / "custom_nodes" / "stylewallfacer")
    return folder
