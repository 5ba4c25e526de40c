"""Other packs' nodes around ours, as API prompts on mini: each touches hooks that ours touch too.

Every graph has the model at "1", the style's patch at "P", the content at "5", and its saved picture at "10". A graph
is built three times: with both, without ours, and without theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from support.api_graphs import patch_inputs

Graph = dict[str, Any]
# Folder of each pack under custom_nodes, and a node by which one sees that it was loaded.
PACKS = {
    "ComfyUI_IPAdapter_plus": "IPAdapterEmbeds",
    "RES4LYF": "ClownsharKSampler_Beta",
    "ComfyUI-Advanced-ControlNet": "ACN_ReferenceControlNet",
    "ComfyUI-AnimateDiff-Evolved": "ADE_UseEvolvedSampling",
    "ComfyUI-Impact-Pack": "DetailerForEach",
}
_TOKENS, _EMBEDDING = 128, 64  # width of mini's text tokens; of the drawn image embedding
# Widths of mini's blocks that IP-Adapter's numbering of Stable Diffusion 1.5 meets, by its layer number.
_WIDTHS = {1: 96, 9: 192, 13: 128, 15: 96, 17: 96, 31: 192}


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def write_random_weights(base: Path) -> None:
    """An IP-Adapter of drawn weights in mini's shape, and two drawn embeddings, where the pack looks for them."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int, scale: float = 0.1) -> torch.Tensor:
        return torch.randn(shape, generator=generator) * scale

    weights = {
        "image_proj.proj.weight": draw(4 * _TOKENS, _EMBEDDING),
        "image_proj.proj.bias": draw(4 * _TOKENS),
        "image_proj.norm.weight": torch.ones(_TOKENS),
        "image_proj.norm.bias": torch.zeros(_TOKENS),
    }
    for number in range(1, 32, 2):
        for name in ("to_k_ip", "to_v_ip"):
            weights[f"ip_adapter.{number}.{name}.weight"] = draw(_WIDTHS.get(number, 96), _TOKENS, scale=0.3)
    (base / "models" / "ipadapter").mkdir(parents=True, exist_ok=True)
    save_file(weights, base / "models" / "ipadapter" / "random.safetensors")
    for name in ("positive", "negative"):
        torch.save(draw(1, _EMBEDDING, scale=1.0), base / "input" / f"{name}.ipadpt")


def _stock(batch: int = 1, sd15: bool = False) -> Graph:
    graph = {
        "1": _node("SWF_MiniLoader"),
        "2": _node("CLIPTextEncode", text="a red house", clip=["1", 1]),
        "3": _node("LoadImage", image="content.png"),
        "4": _node("LoadImage", image="style.png"),
        "5": _node("VAEEncode", pixels=["3", 0], vae=["1", 2]),
        "6": _node("VAEEncode", pixels=["4", 0], vae=["1", 2]),
        "P": _node("SWF_QueryPreservePatch", **patch_inputs(model=["1", 0], style=["6", 0], content=["5", 0])),
        "9": _node("VAEDecode", samples=["8", 0], vae=["1", 2]),
        "10": _node("SaveImage", images=["9", 0], filename_prefix="neighbor"),
    }
    if batch > 1:
        for name, latent in (("B5", "5"), ("B6", "6")):
            graph[name] = _node("RepeatLatentBatch", samples=[latent, 0], amount=batch // 2)
        graph["B"] = _node("LatentBatch", samples1=["B5", 0], samples2=["B6", 0])
        graph["P"]["inputs"]["content"] = ["B", 0]
    if sd15:
        graph["M"] = _node("RandomSD15")
        graph["2"] = _node("ConditioningSetTimestepRange", conditioning=["M", 1], start=0.0, end=1.0)
        graph["P"]["inputs"]["model"] = ["M", 0]
    return graph


def _sampler(model: list, **inputs: Any) -> dict[str, Any]:
    given = {"positive": ["2", 0], "negative": ["2", 0], "latent_image": ["5", 0], "sampler_name": "euler"} | inputs
    return _node("KSampler", model=model, seed=1, steps=6, cfg=2.0, scheduler="normal", denoise=0.7, **given)


def ip_adapter(ours: bool, theirs: bool, before: bool = False) -> Graph:
    """IP-Adapter's replaced cross-attention, before or after the patch."""
    graph = _stock()
    first, second = ("I", "P") if before else ("P", "I")
    graph["F"] = _node("IPAdapterModelLoader", ipadapter_file="random.safetensors")
    graph["E+"], graph["E-"] = (_node("IPAdapterLoadEmbeds", embeds=f"{n}.ipadpt") for n in ("positive", "negative"))
    graph["I"] = _node(
        "IPAdapterEmbeds", model=["1", 0], ipadapter=["F", 0], pos_embed=["E+", 0], neg_embed=["E-", 0], weight=1.0,
        weight_type="linear", start_at=0.0, end_at=1.0, embeds_scaling="V only",
    )  # fmt: skip
    graph[second]["inputs"]["model"] = [first, 0]
    model = second if ours and theirs else "P" if ours else "I" if theirs else "1"
    if not (ours and theirs):
        graph[second]["inputs"]["model"] = ["1", 0]
    graph["8"] = _sampler([model, 0])
    return graph


def clown_sampler(ours: bool, theirs: bool) -> Graph:
    """RES4LYF's own sampler with its exponential integrators and `bongmath`."""
    graph, model = _stock(), ["P" if ours else "1", 0]
    graph["8"] = _node(
        "ClownsharKSampler_Beta", model=model, positive=["2", 0], negative=["2", 0], latent_image=["5", 0], eta=0.5,
        sampler_name="multistep/res_2m", scheduler="beta57", steps=6, steps_to_run=-1, denoise=0.7, cfg=2.0, seed=1,
        sampler_mode="standard", bongmath=True,
    ) if theirs else _sampler(model)  # fmt: skip
    return graph


def clown_unsampler(ours: bool, theirs: bool) -> Graph:
    """RES4LYF runs the content's noise levels upward on the plain model, and down again on the patched one."""
    graph, model = _stock(), ["P" if ours else "1", 0]
    graph["8"] = _sampler(model)
    if theirs:
        shared = {"sampler_name": "multistep/res_2m", "eta": 0.0, "steps_to_run": -1, "bongmath": False}
        text = {"positive": ["2", 0], "negative": ["2", 0]}
        graph["U"] = _node(
            "ClownsharKSampler_Beta", model=["1", 0], latent_image=["5", 0], sampler_mode="unsample", steps=6, cfg=1.0,
            scheduler="beta57", denoise=1.0, seed=1, **text, **shared,
        )  # fmt: skip
        graph["8"] = _node("ClownsharkChainsampler_Beta", model=model, latent_image=["U", 0], sampler_mode="resample",
                           cfg=1.0, **text, **shared)  # fmt: skip
    return graph


def res_sampler(ours: bool, theirs: bool) -> Graph:
    """A sampler and a schedule that RES4LYF adds to the stock KSampler."""
    graph = _stock()
    graph["8"] = _sampler(["P" if ours else "1", 0])
    if theirs:
        graph["8"]["inputs"] |= {"sampler_name": "res_2s", "scheduler": "bong_tangent"}
    return graph


def reference_control(ours: bool, theirs: bool, kind: str = "reference_attn") -> Graph:
    """Advanced-ControlNet's reference, which replaces self-attention while it runs."""
    graph = _stock(sd15=True)
    graph["R"] = _node("ACN_ReferenceControlNet", reference_type=kind, style_fidelity=0.5, ref_weight=1.0)
    graph["S"] = _node("ACN_ReferencePreprocessor", image=["4", 0], vae=["1", 2], latent_size=["5", 0])
    graph["A"] = _node(
        "ACN_AdvancedControlNetApply_v2", positive=["2", 0], negative=["2", 0], control_net=["R", 0], image=["S", 0],
        strength=1.0, start_percent=0.0, end_percent=1.0, vae_optional=["1", 2],
    )  # fmt: skip
    graph["8"] = _sampler(["P" if ours else "M", 0])
    if theirs:
        graph["8"]["inputs"] |= {"positive": ["A", 0], "negative": ["A", 1]}
    return graph


def context_windows(ours: bool, theirs: bool, reference: bool = False) -> Graph:
    """AnimateDiff-Evolved samples six frames through windows of four."""
    graph = _stock(batch=6, sd15=reference)
    graph["C"] = _node("ADE_StandardStaticContextOptions", context_length=4, context_overlap=2, fuse_method="pyramid")
    graph["X"] = _node("ADE_ContextExtras_ContextRef", start_percent=0.0, end_percent=1.0)
    graph["D"] = _node("ADE_ContextExtras_Set", context_opts=["C", 0], context_extras=["X", 0])
    model = ["P" if ours else "M" if reference else "1", 0]
    options = ["D" if reference else "C", 0]
    graph["W"] = _node("ADE_UseEvolvedSampling", model=model, beta_schedule="use existing", context_options=options)
    graph["8"] = _sampler(["W", 0] if theirs else model, latent_image=["B", 0])
    return graph


def own_context_windows(ours: bool, theirs: bool) -> Graph:
    """The host's own context windows over a batch of six."""
    graph = _stock(batch=6)
    model = ["P" if ours else "1", 0]
    graph["W"] = _node("ContextWindowsManual", model=model, context_length=4, context_overlap=2,
                       context_schedule="standard_static", context_stride=1, closed_loop=False, fuse_method="pyramid",
                       dim=0)  # fmt: skip
    graph["8"] = _sampler(["W", 0] if theirs else model, latent_image=["B", 0])
    return graph


def step_cache(ours: bool, theirs: bool, kind: str = "EasyCache") -> Graph:
    """The host's own caches, which leave out steps that change little."""
    graph = _stock()
    model = ["P" if ours else "1", 0]
    graph["W"] = _node(kind, model=model, reuse_threshold=0.1, start_percent=0.0, end_percent=0.95, verbose=True)
    graph["8"] = _sampler(["W", 0] if theirs else model)
    graph["8"]["inputs"]["steps"] = 20
    return graph


def detailer(ours: bool, theirs: bool) -> Graph:
    """Impact cuts a masked part out, repaints it larger with the patched model, and pastes it back."""
    graph, model = _stock(), ["P" if ours else "1", 0]
    if not theirs:
        graph["8"] = _sampler(model)
        return graph
    graph["K"] = _node("SolidMask", value=0.0, width=128, height=128)
    graph["L"] = _node("SolidMask", value=1.0, width=48, height=40)
    graph["M"] = _node("MaskComposite", destination=["K", 0], source=["L", 0], x=40, y=48, operation="add")
    graph["G"] = _node("MaskToSEGS", mask=["M", 0], combined=False, crop_factor=1.5, bbox_fill=False, drop_size=4,
                       contour_fill=False)  # fmt: skip
    graph["8"] = _node(
        "DetailerForEach", image=["3", 0], segs=["G", 0], model=model, clip=["1", 1], vae=["1", 2], guide_size=128.0,
        guide_size_for=True, max_size=192.0, seed=1, steps=6, cfg=2.0, sampler_name="euler", scheduler="normal",
        positive=["2", 0], negative=["2", 0], denoise=0.7, feather=5, noise_mask=True, force_inpaint=True,
        wildcard="", cycle=1,
    )  # fmt: skip
    graph["10"]["inputs"]["images"] = ["8", 0]
    return graph


def iterative_upscale(ours: bool, theirs: bool) -> Graph:
    """Impact samples again and again at growing sizes, each time with the patched model."""
    graph, model = _stock(), ["P" if ours else "1", 0]
    graph["8"] = _sampler(model)
    if theirs:
        graph["Q"] = _node(
            "PixelKSampleUpscalerProvider", scale_method="lanczos", model=model, vae=["1", 2], seed=1, steps=4, cfg=2.0,
            sampler_name="euler", scheduler="normal", positive=["2", 0], negative=["2", 0], denoise=0.5,
            use_tiled_vae=False, tile_size=512,
        )  # fmt: skip
        graph["8"] = _node("IterativeLatentUpscale", samples=["5", 0], upscale_factor=1.5, steps=2, temp_prefix="",
                           upscaler=["Q", 0], step_mode="simple")  # fmt: skip
    return graph


# By their names in docs/neighbors.md: the pack (none: the host's own nodes) and the graph.
CASES: dict[str, tuple[str, Callable[[bool, bool], Graph]]] = {
    "IPAdapter Embeds, after the patch": ("ComfyUI_IPAdapter_plus", ip_adapter),
    "IPAdapter Embeds, before the patch": ("ComfyUI_IPAdapter_plus", lambda o, t: ip_adapter(o, t, before=True)),
    "ClownsharKSampler (res_2m, beta57)": ("RES4LYF", clown_sampler),
    "ClownsharKSampler unsample, Chainsampler resample": ("RES4LYF", clown_unsampler),
    "KSampler with res_2s and bong_tangent": ("RES4LYF", res_sampler),
    "Reference ControlNet, attention": ("ComfyUI-Advanced-ControlNet", reference_control),
    "Reference ControlNet, AdaIN": (
        "ComfyUI-Advanced-ControlNet",
        lambda o, t: reference_control(o, t, "reference_adain"),
    ),
    "Use Evolved Sampling, context windows": ("ComfyUI-AnimateDiff-Evolved", context_windows),
    "Use Evolved Sampling, ContextRef": (
        "ComfyUI-AnimateDiff-Evolved",
        lambda o, t: context_windows(o, t, reference=True),
    ),
    "Detailer (SEGS)": ("ComfyUI-Impact-Pack", detailer),
    "Iterative Upscale (Latent)": ("ComfyUI-Impact-Pack", iterative_upscale),
    "Context Windows (Manual)": ("", own_context_windows),
    "EasyCache": ("", step_cache),
    "LazyCache": ("", lambda o, t: step_cache(o, t, "LazyCache")),
}
