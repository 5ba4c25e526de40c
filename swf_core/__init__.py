"""The method: pure Python and torch, no ComfyUI. Importing this loads nothing heavy."""

__version__ = "0.1.0"
