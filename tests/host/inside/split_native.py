"""Run by ComfyUI's Python in its folder: REPORT (JSON). The patch on mini's MODEL where samplings are split, and where
a LATENT has a noise mask.

Every value of the report is a greatest absolute difference between two latents, a count, a list of keys, or a sentence.
"""

import logging

from native_tools import (
    Encoding,
    FeatureStore,
    apart,
    comfy,
    draw,
    empty,
    error_messages,
    fresh,
    model,
    pack,
    patched,
    red,
    repainted,
    report,
    rows_of_calls,
    torch,
    write_report,
)

import nodes as stock  # isort: skip
from comfy.k_diffusion import sampling as k_diffusion  # isort: skip
from comfy_extras import nodes_custom_sampler as custom  # isort: skip

style, content = draw(1, 4, 16, 16, seed=1), draw(1, 4, 12, 16, seed=3)
COSINE = {"gamma": 0.9, "gamma_end": 0.1, "gamma_schedule": "cosine", "encoding": Encoding()}
STEPS, CUT = 6, 3
QueryPreservePatch = pack("nodes.query_preserve_patch").QueryPreservePatch
TrajectoryNode = pack("nodes.trajectory").TrajectoryNode


def advanced(on, latent, first=0, last=STEPS, noise="enable", name="euler", scheduler="normal", cfg=1.0):
    """KSampler (Advanced) from step to step; the last step is any high number, as in a new node."""
    last, leftover = (10_000, "disable") if last == STEPS else (last, "enable")
    steps = (STEPS, cfg, name, scheduler, red, empty, latent, first, last, leftover)
    return stock.KSamplerAdvanced().sample(on, noise, 7, *steps)[0]


def in_parts(on, latent, cuts, **settings):
    """The same sampling by several samplers, one after the other."""
    ends = [0, *cuts, STEPS]
    for first, last in zip(ends, ends[1:]):
        latent = advanced(on, latent, first, last, "enable" if first == 0 else "disable", **settings)
    return latent["samples"]


def splits():
    latent = {"samples": content * 0.5}
    cases = {"plain": model, "constant": patched(model, style, content, encoding=Encoding())}
    cases["cosine"] = patched(model, style, content, **COSINE)
    cases["cosine, cached"] = patched(model, style, content, store=FeatureStore(), **COSINE)
    cases["bdia"] = patched(model, style, content, **COSINE | {"encoding": Encoding("bdia")})
    cases["forward first"] = patched(model, style, content, **COSINE | {"encoding": Encoding("ddim", 1, 2)})
    for name, on in cases.items():
        whole = advanced(on, latent)["samples"]
        report[f"split, {name}"] = apart(in_parts(on, latent, (CUT,)), whole)
    both = (advanced(cases[name], latent)["samples"] for name in ("cosine", "constant"))
    report["cosine matters"] = apart(*both)
    on = cases["cosine"]
    report["split in three"] = apart(in_parts(on, latent, (1, 4)), advanced(on, latent)["samples"])
    report["split, cfg 4"] = apart(in_parts(on, latent, (CUT,), cfg=4.0), advanced(on, latent, cfg=4.0)["samples"])
    for scheduler in ("karras", "simple", "beta", "ddim_uniform"):
        parts = in_parts(on, latent, (CUT,), scheduler=scheduler)
        report[f"split, {scheduler}"] = apart(parts, advanced(on, latent, scheduler=scheduler)["samples"])


def restarted():
    """dpmpp_2m begins anew at a cut, so its unsplit twin is one sampling that begins anew there."""

    def twice(wrapped, x, sigmas, extra_args=None, callback=None, disable=None):
        x = k_diffusion.sample_dpmpp_2m(wrapped, x, sigmas[: CUT + 1], extra_args=extra_args, disable=True)
        return k_diffusion.sample_dpmpp_2m(wrapped, x, sigmas[CUT:], extra_args=extra_args, disable=True)

    latent = {"samples": content * 0.5}
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "normal", STEPS)
    noise = comfy.sample.prepare_noise(latent["samples"], 7)
    for name, on in (("plain", model), ("cosine", patched(model, style, content, **COSINE))):
        sampler = comfy.samplers.KSAMPLER(twice)
        levels = (1.0, sampler, sigmas, red, empty, latent["samples"])
        whole = comfy.sample.sample_custom(on, noise, *levels, disable_pbar=True)
        report[f"split, dpmpp_2m, {name}"] = apart(in_parts(on, latent, (CUT,), name="dpmpp_2m"), whole)


def custom_samplers():
    """Split Sigmas, with the host's schedules at denoise 0.6 and with one that is nobody's."""
    latent = {"samples": content * 0.5}
    sampler = comfy.samplers.sampler_object("euler")
    own = torch.tensor([9.0, 4.0, 2.0, 1.1, 0.5, 0.2, 0.0])
    host = custom.BasicScheduler().get_sigmas(model, "karras", STEPS, 0.6)[0]
    for name, sigmas in (("denoise 0.6", host), ("a schedule of no one", own)):
        high, low = custom.SplitSigmas().get_sigmas(sigmas, CUT)
        for told in (True, False) if name == "a schedule of no one" else (True,):
            schedule = {"schedule": sigmas} if told else {}
            on = patch_node(content=latent, style={"samples": style}, **schedule)

            def run(sigmas, latent, add_noise, on=on):
                return custom.SamplerCustom().sample(on, add_noise, 7, 1.0, red, empty, sampler, sigmas, latent)[0]

            whole = run(sigmas, latent, True)["samples"]
            warnings.clear()
            parts = run(low, run(high, latent, True), False)["samples"]
            report[f"split, {name}, {'connected' if told else 'alone'}"] = apart(parts, whole)
            report[f"warnings, {name}, {'connected' if told else 'alone'}"] = list(warnings)
    wrong = patch_node(content=latent, style={"samples": style}, schedule=own)
    refused = {"another schedule": lambda: advanced(wrong, latent)}
    report.update(error_messages(refused))


def patch_node(**inputs):
    """The MODEL of a new Query-Preserve Attention Patch whose gamma falls."""
    dials = fresh(QueryPreservePatch) | {"gamma": 0.9, "gamma_end": 0.1, "gamma_schedule": "cosine"}
    return QueryPreservePatch.execute(**dials | {"model": model} | inputs).result[0]


def costs():
    """A second part reads what the first has kept, and costs generation alone."""
    latent = {"samples": content * 0.5}
    on = patched(model, style, content, store=FeatureStore(), **COSINE)
    rows_of_calls.clear()
    half = advanced(on, latent, 0, CUT)
    first = sum(rows_of_calls)
    rows_of_calls.clear()
    advanced(on, half, CUT, STEPS, "disable")
    report["E of the parts"] = [first, sum(rows_of_calls)]


def masks():
    mask = torch.zeros(1, 1, 96, 128)
    mask[..., 64:] = 1.0
    masked = {"samples": content, "noise_mask": mask, "batch_index": [4], "own key": "kept"}
    for preset in ("custom", "styleid"):
        result = repainted(masked, style, steps=3, preset=preset)
        report[f"mask, {preset}: kept half"] = apart(result["samples"][..., :8], content[..., :8])
        report[f"mask, {preset}: other half"] = apart(result["samples"][..., 8:], content[..., 8:])
        report[f"mask, {preset}: keys"] = sorted(result)
    small = {"samples": content, "noise_mask": torch.nn.functional.interpolate(mask, (5, 7))}
    report["mask of another size: kept part"] = apart(
        repainted(small, style, steps=3)["samples"][..., :6], content[..., :6]
    )
    several = {"samples": content.repeat(2, 1, 1, 1), "noise_mask": mask}
    report["mask of a batch: kept half"] = apart(
        repainted(several, style, steps=3)["samples"][..., :8], several["samples"][..., :8]
    )
    dials = (7, 3, 1.0, "euler", "normal", red, empty)
    (on_stock,) = stock.KSampler().sample(patched(model, style, content), *dials, masked)
    report["mask, KSampler: kept half"] = apart(on_stock["samples"][..., :8], content[..., :8])
    report["mask, KSampler: keys"] = sorted(on_stock)
    dials = fresh(TrajectoryNode) | {"model": model, "picture": masked, "steps": STEPS}
    trajectory, start = TrajectoryNode.execute(**dials).result
    report["mask, trajectory: keys of the start"] = sorted(start)
    report["mask, trajectory: keys of the result"] = sorted(repainted(trajectory, style, steps=3))
    result = repainted(trajectory, style, steps=3)["samples"]
    report["mask, trajectory: kept half"] = apart(result[..., :8], content[..., :8])
    begun = patch_node(content=trajectory, style={"samples": style})
    unmasked = {key: value for key, value in start.items() if key != "noise_mask"}
    kept, free = (advanced(begun, latent, noise="disable")["samples"] for latent in (start, unmasked))
    report["mask, from a trajectory's start: kept half"] = apart(kept[..., :8], content[..., :8])
    report["mask, from a trajectory's start: other half"] = apart(kept[..., 8:], content[..., 8:])
    report["no mask, from a trajectory's start: first half"] = apart(free[..., :8], content[..., :8])


class Kept(logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())


warnings = []
logging.getLogger("StyleWallfacer").addHandler(Kept())
with torch.inference_mode():
    for case in (splits, restarted, custom_samplers, costs, masks):
        case()
write_report()
