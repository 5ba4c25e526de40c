"""Presets of published ways that change the start or the schedule, and what every preset says of itself."""

from __future__ import annotations

import pytest
import torch

from swf_core.presets import ENTRIES, PRESETS
from swf_core.presets.own import OWN
from swf_core.transfer import Content, Models, StyleInput, preset, randomness
from swf_core.transfer.contents import content_batches
from swf_core.transfer.context import TransferContext
from swf_core.transfer.generation import Generation
from swf_core.transfer.style_planning import style_references

from support.cli import swf
from support.published import CONTENT, STYLE, assert_same, channels, latents_of, sampled, transferred
from support.straight_line import CLEAN, StraightLine, timesteps_of
from support.tiny_models import tiny_backend


def test_scheduled_is_styleid_with_a_falling_gamma():
    backend = tiny_backend("sd15")
    scheduled, styleid = preset("scheduled", backend), preset("styleid", backend)
    assert [scheduled.injection.gamma_at(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.75, 0.5625, 0.375])
    assert scheduled.changed(gamma_end=None, gamma_schedule="constant") == styleid


@torch.no_grad()
def test_attenst_refines_each_inversion_step_and_starts_with_mixed_statistics():
    backend, steps = tiny_backend("sd15"), 4
    with StraightLine(backend, ("none",)) as line:
        z_c, z_s = latents_of(backend)
        ends = []
        for z in (z_c, z_s):
            for here, there in zip([CLEAN, *timesteps_of(steps)], timesteps_of(steps)):
                start = z
                z = line.move(z, line.eps(line.level(0)[0] * z if here == CLEAN else z, max(here, 0)), here, there)
                for _ in range(5):
                    z = line.move(start, line.eps(z, there), here, there)
            ends.append(z)
        (mean_c, deviation_c), (mean_s, deviation_s) = (channels(z) for z in ends)
        z = (ends[0] - mean_c) / deviation_c * (0.6 * deviation_s + 0.4 * deviation_c) + 0.6 * mean_s + 0.4 * mean_c
        published = sampled(line, z, timesteps_of(steps), lambda index, z, t: line.eps(z, t))
    # its attention is StyleID's, which has a test above
    injection = preset("attenst", backend).injection
    assert injection == preset("styleid", backend).injection
    ours, evaluations = transferred(backend, "attenst", steps=steps, strength=0.0)
    assert evaluations == line.evaluations == 2 * 6 * steps + steps
    assert_same(ours, published, z_c)


@torch.no_grad()
def test_stylessp_starts_with_less_of_the_low_frequencies():
    backend, steps = tiny_backend("sd15"), 4
    with StraightLine(backend, ("none",)) as line:
        z_c, _ = latents_of(backend)
        timesteps = timesteps_of(steps)
        z = line.invert(z_c, timesteps)[0][timesteps[-1]].float()
        spectrum, share = torch.fft.fft2(z), torch.fft.fftfreq(z.shape[-1]) * 2
        low = torch.fft.ifft2(spectrum * torch.exp(-(share[:, None] ** 2 + share**2) / (2 * 0.3**2))).real
        noise = randomness.noise_like(z, 0, randomness.DAMPING) * z.std((-3, -2, -1), keepdim=True)
        z = (z - low) + 0.7 * low + 0.3 * noise
        published = sampled(line, z, timesteps, lambda index, z, t: line.eps(z, t))
    ours, _ = transferred(backend, "stylessp", steps=steps, strength=0.0)
    assert_same(ours, published, z_c)


def test_every_preset_says_what_it_is_and_what_it_costs():
    backend = tiny_backend("sd15")
    stated = {name: entry for name, entry in ENTRIES.items() if entry.source}
    assert len(stated) == len(ENTRIES) - len(OWN)
    for name, entry in stated.items():
        assert entry.departs and "\n" not in entry.line
        # planned; that it is what is counted, the tests above measure
        context = TransferContext.plan(Models.of(backend), preset(name, backend), "", 0, None)
        styles = [style for style, _ in style_references([StyleInput(STYLE)], context)]
        (batch,) = content_batches([Content(CONTENT)], context)
        Generation(context, batch, styles)
        assert context.meter.planned == entry.evaluations, name


def test_help_has_a_line_for_each():
    text = swf("stylize", "--help").stdout
    lines = [line.strip().split(": ")[0] for line in text[text.index("\npresets:\n") :].splitlines()]
    assert set(PRESETS) <= set(lines)
