#!/bin/sh
# One would guess: torch.unique(x, dim=0) of a few thousand rows of three small integers, as when the colors of a picture
#   are counted, sorts rows where torch.unique(x) sorts numbers, and so takes a few times as long.
# It is so that: on the CPU rows take dozens of times as long as the same rows packed into one int64 each, which gives the
#   same rows, inverse and counts. With dim the columns are unbound into tensors and sorted by a comparison that reads them
#   element by element; without it the numbers go through a hash or a vectorised sort.
# torch 2.13.0; aten/src/ATen/native/Unique.cpp `_unique_dim_cpu_template`.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'END'
import time

import torch

torch.set_num_threads(1)
rows = torch.randint(0, 25, (8192, 3), generator=torch.Generator().manual_seed(0))


def by_rows():
    return torch.unique(rows, dim=0, return_inverse=True, return_counts=True)


def packed():
    codes, inverse, counts = torch.unique(
        rows[:, 0] << 20 | rows[:, 1] << 10 | rows[:, 2], return_inverse=True, return_counts=True
    )
    return torch.stack([codes >> 20, codes >> 10 & 1023, codes & 1023], 1), inverse, counts


def seconds(function):
    times = []
    for _ in range(9):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return sorted(times)[4]


assert all(torch.equal(a, b) for a, b in zip(by_rows(), packed()))
slow, fast = seconds(by_rows), seconds(packed)
print("torch", torch.__version__)
print(f"8,192 rows of three: dim=0 {slow * 1e3:.2f} ms, packed {fast * 1e3:.2f} ms, {slow / fast:.0f} times as long")
assert slow > 8 * fast, "this has changed"
END
