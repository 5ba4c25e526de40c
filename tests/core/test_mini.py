"""The embedded model's parts: exact embedding of the autoencoder, tokenizer, resume, files; and the shipped weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from safetensors.torch import save_file

from swf_core.errors import UserError
from swf_core.mini_build.build import STAGES, build_family
from swf_core.mini_build.data import held_out_picture, picture_seeds, rendered, train_picture
from swf_core.mini_build.paired_attention import PairedAttentionProcessor
from swf_core.mini_build.training_loop import Plan, StageSettings, train
from swf_core.models import load
from swf_core.models.mini import load_mini
from swf_core.models.mini.autoencoder_tiny import load_autoencoder_tiny
from swf_core.models.mini.text import HIDDEN, MAX_TOKENS, WordTokenizer
from swf_core.models.mini.unet import new_unet
from swf_core.models.mini.vae import (
    NarrowAutoencoder,
    from_taesd,
    run_narrow,
    to_diffusers,
    to_taesd,
)
from swf_core.models.mini.weight_files import SUMS, WEIGHTS, read_weights, sha256, write_weights
from swf_core.world import HELD_OUT, TRAINED, vocabulary
from swf_core.world.seeds import HELD_OUT_SEED, TEST_SEED


def test_the_narrow_autoencoder_is_the_wide_one_exactly() -> None:
    torch.manual_seed(0)
    narrow = NarrowAutoencoder().eval()
    pictures = torch.rand(2, 3, 40, 64)
    wide = load_autoencoder_tiny(to_taesd(narrow))
    with torch.no_grad():
        latents = narrow.encode(pictures)
        assert latents.shape == (2, 4, 5, 8)
        assert torch.allclose(wide.encode(pictures * 2 - 1).latents, latents, atol=2e-5)
        assert torch.allclose(wide.decode(latents).sample / 2 + 0.5, narrow.decode(latents), atol=2e-5)
    again = from_taesd(to_taesd(narrow))
    assert all(
        torch.equal(a, b) for a, b in zip(narrow.state_dict().values(), again.state_dict().values(), strict=True)
    )
    assert not any(k.startswith("taesd") or k.startswith("vae_") for k in to_diffusers(to_taesd(narrow)))


def test_the_wide_layout_runs_narrow_and_is_saved_wide() -> None:
    taesd, _ = read_weights(WEIGHTS / "vae.safetensors")
    plain = AutoencoderTiny(latent_channels=4, scaling_factor=1.0).eval()
    plain.load_state_dict({k: v.float() for k, v in to_diffusers(taesd).items()})
    quick = load_autoencoder_tiny(taesd)
    pictures = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    widths = list[int]()
    for module in quick.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda module, given, out: widths.append(out.shape[1]))
    with torch.no_grad():
        latents = quick.encode(pictures).latents
        assert (latents - plain.encode(pictures).latents).abs().max() < 1e-5
        assert (quick.decode(latents).sample - plain.decode(latents).sample).abs().max() < 1e-5
    assert widths.count(32) == 8  # the first level, four convolutions each way
    assert all(torch.equal(v, plain.state_dict()[k]) for k, v in quick.state_dict().items())
    with torch.no_grad():
        plain.encoder.layers[0].bias[40] = 0.1  # another TAESD: all its channels are real
    assert run_narrow(plain) == 0


def test_the_tokenizer_knows_the_world_and_admits_what_it_does_not_know() -> None:
    tokenizer = WordTokenizer(vocabulary())
    ids = tokenizer(["A red house, on the GRASS", "", "an octopus in a red house"])
    assert ids.shape == (3, MAX_TOKENS)
    assert ids[1].tolist()[:2] == [tokenizer.ids["<start>"], tokenizer.ids["<end>"]]
    assert tokenizer.ids["<unknown>"] in ids[2] and tokenizer.ids["<unknown>"] not in ids[0]
    assert tokenizer.unknown("an octopus in a red house") == ["octopus"]
    long = tokenizer(["red " * 50])[0]
    assert long[-1] == tokenizer.ids["<end>"] and len(long) == MAX_TOKENS


def test_the_unet_never_sees_a_held_out_style_or_a_test_seed() -> None:
    styles = {train_picture(i)[1].style for i in range(600)}
    assert styles == set(TRAINED)
    assert {held_out_picture(i)[1].style for i in range(60)} == set(HELD_OUT)
    assert 24_576 < HELD_OUT_SEED < TEST_SEED
    assert np.mean([picture_seeds(i)[1].style == "photo" for i in range(600)]) == pytest.approx(0.2, abs=0.05)


def test_readers_see_the_other_picture_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    unet = new_unet((32, 32, 32)).eval()
    x, text = torch.randn(4, 4, 16, 16), torch.randn(4, 4, HIDDEN)
    plain = unet(x, torch.tensor(500), text)[0]
    unet.set_attn_processor(PairedAttentionProcessor(1))
    read = unet(x, torch.tensor(500), text)[0]
    torch.testing.assert_close(read[:3], plain[:3], rtol=1e-5, atol=1e-5)
    assert (read[3] - plain[3]).abs().max() > 1e-3
    x[2] += 1.0
    assert (unet(x, torch.tensor(500), text)[0][3] - read[3]).abs().max() > 1e-3


def train_toy(folder, stop_at: int | None = None) -> torch.Tensor:
    """The weight after 60 steps of a small regression; `stop_at` interrupts it, as a killed process would be."""
    torch.manual_seed(0)
    module = torch.nn.Linear(4, 2)

    def loss_of(step: int) -> torch.Tensor:
        if step == stop_at:
            raise KeyboardInterrupt
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        return (module(x) - x[:, :2]).square().mean()

    train({"toy": module}, loss_of, Plan(60, 1e-2, 5, save_every=7, ema=0.9), StageSettings(folder, seed=0))
    return module.weight.detach().clone()


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path) -> None:
    uninterrupted = train_toy(tmp_path / "uninterrupted")
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path / "killed", stop_at=33)
    assert (tmp_path / "killed" / "state.safetensors").exists()
    assert torch.equal(train_toy(tmp_path / "killed"), uninterrupted)
    assert (tmp_path / "killed" / "loss.png").exists()


def test_a_loss_that_is_no_number_stops_with_the_reason(tmp_path) -> None:
    module = torch.nn.Linear(1, 1)
    nan = torch.full((1, 1), float("nan"))
    with pytest.raises(RuntimeError, match="became nan at step 0"):
        train({"m": module}, lambda step: module(nan).sum(), Plan(3, 1e-3), StageSettings(tmp_path, seed=0))


def test_pictures_are_rendered_once_and_continued(tmp_path) -> None:
    first = np.array(rendered("held_out", 3, tmp_path, workers=1))
    stamp = (tmp_path / "held_out_3.npy").stat().st_mtime_ns
    assert (rendered("held_out", 3, tmp_path, workers=1) == first).all()
    assert (tmp_path / "held_out_3.npy").stat().st_mtime_ns == stamp
    (tmp_path / "held_out_3.done").unlink()
    assert (rendered("held_out", 3, tmp_path, workers=1) == first).all()


def test_stages_are_checked(tmp_path) -> None:
    with pytest.raises(UserError, match="no stage 'unet'.*vae"):
        build_family(tmp_path, ["unet"])
    with pytest.raises(UserError, match=r"vae.safetensors' is missing: run the stage 'vae' first"):
        build_family(tmp_path, ["base-1"], pictures={"train": 2})
    assert STAGES[0] == "vae"


def test_a_stage_begins_with_the_weights_of_the_one_before(tmp_path) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "weights", ignore=shutil.ignore_patterns("blip", "clip", "stages.json"))
    shipped = read_weights(WEIGHTS / "base.safetensors")[1]["stage"]
    with pytest.raises(
        UserError, match=f"holds the weights of stage '{shipped}', but stage 'base-2' begins .* 'base-1'"
    ):
        build_family(tmp_path, ["base-2"])
    assert not (tmp_path / "pictures").exists()  # said before anything is rendered


def test_a_build_under_the_stages_old_names_is_resumed(tmp_path) -> None:
    """ "judge" is the classifier and "sight" the vision tower: on the command line, in stages.json and in folders."""
    (tmp_path / "weights").mkdir()
    reports = {"judge": {"finished": True, "steps": 1}, "sight": {"finished": True, "steps": 2}}
    (tmp_path / "weights" / "stages.json").write_text(json.dumps(reports))
    for name in ("judge", "sight"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.safetensors").touch()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "judge_8.npy").touch()
    assert build_family(tmp_path, ["judge", "vision"]) == {"classifier": reports["judge"], "vision": reports["sight"]}
    for path in ("classifier/state.safetensors", "vision/state.safetensors", "pictures/classifier_8.npy"):
        assert (tmp_path / path).exists()


def test_weight_files_are_checked_by_sha256(tmp_path) -> None:
    path = tmp_path / "toy.safetensors"
    write_weights(path, {"a": torch.ones(3)}, {"note": [1, 2]})
    tensors, meta = read_weights(path)
    assert tensors["a"].dtype == torch.float16 and json.loads(meta["note"]) == [1, 2]
    assert path.name in (tmp_path / SUMS).read_text()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="damaged"):
        read_weights(path)
    with pytest.raises(UserError, match="missing"):
        read_weights(tmp_path / "none.safetensors")
    (tmp_path / "other.safetensors").write_bytes(b"{}")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        read_weights(tmp_path / "other.safetensors")


def test_the_shipped_weights_are_small_whole_and_described() -> None:
    sizes = {p.name: p.stat().st_size / 1e6 for p in WEIGHTS.glob("*.safetensors")}
    assert sizes["base.safetensors"] <= 26 and sizes["vae.safetensors"] <= 6
    for line in (WEIGHTS / SUMS).read_text().splitlines():
        value, name = line.split()
        if (WEIGHTS / name).exists():
            assert sha256(WEIGHTS / name) == value
    meta = read_weights(WEIGHTS / "base.safetensors")[1]
    assert meta["prediction_type"] == "v_prediction" and json.loads(meta["channels"]) and meta["size"] == "128"


def test_mini_loads_and_another_folder_can_be_given(tmp_path) -> None:
    backend = load("mini")
    assert backend.family == "mini" and backend.native_size_px == 128
    assert {layer.level for layer in backend.denoiser.self_attention_layers} == {0, 1, 2}
    latents = backend.codec.encode(torch.rand(1, 3, 64, 128))
    assert latents.shape == (1, 4, 8, 16)
    save_file({"x": torch.zeros(1)}, tmp_path / "vae.safetensors")
    with pytest.raises(UserError, match=r"base.safetensors' is missing"):
        load_mini(tmp_path)
