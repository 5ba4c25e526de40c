"""Run by ComfyUI's Python in its folder: REPORT (JSON). What a transfer costs beside plain sampling, in processor time.

On mini and on random weights in SD1.5's shape at half its width, latents given; all ways in turn, so that whatever
else the machine does meets them alike. The report holds for each way evaluations and its multiple of plain sampling.
"""

import statistics
import time

import native_tools  # before anything of the host's: it finds the folder
from native_tools import STORE, comfy, draw, repainted, report, torch, write_report

# isort: split
import comfy.model_patcher
import comfy.supported_models

torch.set_num_threads(1)
HALF_SD15 = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 160,
    "num_res_blocks": [2] * 4,
    "channel_mult": [1, 2, 4, 4],
    "transformer_depth": [1] * 6 + [0] * 2,
    "transformer_depth_output": [1] * 9 + [0] * 3,
    "transformer_depth_middle": 1,
    "num_heads": 8,
    "num_head_channels": -1,
    "context_dim": 768,
    "use_linear_in_transformer": False,
    "use_spatial_transformer": True,
    "legacy": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
}


def half_sd15():
    config = comfy.supported_models.SD15(dict(HALF_SD15))
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "", device="cpu")
    torch.manual_seed(0)
    for weight in model.diffusion_model.parameters():
        weight.requires_grad_(False).normal_(0, 0.02)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def ways(model, text, side, steps):
    """What is timed, and what is done before it."""
    style, first, other = (draw(1, 4, side, side, seed=k) for k in range(3))

    def transfer(content, seed):
        repainted(content, style, model=model, positive=text, negative=text, seed=seed, steps=steps)

    def plain():
        noise = draw(1, 4, side, side, seed=6)
        comfy.sample.sample(model, noise, steps, 1.0, "euler", "normal", text, text, first, disable_pbar=True, seed=7)

    def known():
        STORE.clear()
        transfer(first, 1)

    return {
        "plain": (lambda: None, plain),
        "first picture": (STORE.clear, lambda: transfer(first, 1)),
        "another seed": (known, lambda: transfer(first, 2)),
        "another content": (known, lambda: transfer(other, 1)),
    }


def measure(name, model, text, side, steps, rounds):
    counted = []

    def count(function, options):
        counted.append(options["input"].shape[0])
        return function(options["input"], options["timestep"], **options["c"])

    counting = model.clone()
    counting.set_model_unet_function_wrapper(count)
    times, rows = {}, {}
    for round_ in range(rounds + 1):
        for way, (before, act) in ways(counting, text, side, steps).items():
            before()
            counted.clear()
            began = time.process_time()
            act()
            if round_:
                times.setdefault(way, []).append(time.process_time() - began)
            rows[way] = sum(counted)
    middle = {way: statistics.median(values) for way, values in times.items()}
    report[name] = {
        way: {"rows": rows[way], "cpu_seconds": middle[way], "times plain": middle[way] / middle["plain"]}
        for way in middle
    } | {"steps": steps}


with torch.inference_mode():
    measure("mini", native_tools.model, native_tools.empty, 16, 30, 3)
    text = [[draw(1, 77, 768, seed=9), {}]]
    measure("SD1.5 shape", half_sd15(), text, 32, 4, 3)
write_report()
