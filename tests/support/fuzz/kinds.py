"""What is fuzzed: for each kind a function (rng, folder) that mutates one real input, and gives it to what reads it.

With rng None the input stays as it is. A case ends in a result, in `UserError`, or is a fault.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from PIL import Image

from swf_core.color.palette_text import read_palette
from swf_core.errors import UserError
from swf_core.files import write_files
from swf_core.learn import picks, run_files
from swf_core.learn.checkpoint import load_checkpoint
from swf_core.learn.dataset import items_from_folder
from swf_core.learn.locks import PICKS
from swf_core.learn.run import open_run
from swf_core.learn.run_summary import run_summary
from swf_core.learn.train import TrainingLoop, train
from swf_core.models.lora_merge import merge_lora
from swf_core.pictures import load, png_bytes
from swf_core.style_file import StyleFile, load_style, save_style
from swf_core.words.strip import strip

from support.caption_sets import TUNED, cases, comes_from, new_words
from support.fuzz.half_file import HalfFile
from support.fuzz.mutations import mutate_bytes, mutate_json, mutate_safetensors, mutate_text
from support.learn_runs import QUICK, begin
from support.made_runs import make_run
from support.tiny_models import fresh_backend

Case = Callable[[Random | None, Path], None]
# How many of the cases are of each kind.
SHARES = {
    "picture": 20, "lora": 15, "style file": 12, "run": 15, "checkpoint": 6, "caption": 12, "caption file": 5,
    "palette": 5, "route": 8, "workflow": 2,
}  # fmt: skip


def make_case(kind: str, seeds: Path) -> Case:
    """The function that runs cases of this kind; its untouched inputs are written to `seeds`."""
    from support.fuzz import served

    seeds.mkdir(parents=True)
    makers: dict[str, Callable[[Path], Case]] = {
        "picture": _pictures, "lora": _loras, "style file": _style_files, "run": _runs, "checkpoint": _checkpoints,
        "caption": _captions, "caption file": _caption_files, "palette": _palettes, "route": served.routes,
        "workflow": served.workflows,
    }  # fmt: skip
    return makers[kind](seeds)


def check_whole(folder: Path, allowed: set[str]) -> None:
    """Raise HalfFile for a file under `folder` that is none of these names."""
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    if names - allowed:
        raise HalfFile(f"left behind: {sorted(names - allowed)}")


def _pictures(seeds: Path) -> Case:
    base = Image.fromarray((torch.rand(40, 56, 4, generator=torch.Generator().manual_seed(0)) * 255).byte().numpy())
    exif = Image.Exif()
    exif[0x0112] = 6
    ways = [
        ("PNG", "RGB", {}), ("PNG", "RGBA", {"exif": exif}), ("PNG", "P", {}), ("PNG", "1", {}), ("PNG", "I;16", {}),
        ("JPEG", "RGB", {"exif": exif}), ("JPEG", "CMYK", {}), ("WEBP", "RGBA", {}),
        ("WEBP", "RGB", {"lossless": True}), ("GIF", "P", {}), ("BMP", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}), ("PPM", "L", {}),
    ]  # fmt: skip
    files = []
    for form, mode, options in ways:
        buffer = io.BytesIO()
        picture = base.convert("L").convert("I;16") if mode == "I;16" else base.convert("RGB").convert(mode)
        picture.save(buffer, form, **options)
        files.append((form.lower(), buffer.getvalue()))

    def case(rng: Random | None, folder: Path) -> None:
        folder.mkdir()
        form, data = rng.choice(files) if rng else files[0]
        path = folder / f"picture.{form}"
        path.write_bytes(mutate_bytes(data, rng) if rng else data)
        pixels = load(path, 64).pixels
        assert pixels.shape[0] == 3 and bool(torch.isfinite(pixels).all()) and max(pixels.shape[1:]) <= 64

    return case


def _loras(seeds: Path) -> Case:
    from support.lora_makers import by_lycoris

    files = []
    for algo, more in (
        ("lora", {}),
        ("lora", {"dora_wd": True}),
        ("loha", {}),
        ("lokr", {}),
        ("ia3", {}),
        ("full", {}),
    ):
        path = seeds / f"{algo}{len(files)}.safetensors"
        by_lycoris("sd15", path, algo=algo, **more)
        files.append(path.read_bytes())
    backend = fresh_backend("sd15")
    modules = [backend.denoiser.network, *backend.text.models]  # pyright: ignore[reportAttributeAccessIssue]
    states = [{k: v.clone() for k, v in module.state_dict().items()} for module in modules]

    def case(rng: Random | None, folder: Path) -> None:
        folder.mkdir()
        data = rng.choice(files) if rng else files[0]
        path = folder / "lora.safetensors"
        path.write_bytes(mutate_safetensors(data, rng) if rng else data)
        try:
            merge_lora(backend, path, 1.0)
            for module in modules:
                assert all(bool(torch.isfinite(p).all()) for p in module.parameters()), "merged weights are not finite"
        except UserError:
            for module, state in zip(modules, states):
                if any(not torch.equal(value, state[name]) for name, value in module.state_dict().items()):
                    raise HalfFile("a refused LoRA has changed the model") from None
            raise
        finally:
            for module, state in zip(modules, states):
                module.load_state_dict(state)

    return case


def _style_files(seeds: Path) -> Case:
    picture = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(1))
    style = StyleFile(picture, "an oil painting of a house", "a house", {"gamma": 0.5, "kv": "replace"})
    save_style(seeds / "style.safetensors", style)
    data = (seeds / "style.safetensors").read_bytes()

    def case(rng: Random | None, folder: Path) -> None:
        folder.mkdir()
        path = folder / "style.safetensors"
        path.write_bytes(mutate_safetensors(data, rng) if rng else data)
        found = load_style(path)
        save_style(folder / "again.safetensors", found)
        assert torch.equal(load_style(folder / "again.safetensors").picture, found.picture)
        check_whole(folder, {"style.safetensors", "again.safetensors"})

    return case


def _runs(seeds: Path) -> Case:
    samples = make_run(seeds / "run", plain=True)
    picks.set_verdict(seeds / "run", accept=samples[:2], reject=samples[2:3])
    files = {p.relative_to(seeds / "run"): p.read_bytes() for p in (seeds / "run").rglob("*") if p.is_file()}
    texts = [name for name in files if name.suffix == ".json"]

    def case(rng: Random | None, folder: Path) -> None:
        contents = dict(files)
        if rng:
            name = rng.choice(texts)
            if rng.random() < 0.7:
                value = mutate_json(json.loads(files[name]), rng)
                contents[name] = json.dumps(value, allow_nan=True).encode("utf-8", "surrogatepass")
            else:
                contents[name] = mutate_bytes(files[name], rng)
        write_files({folder / name: data for name, data in contents.items()})
        steps = (
            lambda: run_summary(folder),
            lambda: open_run(folder),
            lambda: picks.pickable_samples(folder),
            lambda: run_files.read_signals(folder),
            lambda: picks.set_verdict(folder, accept=samples[3:4]),
        )
        refused: list[UserError] = []
        for step in steps:
            before = (folder / "picks.json").read_bytes()
            try:
                step()
            except UserError as error:
                refused.append(error)
                if (folder / "picks.json").read_bytes() != before:
                    raise HalfFile("refused picks were written") from None
        check_whole(folder, {path.name for path in files} | {PICKS})
        if refused:
            raise refused[0]

    return case


def _checkpoints(seeds: Path) -> Case:
    run, backend = begin(seeds / "run", replace(QUICK, steps=4, sample_every=0))
    train(run, backend)
    data = (seeds / "run" / "state.safetensors").read_bytes()
    training = TrainingLoop(run, fresh_backend("sd15"))

    def case(rng: Random | None, folder: Path) -> None:
        folder.mkdir()
        (folder / "state.safetensors").write_bytes(mutate_safetensors(data, rng) if rng else data)
        load_checkpoint(folder, training.adapter, training.optimizer)

    return case


def _captions(seeds: Path) -> Case:
    captions = [case["caption"] for case in cases(*TUNED)]

    def case(rng: Random | None, folder: Path) -> None:
        text = rng.choice(captions) if rng else captions[0]
        text = mutate_text(text, rng) if rng else text
        stripped = strip(text)
        assert comes_from(stripped.stripped, stripped.caption), "letters that the caption does not have"
        assert not new_words(stripped.stripped, stripped.caption), "a word that the caption does not have"

    return case


def _caption_files(seeds: Path) -> Case:
    picture = png_bytes(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(2)))
    texts = [t.encode() for t in ("a red house by the sea, oil painting", "\ufeffein Haus\r\n", "一座红色的房子")]

    def case(rng: Random | None, folder: Path) -> None:
        data = rng.choice(texts) if rng else texts[0]
        write_files(
            {
                folder / "2_house" / "a.png": picture,
                folder / "2_house" / "a.txt": mutate_bytes(data, rng) if rng else data,
            }
        )
        (item,) = items_from_folder(folder)
        assert item.repeats == 2 and "\n" not in item.caption

    return case


def _palettes(seeds: Path) -> Case:
    texts = ["navy, gold", "#a63f1b -> #1d3557,\n#e9c46a", "rgb(10, 20, 30); 40% #fff, hsl(120, 50%, 50%)", "red 30%"]

    def case(rng: Random | None, folder: Path) -> None:
        text = rng.choice(texts) if rng else texts[0]
        _, target = read_palette(mutate_text(text, rng) if rng else text)
        assert len(target) >= 1

    return case
