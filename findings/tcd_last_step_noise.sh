#!/bin/sh
# One would guess: diffusers' TCDScheduler, whose set_alpha_to_one is True by default, ends at the clean sample, as
#   DDIMScheduler does with that option: under a network that knows the answer its last step returns the answer.
# It is so that: its last step goes to timestep 0, whose noise level is 0.029, and keeps that share of the last prediction's
#   noise in what it returns. final_alpha_cumprod is read only for timesteps below 0, which never come, so set_alpha_to_one
#   changes no digit.
# diffusers 0.42.1, torch 2.13.0; diffusers/schedulers/scheduling_tcd.py, TCDScheduler.step (section 2).
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 numpy
"$folder/venv/bin/python" - <<'END'
import diffusers
import torch
from diffusers import DDIMScheduler, TCDScheduler

answer = torch.zeros(1, 4, 64, 64)


def left(kind, **options):
    """How much noise is in the last sample where every prediction is exact."""
    scheduler = kind(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **options)
    scheduler.set_timesteps(4)
    x = torch.randn(answer.shape, generator=torch.Generator().manual_seed(0))
    for t in scheduler.timesteps:
        alpha = scheduler.alphas_cumprod[t]
        noise = (x - alpha.sqrt() * answer) / (1 - alpha).sqrt()
        x = scheduler.step(noise, t, x, eta=0.0).prev_sample
    return float((x - answer).std())


one, zero = (left(TCDScheduler, set_alpha_to_one=value) for value in (True, False))
ddim = left(DDIMScheduler, timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True)
print(f"diffusers {diffusers.__version__}: noise left by TCDScheduler {one:.4f} with set_alpha_to_one, {zero:.4f} without;")
print(f"by DDIMScheduler with it {ddim:.4f}")
assert 0.02 < one == zero and ddim < 1e-6, "TCDScheduler ends otherwise now"
END
