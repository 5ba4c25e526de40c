"""StyleWallfacer, the host's door: ComfyUI reads `comfy_entrypoint` and `WEB_DIRECTORY` from here, nothing else.

Nothing is imported until the host asks: the pack also has to import, at once and without error, where there is no
ComfyUI (pytest collects this file because it lies in the root folder).
"""

WEB_DIRECTORY = "./web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]


async def comfy_entrypoint():
    """Return the extension with the pack's nodes."""
    from .nodes import extension

    return extension()
