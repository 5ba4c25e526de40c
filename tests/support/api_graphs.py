"""Nodes of API prompts that several host tests build on, with every widget set."""

from __future__ import annotations

from typing import Any


def patch_inputs(**inputs: Any) -> dict[str, Any]:
    """The widgets of Query-Preserve Attention Patch as they suit mini; `inputs` add to them."""
    return {
        "layers": "all",
        "strength": 1.0,
        "gamma": 0.5,
        "tau": 2.5,
        "start_percent": 0.0,
        "end_percent": 1.0,
        "encoding": "ddim",
        "seed": 0,
        "gamma_end": 0.5,
        "gamma_schedule": "constant",
        "kv": "replace",
        "bias": 0.0,
        "value_shift": 0.0,
        "query_adain": 0.0,
        "style_guidance": 0.0,
        "leak_guard": 0.0,
        "forward_first": 0,
        "refinements": 0,
    } | inputs


def triple_inputs(**inputs: Any) -> dict[str, Any]:
    """The widgets of Triple Diffusion Sampler as they suit mini, but for the appended one; `inputs` add to them."""
    return {
        "seed": 1,
        "steps": 8,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        "style_strength": 1.0,
        "query_preservation": 0.5,
        "colour_from_style": 1.0,
    } | inputs
