"""Import a module of this pack as ComfyUI would: the root folder is a package under some name of the host's choice."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
NAME = "style_wallfacer_pack"


def pack(module: str) -> ModuleType:
    """The pack's module of this dotted name."""
    if NAME not in sys.modules:
        find = importlib.util.spec_from_file_location
        spec = find(NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
        assert spec is not None and spec.loader is not None
        sys.modules[NAME] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[NAME])
    return importlib.import_module(f"{NAME}.{module}")
