#!/bin/sh
# One would guess: NaN in, NaN out: a network with NaN in its query projections gives NaN, and a check of the result finds
#   broken weights.
# It is so that: on the CPU torch's scaled_dot_product_attention answers zeros to queries of NaN where there are only a
#   few keys (4 here), and NaN where there are 64: its fused kernel takes a row whose greatest score was never set for one
#   that is masked. The plain formula (SDPBackend.MATH) gives NaN in both cases. A tiny test model with NaN in its query
#   projections thus answers finite numbers, and a test that waits for NaN tests nothing.
# torch 2.13.0, on the CPU; aten/src/ATen/native/cpu/FlashAttentionKernel.cpp.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'END'
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention as attend

torch.manual_seed(0)
print("torch", torch.__version__)
results = {}
for count in (4, 64):
    nan = torch.full((1, 2, 16, 8), float("nan"))
    k, v = torch.randn(1, 2, count, 8), torch.randn(1, 2, count, 8)
    fused = attend(nan, k, v)
    with sdpa_kernel(SDPBackend.MATH):
        plain = attend(nan, k, v)
    results[count] = (bool((fused == 0).all()), bool(fused.isnan().all()), bool(plain.isnan().all()))
    zero, number, formula = results[count]
    print(f"{count} keys: fused all zero {zero}, all NaN {number}; plain formula all NaN {formula}")
if not (results[4] == (True, False, True) and results[64] == (False, True, True)):
    raise SystemExit("attention of NaN has changed")
END
