#!/bin/sh
# One would guess: torch.kron takes any two tensors, whatever their strides, as matmul and einsum do.
# It is so that: an operand that is not contiguous, the first or the second (a transposed matrix, the result of an
#   einsum), raises "view size is not compatible with input tensor's size and stride". Loaders of LoRA files that rebuild
#   a LoKr with a Tucker core hand kron an einsum's result: ComfyUI 0.3.64 catches the error, logs it and leaves every
#   such convolution as it was (comfy/weight_adapter/lokr.py), LyCORIS 4.1.3 calls contiguous() before.
# torch 2.13.0, on the CPU; aten/src/ATen/native/LinearAlgebra.cpp, KronImpl.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'END'
import torch

print("torch", torch.__version__)
a, b = torch.arange(4.0).reshape(2, 2), torch.arange(30.0).reshape(6, 5)
said = []
for name, first, second in (("first", b.T, a), ("second", a, b.T)):
    try:
        torch.kron(first, second)
        said.append("no error")
    except RuntimeError as error:
        said.append(str(error))
    print(f"{name} operand transposed:", said[-1])
print("second operand made contiguous:", tuple(torch.kron(a, b.T.contiguous()).shape))
core, left, right = torch.randn(4, 4, 3, 3), torch.randn(4, 8), torch.randn(4, 8)
rebuilt = torch.einsum("i j k l, j r, i p -> p r k l", core, right, left)
try:
    torch.kron(torch.randn(4, 4, 1, 1), rebuilt)
    said.append("no error")
except RuntimeError as error:
    said.append(str(error))
print("an einsum's result:", said[-1])
if not all("view size" in message for message in said):
    raise SystemExit("torch.kron has changed")
END
