#!/bin/sh
# One would guess: an optimizer's moments may lie in memory as they like, as tensors do everywhere: a checkpoint that
#   keeps shape and numbers resumes a training exactly.
# It is so that: the fused AdamW pairs weights, gradients and moments by where their numbers lie. Moments of convolution
#   weights in channels_last that come back contiguous (safetensors keeps no strides, and Optimizer.load_state_dict
#   leaves them so) are given to the wrong weights, without a word: the training goes on from scrambled moments. The
#   plain implementation is right; so is the fused one once they are copied into the weight's memory format.
# torch 2.13.0, on the CPU; aten/src/ATen/native/cpu/FusedAdamKernel.cpp.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy packaging safetensors==0.6.2
"$folder/venv/bin/python" - "$folder/moments.safetensors" <<'END'
import sys

import torch
from safetensors.torch import load_file, save_file

print("torch", torch.__version__)


def trained(fused, resumed, keep_format=False):
    """A weight in channels_last after four steps, before the third of which it may be resumed from a file."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last))
    optimizer = torch.optim.AdamW([weight], lr=0.1, fused=fused)
    for step in range(4):
        if step == 2 and resumed:
            state = optimizer.state_dict()
            moments = {k: state["state"][0][k].contiguous() for k in ("exp_avg", "exp_avg_sq")}
            save_file(moments, sys.argv[1])
            state["state"][0].update(load_file(sys.argv[1]))
            if keep_format:
                state["state"][0].update({k: torch.empty_like(weight).copy_(state["state"][0][k]) for k in moments})
            optimizer = torch.optim.AdamW([weight], lr=0.1, fused=fused)
            optimizer.load_state_dict(state)
        generator = torch.Generator().manual_seed(step)
        weight.grad = torch.randn(8, 4, 3, 3, generator=generator).to(memory_format=torch.channels_last)
        optimizer.step()
    return weight.detach()


apart = {}
for fused in (False, True):
    for keep_format in (False, True):
        other = trained(fused, True, keep_format)
        apart[fused, keep_format] = float((trained(fused, False) - other).abs().max())
        kept = "in the weight's format" if keep_format else "contiguous"
        print(f"fused {fused}, moments {kept}: resumed is {apart[fused, keep_format]:.4f} from uninterrupted")
if not (apart[True, False] > 0.01 and apart[True, True] == apart[False, False] == apart[False, True] == 0.0):
    raise SystemExit("the fused AdamW has changed")
END
