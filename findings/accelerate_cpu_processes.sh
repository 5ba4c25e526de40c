#!/bin/sh
# One would guess: `accelerate launch --cpu --num_processes 2 script.py` runs the script in two processes on the CPU.
# It is so that: it runs it in one and says nothing; two would need an MPI hostfile. `--multi_gpu --num_processes 2` does
#   start two on a machine without a GPU, but there PartialState() tells each of them that it is alone, and only
#   PartialState(cpu=True) that there are two: without it both would train, each on everything.
# accelerate 1.15.0, torch 2.13.0; accelerate/commands/launch.py `launch_command`, accelerate/state.py `PartialState`.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 accelerate==1.15.0 numpy
cat > "$folder/count.py" <<'END'
import sys

from accelerate import PartialState

state = PartialState(cpu=True) if "cpu" in sys.argv else PartialState()
print(f"process {state.process_index} of {state.num_processes}", flush=True)
END
cd "$folder"
export CUDA_VISIBLE_DEVICES= HF_HOME="$folder" OMP_NUM_THREADS=1
launch() { "$folder/venv/bin/accelerate" launch "$@" 2> "$folder/errors" | sort; }
cpu=$(launch --cpu --num_processes 2 count.py cpu)
alone=$(launch --multi_gpu --num_processes 2 count.py)
two=$(launch --multi_gpu --num_processes 2 count.py cpu)
"$folder/venv/bin/pip" freeze | grep -i '^accelerate'
printf '%s\n' "--cpu --num_processes 2:" "$cpu" "--multi_gpu, PartialState():" "$alone" "--multi_gpu, PartialState(cpu=True):" "$two"
test "$cpu" = "process 0 of 1"
test "$alone" = "process 0 of 1
process 0 of 1"
test "$two" = "process 0 of 2
process 1 of 2"
