"""Run by ComfyUI's Python in its folder: REPORT (JSON). What a transfer costs beside plain sampling, in processor time.

On mini and on random weights in SD1.5's shape at half its width, latents given; all ways in turn, so that whatever
else the machine does meets them alike. The report holds for each way evaluations and its multiple of plain sampling.
"""

import statistics
import time

import native_tools  # before anything of the host's: it finds the folder
from native_tools import STORE, comfy, draw, repainted, report, torch, write_report

# isort: split
from random_sd15 import random_sd15

torch.set_num_threads(1)


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
    measure("SD1.5 shape", random_sd15(160), text, 32, 4, 3)
write_report()
