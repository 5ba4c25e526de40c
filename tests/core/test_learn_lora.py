"""LoRA: which layers, what a new one does, that it can be switched off, taken out, written and read everywhere."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save_file

from swf_core.errors import UserError
from swf_core.models import lora_file, lora_load
from swf_core.models.lora import Adapter, DenoiserWithoutLora
from swf_core.models.lora_merge import merge_lora
from swf_core.models.lora_targets import TARGETS, choose_modules

from support.tiny_models import fresh_backend


def trained(network, names, targets=TARGETS[0], rank=4, alpha=8.0):
    """An adapter that does something."""
    adapter = Adapter.new(network, choose_modules(names, targets), rank, alpha, seed=3)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, value in adapter.parameters().items():
            if name.endswith(".up"):
                value.copy_(0.1 * torch.randn(value.shape, generator=generator))
    return adapter


def denoised(backend, sigma=1.5):
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    return backend.denoiser.denoise(x * sigma, sigma, backend.text.encode(["a red cat"], 64, 64))


@pytest.mark.parametrize("family", ["sd15", "sd2v", "sdxl"])
@pytest.mark.parametrize("targets", TARGETS[:3])
def test_a_new_one_changes_nothing_a_trained_one_does_and_both_come_out(family, targets):
    backend = fresh_backend(family)
    denoiser = backend.denoiser
    before = denoised(backend)
    weights = {n: p.detach().clone() for n, p in denoiser.network.named_parameters()}
    adapter = Adapter.new(denoiser.network, choose_modules(denoiser.module_names, targets), 4, 8.0, seed=3)
    assert torch.equal(denoised(backend), before)
    with torch.no_grad():
        for name, value in adapter.parameters().items():
            if name.endswith(".up"):
                value.fill_(0.05)
    moved = denoised(backend)
    assert (moved - before).abs().max() > 1e-3 and adapter.norm() > 0
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    text = backend.text.encode(["a red cat"], 64, 64)
    assert torch.equal(DenoiserWithoutLora(denoiser, adapter).denoise(x * 1.5, 1.5, text), before)
    assert torch.equal(denoised(backend), moved) and all(p.requires_grad for p in adapter.parameters().values())
    adapter.set_strength(0.0)
    assert torch.equal(denoised(backend), before)
    adapter.remove()
    assert {n: p.shape for n, p in denoiser.network.named_parameters()} == {n: p.shape for n, p in weights.items()}
    assert torch.equal(denoised(backend), before)


def test_the_same_seed_draws_the_same():
    drawn = []
    for seed in (1, 1, 2):
        denoiser = fresh_backend("sd15").denoiser
        torch.manual_seed(7)
        adapter = Adapter.new(denoiser.network, choose_modules(denoiser.module_names, TARGETS[0]), 2, 2.0, seed)
        drawn.append(next(iter(adapter.parameters().values())).detach().clone())
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("targets", TARGETS[:3])
def test_the_file_merges_into_the_same_network(family, targets, tmp_path):
    """The whole way round: adapter, file, merged weights; alpha is not the rank."""
    backend = fresh_backend(family)
    adapter = trained(backend.denoiser.network, backend.denoiser.module_names, targets)
    expected = denoised(backend)
    path = tmp_path / "style.safetensors"
    path.write_bytes(lora_file.to_bytes(adapter, {"a": "b"}, torch.float32))
    other = fresh_backend(family)
    assert merge_lora(other, path) == len(adapter.layers)
    assert (denoised(other) - expected).abs().max() < 1e-4
    again = fresh_backend(family)
    lora_load.load(again.denoiser.network, again.denoiser.module_names, path)
    assert (denoised(again) - expected).abs().max() < 1e-5
    assert lora_file.read(path)[1] == {"a": "b"}


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_diffusers_loads_every_module_of_the_file(family, tmp_path):
    backend = fresh_backend(family)
    adapter = trained(backend.denoiser.network, backend.denoiser.module_names, TARGETS[1])
    expected = denoised(backend)
    tensors = load(lora_file.to_bytes(adapter, None, torch.float32))

    from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_lora_to_diffusers

    other = fresh_backend(family)
    state, alphas = _convert_non_diffusers_lora_to_diffusers(dict(tensors))
    other.denoiser.network.load_lora_adapter(state, network_alphas=alphas, prefix="unet")
    loaded = sum("lora_A" in n for n, _ in other.denoiser.network.named_parameters())
    assert loaded == len(adapter.layers) and (denoised(other) - expected).abs().max() < 1e-4


def test_the_counts_of_modules_are_those_of_the_real_shapes():
    """On the meta device: SD1.5 and SDXL as they are, without their weights."""
    from diffusers import UNet2DConditionModel

    shapes = {
        "sd15": dict(
            sample_size=64,
            cross_attention_dim=768,
            attention_head_dim=8,
        ),
        "sdxl": dict(
            sample_size=128,
            cross_attention_dim=2048,
            attention_head_dim=(5, 10, 20),
            use_linear_projection=True,
            block_out_channels=(320, 640, 1280),
            transformer_layers_per_block=(1, 2, 10),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ),
    }
    expected_counts = {"sd15": (128, 192, 278), "sdxl": (560, 722, 788, 80)}
    for family, counts in expected_counts.items():
        with torch.device("meta"):
            network = UNet2DConditionModel(**shapes[family])
        names = {module: name for name, module in network.named_modules()}
        for targets, count in zip(TARGETS, counts):
            assert len(choose_modules(names, targets)) == count, (family, targets)


def test_what_cannot_be_trained_is_refused():
    denoiser = fresh_backend("sd15").denoiser
    with pytest.raises(UserError, match="targets 'all' are unknown"):
        choose_modules(denoiser.module_names, "all")
    with pytest.raises(UserError, match="no layers for the targets 'SDXL style block'"):
        choose_modules(denoiser.module_names, TARGETS[3])
    for module in denoiser.module_names:
        if isinstance(module, torch.nn.Linear):
            module.weight = torch.nn.Parameter(module.weight.detach().to(torch.float8_e4m3fn), requires_grad=False)
    with pytest.raises(UserError, match="quantized"):
        choose_modules(denoiser.module_names, TARGETS[0])


def test_a_file_of_another_shape_is_refused(tmp_path):
    backend = fresh_backend("sdxl")
    path = tmp_path / "style.safetensors"
    path.write_bytes(lora_file.to_bytes(trained(backend.denoiser.network, backend.denoiser.module_names)))
    other = fresh_backend("sd15").denoiser
    with pytest.raises(UserError, match="does not fit"):
        lora_load.load(other.network, other.module_names, path)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read"):
        lora_load.load(other.network, other.module_names, path)


def test_a_file_of_several_ranks_and_alphas_loads_as_it_merges(tmp_path):
    """As other trainers write: half of the layers of rank 2 with another alpha."""
    backend = fresh_backend("sd15")
    denoiser = backend.denoiser
    adapter = trained(denoiser.network, denoiser.module_names, TARGETS[2])
    tensors = load(lora_file.to_bytes(adapter, None, torch.float32))
    for key in sorted({k.split(".", 1)[0] for k in tensors})[::2]:
        tensors[f"{key}.lora_down.weight"] = tensors[f"{key}.lora_down.weight"][:2].contiguous()
        tensors[f"{key}.lora_up.weight"] = tensors[f"{key}.lora_up.weight"][:, :2].contiguous()
        tensors[f"{key}.alpha"] = torch.tensor(1.0)
    path = tmp_path / "mixed.safetensors"
    save_file(tensors, path)
    merged, loaded = fresh_backend("sd15"), fresh_backend("sd15")
    merge_lora(merged, path)
    lora_load.load(loaded.denoiser.network, loaded.denoiser.module_names, path)
    assert (
        (denoised(merged) - denoised(loaded)).abs().max()
        < 1e-4
        < (denoised(loaded) - denoised(fresh_backend("sd15"))).abs().max()
    )
