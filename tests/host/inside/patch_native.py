"""Run by ComfyUI's Python in its folder: REPORT (JSON). The patch on mini's MODEL under what users put around it.

Every value of the report is a greatest absolute difference between two latents, a count, or a sentence.
"""

from types import SimpleNamespace

from native_tools import (
    Encoding,
    apart,
    comfy,
    draw,
    empty,
    error_messages,
    lora,
    model,
    patched,
    red,
    report,
    rows_of_calls,
    sample,
    torch,
    write_report,
)

style, other, content = draw(1, 4, 16, 16, seed=1), draw(1, 4, 16, 16, seed=2) + 0.5, draw(1, 4, 12, 16, seed=3)


def strength():
    plain, off = sample(model), patched(model, style, content, strength=0.0)
    report["strength 0 is the plain model"] = apart(sample(off), plain)
    report["strength 0, cfg 7"] = apart(sample(off, cfg=7.0), sample(model, cfg=7.0))
    report["strength 1e-4"] = apart(sample(patched(model, style, content, strength=1e-4)), plain)


def pictures_matter():
    full = sample(patched(model, style, content))
    report["style matters"] = apart(full, sample(patched(model, other, content)))
    report["content matters at gamma 0.5"] = apart(full, sample(patched(model, style, content + 1)))
    free = [sample(patched(model, style, c, gamma=0.0)) for c in (content, content + 1)]
    report["content is irrelevant at gamma 0"] = apart(*free)


def clones():
    plain, one = sample(model), patched(model, style, content)
    full = sample(one)
    report["no trace on the model"] = apart(sample(model), plain)
    report["patched twice is patched once"] = apart(sample(patched(one, style, content)), full)
    report["after two more clones"] = apart(sample(one.clone().clone()), full)
    report["same again"] = apart(sample(one), full)


def with_a_lora():
    plain, one = sample(model), patched(model, style, content)
    with_lora, off = lora(model), patched(model, style, content, strength=0.0)
    report["a LoRA matters"] = apart(sample(with_lora), plain)
    after, before = sample(lora(one)), sample(patched(with_lora, style, content))
    report["LoRA before or after"] = apart(after, before)
    report["no trace with a LoRA after"] = apart(sample(lora(off)), sample(with_lora))
    report["model again after a LoRA"] = apart(sample(model), plain)


def samplers():
    one = patched(model, style, content)
    for name in ("euler", "ddim", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "heun"):
        a = sample(one, name, cfg=7.0, batch=3)
        report[f"{name}: style matters"] = apart(a, sample(patched(model, other, content), name, cfg=7.0, batch=3))


def split_batches():
    one = patched(model, style, content)
    whole = {cfg: sample(one, cfg=cfg, batch=3) for cfg in (1.0, 7.0)}
    real = comfy.samplers.model_management
    comfy.samplers.model_management = SimpleNamespace(get_free_memory=lambda device: 0)
    try:
        for cfg, result in whole.items():
            report[f"split equals unsplit, cfg {cfg:g}"] = apart(sample(one, cfg=cfg, batch=3), result)
    finally:
        comfy.samplers.model_management = real


def sizes():
    one = patched(model, style, content)
    each = [sample(one, cfg=7.0, size=s) for s in ((12, 16), (20, 12))]
    report["other sizes"] = float(all(torch.isfinite(x).all() for x in each))


def inpainting():
    mask = torch.zeros(1, 1, 12, 16)
    mask[..., 8:] = 1.0
    inpainted, another = (sample(patched(model, s, content), noise_mask=mask) for s in (style, other))
    report["inpaint: kept where masked"] = apart(inpainted[..., :8], (draw(1, 4, 12, 16, seed=5) * 0.5)[..., :8])
    report["inpaint: style matters where not"] = apart(inpainted, another)


def area_prompts():
    half = [[red[0][0], {**red[0][1], "area": (12, 8, 0, 8), "strength": 1.0}], [empty[0][0], dict(empty[0][1])]]
    one, two = patched(model, style, content), patched(model, other, content)
    report["area prompt: style matters"] = apart(
        sample(one, cfg=5.0, positive=half), sample(two, cfg=5.0, positive=half)
    )


def places():
    place = torch.zeros(1, 24, 32)
    place[..., :16] = 1.0
    placed = sample(patched(model, style, content, place=place), steps=1)
    report["mask: style where it is 1"] = apart(placed, sample(model, steps=1))


def cost():
    one, alone = patched(model, style, content), patched(model, style, content, gamma=0.0)
    rows = {}
    for label, patch, cfg in (("no cfg", one, 1.0), ("cfg", one, 4.0), ("gamma 0", alone, 4.0)):
        sample(patch, cfg=cfg, steps=4)
        rows[label] = sum(rows_of_calls) / 4
    report["E per step"] = rows


def guidance():
    guarded = patched(model, style, content, leak_guard=0.5, style_guidance=0.5)
    report["guidance matters"] = apart(sample(guarded, cfg=3.0), sample(patched(model, style, content), cfg=3.0))

    def lighter(args):
        return args["denoised"] + 0.1

    before, after = model.clone(), guarded.clone()
    before.set_model_sampler_post_cfg_function(lighter)
    after.set_model_sampler_post_cfg_function(lighter)
    before = patched(before, style, content, leak_guard=0.5, style_guidance=0.5)
    report["guidance: another function before or after"] = apart(sample(before, cfg=3.0), sample(after, cfg=3.0))
    again = patched(after.clone(), style, content, leak_guard=0.5, style_guidance=0.5)
    report["guidance: patched again, once"] = apart(sample(again, cfg=3.0), sample(before, cfg=3.0))


def refusals():
    occupied = model.clone()
    occupied.set_model_attn1_replace(lambda q, k, v, extra: q, "output", 0)
    nan = style * float("nan")
    report.update(
        error_messages(
            {
                "another patch on the layer": lambda: sample(patched(occupied, style, content)),
                "a layer that does not exist": lambda: patched(model, style, content, layers="up.9"),
                "other channels": lambda: patched(model, draw(1, 16, 16, 16), content),
                "NaN latents": lambda: sample(patched(model, nan, content, encoding=Encoding())),
                "contents and batch do not fit": lambda: sample(patched(model, style, draw(2, 4, 12, 16)), batch=3),
            }
        )
    )


CASES = (strength, pictures_matter, clones, with_a_lora, samplers, split_batches, sizes, inpainting, area_prompts)
with torch.inference_mode():
    for case in (*CASES, places, cost, guidance, refusals):
        case()
write_report()
