"""ComfyUI as the core's contracts. Only here, and in the nodes, is anything of the host imported."""
