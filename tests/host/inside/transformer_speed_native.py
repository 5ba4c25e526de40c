"""Run by ComfyUI's Python in its folder: REPORT (JSON). What a transfer on transformers costs beside plain sampling,
in processor time, on random weights wide enough that attention is the smaller part.

The report holds, for each shape and mode, processor seconds an evaluation of both, and how many evaluations there were.
"""

import time

from native_tools import (
    Encoding,
    FeatureStore,
    PlainConditioning,
    comfy,
    draw,
    patched,
    report,
    torch,
    write_report,
)

import tiny_transformers as tiny  # isort: skip

torch.set_num_threads(1)
STEPS, SIDE, ROUNDS = 4, 32, 4
WIDE = {
    "Flux": {"hidden_size": 768, "num_heads": 6, "axes_dim": [16, 56, 56], "depth": 1, "mlp_ratio": 4.0},
    "SD3": {"depth": 12, "x_block_self_attn_layers": [], "pos_embed_max_size": 64, "num_patches": 4096},
}
MODES = {"replace": {}, "concat": {"kv": "concat"}, "without content": {"gamma": 0.0}}


def measure(family):
    model, text = tiny.tiny(family, more=WIDE[family]), tiny.text(family, 77)
    style, content = draw(1, 16, SIDE, SIDE, seed=1), draw(1, 16, SIDE, SIDE, seed=3)
    rows = []
    model.model.diffusion_model.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))

    def cpu_seconds(on):
        rows.clear()
        began = time.process_time()
        noise = draw(1, 16, SIDE, SIDE, seed=6)
        comfy.sample.sample(
            on, noise, STEPS, 1.0, "euler", "normal", text, text, content * 0.5, disable_pbar=True, seed=7
        )
        return (time.process_time() - began) / sum(rows)

    for mode, options in MODES.items():
        times = {"plain": [], "transfer": []}
        for _ in range(ROUNDS):
            on = patched(
                model,
                style,
                content,
                text=PlainConditioning(text),
                encoding=Encoding(),
                store=FeatureStore(),
                **options,
            )
            times["plain"].append(cpu_seconds(model))
            times["transfer"].append(cpu_seconds(on))
        seconds = {way: min(values) for way, values in times.items()}
        report.setdefault(family, {})[mode] = seconds | {"E": sum(rows)}


with torch.inference_mode():
    for family in WIDE:
        measure(family)
write_report()
