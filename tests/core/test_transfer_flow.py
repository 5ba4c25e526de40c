"""Flow inversion and its samplers: orders of convergence, identities, cost, and the round trip on networks."""

from __future__ import annotations

import math

import pytest
import torch

from swf_core.transfer import Content, Injection, SampleOptions, SharedStyles, TransferOptions, sample, stylize
from swf_core.transfer.flow_inversion import invert_controlled, invert_fixed_point, invert_flow
from swf_core.transfer.flow_steps import FLOW_STEPS, half_way, walk, walked
from swf_core.transfer.inversion import invert_ddim
from swf_core.transfer.reference_cache import ReferenceCache
from swf_core.transfer.sampler import run_sampler

from support.tiny_models import FAMILIES, picture, tiny_backend
from support.tiny_transfer import CONTENT, FAST, STYLE, apart, run

SMALLEST = 1e-6
TOP = 0.9  # t at the end of the toy's levels: sigma 9
SMALL = picture(1, 32, 32)
_MIXTURE = torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
CLEAN = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
NOISE = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def velocity(y, t):
    """A smooth velocity of the flow: y [B, 4, h, w] at t in 0..1."""
    return torch.sin(torch.einsum("ij,bjhw->bihw", _MIXTURE, y) + 3.0 * t)


def toy(x, sigma, own=True):
    """x0 of the flow above, from a sigma-space latent: y - t * v."""
    y, t = x.double() / (1.0 + sigma), sigma / (1.0 + sigma)
    return (y - t * velocity(y, t)).to(x.dtype)


def toy_levels(steps):
    return [t / (1.0 - t) for t in (TOP * (i + 1) / steps for i in range(steps))]


def up(kind, steps):
    if kind == "euler":
        path = invert_ddim(toy, CLEAN, toy_levels(steps), smallest=SMALLEST)
    else:
        path = invert_flow(kind, toy, CLEAN, toy_levels(steps), smallest=SMALLEST)
    return path.points[toy_levels(steps)[-1]]


def down(kind, x, steps):
    def along(here_x, sigma):
        return (here_x - toy(here_x, sigma)) / sigma - toy(here_x, sigma)

    *_, (_, _, clean) = walk(kind, along, x, [*toy_levels(steps)[::-1], 0.0])
    return clean


def round_trip(kind, steps, refinements=0):
    if kind == "euler":
        levels = toy_levels(steps)
        path = invert_ddim(toy, CLEAN, levels, smallest=SMALLEST, refinements=refinements)
        back = run_sampler(toy, [path.points[levels[-1]]], levels[::-1])
    else:
        back = down(kind, up(kind, steps), steps)
    return float((back - CLEAN).abs().max())


def slopes(errors):
    return [math.log2(coarse / fine) for coarse, fine in zip(errors, errors[1:])]


@pytest.mark.parametrize(("kind", "order"), [("euler", 1), ("midpoint", 2), ("fireflow", 2)])
def test_orders_of_convergence_by_halving_the_steps(kind, order):
    exact = up("midpoint", 2048)
    errors = [float((up(kind, steps) - exact).abs().max()) for steps in (32, 64, 128, 256)]
    assert all(order - 0.25 < slope < order + 0.25 for slope in slopes(errors)), slopes(errors)


def test_the_steps_are_the_equations_of_the_flow():
    """Computed in y and t: midpoint, RF-Solver's second-order step, FireFlow; and Euler, which is DDIM's."""
    times = [i * TOP / 5 for i in range(6)]
    by = {kind: CLEAN for kind in ("euler", "midpoint", "rf_solver", "fireflow")}
    kept = velocity(CLEAN, 0.0)
    for t, h in ((t, TOP / 5) for t in times[:-1]):
        by["euler"] = by["euler"] + h * velocity(by["euler"], t)
        v = velocity(by["midpoint"], t)
        by["midpoint"] = by["midpoint"] + h * velocity(by["midpoint"] + h / 2 * v, t + h / 2)
        v = velocity(by["rf_solver"], t)
        derivative = (velocity(by["rf_solver"] + h / 2 * v, t + h / 2) - v) / (h / 2)
        by["rf_solver"] = by["rf_solver"] + h * v + h**2 / 2 * derivative
        kept = velocity(by["fireflow"] + h / 2 * kept, t + h / 2)
        by["fireflow"] = by["fireflow"] + h * kept
    assert float((by["rf_solver"] - by["midpoint"]).abs().max()) < 1e-13
    levels = toy_levels(5)
    euler = invert_controlled(toy, CLEAN, levels, noise=NOISE, smallest=SMALLEST, gamma=0.0).points[levels[-1]]
    for kind, ours in (("euler", euler), ("midpoint", up("midpoint", 5)), ("fireflow", up("fireflow", 5))):
        assert float((ours * (1.0 - TOP) - by[kind]).abs().max()) < 1e-5, kind
    assert float((by["fireflow"] - by["midpoint"]).abs().max()) > 1e-3


def test_round_trips_as_published_in_trend():
    """Second order returns far better for the evaluations, and the fixed point exactly but for rounding."""
    for steps in (8, 32, 64):
        euler, midpoint, fireflow = (round_trip(kind, steps) for kind in ("euler", *FLOW_STEPS))
        assert midpoint < fireflow < 0.2 * euler
        assert fireflow < 0.5 * round_trip("euler", 2 * steps)
    assert round_trip("euler", 32, refinements=30) < 1e-5 < 1e-2 * round_trip("euler", 32)
    # there and back the leading errors of an even order cancel
    assert all(slope > 2.8 for kind in FLOW_STEPS for slope in slopes([round_trip(kind, n) for n in (16, 32, 64)]))


def exact_return(iterations, steps=32, top=TOP):
    """Euler's steps down, in y and t, from where the fixed point has led up to: how far from the clean latent."""
    times = [top * i / steps for i in range(steps + 1)]
    levels = [t / (1.0 - t) for t in times[1:]]
    path = invert_fixed_point(toy, CLEAN, levels, smallest=SMALLEST, iterations=iterations)
    y = path.points[levels[-1]] * (1.0 - top)
    for t, below in zip(times[:0:-1], times[-2::-1]):
        y = y + (below - t) * velocity(y, t)
    return float((y - CLEAN).abs().max())


def test_the_fixed_point_is_exact():
    """Euler's own error of 0.13 in 32 steps goes down to rounding; near t = 1, where sigma space is slow, too."""
    errors = [exact_return(k) for k in (0, 1, 2, 3, 5, 10, 20)]
    assert errors[0] > 0.1 and all(fine < 0.15 * coarse for coarse, fine in zip(errors, errors[1:-1]))
    assert errors[4] < 1e-6 and errors[5] < 1e-9 and errors[6] < 1e-12
    assert exact_return(20, steps=8) < 1e-9
    assert exact_return(10, top=0.995) < 1e-9
    levels = [t / (1.0 - t) for t in (0.995 * (i + 1) / 32 for i in range(32))]
    path = invert_ddim(toy, CLEAN, levels, smallest=SMALLEST, refinements=10)
    back = run_sampler(toy, [path.points[levels[-1]]], levels[::-1])
    assert float((back - CLEAN).abs().max()) > 1e-4


def test_the_middle_of_a_step_is_the_same_both_ways_and_on_the_path():
    for here, there in ((0.0, 0.03), (0.5, 14.6), (3.0, 4.0)):
        assert half_way(here, there) == half_way(there, here)
        assert here < half_way(here, there) < there
    assert walked("fireflow", [0.0, 1.0, 3.0]) == [0.0, half_way(0.0, 1.0), half_way(1.0, 3.0)]
    levels = toy_levels(64)
    path = invert_flow("fireflow", toy, CLEAN, levels, smallest=SMALLEST)
    fine = invert_flow("midpoint", toy, CLEAN, toy_levels(128), smallest=SMALLEST)
    middle = half_way(levels[10], levels[11])
    nearest = min(fine.points, key=lambda sigma: abs(sigma - middle))
    assert nearest == pytest.approx(middle)
    assert float((path.points[middle] - fine.points[nearest]).abs().max()) < 5e-3


def test_the_controller_between_inversion_and_the_straight_line():
    levels = toy_levels(10)
    plain = invert_ddim(toy, CLEAN, levels, smallest=0.01)  # in float32, so not at a millionth
    free = invert_controlled(toy, CLEAN.float(), levels, noise=NOISE, smallest=0.01, gamma=0.0)
    half, straight = (
        invert_controlled(toy, CLEAN, levels, noise=NOISE, smallest=SMALLEST, gamma=gamma) for gamma in (0.5, 1.0)
    )
    for level in levels:
        assert torch.allclose(free.points[level], plain.points[level].double(), atol=1e-4)
        assert torch.allclose(straight.points[level], CLEAN + level * NOISE, atol=1e-9)
    # the published update, in y and t
    y, h = CLEAN, TOP / 10
    for t in (i * h for i in range(10)):
        v = velocity(y, t)
        y = y + h * (v + 0.5 * ((NOISE - y) / (1.0 - t) - v))
    assert torch.allclose(half.points[levels[-1]] * (1.0 - TOP), y, atol=1e-6)


PLAIN = TransferOptions(Injection(strength=0.0, gamma=0.0), adain=0.0, size_px=0, steps=12)


def reconstruction(family, **more):
    clean = tiny_backend(family).codec.encode(SMALL[None])[0]
    result = stylize(tiny_backend(family), [SMALL], [SMALL], PLAIN.changed(**more))
    assert result.cost.counted == result.cost.planned
    return float((result.latents[0] - clean).norm() / clean.norm()), result.cost.counted


@pytest.mark.parametrize("family", FAMILIES)
def test_round_trips_of_networks(family):
    """FireFlow returns better than DDIM at equal cost, refined or not; midpoint at equal steps, twice the cost."""
    euler, refined = reconstruction(family, steps=16), reconstruction(family, steps=8, refinements=2)
    fireflow = reconstruction(family, content_encoding="fireflow", solver="fireflow", steps=15)
    midpoint = reconstruction(family, content_encoding="midpoint", solver="midpoint", steps=16)
    exact = reconstruction(family, content_encoding="fixed_point", steps=16, refinements=8)
    assert (euler[1], refined[1], fireflow[1], midpoint[1], exact[1]) == (32, 32, 32, 64, 160)
    assert exact[0] < 0.1 * euler[0]
    assert fireflow[0] < 0.5 * euler[0] and fireflow[0] < 0.8 * refined[0] and midpoint[0] < 0.5 * euler[0]


PICTURE = Injection(gamma=0.5, layers="up.3.2")
BOTH = {kind: dict(content_encoding=kind, style_encoding=kind) for kind in (*FLOW_STEPS, "rf_controller")}
# N = 4 steps. Inversions 8, 5 and 4. Features are captured wherever a sampler of the same kind reads them, but at the
# noisiest level, which no inversion evaluates, and between the quietest and 0.
CASES = {
    "midpoint": (BOTH["midpoint"] | dict(solver="midpoint"), 2 * (8 + 2) + 8),
    "fireflow": (BOTH["fireflow"] | dict(solver="fireflow"), 2 * (5 + 2) + 5),
    "midpoint, then euler": (BOTH["midpoint"], 2 * (8 + 1) + 4),
    "fireflow, then euler": (BOTH["fireflow"], 2 * (5 + 4) + 4),
    "rf_controller": (BOTH["rf_controller"], 2 * (4 + 1) + 4),
    "fixed_point": (dict(content_encoding="fixed_point", style_encoding="fixed_point"), 2 * (4 * 6 + 1) + 4),
    "fixed_point, refined": (dict(content_encoding="fixed_point", refinements=2), 4 * 3 + 1 + 4 * 3 + 1 + 4),
    "ddim, then fireflow": (dict(solver="fireflow"), 2 * (4 + 5) + 5),
    "lockstep": (BOTH["fireflow"] | dict(solver="fireflow", features="lockstep"), 2 * (5 + 5) + 5),
    "alternate": (BOTH["fireflow"] | dict(solver="fireflow", features="alternate"), 2 * (5 + 1) + 5),
    "stochastic style": (BOTH["fireflow"] | dict(solver="fireflow", style_encoding="stochastic"), 7 + 5 + 5),
    "guidance": (BOTH["fireflow"] | dict(solver="fireflow", cfg=3.0), 2 * 7 + 10),
    "half": (BOTH["fireflow"] | dict(solver="fireflow", denoise=0.5), 2 * (3 + 2) + 3),
    "one step": (BOTH["midpoint"] | dict(solver="midpoint", steps=1), 2 * (2 + 2) + 2),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_counted_is_planned(name, spacing):
    options, expected = CASES[name]
    chosen = TransferOptions(**{"injection": PICTURE, "steps": 4, "size_px": 0, "spacing": spacing, **options})
    cost = stylize(tiny_backend("sd15"), [Content(SMALL, "a")], [SMALL], chosen).cost
    assert cost.counted == cost.planned == expected
    assert all(torch.isfinite(x).all() for x in stylize(tiny_backend("sd15"), [SMALL], [SMALL], chosen).latents)


FLOW = FAST.changed(content_encoding="fireflow", style_encoding="fireflow", solver="fireflow")


@pytest.mark.parametrize("kind", FLOW_STEPS)
def test_same_bytes_again_in_any_batch_and_with_features_evaluated_anew(kind):
    options = FAST.changed(content_encoding=kind, style_encoding=kind, solver=kind)
    first = run("sd15", options, contents=[CONTENT, picture(3)])
    assert all(torch.equal(a, b) for a, b in zip(first.latents, run("sd15", options, [CONTENT, picture(3)]).latents))
    assert apart(first, run("sd15", options)) < 1e-4
    assert apart(first, run("sd15", options.changed(features="lockstep"))) < 0.2 * apart(first, run("sd15", FAST))


def test_the_controllers_noise_is_the_seeds():
    options = FAST.changed(content_encoding="rf_controller", style_encoding="rf_controller")
    one, again, other = (run("sd15", options, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.latents[0], again.latents[0]) and apart(one, other) > 1e-2


def test_styles_of_words_and_kept_styles(tmp_path):
    words = run("sd15", FLOW.changed(size_px=32, style_size_px=32), styles=["oil"])
    assert words.cost.counted == words.cost.planned
    results = []
    for _ in range(2):
        shared = SharedStyles(tiny_backend("sd15"), [STYLE], FLOW, cache=ReferenceCache(tmp_path))
        results += [shared.stylize([CONTENT]), shared.stylize([CONTENT])]
    assert all(result.cost.counted == result.cost.planned for result in results)
    assert all(torch.equal(result.latents[0], results[0].latents[0]) for result in results)
    assert results[2].cost.counted < results[0].cost.counted


@pytest.mark.parametrize("kind", FLOW_STEPS)
def test_style_equal_to_content_is_near_the_reconstruction(kind):
    same = FAST.changed(tau=1.0, steps=12, content_encoding=kind, style_encoding=kind, solver=kind)
    clean = tiny_backend("sd2v").codec.encode(CONTENT[None])[0]
    error = {
        strength: float((run("sd2v", same.changed(strength=strength), styles=[CONTENT]).latents[0] - clean).abs().max())
        for strength in (0.0, 1.0)
    }
    assert error[1.0] < 3 * error[0.0]
    other = run("sd2v", same, styles=[STYLE]).latents[0]
    assert float((other - clean).abs().max()) > 2 * error[1.0]


def test_refusals():
    with pytest.raises(ValueError, match="midpoint, fireflow, lcm"):
        TransferOptions(solver="rf_solver")
    with pytest.raises(ValueError, match="midpoint, fireflow, rf_controller, fixed_point"):
        TransferOptions(style_encoding="rectified")
    with pytest.raises(ValueError, match="spacing 'styleid' is StyleID's schedule"):
        TransferOptions(spacing="styleid", solver="fireflow")
    with pytest.raises(ValueError, match="spacing 'styleid' is StyleID's inversion"):
        TransferOptions(spacing="styleid", content_encoding="fireflow")
    with pytest.raises(ValueError, match="solver is 'fireflow'; use one of euler, lcm"):
        sample(tiny_backend("sd15"), ["a"], SampleOptions(2, solver="fireflow"))
