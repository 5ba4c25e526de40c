"""Styles learned on diffusion transformers: loss, times, guidance, memory; resumed to the bit, and refused."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
import torch

from swf_core.errors import UserError
from swf_core.learn.dataset import items_of
from swf_core.learn.flow_loss import times_of_shares, velocity_loss
from swf_core.learn.latent_cache import Batch, LatentCache
from swf_core.learn.losses import draw_levels, fixed_levels
from swf_core.learn.memory import memory_needed
from swf_core.learn.options import TRANSFORMERS, defaults
from swf_core.learn.run import create_run, model_identity, open_run
from swf_core.learn.samples import read_samples
from swf_core.learn.train import train
from swf_core.models.base_weights import NarrowLinear, can_be_narrow, store_weights
from swf_core.models.flow import LAST_TIME, flow_sigmas, flow_time
from swf_core.models.flow_training import shifted
from swf_core.models.lora import Adapter
from swf_core.models.lora_targets import TARGETS, choose_modules

from support.learn_runs import PROMPTS, QUICK, same, weights
from support.lives import Lives
from support.tiny_families import FAMILIES, module_names, tiny_network
from support.tiny_models import fresh_backend, picture
from support.tiny_transformers import TRANSFORMERS as TINY
from support.tiny_transformers import tiny_transformer_backend

BOTH = pytest.mark.parametrize("family", TINY)
LEARNING = QUICK.changed(rank=4, targets=TARGETS[1], steps=20, sample_every=10)


def fresh(family):
    return tiny_transformer_backend.__wrapped__(family)


def begin(folder, family, options=QUICK):
    backend = fresh(family)
    items = items_of([picture(1, 64, 64)], ["a red cat"])
    return create_run(folder, backend, options, items, PROMPTS), backend


def validation(run) -> list[float]:
    return [signals["validation"] for signals in run.records("signals")]


@BOTH
def test_the_loss_is_that_of_the_velocity(family):
    backend = fresh(family)
    x0, eps = torch.randn((2, 2, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    t, text = torch.tensor([0.2, 0.9]), backend.text.encode(["a cat", "a dog"], 64, 64)
    loss = velocity_loss(backend.denoiser, Batch(x0, text), t, eps)
    rows = []
    for row in range(2):
        sigma = float(t[row] / (1 - t[row]))
        guided = type(backend.denoiser)(backend.denoiser.network, guidance=1.0)
        clean = guided.denoise((x0 + sigma * eps)[row : row + 1], sigma, text.pick([row]))
        rows.append((((1 - t[row]) * x0 + t[row] * eps)[row] - clean[0]) / t[row] - (eps - x0)[row])
    assert float(loss.detach()) == pytest.approx(float(torch.stack(rows).square().mean()), rel=1e-3)


def test_times_are_logit_normal_and_shifted_as_the_levels_are():
    network, count = fresh("sd3").denoiser, 20_000
    ranks = (np.arange(count) + 0.5) / count
    even, usual = (times_of_shares(network, ranks, QUICK.changed(timestep_sampling=s)) for s in ("uniform", "native"))
    u = torch.linspace(0.05, 0.95, 7)
    assert torch.allclose(even[(u * count).long()], shifted(u, 3.0), atol=1e-3)
    table = [flow_time(float(sigma)) for sigma in flow_sigmas(3.0)]
    last = LAST_TIME / (3.0 - 2.0 * LAST_TIME)  # of the even numbers that the table is made from
    assert table[300] == pytest.approx(float(shifted(torch.tensor(0.301 * last), 3.0)), abs=1e-6)
    logits = torch.logit(times_of_shares(network, ranks, QUICK.changed(timestep_shift=1.0)).double())
    assert abs(float(logits.mean())) < 1e-3 and float(logits.std()) == pytest.approx(1.0, abs=2e-3)
    assert torch.allclose(torch.logit(usual.double()) - logits, torch.tensor(3.0).log().double(), atol=1e-3)
    half = times_of_shares(network, ranks, QUICK, side_ratio=0.5)
    assert torch.equal(half, times_of_shares(network, ranks, QUICK.changed(timestep_shift=1.5)))
    picked = torch.arange(count) % 2 == 0
    drawn = draw_levels(network, QUICK, count, (1,), (picked, 0.5))
    middle = float(times_of_shares(network, np.array([0.5]), QUICK))
    assert float(drawn[picked].min()) >= middle > float(drawn[~picked].max())
    assert torch.allclose(fixed_levels(network, [0.0, 1.0]), torch.tensor([table[0], 0.995]), atol=1e-5)


def test_a_model_distilled_from_guidance_learns_at_1_and_is_sampled_at_its_own(tmp_path):
    run, backend = begin(tmp_path / "run", "flux", QUICK.changed(steps=2, sample_every=2, sample_cfg=1.0))
    told = {True: set(), False: set()}

    def listen(module, args, kwargs):
        told[torch.is_grad_enabled()] |= set(kwargs["guidance"].tolist())

    backend.denoiser.network.register_forward_pre_hook(listen, with_kwargs=True)
    train(run, backend)
    assert told == {True: {1.0}, False: {1.0, 3.5}}  # without gradients: the validation loss, and the samples


@BOTH
def test_one_picture_is_learned_and_sampled_on_the_way(tmp_path, family):
    run, backend = begin(tmp_path / "run", family, LEARNING)
    train(run, backend)
    losses = validation(run)
    assert len(losses) == 3 and losses[2] < losses[1] < losses[0] and losses[2] < 0.8 * losses[0]
    plain, taught = read_samples(run, 0), read_samples(run, 20)
    assert len(plain) == len(taught) == 2 and not torch.equal(plain[0], taught[0])
    assert (run.folder / "lora.safetensors").exists() and run.saved_steps() == [10, 20]


@BOTH
def test_asymmetric_guidance_differs_from_both_above_1_and_is_the_same_at_1(tmp_path, family):
    def taught(name, **changes):
        run, backend = begin(tmp_path / name, family, LEARNING.changed(steps=10, **changes))
        train(run, backend)
        return read_samples(run, 10)[0]

    assert not torch.equal(taught("a", lora_guidance="asymmetric"), taught("b", lora_guidance="both"))
    one = {"sample_cfg": 1.0, "prior_weight": 0.5, "prior_count": 2}
    assert torch.equal(taught("c", lora_guidance="asymmetric", **one), taught("d", lora_guidance="both", **one))


TRAINING = """
from swf_core.cli.stopping import BetweenSteps
from swf_core.learn.run import open_run
from swf_core.learn.train import train
from support.tiny_transformers import tiny_transformer_backend

def live(folder, family):
    backend = tiny_transformer_backend.__wrapped__(family)
    with BetweenSteps() as stops:
        ready()
        return train(open_run(Path(folder), backend), backend, check=stops.check).step
"""


@BOTH
def test_a_killed_training_ends_as_an_unbroken_one_to_the_bit(tmp_path, family):
    options = QUICK.changed(steps=60, sample_every=30, save_every=5, gradient_checkpointing=True)
    whole, backend = begin(tmp_path / "whole", family, options)
    train(whole, backend)
    run, _ = begin(tmp_path / "broken", family, options)
    with Lives(TRAINING, run.folder, family) as lives:
        for _ in range(2):
            trainer = lives.begin()
            time.sleep(0.7)
            os.kill(trainer, signal.SIGKILL)
            assert lives.ended() == -signal.SIGKILL
        lives.begin()
        assert lives.line() == "done 60" and lives.ended() == 0
    assert same(weights(run.folder), weights(whole.folder)) and validation(run) == validation(whole)
    names = sorted(path.name for path in (whole.folder / "samples").glob("*.png"))
    assert names and all(
        (run.folder / "samples" / name).read_bytes() == (whole.folder / "samples" / name).read_bytes() for name in names
    )


@BOTH
def test_the_same_seed_gives_the_same_file_and_blocks_run_twice_the_same_lora(tmp_path, family):
    files = {}
    for name, changes in (("a", {}), ("b", {}), ("other", {"seed": 1}), ("twice", {"gradient_checkpointing": True})):
        run, backend = begin(tmp_path / name, family, QUICK.changed(**changes))
        train(run, backend, metadata=False)
        files[name] = (run.folder / "lora.safetensors").read_bytes(), weights(run.folder)
    assert files["a"][0] == files["b"][0] != files["other"][0]
    assert files["twice"][1].keys() == files["a"][1].keys()
    for key, value in files["a"][1].items():
        assert torch.allclose(value.float(), files["twice"][1][key].float(), atol=2e-3), key


@BOTH
@pytest.mark.parametrize("kind", ["bf16", "fp8"])
def test_base_weights_are_kept_narrow_and_the_style_is_learned(tmp_path, family, kind):
    options = LEARNING.changed(base_weights=kind, gradient_checkpointing=True)
    run, backend = begin(tmp_path / "run", family, options)
    before = {name: p.clone() for name, p in backend.denoiser.network.named_parameters()}
    identity = model_identity(backend)
    outcome = train(run, backend)
    losses = validation(run)
    assert losses[2] < 0.8 * losses[0]
    layer = next(iter(outcome.adapter.layers.values())).get_base_layer()
    stored = torch.bfloat16 if kind == "bf16" else torch.float8_e4m3fn
    assert layer.weight.dtype == stored and all(p.dtype == torch.float32 for p in outcome.adapter.parameters().values())
    assert isinstance(layer, NarrowLinear) == (kind == "fp8")
    for name, p in backend.denoiser.network.named_parameters():
        if ".lora_" not in name:
            old = before[name.replace(".base_layer", "")]
            assert torch.allclose(p.float(), old, rtol=0.07, atol=2e-3), name
    assert model_identity(backend) == identity == model_identity(fresh(family))
    outcome.adapter.remove()
    run.add_round(5)
    run.save()
    assert train(open_run(run.folder, backend), backend).step == 25  # on the network that is narrow already
    backend.denoiser.network.requires_grad_(False)
    other, _ = begin(tmp_path / "other", family, options.changed(base_weights="bf16" if kind == "fp8" else "fp8"))
    with pytest.raises(UserError, match=f"kept in {kind} already; load it again"):
        train(other, backend)


def test_a_narrow_layer_gives_its_input_the_gradient_of_its_narrow_weight():
    x = torch.randn((3, 8), generator=torch.Generator().manual_seed(0), requires_grad=True)
    layer = torch.nn.Linear(8, 5)
    wide = torch.nn.Linear(8, 5)
    narrow = layer.weight.data.to(torch.float8_e4m3fn)
    wide.load_state_dict({"weight": narrow.float(), "bias": layer.bias.data})
    layer.requires_grad_(False)
    layer.weight.data, layer.__class__ = narrow, NarrowLinear
    outputs = layer(x), wide(x)
    gradients = [torch.autograd.grad(out.square().sum(), x)[0] for out in outputs]
    assert torch.equal(*outputs) and torch.equal(*gradients) and float(gradients[0].abs().max()) > 0


@BOTH
def test_the_estimate_of_memory_follows_the_options(family):
    backend, items = fresh(family), items_of([picture(1, 64, 64)], ["a red cat"])
    batch = LatentCache(items, backend, QUICK).draw(0)

    def need(**changes):
        return memory_needed(backend, QUICK.changed(**changes), batch)

    plain, twice, narrow, narrowest = (
        need(**changes)
        for changes in ({}, {"gradient_checkpointing": True}, {"base_weights": "bf16"}, {"base_weights": "fp8"})
    )
    network = backend.denoiser.network
    assert plain.network == sum(p.numel() * p.element_size() for p in network.parameters()) == 2 * narrow.network
    halved = sum(m.weight.numel() for name, m in network.named_modules() if can_be_narrow(name, m))
    assert narrow.network - narrowest.network == halved > 0 and narrow.activations < plain.activations
    assert twice.activations < 0.7 * plain.activations and need(batch=4).activations == 2 * plain.activations
    store = next(iter(network.parameters())).dtype
    assert store == torch.float32  # estimating changes nothing
    assert str(plain).startswith("about 0.00 GB (0.00 GB network")


@pytest.mark.parametrize("family", ["sd3", "flux"])
@pytest.mark.parametrize("kind", ["as_loaded", "bf16", "fp8"])
def test_the_estimate_is_near_what_is_kept_for_going_back(family, kind):
    """Every storage that autograd keeps for a batch of one, once, the parameters aside."""
    backend, items = fresh(family), items_of([picture(1, 128, 128)], ["a red cat"])
    options = QUICK.changed(base_weights=kind, size_px=128)
    batch = LatentCache(items, backend, options).draw(0).pick([0])
    expected = memory_needed(backend, options.changed(batch=1), batch).activations
    network = backend.denoiser.network
    store_weights(network, kind, lambda: "")
    Adapter.new(network, choose_modules(backend.denoiser.module_names, options.targets), 2, 2.0, 0)
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    noise = torch.randn(batch.latents.shape, generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = velocity_loss(backend.denoiser, batch, torch.tensor([0.5]), noise)
    assert 0.8 < expected / sum(kept.values()) < 1.7 and loss.requires_grad


@pytest.mark.parametrize("changes", [{"min_snr": 5.0}, {"loss": "epsilon"}, {"noise_offset": 0.05}])
def test_options_of_variance_preserving_models_are_refused_on_flows(tmp_path, changes):
    name = next(iter(changes))
    with pytest.raises(UserError, match=f"{name} is .*, but this model is a rectified flow: it is for UNets"):
        begin(tmp_path / "run", "sd3", QUICK.changed(**changes))


@pytest.mark.parametrize("changes", [{"timestep_sampling": "logit_normal"}, {"timestep_shift": 3.0}])
def test_options_of_flows_are_refused_on_unets(tmp_path, changes):
    items = items_of([picture(1, 64, 64)], ["a red cat"])
    with pytest.raises(UserError, match=f"{next(iter(changes))} is .*no rectified flow: it is for diffusion transf"):
        create_run(tmp_path / "run", fresh_backend("sd15"), QUICK.changed(**changes), items, PROMPTS)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"timestep_sampling": "normal"}, "use one of native, logit_normal, uniform"),
        ({"timestep_shift": -1.0}, "between 0 and 100"),
        ({"base_weights": "int4"}, "use one of as_loaded, bf16, fp8"),
        ({"lora_layout": "peft"}, "use one of native, kohya"),
    ],
)
def test_values_that_are_not_known_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        QUICK.changed(**changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_targets_of_a_family_are_its_blocks_projections(family):
    names = module_names(tiny_network(family))
    attention, more = (set(choose_modules(names, targets).values()) for targets in TARGETS[:2])
    expected = {  # of a network of two (SD3: three) blocks of each kind
        "SD3": (3 * 8 - 1 + 4, 3 * 4 - 2),
        "Flux": (2 * 8 + 2 * 3, 2 * 4 + 2 * 2),
        "Qwen-Image": (2 * 8, 2 * 4),
        "Lumina2": (4 * 4, 4 * 3),
        "Z-Image": (4 * 4, 4 * 3),
        "Flux.2": (2 * 8 + 2 * 2, 2 * 4),
    }[family]
    assert (len(attention), len(more - attention)) == expected and attention < more
    linear = {name for module, name in names.items() if isinstance(module, torch.nn.Linear)}
    left = {n for n in linear - more if n.split(".")[-2:][0].isdigit() or ".attn" in n or ".attention" in n}
    assert not left, left
    with pytest.raises(UserError, match="blocks have no convolutions"):
        choose_modules(names, TARGETS[2])
    with pytest.raises(UserError, match="has no layers for the targets"):
        choose_modules(names, TARGETS[3])


def test_defaults_suit_transformers():
    for family in TRANSFORMERS:
        options = defaults(family)
        assert options.gradient_checkpointing and options.loss == "native"
        assert (options.sample_cfg == 1.0) == family.startswith("Flux")
