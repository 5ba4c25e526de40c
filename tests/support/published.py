"""What tests of published ways share: pictures, our result with its cost, and the papers' statistics, plainly."""

from __future__ import annotations

from swf_core.transfer import preset, stylize

from support.straight_line import CLEAN
from support.tiny_models import picture

CONTENT, STYLE = picture(1), picture(2)


def latents_of(backend):
    return backend.codec.encode(CONTENT[None]), backend.codec.encode(STYLE[None])


def transferred(backend, name, **changes):
    """The preset's result at 64 px and its cost."""
    result = stylize(backend, [CONTENT], [STYLE], preset(name, backend).changed(size_px=64, **changes))
    assert result.cost.counted == result.cost.planned
    return result.latents[0][None], result.cost.counted


def assert_same(ours, published, clean):
    assert float((ours - published).abs().max() / published.abs().max()) < 1e-4
    assert float((ours - clean).abs().max()) > 0.05  # something was done


def channels(z):
    return z.mean((-2, -1), keepdim=True), z.std((-2, -1), keepdim=True)


def adain(z, target):
    (mean, deviation), (target_mean, target_deviation) = channels(z), channels(target)
    return (z - mean) / deviation * target_deviation + target_mean


def tokens_adain(x, target):
    def statistics(y):
        return y.mean(-2, keepdim=True), y.std(-2, keepdim=True, correction=0)

    (mean, deviation), (target_mean, target_deviation) = statistics(x), statistics(target)
    return (x - mean) / deviation.clamp_min(1e-6) * target_deviation + target_mean


def sampled(line, z, timesteps, predict):
    """DDIM down the rising `timesteps`, with predict(index, z, t) -> eps."""
    falling = timesteps[::-1]
    for index, (t, target) in enumerate(zip(falling, [*falling[1:], CLEAN])):
        z = line.move(z, predict(index, z, t), t, target)
    return z.float()
