"""Run by ComfyUI's Python in its folder: REPORT (JSON). The patch on the host's transformers, tiny and random, under
what users put around it.

Every value of the report is, for each family, a greatest absolute difference between two latents, a count, or a
sentence.
"""

from types import SimpleNamespace

from native_tools import (
    Encoding,
    FeatureStore,
    PlainConditioning,
    apart,
    comfy,
    draw,
    error_messages,
    pack,
    patched,
    report,
    torch,
    write_report,
)

import comfy.model_management as mm  # isort: skip
import tiny_transformers as tiny  # isort: skip
import nodes as stock  # isort: skip

inspect_network = pack("nodes.host.transfer.inspection").inspect_network
with_edit = pack("nodes.host.transfer.attention").with_edit
tokens_of = pack("nodes.host.transfer.transformer_layout")
noise_levels = pack("nodes.host.transfer.noise_levels").noise_levels
SAMPLERS = ("euler", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "heun")
SIZE = (16, 12)
torch.set_num_threads(1)


class Case:
    """A tiny model of a family, its pictures and texts, and what is measured of it."""

    def __init__(self, family):
        self.family, self.model = family, tiny.tiny(family)
        self.channels = tiny.channels(self.model)
        self.style, self.content = draw(1, self.channels, 16, 16, seed=1), draw(1, self.channels, *SIZE, seed=3)
        self.positive, self.negative = tiny.text(family, 5), tiny.text(family, 9, seed=1)
        self.rows = []
        self.model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: self.rows.append(len(inputs[0])))

    def on(self, style=None, content=None, model=None, **options):
        text = options.pop("text", PlainConditioning(self.negative))
        style, content = (self.style if style is None else style), (self.content if content is None else content)
        return patched(model or self.model, style, content, text=text, **options)

    def sample(self, on, sampler="euler", cfg=1.0, batch=1, size=SIZE, steps=3, latent=None, positive=None, **more):
        self.rows.clear()
        latent = draw(batch, self.channels, *size, seed=5) * 0.5 if latent is None else latent
        framed = noise_levels(on.model).framed
        shape = framed(latent).shape
        texts = positive or self.positive, self.negative
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(6))
        more = {"disable_pbar": True, "seed": 7} | more
        return comfy.sample.sample(on, noise, steps, cfg, sampler, "normal", *texts, framed(latent), **more)

    def put(self, name, value):
        report.setdefault(name, {})[self.family] = value

    def differ(self, name, one, other):
        self.put(name, apart(one, other))


def basics(case):
    plain, one = case.sample(case.model), case.on()
    full = case.sample(one)
    case.differ("strength 0 is the plain model", case.sample(case.on(strength=0.0)), plain)
    guided = [case.sample(on, cfg=3.0, batch=3) for on in (case.on(strength=0.0), case.model)]
    case.differ("strength 0, cfg 3, batch 3", *guided)
    case.differ("style out of the running is the plain model", case.sample(case.on(kv="concat", bias=-1e5)), plain)
    case.differ("style matters", full, case.sample(case.on(style=case.style + 1.0)))
    case.differ("content matters", full, case.sample(case.on(content=case.content + 1.0)))
    case.differ("no trace on the model", case.sample(case.model), plain)
    case.differ("same again", case.sample(one), full)
    case.differ("after two more clones", case.sample(one.clone().clone()), full)
    odd = [case.sample(case.on(style=draw(1, case.channels, *s, seed=1)), size=(13, 18)) for s in ((16, 16), (11, 14))]
    case.differ("sizes: another style matters", *odd)


def reconstruction(case):
    """The content in its own style, at its own places, from its own start."""
    text = PlainConditioning(case.positive)
    # text of the pictures is that of generation: what remains is the inversion's error
    options = {"text": text, "encoding": Encoding("midpoint"), "start_adain": 0.0, "gamma": 0.5, "tau": 1.0}
    errors = {}
    for name, strength in (("plain", 0.0), ("injected", 1.0)):
        on = case.on(style=case.content, strength=strength, positions="same", **options)
        result = case.sample(on, steps=12, latent=case.content)
        errors[name] = apart(noise_levels(on.model).picture(result), case.content)
    case.put("reconstruction", errors)


def around(case):
    one, other = case.on(), case.on(style=case.style + 1.0)
    for name in SAMPLERS:
        pair = [case.sample(on, name, cfg=3.0, batch=3) for on in (one, other)]
        case.differ(f"{name}: style matters", *pair)
    whole = case.sample(one, cfg=3.0, batch=3)
    real, comfy.samplers.model_management = (
        comfy.samplers.model_management,
        SimpleNamespace(get_free_memory=lambda device: 0),
    )
    try:
        case.differ("guidance in two calls", case.sample(one, cfg=3.0, batch=3), whole)
    finally:
        comfy.samplers.model_management = real


def with_lora(model, strength=0.7):
    """Changed weights, as the stock LoRA loader puts them on a MODEL."""
    clone, weights = model.clone(), model.model.state_dict()
    # layers that the host casts one by one where not all weights are loaded
    cast = [name for name, part in model.model.named_modules() if isinstance(part, torch.nn.Linear)]
    names = [f"{name}.weight" for name in cast if hasattr(model.model.get_submodule(name), "comfy_cast_weights")][:40]
    clone.add_patches({name: ("diff", (draw(*weights[name].shape, seed=9) * 0.02,)) for name in names}, strength)
    return clone


def weights(case):
    plain, one = case.sample(case.model), case.on()
    case.differ("a LoRA matters", case.sample(with_lora(case.model)), plain)
    case.differ("LoRA before or after", case.sample(with_lora(one)), case.sample(case.on(model=with_lora(case.model))))
    case.differ("model again after a LoRA", case.sample(case.model), plain)
    full = case.sample(case.on(model=with_lora(case.model)))
    mm.unload_all_models()
    is_cpu, state = mm.is_device_cpu, mm.vram_state
    mm.is_device_cpu, mm.vram_state = (lambda device: False), mm.VRAMState.NO_VRAM
    try:
        case.differ("partly loaded", case.sample(case.on(model=with_lora(case.model))), full)
        case.put("weights stay where they are", float(case.model.model.model_lowvram))
    finally:
        mm.is_device_cpu, mm.vram_state = is_cpu, state
        mm.unload_all_models()


def split(case):
    framed = noise_levels(case.model.model).framed

    def advanced(on, latent, first, last, noise):
        texts = case.positive, case.negative
        more = (first, last, "disable" if last == 6 else "enable")
        return stock.KSamplerAdvanced().sample(on, noise, 7, 6, 1.0, "euler", "normal", *texts, latent, *more)[0]

    on = case.on(gamma=0.9, gamma_end=0.1, gamma_schedule="cosine", encoding=Encoding("fireflow"))
    latent = {"samples": framed(case.content * 0.5)}
    whole = advanced(on, latent, 0, 6, "enable")["samples"]
    half = advanced(on, latent, 0, 3, "enable")
    case.differ("split equals unsplit", advanced(on, half, 3, 6, "disable")["samples"], whole)


def cost(case):
    store = FeatureStore()
    on, counts = case.on(store=store, encoding=Encoding()), []
    for seed in (7, 8):
        result = case.sample(on, steps=4, seed=seed)
        counts.append(sum(case.rows))
    case.put("E of a first and a second sampling", counts)
    case.differ("with a store, without", case.sample(on, steps=4), case.sample(case.on(encoding=Encoding()), steps=4))
    assert torch.isfinite(result).all()


def text_rows(case):
    """What the text reads in the first of our layers, with and without an injection there."""
    network, model = inspect_network(case.model.model), case.model.model
    name, rows = next(iter(network.layers)), []

    def seen(attend, *args, **named):
        out = attend(*args, **named)
        rows.append((args, named, out))
        return out

    def injected(layer, q, k, v, grid, scale, joint=None):
        return v.flip(2) + 1.0

    mm.load_models_gpu([case.model])
    case.model.pre_run()
    x = noise_levels(model).framed(case.content)
    conds = pack("nodes.host.transfer.denoiser").prepare_conditioning(model, PlainConditioning(case.positive), x, {})
    found = {}
    for what, function in (("plain", lambda *_: None), ("injected", injected)):
        rows.clear()
        options = with_edit(
            {"transformer_options": {"optimized_attention_override": seen}},
            network,
            [name],
            lambda _, function=function: function,
        )
        comfy.samplers.calc_cond_batch(model, [conds], x, torch.tensor([0.7]), options)
        lead = network.transformer.leading[0]
        found[what] = rows[lead]
    args, named, out = found["plain"]
    heads = args[3]
    out = out.unflatten(-1, (heads, -1)).transpose(1, 2)
    size = tokens_of.CallSize(*SIZE, 5, None, ())
    picture = tokens_of.picture_tokens(network.transformer, size, 0, out.shape[2])
    text = torch.cat([out[:, :, : picture.first], out[:, :, picture.span.stop :]], 2)
    if text.shape[2] == 0:  # Wan's pictures attend to themselves alone
        case.put("text rows", None)
        return
    args, _, out = found["injected"]
    case.put("text rows", [apart(out, text), out.shape[2]])


def interrupted(case):
    """A person cancels while the pictures are inverted: no more than the call that runs is made."""
    on = case.on(encoding=Encoding())
    calls = []

    def cancel(*_):
        calls.append(1)
        if len(calls) == 2:
            mm.interrupt_current_processing(True)

    hook = case.model.model.diffusion_model.register_forward_pre_hook(cancel)
    try:
        case.sample(on, steps=5)
        case.put("calls until cancelled", None)
    except mm.InterruptProcessingException:
        case.put("calls until cancelled", len(calls))
    finally:
        hook.remove()
        mm.interrupt_current_processing(False)


def refusals(case):
    films = noise_levels(case.model.model)
    sources = pack("nodes.host.transfer.sources")
    wide = [[torch.zeros(1, 5, 7), dict(case.negative[0][1])]]
    case.put(
        "refusals",
        error_messages(
            {
                "a layer outside": lambda: case.on(layers="double.77"),
                "other channels": lambda: case.on(style=draw(1, 7, 16, 16)),
                "frames": lambda: sources.picture_latents({"samples": draw(1, case.channels, 3, 8, 8)}, None, "style"),
                "frames sampled": lambda: films.picture(draw(1, case.channels, 3, 8, 8)),
                "a text of another width": lambda: case.sample(case.on(text=PlainConditioning(wide))),
                "a mode for UNets": lambda: case.on(kv="adaattn"),
            }
        ),
    )


def collision(case):
    """Each cure moves the result from that of plain sharing, where there are rotary positions."""
    same = case.sample(case.on(positions="same"))
    for how in ("untwist", "shift", "free"):
        case.differ(f"positions: {how} is not same", case.sample(case.on(positions=how)), same)


def references(case):
    """Reference latents of a graph (Kontext, Qwen-Image-Edit) stand beside ours."""
    if case.family not in ("Flux", "Qwen-Image", "OmniGen2"):
        return
    frames = noise_levels(case.model.model).framed
    latent = frames(draw(1, case.channels, 8, 10, seed=8))
    asked = [[case.positive[0][0], {**case.positive[0][1], "reference_latents": [latent]}]]
    with_them = case.sample(case.on(), positive=asked)
    case.differ("reference latents matter", with_them, case.sample(case.on()))
    case.differ(
        "reference latents: style matters", with_them, case.sample(case.on(style=case.style + 1.0), positive=asked)
    )
    off = case.sample(case.on(kv="concat", bias=-1e5), positive=asked)
    case.differ("reference latents: the plain model", off, case.sample(case.model, positive=asked))


CASES = (basics, reconstruction, around, weights, split, cost, text_rows, interrupted, refusals, collision, references)
with torch.inference_mode():
    for family in tiny.CONFIGS:
        case = Case(family)
        for measure in CASES:
            measure(case)
write_report()
