"""LoRA files of diffusion transformers: read by diffusers, fused and split exactly, and refused on another family."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save_file

from swf_core.errors import UserError
from swf_core.models import lora_file, lora_load
from swf_core.models.contracts import Conditioning
from swf_core.models.lora import Adapter
from swf_core.models.lora_formats.families import families_of_file, family_of_network
from swf_core.models.lora_formats.makers_names import makers_layers
from swf_core.models.lora_formats.written import to_makers
from swf_core.models.lora_merge import merge_lora
from swf_core.models.lora_targets import TARGETS, choose_modules
from swf_core.models.transformer_denoiser import TransformerDenoiser

from support.tiny_families import FAMILIES, module_names, tiny_network
from support.tiny_models import fresh_backend
from support.tiny_pipelines import tiny_pipeline
from support.tiny_transformers import POOLED_WIDTH, TEXT_WIDTH, tiny_transformer_backend

BOTH = pytest.mark.parametrize("family", ["SD3", "Flux"])
LAYOUTS = pytest.mark.parametrize("layout", ["native", "kohya"])
TARGET = pytest.mark.parametrize("targets", TARGETS[:2])


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def trained(network, targets=TARGETS[1], rank=4, alpha=6.0) -> Adapter:
    """A LoRA with values in both factors, of a scale that is not 1."""
    adapter = Adapter.new(network, choose_modules(module_names(network), targets), rank, alpha, 3)
    with torch.no_grad():
        for k, (name, value) in enumerate(adapter.parameters().items()):
            if name.endswith(".up"):
                value.copy_(0.1 * draw(*value.shape, seed=k))
    return adapter


@torch.no_grad()
def output(network):
    text = Conditioning(draw(2, 7, TEXT_WIDTH, seed=5), draw(2, POOLED_WIDTH, seed=6))
    return TransformerDenoiser(network).predict(draw(2, 4, 8, 8, seed=7), torch.tensor([0.3, 0.8]), text)


def written(network, path, layout="native", targets=TARGETS[1], strength=1.0) -> Adapter:
    adapter = trained(network, targets)
    path.write_bytes(lora_file.to_bytes(adapter, {"a": "b"}, torch.float32, strength, layout))
    return adapter


@BOTH
@TARGET
def test_diffusers_loads_every_layer_and_paints_the_same(tmp_path, family, targets):
    network, path = tiny_network(family), tmp_path / "style.safetensors"
    plain = output(network)
    adapter = written(network, path, targets=targets, strength=0.7)
    with adapter.at_strength(0.7):
        expected = output(network)
    pipeline = tiny_pipeline(family)
    pipeline.load_lora_weights(tmp_path, weight_name=path.name)
    found = {name.removesuffix(".lora_A.default_0") for name, _ in pipeline.transformer.named_modules()}
    assert set(adapter.layers) <= found
    assert len(adapter.layers) == sum(name.endswith(".lora_A.default_0") for name, _ in module_pairs(pipeline))
    assert float((output(pipeline.transformer) - expected).abs().max()) < 1e-4 < 1e-2 < change(expected, plain)
    other = tiny_network(family)
    other.load_lora_adapter(load(path.read_bytes()), prefix="transformer")
    assert float((output(other) - expected).abs().max()) < 1e-4


def module_pairs(pipeline):
    return list(pipeline.transformer.named_modules())


def change(a, b) -> float:
    return float((a - b).abs().max())


@BOTH
@LAYOUTS
@TARGET
def test_our_reader_gives_back_the_very_factors(tmp_path, family, layout, targets):
    network, path = tiny_network(family), tmp_path / "style.safetensors"
    adapter = written(network, path, layout, targets)
    expected = output(network)
    other = tiny_network(family)
    again = lora_load.load(other, module_names(other), path)
    assert set(again.layers) == set(adapter.layers) and again.rank == adapter.rank
    for name, value in adapter.parameters().items():
        scaled = value * 1.5 if layout == "native" and name.endswith(".up") else value
        assert torch.allclose(again.parameters()[name], scaled, rtol=1e-6), name
    assert change(output(other), expected) < 1e-5
    backend = tiny_transformer_backend.__wrapped__(family.lower())
    count = merge_lora(backend, path)
    assert count == len(adapter.layers) and change(output(backend.denoiser.network), expected) < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
@LAYOUTS
def test_files_of_every_family_are_read_back_whole(tmp_path, family, layout):
    network, path = tiny_network(family), tmp_path / "style.safetensors"
    adapter = written(network, path, layout)
    tensors = load(path.read_bytes())
    if layout == "kohya":
        fused = {layer.name for layer in makers_layers(module_names(network).values(), family) if len(layer.parts) > 1}
        assert bool(fused) == (family != "Qwen-Image")
        assert all(f"lora_unet_{name.replace('.', '_')}.alpha" in tensors for name in fused)
        assert all(key.startswith("lora_unet_") for key in tensors)
        for key in (k.removesuffix(".alpha") for k in tensors if k.endswith(".alpha")):
            rank = tensors[f"{key}.lora_down.weight"].shape[0]
            assert float(tensors[f"{key}.alpha"]) / rank == 1.5
            assert tensors[f"{key}.lora_up.weight"].shape[1] == rank
    else:
        assert all(key.startswith("transformer.") and ".lora_" in key for key in tensors)
    other = tiny_network(family)
    again = lora_load.load(other, module_names(other), path)
    assert set(again.layers) == set(adapter.layers) and family_of_network(module_names(other).values()) == family
    for name, layer in adapter.layers.items():
        x = draw(3, layer.in_features, seed=1)
        assert torch.allclose(layer(x), again.layers[name](x), atol=1e-5), name


@BOTH
@pytest.mark.parametrize("front", ["lora_unet_", "diffusion_model.", ""])
def test_a_fused_layer_of_another_trainer_is_split_exactly(tmp_path, family, front):
    """A LoRA that was trained on the fused layer, whose parts all share one `down`."""
    network = tiny_network(family)
    weights = {name: p.clone() for name, p in network.named_parameters()}
    tensors, added = {}, {}
    for k, layer in enumerate(makers_layers([n.removesuffix(".weight") for n in weights], family)):
        rows = [weights[f"{part}.weight"].shape[0] for part in layer.parts]
        columns = weights[f"{layer.parts[0]}.weight"].shape[1]
        if weights[f"{layer.parts[0]}.weight"].dim() > 2:
            continue
        down, up = draw(3, columns, seed=k), 0.05 * draw(sum(rows), 3, seed=100 + k)
        name = layer.name.replace(".", "_") if front == "lora_unet_" else layer.name
        tensors[f"{front}{name}.lora_down.weight"], tensors[f"{front}{name}.lora_up.weight"] = down, up
        tensors[f"{front}{name}.alpha"] = torch.tensor(1.5)
        product = 0.5 * up @ down
        product = torch.cat(product.chunk(2)[::-1]) if layer.swapped else product
        added |= dict(zip(layer.parts, product.split(rows)))
    save_file(tensors, tmp_path / "fused.safetensors")
    backend = tiny_transformer_backend.__wrapped__(family.lower())
    assert merge_lora(backend, tmp_path / "fused.safetensors") == len(added) >= 40
    for name, value in backend.denoiser.network.named_parameters():
        difference = added.get(name.removesuffix(".weight"), torch.zeros(())) if name.endswith(".weight") else 0.0
        assert torch.allclose(value, weights[name] + difference, atol=1e-5), name
    other = tiny_network(family)
    adapter = lora_load.load(other, module_names(other), tmp_path / "fused.safetensors")
    assert set(adapter.layers) == set(added)
    assert change(output(other), output(backend.denoiser.network)) < 1e-4


def test_diffusers_reads_the_makers_names_of_flux_at_its_full_size():
    from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers

    rows = {f"single_transformer_blocks.0.attn.to_{x}": 3072 for x in "qkv"}
    rows |= {"single_transformer_blocks.0.proj_mlp": 12288, "single_transformer_blocks.0.proj_out": 3072}
    double = "transformer_blocks.0.attn."
    rows |= {f"{double}to_{x}": 3072 for x in "qkv"} | {f"{double}to_out.0": 3072}
    parameters = {}
    for k, (name, count) in enumerate(rows.items()):
        if name.endswith("proj_mlp"):
            continue  # attention alone is trained
        columns = 15360 if name.endswith("proj_out") else 3072
        parameters |= {f"{name}.down": draw(2, columns, seed=k), f"{name}.up": draw(count, 2, seed=50 + k)}
    converted = _convert_kohya_flux_lora_to_diffusers(to_makers(parameters, 0.5, rows, torch.float32))
    for name in rows:
        a, b = (converted[f"transformer.{name}.lora_{x}.weight"] for x in "AB")
        x = draw(a.shape[1], 1, seed=9)
        expected = torch.zeros(rows[name], 1)
        if f"{name}.up" in parameters:
            expected = 0.5 * parameters[f"{name}.up"] @ (parameters[f"{name}.down"] @ x)
        assert torch.allclose(b @ (a @ x), expected, rtol=1e-3, atol=1e-2), name


CASES = [(a, b) for a in FAMILIES for b in FAMILIES if a != b]


@pytest.mark.parametrize("layout", ["native", "kohya"])
@pytest.mark.parametrize("of, on", CASES)
def test_a_file_of_another_family_is_refused(tmp_path, of, on, layout):
    path = tmp_path / "style.safetensors"
    written(tiny_network(of), path, layout)
    network = tiny_network(on)
    possible = families_of_file(load(path.read_bytes()))[0]
    assert of in possible
    message = "does not fit" if on in possible else f"{of}.* and this model is {on}; use one"
    with pytest.raises(UserError, match=message):
        lora_load.load(network, module_names(network), path)


def test_unets_and_transformers_refuse_each_others_files(tmp_path):
    unet, transformer = fresh_backend("sd15"), tiny_transformer_backend.__wrapped__("flux")
    written(tiny_network("Flux"), tmp_path / "flux.safetensors")
    with pytest.raises(UserError, match="does not fit tiny sd15: .*Flux.*and this model is SD1.x, SD2.x or SDXL"):
        merge_lora(unet, tmp_path / "flux.safetensors")
    network = unet.denoiser.network
    adapter = Adapter.new(network, choose_modules(unet.denoiser.module_names, TARGETS[0]), 2, 2.0, 1)
    (tmp_path / "sd.safetensors").write_bytes(lora_file.to_bytes(adapter))
    with pytest.raises(UserError, match="SD1.x, SD2.x or SDXL, and this model is Flux; use one trained"):
        merge_lora(transformer, tmp_path / "sd.safetensors")


def test_a_fused_layer_that_is_no_plain_lora_or_of_another_size_is_refused(tmp_path):
    backend, path = tiny_transformer_backend.__wrapped__("flux"), tmp_path / "x.safetensors"
    key = "lora_unet_double_blocks_0_img_attn_qkv"
    shapes = {"a": (96, 2), "b": (2, 32)}
    save_file({f"{key}.hada_w{k}_{side}": torch.ones(shapes[side]) for k in (1, 2) for side in "ab"}, path)
    with pytest.raises(UserError, match="stands for 3 layers of the model, and a LoHa cannot be split"):
        merge_lora(backend, path)
    save_file({f"{key}.lora_down.weight": torch.ones(2, 32), f"{key}.lora_up.weight": torch.ones(90, 2)}, path)
    with pytest.raises(UserError, match="another shape than the model's .90 rows instead of 96"):
        merge_lora(backend, path)
