"""`styleid` against the published algorithm, written straight from its formulas in the papers' own scale.

StyleID (arXiv 2312.09008): z = sqrt(abar) x0 + sqrt(1 - abar) eps; DDIM inversion at t = 1, 21, .., 981 with eps at the
current t, last target 999; q, k, v of the late decoder layers kept under the current t; AdaIN of the two end latents;
49 DDIM steps from t = 961 with Q = 0.75 Q_c + 0.25 Q, K and V of style, logits times 1.5; the last step goes to t = 0.
"""

from __future__ import annotations

import torch

from swf_core.transfer import preset, stylize

from support.tiny_models import picture, tiny_backend


class Spy:
    """Stores q, k, v of one layer, or attends with what was stored; explicit matrices."""

    def __init__(self):
        self.recorded, self.borrowed = None, None

    def __call__(self, attn, x, encoder_hidden_states=None, attention_mask=None, **_):
        rows, tokens, _ = x.shape

        def split(y):
            return y.view(rows, tokens, attn.heads, -1).transpose(1, 2)

        q, k, v = split(attn.to_q(x)), split(attn.to_k(x)), split(attn.to_v(x))
        self.recorded = (q, k, v)
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if self.borrowed is not None:
            q_c, k, v = self.borrowed
            q = 0.75 * q_c + (1 - 0.75) * q
            logits = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5) * 1.5
        out = torch.softmax(logits, -1) @ v
        return attn.to_out[0](out.transpose(1, 2).reshape(rows, tokens, -1))


@torch.no_grad()
def published(backend, content, style):
    unet = backend.denoiser.network
    text = backend.text.encode([""], 64, 64).tokens
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    abar = torch.cumprod(1 - betas, 0)
    spies = {}
    for block in (2, 3):
        for index in range(3):
            attn = unet.up_blocks[block].attentions[index].transformer_blocks[0].attn1
            spies[attn] = (Spy(), attn.processor)
            attn.processor = spies[attn][0]
    evaluations = 0

    def eps(z, t):
        nonlocal evaluations
        evaluations += z.shape[0]
        return unet(z, torch.tensor(t), encoder_hidden_states=text).sample

    def move(z, e, t, target):
        x0 = (z - (1 - abar[t]).sqrt() * e) / abar[t].sqrt()
        return (abar[target].sqrt() * x0 + (1 - abar[target]).sqrt() * e).float()

    def invert(z):
        features = {}
        for t in range(1, 1000, 20):
            e = eps(z, t)
            features[t] = [spy.recorded for spy, _ in spies.values()]
            z = move(z, e, t, t + 20 if t + 20 < 1000 else 999)
        return z, features

    try:
        z_c, of_content = invert(backend.codec.encode(content[None]))
        z_s, of_style = invert(backend.codec.encode(style[None]))

        def mean(z):
            return z.mean((0, 2, 3), keepdim=True)

        def std(z):
            return z.std((0, 2, 3), keepdim=True)

        z = (z_c - mean(z_c)) / std(z_c) * std(z_s) + mean(z_s)
        for t in range(961, 0, -20):
            for (spy, _), c, s in zip(spies.values(), of_content[t], of_style[t]):
                spy.borrowed = (c[0], s[1], s[2])
            z = move(z, eps(z, t), t, t - 20 if t > 1 else 0)
    finally:
        for attn, (_, before) in spies.items():
            attn.processor = before
    return z, evaluations


def test_styleid_is_the_published_algorithm_at_149_evaluations():
    backend = tiny_backend("sd15")
    content, style = picture(1), picture(2)
    expected, evaluations = published(backend, content, style)
    result = stylize(backend, [content], [style], preset("styleid", backend))
    assert evaluations == result.cost.counted == result.cost.planned == 149
    latents = result.latents[0][None]
    assert float((latents - expected).abs().max() / expected.abs().max()) < 1e-4
    assert float((latents - backend.codec.encode(content[None])).abs().max()) > 0.1  # it did something
    decoded = backend.codec.decode(expected)[0]
    assert torch.allclose(result.images[0], decoded, atol=1e-4)
