"""Run by ComfyUI's Python in its folder: REPORT (JSON). Styles kept on disk, as a restarted host finds them.

Each case holds the evaluations of one sampling by a host that has nothing in memory, how many styles then lie on disk,
and how far its latent is from that of a host without the disk.
"""

import os
import sys

from native_tools import STORE, apart, draw, model, pack, repainted, report, rows_of_calls, torch, write_report

VARIABLE = pack("nodes.host.transfer.style_cache").VARIABLE
FOLDER = os.path.join(os.path.dirname(sys.argv[1]), "styles")
content, other, style, second = (draw(1, 4, 8, 8, seed=k) for k in range(4))


def with_other_weights():
    changed = model.clone()
    weights = model.model.diffusion_model.named_parameters()
    name, weight = next((name, w) for name, w in weights if name.endswith("attn1.to_q.weight"))
    changed.add_patches({f"diffusion_model.{name}": (draw(*weight.shape, seed=9),)}, 1.0)
    return changed


def sampled(shown, painted, on, folder):
    os.environ[VARIABLE] = folder
    STORE.clear()
    rows_of_calls.clear()
    return repainted(shown, painted, model=on, steps=4, seed=1)["samples"]


def case(name, shown, painted=style, on=model):
    without = sampled(shown, painted, on, "")
    evaluations = sum(rows_of_calls)
    kept = sampled(shown, painted, on, FOLDER)
    report[name] = {
        "E without": evaluations,
        "E": sum(rows_of_calls),
        "styles": len(os.listdir(FOLDER)),
        "apart": apart(kept, without),
    }


with torch.inference_mode():
    case("first", content)
    case("another content", other)
    case("another style", content, second)
    case("other weights", content, style, with_other_weights())
    case("first again", content)
write_report()
