"""mini's VAE file is one that ComfyUI's own loader reads, and gives what diffusers gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.comfy_host import INSIDE

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "swf_core" / "models" / "mini" / "weights" / "vae.safetensors"


def test_comfyui_and_diffusers_agree(host, tmp_path):
    if not WEIGHTS.exists():
        pytest.skip("mini's VAE is not in this checkout yet")
    pytest.importorskip("diffusers")
    import torch
    from safetensors.torch import load_file, save_file

    from swf_core.models.mini.autoencoder_tiny import load_autoencoder_tiny

    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 96), indexing="ij")
    smooth = torch.stack([x, y, (x * 9).sin() * 0.5 + 0.5])
    noise = torch.rand(3, 64, 96, generator=generator)
    pictures = torch.stack([smooth, noise, (smooth + noise) / 2])  # [B,3,H,W]
    save_file({"pictures": pictures.permute(0, 2, 3, 1).contiguous()}, tmp_path / "pictures.safetensors")
    script = INSIDE / "encode_decode.py"
    run = host.run(script, WEIGHTS, tmp_path / "pictures.safetensors", tmp_path / "result.safetensors")
    assert run.returncode == 0, run.stdout
    theirs = load_file(tmp_path / "result.safetensors")

    vae = load_autoencoder_tiny(load_file(WEIGHTS))
    with torch.no_grad():
        latents = vae.encode(pictures * 2 - 1).latents
        decoded = (vae.decode(latents).sample / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    assert theirs["latents"].shape == latents.shape
    assert (theirs["latents"] - latents).abs().max() < 1e-4
    assert (theirs["decoded"] - decoded).abs().max() < 1e-4
    # The loader's own runs at its real width, and is saved as the file it came from.
    assert (theirs["mini_latents"] - theirs["latents"]).abs().max() < 1e-5
    assert (theirs["mini_decoded"] - theirs["decoded"]).abs().max() < 1e-5
    for name, value in load_file(WEIGHTS).items():
        assert torch.equal(theirs[f"saved.{name}"], value.float())
