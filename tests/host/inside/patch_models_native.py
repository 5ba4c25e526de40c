"""Run by ComfyUI's Python in its folder: REPORT (JSON). The patch among several models: mixes of styles, weights of
their own for the content, cached styles, a ControlNet, partly loaded weights, Hi-Res second passes.

Every value of the report is a greatest absolute difference between two latents, or a count.
"""

from native_tools import (
    Encoding,
    FeatureStore,
    apart,
    comfy,
    draw,
    empty,
    error_messages,
    lora,
    lora_weights,
    model,
    pack,
    patched,
    red,
    repainted,
    report,
    rows_of_calls,
    sample,
    style_source,
    torch,
    write_report,
)

import comfy.cldm.cldm  # isort: skip
import comfy.controlnet  # isort: skip
import comfy.hooks  # isort: skip
import comfy.ops  # isort: skip
from functools import partial  # isort: skip
from comfy.patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers  # isort: skip

mm = comfy.model_management
style, other, content = draw(1, 4, 16, 16, seed=1), draw(1, 4, 16, 16, seed=2) + 0.5, draw(1, 4, 12, 16, seed=3)


def half(left):
    mask = torch.zeros(1, 24, 32)
    mask[..., :16] = 1.0
    return mask if left else 1.0 - mask


def mixes():
    one, two = patched(model, style, content), patched(model, other, content)
    everywhere = patched(model, (style_source(style), style_source(other, weight=0.0)), content)
    report["mix: weight 0 leaves a style out"] = apart(sample(everywhere), sample(one))
    places = tuple(style_source(s, place=half(left)) for s, left in ((style, True), (other, False)))
    once = sample(patched(model, places, content), steps=1)
    expected = torch.cat([sample(one, steps=1)[..., :8], sample(two, steps=1)[..., 8:]], -1)
    report["mix: another style in each half"] = apart(once[..., 1:7], sample(two, steps=1)[..., 1:7])
    alone = patched(model, (style_source(style, place=half(True)),), content)
    report["mix: a place leaves the rest alone"] = apart(sample(alone), sample(patched(model, other, content)))
    batch = sample(patched(model, places, content), cfg=5.0, batch=3)
    report["mix: batch and guidance"] = apart(batch, sample(one, cfg=5.0, batch=3))
    report["mix: near each style in its half"] = float((once - expected).abs().mean() / expected.abs().mean())


def own_weights():
    changed = lora(model)
    plain, base = sample(patched(changed, style, content)), sample(patched(model, style, content))
    mixed = patched(changed, style, content, content_model=model)
    result = sample(mixed)
    report["content_model matters"] = apart(result, plain)
    report["content_model is not generation's"] = apart(result, base)
    same = patched(model, style, content, content_model=model)
    report["content_model: its own changes nothing"] = apart(sample(same), base)
    report["content_model: same again"] = apart(sample(mixed), result)
    report["content_model: irrelevant at gamma 0"] = apart(
        sample(patched(changed, style, content, gamma=0.0, content_model=model)),
        sample(patched(changed, style, content, gamma=0.0)),
    )
    own = patched(changed, style, content)  # dpm_2 asks between the levels
    report["content_model: levels in between"] = apart(sample(mixed, "dpm_2"), sample(own, "dpm_2"))
    report["content_model: model again"] = apart(sample(patched(model, style, content)), base)


def caching():
    """A style's features stay for the next sampling, and only while they are still true."""
    cached, same = patched(model, style, content, store=FeatureStore()), {"cfg": 4.0, "steps": 4}
    fresh = sample(patched(model, style, content), **same)
    report["cache: first run"] = apart(sample(cached, **same), fresh)
    first = sum(rows_of_calls) / 4
    report["cache: second run"] = apart(sample(cached, **same), fresh)
    report["E per step, cached"] = {"first": first, "second": sum(rows_of_calls) / 4}
    wordless = sample(cached, **same, positive=empty)
    report["E per step, cached"]["another prompt"] = sum(rows_of_calls) / 4
    report["cache: another prompt"] = apart(wordless, sample(patched(model, style, content), **same, positive=empty))
    report["cache: other steps"] = apart(sample(cached, steps=3), sample(patched(model, style, content), steps=3))
    report["cache: a LoRA after"] = apart(sample(lora(cached)), sample(lora(patched(model, style, content))))


def start_tones():
    """The sampler node with a LoRA hooked to the positive prompt alone, and to both prompts."""
    hooks = comfy.hooks.create_hook_lora(lora_weights(model), 0.7, 0.0)
    hooked, hooked_empty = (comfy.hooks.set_hooks_for_conditioning(c, hooks) for c in (red, empty))

    def run(positive, negative, tones="auto", color=1.0):
        texts = {"positive": positive, "negative": negative, "start_tones": tones}
        return repainted(content, style, steps=3, cfg=3.0, colour_from_style=color, **texts)["samples"]

    kept = run(hooked, empty, "as set", color=0.0)
    report["start tones: kept with a LoRA on the prompt alone"] = apart(run(hooked, empty), kept)
    report["start tones: as set are set"] = apart(run(hooked, empty, "as set"), kept)
    report["start tones: the style's with a LoRA on both"] = apart(
        run(hooked, hooked_empty), run(hooked, hooked_empty, "as set")
    )
    report["start tones: the style's without a LoRA"] = apart(run(red, empty), run(red, empty, "as set"))


def another_parametrisation():
    """An inversion is another one when the model is read otherwise; a cache must not hide that."""
    epsilon = comfy.model_base.model_sampling(model.model.model_config, comfy.model_base.ModelType.EPS)
    inverted = patched(model, style, content, store=FeatureStore(), encoding=Encoding())
    before = sample(inverted)
    changed = [m.clone() for m in (inverted, patched(model, style, content, encoding=Encoding()))]
    for clone in changed:
        clone.add_object_patch("model_sampling", epsilon)  # as ModelSamplingDiscrete does it
    results = [sample(clone) for clone in changed]
    report["cache: another parametrisation after"] = apart(*results)
    report["another parametrisation matters"] = apart(results[0], before)


def random_control():
    """A random ControlNet in mini's shape, as what it adds to a conditioning."""
    shape = dict(model.model.model_config.unet_config)
    for name in ("out_channels", "transformer_depth_output"):
        shape.pop(name, None)
    shape |= {"hint_channels": 3, "operations": comfy.ops.disable_weight_init, "dtype": torch.float32, "device": "cpu"}
    torch.manual_seed(0)
    net = comfy.cldm.cldm.ControlNet(**shape)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.05)
    controlled = comfy.controlnet.ControlNet(net, load_device=torch.device("cpu"))
    hint = draw(1, 3, 96, 128, seed=9).sigmoid()
    return {"control": controlled.copy().set_cond_hint(hint, 1.0), "control_apply_to_uncond": True}


def control():
    with_net = [[red[0][0], {**red[0][1], **random_control()}]]
    one = patched(model, style, content)
    for cfg in (1.0, 7.0):
        result = sample(one, cfg=cfg, batch=3, positive=with_net)
        report[f"ControlNet matters, cfg {cfg:g}"] = apart(result, sample(one, cfg=cfg, batch=3))
        report[f"ControlNet: style matters, cfg {cfg:g}"] = apart(
            result, sample(patched(model, other, content), cfg=cfg, batch=3, positive=with_net)
        )
        report[f"ControlNet: strength 0 is the plain model, cfg {cfg:g}"] = apart(
            sample(patched(model, style, content, strength=0.0), cfg=cfg, positive=with_net),
            sample(model, cfg=cfg, positive=with_net),
        )


def refusals():
    sources = pack("nodes.host.transfer.sources")
    read_settings = pack("nodes.host.transfer.settings").read_settings
    check_same_layers = pack("nodes.host.transfer.other_weights").check_same_layers
    no_weight = sources.MixedStyle({"samples": style}, None, 0.0, None, None)
    encoding, pixels = Encoding(), torch.zeros(1, 8, 8, 3)
    report.update(
        error_messages(
            {
                "an empty batch": lambda: sources.picture_sources({"samples": style[:0]}, None, encoding, "style"),
                "no pictures": lambda: sources.picture_sources(pixels[:0], object(), encoding, "content"),
                "a picture without a VAE": lambda: sources.picture_sources(pixels, None, encoding, "style"),
                "a mix of nothing": lambda: sources.style_sources((no_weight,), None, encoding),
                "settings that are none": lambda: read_settings('{"gama": 1}'),
                "content_model without the layers": lambda: check_same_layers(model, ("up.2.3.4",)),
            }
        )
    )


def second_pass():
    one = patched(model, style, content)
    report["a second, larger pass"] = apart(
        sample(one, size=(24, 32), denoise=0.5), sample(patched(model, other, content), size=(24, 32), denoise=0.5)
    )


def partly_loaded():
    """As on a card too small for the model: weights stay where they are and are cast layer by layer."""
    with_lora = patched(lora(model), style, content, content_model=model)
    full = {cfg: sample(with_lora, cfg=cfg) for cfg in (1.0, 7.0)}
    mm.unload_all_models()
    is_cpu, state = mm.is_device_cpu, mm.vram_state
    mm.is_device_cpu, mm.vram_state = (lambda device: False), mm.VRAMState.NO_VRAM
    try:
        for cfg, expected in full.items():
            report[f"partly loaded, cfg {cfg:g}"] = apart(sample(with_lora, cfg=cfg), expected)
            report["partly loaded"] = float(model.model.model_lowvram)
    finally:
        mm.is_device_cpu, mm.vram_state = is_cpu, state
        mm.unload_all_models()
    report["whole again"] = apart(sample(with_lora), full[1.0])


def in_call(options, act):
    """What `act` returns inside of a call of the network with these options."""
    around = get_all_wrappers(WrappersMP.APPLY_MODEL, options["transformer_options"])
    executor = WrapperExecutor.new_class_executor(lambda *_: act(), model.model, around)
    return executor.execute(None, None, None, None, None, {})


def newer_hosts():
    """Calls as newer ComfyUI makes them, read in its public files: more options, by name, with more beside them."""
    attention = pack("nodes.host.transfer.attention")
    unet = pack("nodes.host.transfer.unet").inspect_unet(model.model)
    name, key = next(iter(unet.keys.items()))
    q, k, v = (draw(1, 12, 64, seed=i) for i in range(3))
    extra = {"n_heads": 2, "dim_head": 32, "attn_precision": None, "activations_shape": [1, 64, 3, 4], "uuids": ["a"]}
    newer = extra | {"preferred_attention": None, "img_slice": [0, 12], "multigpu_thread_device": "cpu"}
    seen = []

    def edited(layer, q, k, v, grid, scale):
        seen.append(grid)
        return v

    for what, function in (("edited", edited), ("plain", lambda *_: None)):
        options = attention.with_edit({}, unet, [name], lambda part, function=function: function)
        replacement = options["transformer_options"]["patches_replace"]["attn1"][key]
        more = {"pe": None, "attn_mask": None, "enable_gqa": False}
        old = in_call(options, partial(replacement, q, k, v, extra))
        named = in_call(options, partial(replacement, q, k, v, extra_options=newer, **more))
        report[f"newer host: a layer, {what}"] = apart(old, named)
    report["newer host: options of a patched MODEL"] = sorted(
        patched(model, style, content).model_options["transformer_options"].get("patches", {})
    )

    def counted(func, *args, **kwargs):
        overridden.append(1)
        return func(*args, **kwargs)

    overridden, on = [], patched(model, style, content).clone()
    plain = sample(patched(model, style, content), steps=1)
    on.model_options["transformer_options"]["optimized_attention_override"] = counted
    report["newer host: attention of another node"] = apart(sample(on, steps=1), plain)
    # content and style show their features in every layer, by the attention that is set; cross-attention runs in all
    # three processes
    report["newer host: calls of it"] = len(overridden) / len(unet.keys)

    class Executor:
        class_obj = comfy.samplers.sampler_object("euler")

        def __call__(self, *given, **named):
            passed.append((len(given), sorted(named)))
            return given[4] if len(given) > 5 else [torch.zeros(1)]

    passed = []
    hooks = pack("nodes.host.transfer.patch")
    plan = hooks.transfer_on(patched(model, style, content))
    hooks._predict(plan, Executor(), None, [], draw(1, 4, 2, 2), torch.ones(1), {}, "more", latent_shapes=None)
    color = pack("nodes.host.color")
    guidance = pack("swf_core.color.guidance").ColorGuidance()
    extra_args = {"model_options": {}}
    color._run_sampling(color.ModelColors(guidance, ()), Executor(), None, None, extra_args, 1, 2, latent_shapes=None)
    report["newer host: passed on"] = passed


with torch.inference_mode():
    for case in (
        newer_hosts,
        mixes,
        own_weights,
        caching,
        start_tones,
        another_parametrisation,
        control,
        second_pass,
        refusals,
        partly_loaded,
    ):
        case()
write_report()
