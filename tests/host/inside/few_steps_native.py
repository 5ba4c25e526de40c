"""Run by ComfyUI's Python in its folder: REPORT (JSON). The patch on random weights in few steps at cfg 1.

As weights for few steps are used: sampler lcm, the schedules that their makers' pages name, SDTurboScheduler's levels.
Each case holds evaluations of two samplings of one picture, and greatest differences between latents.
"""

import logging

from native_tools import STORE, comfy, draw, fresh, pack, report, torch, write_report

# isort: split
from comfy_extras.nodes_custom_sampler import SDTurboScheduler
from random_sd15 import random_sd15

SCHEDULERS = ("sgm_uniform", "simple", "beta", "normal", "SDTurboScheduler")
# All schedules with lcm; with the other rules those that SDXL-Turbo's and SDXL-Lightning's pages name.
RULES = [*(("lcm", name) for name in SCHEDULERS), ("euler_ancestral", "SDTurboScheduler"), ("euler", "sgm_uniform")]
content, style, other = (draw(1, 4, 8, 8, seed=k) for k in range(3))
text = [[draw(1, 77, 768, seed=9), {}]]
model, counted, warnings = random_sd15(32), [], []
for name, weight in model.model.diffusion_model.named_parameters():
    # As at a training's start, so that attention is felt: those that are only timed keep theirs near 0.
    torch.nn.init.normal_(weight, 0.0, weight[0].numel() ** -0.5) if weight.dim() > 1 else weight.fill_(
        "bias" not in name
    )
    weight.mul_(2.5 if ".attn1.to_" in name and weight.dim() == 2 else 1.0)


def count(function, options):
    counted.append(options["input"].shape[0])
    return function(options["input"], options["timestep"], **options["c"])


def patched(shown):
    node = pack("nodes.query_preserve_patch").QueryPreservePatch
    counting = model.clone()
    counting.set_model_unet_function_wrapper(count)
    latents = {"content": {"samples": content}, "style": {"samples": shown}, "reference_text": text}
    return node.execute(**fresh(node) | {"model": counting, "layers": "all"} | latents).result[0]


def levels(scheduler, steps):
    if scheduler == "SDTurboScheduler":
        return SDTurboScheduler().get_sigmas(model, steps, 1.0)[0]
    return comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), scheduler, steps)


def sampled(on, sampler, sigmas, seed=7):
    counted.clear()
    noise, latent = draw(1, 4, 8, 8, seed=seed), torch.zeros(1, 4, 8, 8)
    rule = comfy.samplers.sampler_object(sampler)
    return comfy.sample.sample_custom(on, noise, 1.0, rule, sigmas, text, text, latent, seed=seed, disable_pbar=True)


def difference(a, b):
    return float((a - b).abs().max())


def cases():
    for sampler, scheduler in RULES:
        for steps in (1, 2, 4, 8):
            sigmas = levels(scheduler, steps)
            STORE.clear()
            first = sampled(patched(style), sampler, sigmas)
            rows = [sum(counted)]
            again = sampled(patched(style), sampler, sigmas)
            rows.append(sum(counted))
            report[f"{sampler}, {scheduler}, {steps}"] = {
                "levels": len(sigmas) - 1,
                "E": rows,
                "finite": bool(torch.isfinite(first).all()),
                "same again": difference(first, again),
                "another seed": difference(first, sampled(patched(style), sampler, sigmas, seed=8)),
                "style": difference(first, sampled(patched(other), sampler, sigmas)),
            }


def by_noise_level():
    """Gamma at SDTurboScheduler's levels, which end far from the clean picture, in 1 to 8 steps."""
    sampling = pack("nodes.host.transfer.sampling")
    seen, gamma_at = {}, sampling.Sampling.gamma_at

    def watched(self, sigma):
        seen.setdefault(f"{sigma:.4f}", set()).add(round(gamma_at(self, sigma), 6))
        return gamma_at(self, sigma)

    sampling.Sampling.gamma_at = watched
    for steps in (1, 2, 4, 8):
        sampled(patched(style), "lcm", levels("SDTurboScheduler", steps))
    sampling.Sampling.gamma_at = gamma_at
    report["gammas at each level"] = sorted(len(values) for values in seen.values())
    report["levels that gamma was asked at"] = len(seen)


class Warnings(logging.Handler):
    def emit(self, record):
        warnings.append(record.getMessage())


logging.getLogger("StyleWallfacer").addHandler(Warnings(logging.WARNING))
with torch.inference_mode():
    cases()
    by_noise_level()
report["warnings"] = warnings
write_report()
