"""mini's network classes compute what diffusers' and transformers' do, and a start loads neither of these."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from swf_core.mini_build.paired_attention import PairedAttentionProcessor
from swf_core.models.mini.autoencoder_tiny import AutoencoderTiny, load_autoencoder_tiny
from swf_core.models.mini.text import WordTokenizer, new_text_model
from swf_core.models.mini.transformer import Attention, attend
from swf_core.models.mini.unet import CHANNELS, HEAD_WIDTH, new_unet
from swf_core.models.mini.vae import to_diffusers
from swf_core.models.mini.weight_files import WEIGHTS


def diffusers_unet() -> nn.Module:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=CHANNELS,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=128,
        attention_head_dim=tuple(c // HEAD_WIDTH for c in CHANNELS),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("size", [(16, 16), (15, 18), (32, 17), (3, 1)])
def test_the_unet_is_diffusers(size: tuple[int, int]) -> None:
    ours, theirs = new_unet().eval(), diffusers_unet().eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())  # in this order: digests of the weights count it
    theirs.load_state_dict(ours.state_dict())
    generator = torch.Generator().manual_seed(1)
    x, text = torch.randn(2, 4, *size, generator=generator), torch.randn(2, 24, 128, generator=generator)
    for timesteps in (torch.tensor(413), torch.tensor([0, 999])):
        with torch.no_grad():
            a = ours(x, timesteps, encoder_hidden_states=text)[0]
            b = theirs(x, timesteps, encoder_hidden_states=text, return_dict=False)[0]
        assert float((a - b).abs().max()) <= 1e-5 * float(b.abs().max())


def test_an_untrained_unet_is_drawn_as_diffusers_draws_it() -> None:
    torch.manual_seed(3)
    ours = new_unet().state_dict()
    torch.manual_seed(3)
    assert all(torch.equal(value, ours[name]) for name, value in diffusers_unet().state_dict().items())


def test_gradients_of_the_unet_are_diffusers() -> None:
    ours, theirs = new_unet(), diffusers_unet()
    theirs.load_state_dict(ours.state_dict())
    generator = torch.Generator().manual_seed(2)
    x, text = torch.randn(1, 4, 16, 16, generator=generator), torch.randn(1, 24, 128, generator=generator)
    for network, options in ((ours, {}), (theirs, {"return_dict": False})):
        network(x, torch.tensor([300]), encoder_hidden_states=text, **options)[0].square().mean().backward()
    expected = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        assert torch.allclose(parameter.grad, expected[name], rtol=1e-4, atol=1e-8), name


def test_the_text_model_is_transformers() -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = WordTokenizer(["a", "red", "house", "at", "night"])
    theirs = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=24,
            hidden_act="quick_gelu",
            eos_token_id=tokenizer.ids["<end>"],
            pad_token_id=tokenizer.ids["<pad>"],
        )
    ).eval()
    ours = new_text_model(tokenizer).eval()
    state = {name.removeprefix("text_model."): value for name, value in theirs.state_dict().items()}
    assert list(state) == list(ours.state_dict())
    for name, value in ours.state_dict().items():
        assert float(value.std() - state[name].std()) == pytest.approx(0, abs=0.05 * float(value.std()) + 1e-9), name
    ours.load_state_dict(state)
    ids = tokenizer(["a red house", "a house at night, red", ""])
    with torch.no_grad():
        a, b = ours(ids, output_hidden_states=True), theirs(ids, output_hidden_states=True)
    assert torch.allclose(a.last_hidden_state, b.last_hidden_state, atol=1e-5)
    assert len(a.hidden_states) == len(b.hidden_states)
    assert all(torch.allclose(x, y, atol=1e-5) for x, y in zip(a.hidden_states, b.hidden_states, strict=True))


def test_the_autoencoder_is_diffusers() -> None:
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny as Theirs

    taesd = load_file(WEIGHTS / "vae.safetensors")
    ours, theirs = load_autoencoder_tiny(taesd), Theirs(latent_channels=4, scaling_factor=1.0).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict()) == list(AutoencoderTiny().state_dict())
    theirs.load_state_dict({name: value.float() for name, value in to_diffusers(taesd).items()})
    pictures = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(4)) * 2 - 1
    with torch.no_grad():
        latents = theirs.encode(pictures).latents
        assert torch.allclose(ours.encode(pictures).latents, latents, atol=1e-5)
        assert torch.allclose(ours.decode(latents).sample, theirs.decode(latents).sample, atol=1e-5)


def test_attention_over_pairs_reads_the_partner() -> None:
    torch.manual_seed(5)
    attn, tokens = Attention(64, 2), torch.randn(6, 9, 64)
    with torch.no_grad():
        plain, paired = attend(attn, tokens), PairedAttentionProcessor(2)(attn, tokens)
        read = attend(attn, tokens[4:], tokens[2:4])
    assert torch.allclose(paired[:4], plain[:4], atol=1e-6)
    assert torch.allclose(paired[4:], read, atol=1e-6)
    assert not torch.allclose(paired[4:], plain[4:], atol=1e-3)


@pytest.mark.parametrize(
    "code",
    [
        "from swf_core.models import load; load('mini')",
        "from swf_core.cli import main; main(['sample', '--prompt', 'a house', '--steps', '1', '--out', OUT])",
    ],
)
def test_a_start_on_mini_loads_neither_diffusers_nor_transformers(code: str, tmp_path: Path) -> None:
    heavy = {"diffusers", "transformers", "peft", "torchvision"}
    check = f"import sys; heavy = {heavy} & set(sys.modules); assert not heavy, heavy"
    script = f"OUT = {str(tmp_path)!r}\n{code}\n{check}"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
