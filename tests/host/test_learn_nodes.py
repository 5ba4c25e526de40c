"""Style Dataset and LoRA Style Train in a running ComfyUI."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from safetensors.torch import load, load_file

from swf_core.measure.benches.lessons import lessons
from swf_core.pictures import save

from support.comfy_host import INSIDE
from support.comfy_server import error_of

CAPTION = "a blue teapot on the grass at noon"


@pytest.fixture(scope="module")
def picture(base) -> str:
    save(base / "input" / "taught.png", lessons(1, 1)[0].picture)
    return "taught.png"


def training_graph(picture: str, *, sampled: bool = True, **changes) -> dict:
    """Train a LoRA on mini; sample with the stock loaders and with the MODEL that comes out."""
    inputs = {
        "model": ["1", 0],
        "clip": ["1", 1],
        "vae": ["1", 2],
        "dataset": ["3", 0],
        "run_name": "neon",
        "steps": 6,
        "targets": "default",
        "rank": 4,
        "learning_rate": 0.0,
        "sample_every": 3,
        "prompts": "a red cat in the snow",
        "guidance": "default",
        "seed": 0,
        "use_step": 0,
        "save_as": "",
    } | changes
    graph = {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": picture}},
        "3": {
            "class_type": "SWF_StyleDataset",
            "inputs": {"image": ["2", 0], "captions": CAPTION, "folder": "", "weight": 1.0, "repeats": 1},
        },
        "4": {"class_type": "SWF_LoraTrain", "inputs": inputs},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 3], "filename_prefix": "learn_samples"}},
        "6": {"class_type": "SaveImage", "inputs": {"images": ["4", 4], "filename_prefix": "learn_plot"}},
        "7": {"class_type": "SaveLoRANode", "inputs": {"lora": ["4", 1], "prefix": "loras/learn_saved"}},
    }
    return graph | (sampling(["4", 0], "taught") if sampled else {})


def sampling(model: list, name: str) -> dict:
    inputs = {
        "model": model,
        "positive": [f"{name}1", 0],
        "negative": [f"{name}2", 0],
        "latent_image": [f"{name}3", 0],
        "seed": 5,
        "steps": 4,
        "cfg": 2.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    return {
        f"{name}1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red cat in the snow", "clip": ["1", 1]}},
        f"{name}2": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
        f"{name}3": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        f"{name}4": {"class_type": "KSampler", "inputs": inputs},
        f"{name}5": {"class_type": "SaveLatent", "inputs": {"samples": [f"{name}4", 0], "filename_prefix": name}},
    }


def latent(server, name: str):
    """The latest latent saved under a name."""
    return load(sorted((server.base / "output").glob(f"{name}_*.latent"))[-1].read_bytes())["latent_tensor"]


def test_train_cancel_resume_and_load_with_the_stock_loader(server, picture, host):
    """30 steps, cancelled at step 10; the MODEL that went in samples the same bytes before and after."""
    plain = {"1": {"class_type": "SWF_MiniLoader", "inputs": {}}} | sampling(["1", 0], "plain")
    server.run(plain)
    before = latent(server, "plain")

    graph = training_graph(picture, run_name="cancelled", steps=30, sample_every=15)
    script = INSIDE / "watch_native.py"
    events = json.loads(host.run(script, server.url, json.dumps(graph), "12").stdout.splitlines()[-1])
    assert events["end"] == "execution_interrupted"
    folder = server.base / "output" / "swf_runs" / "cancelled"
    steps = len((folder / "loss.csv").read_text().splitlines()) - 1
    assert 10 <= steps < 30 and not (folder / "lora.safetensors").exists()

    history = server.run(graph)
    saved = server.pictures(history)
    assert len((folder / "loss.csv").read_text().splitlines()) - 1 == 30 and len(saved) >= 2
    whole = server.run(training_graph(picture, run_name="unbroken", steps=30, sample_every=15))
    assert whole["status"]["status_str"] == "success"
    other = server.base / "output" / "swf_runs" / "unbroken"
    mine, theirs = (load_file(f / "lora.safetensors") for f in (folder, other))
    assert mine.keys() == theirs.keys() and all((mine[k] == theirs[k]).all() for k in mine)

    stock = {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {
            "class_type": "LoraLoader",
            "inputs": {
                "model": ["1", 0],
                "clip": ["1", 1],
                "lora_name": next(iter(loras(server, "learn_saved"))),
                "strength_model": 1.0,
                "strength_clip": 1.0,
            },
        },
    } | sampling(["2", 0], "stock")
    assert server.run(stock)["status"]["status_str"] == "success"
    assert (latent(server, "stock") == latent(server, "taught")).all()
    assert "lora key not loaded" not in server.log.read_text()
    server.run(plain | sampling(["1", 0], "after"))
    after = latent(server, "after")
    assert (after == before).all() and not (after == latent(server, "taught")).all()


def loras(server, front: str) -> list[str]:
    """LoRA names as the stock loader lists them, newest first."""
    names = server.get("/object_info/LoraLoader")["LoraLoader"]["input"]["required"]["lora_name"][0]
    return sorted((n for n in names if front in n), reverse=True)


def test_samples_plot_and_the_same_graph_again_is_a_no_op(server, picture):
    history = server.run(training_graph(picture, run_name="looks", sampled=False))
    sheets = [Image.open(p) for p in server.pictures(history)]
    assert {s.size for s in sheets} == {(128, 128), (720, 480)}
    folder = server.base / "output" / "swf_runs" / "looks"
    stamp = (folder / "state.safetensors").stat().st_mtime_ns
    again = server.run(training_graph(picture, run_name="looks", sampled=False, save_as="my neon"))
    assert again["status"]["status_str"] == "success" and (folder / "state.safetensors").stat().st_mtime_ns == stamp
    assert (server.base / "models" / "loras" / "my neon.safetensors").exists()
    more = server.run(training_graph(picture, run_name="looks", sampled=False, steps=9))
    assert more["status"]["status_str"] == "success"
    assert len(json.loads((folder / "run.json").read_text())["rounds"]) == 2
    other = server.run(training_graph(picture, run_name="looks", sampled=False, seed=1))
    assert other["status"]["status_str"] == "success" and (folder.parent / "looks 2" / "run.json").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"run_name": "a/b"}, "cannot be a folder's name"),
        ({"save_as": "../x"}, "cannot be a folder's name"),
        ({"use_step": 4, "run_name": "looks"}, "keeps no LoRA of step 4; choose one of"),
    ],
)
def test_errors_are_one_sentence(server, picture, changes, sentence):
    before = {p for p in (server.base / "output").rglob("*") if "swf_runs" not in p.parts}
    assert sentence in error_of(server.run(training_graph(picture, sampled=False, **changes)))
    assert {p for p in (server.base / "output").rglob("*") if "swf_runs" not in p.parts} == before


def test_captions_and_pictures_must_agree(server, picture):
    graph = training_graph(picture, sampled=False)
    graph["3"]["inputs"]["captions"] = "a cat\na dog"
    assert "1 pictures and 2 captions" in error_of(server.run(graph))


def test_a_model_with_a_lora_is_refused(server, picture):
    server.run(training_graph(picture, run_name="looks", sampled=False))
    graph = training_graph(picture, sampled=False, model=["9", 0])
    graph["9"] = {
        "class_type": "LoraLoaderModelOnly",
        "inputs": {"model": ["1", 0], "lora_name": loras(server, "learn_saved")[0], "strength_model": 1.0},
    }
    assert "changed weights" in error_of(server.run(graph))
