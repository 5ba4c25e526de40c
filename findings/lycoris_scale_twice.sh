#!/bin/sh
# One would guess: merging a LyCORIS adapter into the weights gives what the adapter gave while it ran, and multiplier 0
#   gives the model without it.
# It is so that: LoHa and LoKr are merged with their scale (alpha / dim) applied twice: get_weight has it already and
#   get_diff_weight multiplies by it again, so with alpha 1 and dim 4 `merge_to` puts in a quarter of what was trained
#   (LoCon is right). And a DoRA at multiplier 0 is not the plain weight: the low-rank part stays in whole, only the
#   rescaling is left out. The forward pass at multiplier 1 is what was trained, and what ComfyUI and peft compute.
# lycoris-lora 4.1.3 (torch 2.13.0); lycoris/modules/loha.py and lokr.py get_weight, get_diff_weight;
#   lycoris/functional/general.py weight_decompose.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 lycoris-lora==4.1.3
"$folder/venv/bin/python" - <<'END'
import importlib.metadata

import torch
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule

torch.manual_seed(0)
print("lycoris-lora", importlib.metadata.version("lycoris-lora"))
shares = {}
for kind, dim, alpha in ((LoConModule, 4, 1.0), (LohaModule, 4, 1.0), (LokrModule, 1, 0.25)):
    layer = torch.nn.Linear(16, 16, bias=False)
    weight = layer.weight.detach().clone()
    adapter = kind("x", layer, 1.0, lora_dim=dim, alpha=alpha)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.normal_()
        adapter.apply_to()
        running = layer(torch.eye(16)).T - weight
        merged = adapter.get_merged_weight()[0] - weight
    shares[kind.__name__] = float(merged.norm() / running.norm())
    print(f"{kind.__name__}: scale {adapter.scale}; merged / running = {shares[kind.__name__]:.3f}")
layer = torch.nn.Linear(16, 16, bias=False)
weight = layer.weight.detach().clone()
adapter = LoConModule("x", layer, 0.0, lora_dim=4, alpha=4, weight_decompose=True)
with torch.no_grad():
    adapter.lora_up.weight.normal_()
    adapter.apply_to()
    moved = float((layer(torch.eye(16)).T - weight).norm() / weight.norm())
print(f"a DoRA at multiplier 0 moves the weight by {moved:.2f} of its norm")
if not (shares["LoConModule"] > 0.99 and shares["LohaModule"] < 0.3 and shares["LokrModule"] < 0.3 and moved > 0.1):
    raise SystemExit("LyCORIS has changed")
END
