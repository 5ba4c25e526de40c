#!/bin/sh
# One would guess: huggingface_hub's load_state_dict_from_file("weights.bin", weights_only=True) reads a torch file, as it
#   did through all of 0.x and 1.x: tensors alone, and so without harm.
# It is so that: since version 2 `safe` is True unless said otherwise, and a file of any name is then read as safetensors;
#   `weights_only` changes nothing about that. The very call ends in "ValueError: Cannot load ... as safetensors", and
#   needs `safe=False`, which versions before do not know as an argument.
# huggingface_hub 2.4.0 and 0.36.0; huggingface_hub/serialization/_torch.py `load_state_dict_from_file`.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/try.py" <<'END'
import sys
from inspect import signature
import huggingface_hub
import torch
from huggingface_hub import load_state_dict_from_file

path = sys.argv[1]
torch.save({"a": torch.arange(3)}, path)
print("huggingface_hub", huggingface_hub.__version__, "torch", torch.__version__)
print("arguments:", ", ".join(signature(load_state_dict_from_file).parameters))
try:
    print("read:", load_state_dict_from_file(path, weights_only=True))
    outcome = "read"
except ValueError as error:
    print("ValueError:", str(error).replace(path, "weights.bin")[:60])
    outcome = "refused"
    assert load_state_dict_from_file(path, weights_only=True, safe=False)["a"].tolist() == [0, 1, 2]
expected = {"2": "refused", "0": "read"}[huggingface_hub.__version__[0]]
sys.exit(outcome != expected)
END
for version in 2.4.0 0.36.0; do
  python3 -m venv "$folder/venv-$version"
  "$folder/venv-$version/bin/pip" install -q --disable-pip-version-check "huggingface_hub==$version" torch==2.13.0 \
    safetensors numpy packaging
  "$folder/venv-$version/bin/python" "$folder/try.py" "$folder/weights-$version.bin"
done
