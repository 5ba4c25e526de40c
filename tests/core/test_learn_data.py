"""The data set of a training: items, buckets, crops, batches, and the share that picks have of them."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
import torch

from swf_core.cli import train as verb
from swf_core.cli import train_data
from swf_core.cli.progress import Bars
from swf_core.errors import UserError
from swf_core.learn.dataset import Item, items_from_folder, items_of, pictures_in_folder
from swf_core.learn.latent_cache import LatentCache, bucket, crop, draw_probabilities
from swf_core.models.contracts import Conditioning, join
from swf_core.pictures import save

from support.learn_runs import QUICK
from support.tiny_models import fresh_backend, picture


def test_items_are_checked(tmp_path):
    with pytest.raises(UserError, match="data set is empty"):
        items_of([], "x")
    with pytest.raises(UserError, match="3 pictures and 2 captions; give one caption each"):
        items_of([torch.zeros(3, 8, 8)] * 3, ["a", "b"])
    with pytest.raises(UserError, match="holds no picture"):
        items_from_folder(tmp_path)
    save(tmp_path / "b.png", torch.rand(3, 20, 30))
    with pytest.raises(UserError, match="has no caption: 'b.txt' is missing"):
        items_from_folder(tmp_path)
    (tmp_path / "b.txt").write_text(" a red\n house ")
    (item,) = items_from_folder(tmp_path)
    assert item.caption == "a red house" and item.picture.shape == (3, 20, 30) and len(item.id) == 16
    (tmp_path / "c.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"c\.png"):
        items_from_folder(tmp_path, "x")
    with pytest.raises(UserError, match="weights are above 0"):
        Item(torch.zeros(3, 8, 8), "x", weight=0)


@pytest.mark.parametrize(
    ("shape", "size", "step"), [((64, 64), 64, 8), ((300, 200), 512, 64), ((1000, 3000), 512, 64), ((90, 128), 128, 32)]
)
def test_buckets_keep_aspect_and_area(shape, size, step):
    rows, columns = bucket(shape, size, step)
    assert rows % step == columns % step == 0
    assert abs(np.log(rows * columns / size**2)) < 0.35
    assert abs(np.log(rows / columns) - np.log(shape[0] / shape[1])) < 0.3


def test_the_first_view_is_the_whole_picture_and_a_crop_lies_at_its_place():
    whole_picture = picture(1, 64, 64)
    assert torch.equal(crop(whole_picture, (64, 64), 1.0, 0.5, 0.5, 0.0), whole_picture)
    assert torch.equal(crop(whole_picture, (32, 32), 2.0, 0.0, 1.0, 0.0), whole_picture[:, :32, 32:])
    beyond = crop(whole_picture, (64, 64), 1.0, 0.0, 0.0, 0.25)
    assert torch.equal(beyond[:, 16:, 16:], whole_picture[:, :48, :48]) and torch.equal(
        beyond[:, 15, 16:], whole_picture[:, 1, :48]
    )


def test_picks_have_at_most_their_share():
    items = [Item(torch.rand(3, 8, 8), "x"), *(Item(torch.rand(3, 8, 8), "y", origin="step 6") for _ in range(9))]
    p = draw_probabilities(items, 0.5)
    assert p[0] == pytest.approx(0.5) and p.sum() == pytest.approx(1)
    assert draw_probabilities(items[:2], 0.5).tolist() == [0.5, 0.5] and draw_probabilities(
        items[:1], 0.5
    ).tolist() == [1.0]
    heavy = [Item(torch.rand(3, 8, 8), "x", weight=2.0, repeats=3), Item(torch.rand(3, 8, 8), "y")]
    assert draw_probabilities(heavy, 0.5).tolist() == pytest.approx([6 / 7, 1 / 7])
    two = [Item(picture(1, 64, 64), "a cat"), Item(picture(2, 64, 64), "a dog", origin="step 6")]
    latent_cache = LatentCache(two, fresh_backend("sd15"), QUICK.changed(batch=8, picks_share=0.25))
    batches = [latent_cache.draw(step) for step in range(60)]
    picked = torch.cat([b.picked for b in batches if b.picked is not None])
    own = torch.cat(
        [(b.latents[:, None] - latent_cache.latents[1]).abs().amax((2, 3, 4)).amin(1) == 0 for b in batches]
    )
    assert torch.equal(picked, own)
    assert latent_cache.picks_share == pytest.approx(0.25) and abs(float(picked.float().mean()) - 0.25) < 0.06


def test_texts_of_different_lengths_are_joined_without_a_change():
    backend = fresh_backend("sd15")
    short = backend.text.encode(["a cat"], 64, 64)
    long = Conditioning(torch.cat([short.tokens, short.tokens * 0.5], 1))
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    both = backend.denoiser.denoise(torch.cat([latents, latents]), 2.0, join([short, long]))
    for k, one in enumerate((short, long)):
        assert (both[k] - backend.denoiser.denoise(latents, 2.0, one)[0]).abs().max() < 1e-5


def test_batches_are_the_same_for_a_step_and_drop_captions_at_the_rate_of_the_option():
    backend = fresh_backend("sd15")
    items = [*items_of([picture(1, 64, 64)], ["a red cat"]), *items_of([picture(2, 40, 80)], ["a blue house"])]
    latent_cache = LatentCache(items, backend, QUICK.changed(batch=4, caption_dropout=0.5))
    texts = {id(latent_cache.text(n, e)): (n, e) for n in (0, 1) for e in (False, True)}
    assert len(texts) == 4
    empty = total = 0
    for step in range(50):
        batch = latent_cache.draw(step)
        again = latent_cache.draw(step)
        assert torch.equal(batch.latents, again.latents) and torch.equal(batch.text.tokens, again.text.tokens)
        nothing = latent_cache.text(0, True).tokens[0]
        empty += sum(torch.equal(row, nothing) for row in batch.text.tokens)
        total += 4
    assert 0.35 < empty / total < 0.65


def kohya_folder(root):
    """A folder as kohya's trainers take it: subfolders that begin with their repeats, captions beside the pictures."""
    named = [
        ("10_cats", "a cat"),
        ("10_cats", "a dog"),
        ("3_houses", "a house"),
        ("logs", "none of the set"),
        ("", "own"),
    ]
    for k, (name, caption) in enumerate(named):
        save(root / name / f"{k}.png", picture(k, 40, 32))
        (root / name / f"{k}.txt").write_text(caption)
    (root / "10_cats" / ".cache.png").write_bytes(b"")
    (root / "10_cats" / "0.npz").write_bytes(b"")  # kohya keeps its latents there
    (root / "7_empty").mkdir()
    return root


def test_folders_named_by_repeats_count_each_picture_that_often(tmp_path):
    root = kohya_folder(tmp_path / "set")
    found = pictures_in_folder(root)
    assert [(p.relative_to(root).as_posix(), n) for p, n in found] == [
        ("4.png", 1),
        ("10_cats/0.png", 10),
        ("10_cats/1.png", 10),
        ("3_houses/2.png", 3),
    ]
    items = items_from_folder(root)
    assert [(i.caption, i.repeats) for i in items] == [("own", 1), ("a cat", 10), ("a dog", 10), ("a house", 3)]
    assert [i.repeats for i in items_from_folder(root / "3_houses")] == [3]  # such a folder itself


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("0_none", "says 0 repeats"),
        ("999999_x", "says 999999 repeats"),
        ("other", "holds no picture"),
        (None, "does not"),
    ],
)
def test_folders_that_cannot_be_a_data_set_are_refused(tmp_path, name, sentence):
    if name:
        save(tmp_path / "set" / name / "a.png", picture(1, 32, 32))
    with pytest.raises(UserError, match=sentence):
        pictures_in_folder(tmp_path / "set")


def test_train_takes_such_a_folder_as_the_node_does(tmp_path):
    """Pictures, captions and repeats that `train --style FOLDER` begins a run with are those of the node's folder."""
    root = kohya_folder(tmp_path / "set")
    parser = argparse.ArgumentParser()
    verb.add(parser.add_subparsers())
    args = parser.parse_args(["train", "--run", "x", "--style", str(root)])
    pictures, repeats = train_data.style_pictures(args)
    items = train_data.items_of_style(args, pictures, Bars())
    own = items_from_folder(root)
    assert [(i.caption, i.id) for i in items] == [(i.caption, i.id) for i in own]
    assert repeats == [i.repeats for i in own]
    single = parser.parse_args(["train", "--run", "x", "--style", str(root / "4.png"), str(root / "3_houses")])
    assert train_data.style_pictures(single)[1] == [1, 3]
