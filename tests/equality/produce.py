"""Everything that must not change by a byte, made by one state of the code: produce.py ROOT OUT.

Runs in a process of its own, on the code in ROOT, and writes one safetensors file of tensors, one JSON file of texts.
Both the interface before the rooms were put in order and the one after it are spoken.
"""

from __future__ import annotations

import hashlib
import json
import string
import subprocess
import sys
from pathlib import Path

ROOT, OUT = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parents[1])]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
AFTER = (ROOT / "swf_core" / "mini_build").is_dir()

if AFTER:
    from swf_core.pictures import save as save_picture
    from swf_core.transfer.triple_process import stylize as new_stylize

    from support.tiny_models import tiny_backend, tiny_parts
else:
    sys.path.insert(0, str(ROOT / "tests" / "core"))
    from tiny_models import tiny_backend, tiny_parts

    from swf_core.pictures import save as save_picture
    from swf_core.transfer.process import stylize as old_stylize

from swf_core.models import load  # noqa: E402
from swf_core.transfer import preset, sample  # noqa: E402
from swf_core.world import STYLES, caption, random_look, random_scene, render  # noqa: E402

tensors: dict[str, torch.Tensor] = {}
texts: dict[str, object] = {}


def picture(seed: int, style: str) -> torch.Tensor:
    """A picture of the procedural world, [3, H, W] in 0..1."""
    image = render(random_scene(seed), random_look(style, seed))
    array = np.asarray(image[0] if isinstance(image, tuple) else image)
    return torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1).float()


def stylize(backend, contents, styles, options, *, prompts="", weights=None, place=None, readable=None, **named):
    if not AFTER:
        return old_stylize(
            backend,
            contents,
            styles,
            options,
            prompts=prompts,
            style_weights=weights,
            place=place,
            readable=readable,
            **named,
        )
    from swf_core.transfer import Content, StyleInput

    texts_of = [prompts] * len(contents) if isinstance(prompts, str) else prompts
    return new_stylize(
        backend,
        [Content(c, prompt, place) for c, prompt in zip(contents, texts_of)],
        [
            StyleInput(s, 1.0 if weights is None else weights[i], None if readable is None else readable[i])
            for i, s in enumerate(styles)
        ],
        options,
        **named,
    )


def sampled(backend, prompts, *, steps, **named):
    if not AFTER:
        return sample(backend, prompts, steps=steps, **named)
    from swf_core.transfer import SampleOptions

    return sample(backend, prompts, SampleOptions(steps=steps), **named)


def transfers() -> None:
    style, other = picture(11, "mosaic"), picture(12, "woodcut")[:, :96, :]
    content, second = picture(13, "photo")[:, :104, :], picture(14, "photo")[:, :, :88]
    half = torch.zeros(32, 32)
    half[:, :16] = 1.0
    for name, backend in (("mini", load("mini")), ("sd15", tiny_backend("sd15")), ("sdxl", tiny_backend("sdxl"))):
        plain = preset("wallfacer", backend).changed(steps=6, size_px=64 if name != "mini" else None)
        runs = {
            "wallfacer": dict(),
            "cfg": dict(cfg=2.0),
            "guided": dict(style_guidance=1.0, leak_guard=1.0),
            "stochastic": dict(content_encoding="stochastic", style_encoding="stochastic", start="stochastic"),
            "bdia": dict(content_encoding="bdia", style_encoding="bdia"),
            "refined": dict(refinements=1, forward_first=1, features="lockstep"),
            "concat": dict(kv="concat", bias=1.0, gamma=0.6, gamma_end=0.1, gamma_schedule="cosine"),
            "adaattn": dict(kv="adaattn", value_shift=0.5, query_adain=0.5),
            "noise": dict(start="noise", low_frequencies=0.7, denoise=0.8, precision="fp16"),
        }
        for label, values in runs.items():
            options = plain.changed(**values)
            result = stylize(
                backend,
                [content, second],
                [style, other],
                options,
                seed=3,
                prompts="a red house",
                weights=[1.0, 0.5],
                place=half,
                readable=[None, half],
            )
            keep(f"{name} {label}", result)
        keep(f"{name} text style", stylize(backend, [content], ["a mosaic of a tree"], plain, seed=3))
        keep(f"{name} adain", stylize(backend, [content], [style], preset("adain", backend).changed(steps=4)))
        published = preset("styleid", backend).changed(steps=6)
        keep(f"{name} styleid", stylize(backend, [content], [style], published))
        keep(f"{name} sample", sampled(backend, ["a red house", "a boat"], steps=5, seed=4, negative="blue"))


def keep(name: str, result) -> None:
    for i, (image, latent) in enumerate(zip(result.images, result.latents)):
        tensors[f"{name} image {i}"], tensors[f"{name} latent {i}"] = image.contiguous(), latent.contiguous()
    texts[f"{name} cost"] = [result.cost.planned, result.cost.counted]


def swf(*arguments) -> str:
    command = [sys.executable, "-m", "swf_core", *map(str, arguments)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout


def command_line() -> None:
    files = OUT / "files"
    files.mkdir(parents=True, exist_ok=True)
    for name, seed, style in (("content", 13, "photo"), ("style", 11, "oil"), ("neon", 15, "neon")):
        save_picture(files / f"{name}.png", picture(seed, style))
    content, style, neon = (files / f"{n}.png" for n in ("content", "style", "neon"))
    run = OUT / "run"
    swf("train", "--style", neon, "--run", run, "--steps", 20, "--sample-every", 10, "--seed", 5)
    lora = run / "lora.safetensors"
    tensors.update({f"lora {k}": v for k, v in load_file(lora).items()})
    for png in sorted((run / "samples").glob("*.png")):
        texts[f"training sample {png.name}"] = digest(png)
    model = tiny_folder(OUT / "tiny")
    swf(
        "train",
        "--style",
        neon,
        "--caption",
        "a red house",
        "--run",
        OUT / "tiny_run",
        "--model",
        model,
        "--steps",
        20,
        "--size",
        64,
        "--sample-every",
        10,
        "--seed",
        5,
    )
    tensors.update({f"sd15 lora {k}": v for k, v in load_file(OUT / "tiny_run" / "lora.safetensors").items()})
    out = OUT / "cli"
    steps = ("--steps", 5)
    swf("stylize", "--content", content, "--style", style, "--out", out / "a", *steps, "--prompt", "a blue house")
    swf("stylize", "--content", content, "--style", neon, "--out", out / "b", *steps, "--lora", lora)
    swf("sample", "--prompt", "a cat", "--out", out / "c", *steps, "--lora", lora, "--count", 2)
    swf("sample", "--prompt", "a cat", "--out", out / "d", *steps, "--style", style)
    swf("recolor", "--image", content, "--palette", "#a63f1b, navy, gold", "--out", out / "e.png")
    swf("recolor", "--image", content, "--like", style, "--out", out / "f.png")
    swf("recolor", "--image", content, "--prompt", "the house is blue", "--out", out / "g.png")
    for png in sorted(out.rglob("*.png")):
        texts[f"cli {png.relative_to(out)}"] = digest(png)
    texts["captions"] = swf("caption", content, style, neon).replace(str(OUT), "")


def tiny_folder(folder: Path) -> Path:
    """The tiny SD1.5-shaped random model in diffusers' layout."""
    unet, texts_, _, vae, _ = tiny_parts("sd15")
    unet.save_pretrained(folder / "unet")
    texts_[0].save_pretrained(folder / "text_encoder")
    vae.save_pretrained(folder / "vae")
    letters = [*string.ascii_lowercase, *(f"{letter}</w>" for letter in string.ascii_lowercase)]
    vocabulary = {letter: i for i, letter in enumerate(letters)} | {"<|startoftext|>": 62, "<|endoftext|>": 63}
    special = {"bos_token": "<|startoftext|>"} | dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    tokenizer = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 8} | special
    for name, content in {
        "tokenizer/vocab.json": json.dumps(vocabulary),
        "tokenizer/merges.txt": "#version: 0.2\n",
        "tokenizer/tokenizer_config.json": json.dumps(tokenizer),
        "scheduler/scheduler_config.json": json.dumps({"prediction_type": "epsilon"}),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def digest(path: Path) -> str:
    from PIL import Image

    with Image.open(path) as image:
        return hashlib.sha256(image.tobytes() + str(image.size).encode()).hexdigest()


def words() -> None:
    from swf_core.words.strip import strip

    lines = [
        json.loads(line)["caption"]
        for path in sorted(ROOT.rglob("tests/*/captions/*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for k in range(40):
        for style in STYLES:
            lines.append(caption(random_scene(k), random_look(style, k), "full", np.random.default_rng(k)))
    for line in lines:
        result = strip(line)
        texts[f"strip {line}"] = [result.stripped, result.method, result.note, [list(s) for s in result.spans]]


OUT.mkdir(parents=True, exist_ok=True)
transfers()
words()
for style in STYLES:
    tensors[f"world {style}"] = picture(21, style).contiguous()
command_line()
save_file(tensors, OUT / "tensors.safetensors")
(OUT / "texts.json").write_text(json.dumps(texts, indent=1, ensure_ascii=False), encoding="utf-8")
print(len(tensors), "tensors,", len(texts), "texts")
