"""Run by ComfyUI's Python in its folder: REPORT (JSON). Triple Diffusion Sampler on mini: sizes, presets, texts.

Every value of the report is a greatest absolute difference between two latents, a shape, a dict, or a sentence.
"""

from native_tools import (
    apart,
    draw,
    empty,
    error_messages,
    fresh,
    mini,
    model,
    pack,
    red,
    repainted,
    report,
    sample,
    torch,
    triple,
    write_report,
)

style, content = draw(1, 4, 16, 16, seed=1), draw(1, 4, 12, 16, seed=3)
to_long_side = pack("swf_core.transfer.sizes").to_long_side
QueryPreservePatch = pack("nodes.query_preserve_patch").QueryPreservePatch
ColorEdit = pack("nodes.color_edit").ColorEdit
TrajectoryNode = pack("nodes.trajectory").TrajectoryNode


def photo(height, width, seed):
    """A smooth IMAGE."""
    small = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(small, (height, width), mode="bilinear").movedim(1, -1).contiguous()


def by_command_line(image, long_side):
    """The picture as the command line scales it, as a LATENT."""
    scaled = to_long_side(image[0].movedim(-1, 0), long_side).movedim(0, -1)[None]
    return {"samples": vae.encode(scaled)}


def patch_node(**inputs):
    """What a new Query-Preserve Attention Patch returns."""
    without = {} if "content" in inputs else {"gamma": 0.0}
    return QueryPreservePatch.execute(**fresh(QueryPreservePatch) | {"model": model} | without | inputs)


def patch(**inputs):
    """Its MODEL."""
    return patch_node(**inputs).result[0]


def plan_on(patched):
    return pack("nodes.host.transfer.patch").transfer_on(patched)


def sizes():
    large, larger = photo(384, 512, 1), photo(600, 450, 2)
    result = repainted(large, larger, vae=vae, steps=2)["samples"]
    report["size: shape of two large photographs"] = list(result.shape)
    scaled = by_command_line(large, 128), by_command_line(larger, 128)
    report["size: as the command line scales"] = apart(result, repainted(*scaled, steps=2)["samples"])
    report["size: shape at 64"] = list(repainted(large, larger, vae=vae, steps=2, size=64)["samples"].shape)
    native = photo(96, 128, 3)
    as_it_is = {"samples": vae.encode(native)}
    report["size: a picture of native size as before"] = apart(
        repainted(native, native, vae=vae, steps=2)["samples"], repainted(as_it_is, as_it_is, steps=2)["samples"]
    )
    of_latents = repainted(content, style, steps=2)["samples"]
    report["size: latents as they are"] = apart(repainted(content, style, steps=2, size=64)["samples"], of_latents)
    dials = fresh(TrajectoryNode) | {"model": model, "picture": large, "vae": vae, "steps": 2}
    trajectory, start = TrajectoryNode.execute(**dials).result
    report["size: shapes of a trajectory"] = [list(trajectory.clean.shape), list(start["samples"].shape)]
    plan = plan_on(patch(style=larger, content=large, vae=vae))
    report["size: shapes on the patch"] = [list(s.shape) for s in (plan.content, plan.styles[0].source)]
    mixed = pack("nodes.style_mix").StyleMix.execute(larger, 1.0, vae=vae).result[0]
    results = [repainted(content, each, steps=2)["samples"] for each in (mixed, scaled[1])]
    report["size: a mix"] = apart(*results)
    thin = photo(128, 1, 1)
    refused = {
        "a thin content": lambda: repainted(thin, style, vae=vae),
        "a thin style": lambda: repainted(content, thin, vae=vae),
        "a thin style of the patch": lambda: patch(style=thin, vae=vae),
        "a thin picture": lambda: TrajectoryNode.execute(**dials | {"picture": thin}),
        "a size that is too small": lambda: repainted(large, style, vae=vae, size=8),
        "a thin reference of colors": lambda: ColorEdit.execute(
            **fresh(ColorEdit) | {"model": model, "vae": vae, "reference": thin}
        ),
        "grey pictures": lambda: repainted(large[..., :1], style, vae=vae),
    }
    report.update(error_messages(refused))


def presets():
    pictures = {"content": {"samples": content}, "style": {"samples": style}}
    for name in ("custom", "wallfacer", "styleid", "adain", "style-keeper", "cross-image"):
        for kind, node in (
            ("sampler", triple(**pictures, steps=2, preset=name)),
            ("patch", patch_node(**pictures, preset=name)),
        ):
            rows = [] if node.ui is None else node.ui["swf_panel"]
            report[f"preset {name}: panel of the {kind}"] = rows
    named = repainted(**pictures, steps=3, preset="wallfacer", query_preservation=0.9, style_strength=0.1)["samples"]
    report["preset wallfacer: a new sampler"] = apart(named, repainted(**pictures, steps=3)["samples"])
    adain = repainted(**pictures, steps=3, preset="adain")["samples"]
    by_hand = repainted(**pictures, steps=3, style_strength=0.0, colour_from_style=1.0)["samples"]
    report["preset adain: strength 0 and all tones"] = apart(adain, by_hand)
    on_patch = patch(**pictures, preset="wallfacer", gamma=0.9, layers="up.0.0")
    report["preset wallfacer: a new patch"] = apart(sample(on_patch), sample(patch(**pictures)))
    report["preset adain: the patch sets the start"] = apart(sample(patch(**pictures, preset="adain")), sample(model))
    injected = plan_on(patch(**pictures, preset="styleid", start_percent=0.2)).injection
    report["preset styleid: injection"] = [injected.layers, injected.gamma, injected.tau, injected.sigma_high < 100.0]
    alone = {"style": pictures["style"]}
    report["preset stylessp: the patch sets the start"] = apart(
        sample(patch(**pictures, preset="stylessp", end_percent=0.05)), sample(model)
    )
    own = plan_on(patch(**alone, preset="visual-style-prompting"))
    report["preset visual-style-prompting: encoding"] = [own.styles[0].source.encoding.kind, own.calibration.amount]
    reads = patch(**pictures, preset="masactrl"), patch(**pictures | {"style": {"samples": -style}}, preset="masactrl")
    report["preset masactrl: another style is the same"] = apart(*map(sample, reads))
    refused = {
        "masactrl without content": lambda: patch(**alone, preset="masactrl"),
        "settings that read the content": lambda: patch(**alone, settings='{"read": "content", "gamma": 0.0}'),
        "nothing of a preset's window": lambda: patch(**pictures, preset="cross-image", end_percent=0.1),
        "a preset without content": lambda: patch(style={"samples": style}, preset="wallfacer"),
        "adain without content": lambda: patch(style={"samples": style}, preset="adain"),
        "a preset and settings": lambda: patch(**pictures, preset="styleid", settings="{}"),
    }
    report.update(error_messages(refused))


def texts():
    with_texts = repainted(content, style, steps=2, positive=empty, negative=empty)["samples"]
    report["text: mini's own empty one"] = apart(repainted(content, style, steps=2)["samples"], with_texts)
    clip = mini.load_clip()
    report["text: by clip"] = apart(repainted(content, style, steps=2, clip=clip)["samples"], with_texts)
    report["text: only a positive, cfg 3"] = apart(
        repainted(content, style, steps=2, positive=red, cfg=3.0)["samples"],
        repainted(content, style, steps=2, positive=red, negative=empty, cfg=3.0)["samples"],
    )
    report["text: words matter"] = apart(repainted(content, style, steps=2, positive=red)["samples"], with_texts)
    dials = fresh(TrajectoryNode) | {"model": model, "picture": {"samples": content}, "steps": 2}
    starts = [TrajectoryNode.execute(**dials, **text).result[1]["samples"] for text in ({}, {"text": empty})]
    report["text: of a trajectory"] = apart(*starts)
    sampled_texts = pack("nodes.host.transfer.texts").sampled_texts
    checkpoint = pack("nodes.host.transfer.network").Network({}, {}, "SD1.x", {}, 512)
    both = sampled_texts(red, None, None, checkpoint, 1.0)
    report["text: the positive's for both at cfg 1 on a checkpoint"] = [text is red for text in both]
    refused = {
        "no text on a checkpoint": lambda: sampled_texts(None, None, None, checkpoint, 1.0),
        "no negative at cfg 3": lambda: sampled_texts(red, None, None, checkpoint, 3.0),
    }
    report.update(error_messages(refused))


with torch.inference_mode():
    vae = mini.load_vae()
    for case in (sizes, presets, texts):
        case()
write_report()
