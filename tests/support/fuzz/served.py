"""What is asked of servers: the gallery's routes on a bare one, graphs of our nodes in a real ComfyUI."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from swf_core.errors import UserError
from swf_core.learn import picks

from support.api_graphs import patch_inputs, triple_inputs
from support.comfy_host import find, free_port, new_base, serve
from support.fuzz.mutations import ODD_VALUES, mutate_bytes, mutate_json, mutate_text
from support.gallery_server import gallery_server, request
from support.made_runs import make_run

Case = Callable[[Random | None, Path], None]
# Values of widgets that only make a graph slow; a mutated number is brought into these bounds.
BOUNDS = {"steps": 4, "size": 256, "forward_first": 2, "refinements": 2, "width": 256, "height": 256, "batch_size": 4}
_HEADERS = ("Content-Type", "Origin", "Host", "comfy-user", "Content-Encoding", "Sec-Fetch-Site", "Accept", "Range")


def routes(seeds: Path) -> Case:
    """Requests to every route, with path, query, headers or body mutated: a result or a 4xx with one sentence."""
    (sample, *_) = make_run(seeds / "a run", plain=True)
    context = gallery_server(seeds)
    url = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    (run,) = request(url, "GET", "/swf/gallery")[1]["runs"]
    front = f"/swf/gallery/{run['token']}"
    requests: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/swf/gallery", None),
        ("GET", front, None),
        ("GET", f"{front}/picture/{sample}?px=64", None),
        ("POST", f"{front}/judge", {"accept": [sample], "reject": [], "forget": []}),
        ("POST", f"{front}/caption", {"id": sample, "caption": "a red house"}),
        ("POST", f"{front}/go", {"step": 1}),
        ("POST", "/swf/gallery/client", {"client": "0123456789abcdef"}),
        ("POST", "/swf/gallery/waits/0123456789abcdef", {"open": True}),
    )

    def case(rng: Random | None, folder: Path) -> None:
        method, path, body = rng.choice(requests) if rng else requests[1]
        data = None if body is None else json.dumps(body).encode()
        headers: dict[str, str] = {}
        if rng:
            part = rng.randrange(4)
            if part == 0:
                path = "/" + quote(mutate_text(path[1:], rng), safe="/?=&%")
            elif part == 1:
                value = mutate_text(rng.choice(("application/json", "http://127.0.0.1", "gzip", "")), rng)
                headers[rng.choice(_HEADERS)] = "".join(c for c in value if c.isprintable() and c < "\u0100")
            elif body is not None:
                data = json.dumps(mutate_json(body, rng)).encode() if part == 2 else mutate_bytes(data or b"", rng)
            else:
                method = rng.choice(("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"))
        before = picks.read_picks(seeds / "a run")
        status, answer = request(url, method, path, data, headers)
        assert status < 500, f"{method} {path[:80]} {headers}: HTTP {status} {str(answer)[:200]}"
        if status >= 400:
            assert str(seeds) not in str(answer), "an answer tells a path"
            assert picks.read_picks(seeds / "a run") == before, "a refused request has changed the picks"
            raise UserError(f"HTTP {status}")

    return case


def workflows(seeds: Path) -> Case:
    """Graphs of our nodes as API prompts, values mutated: refused when posted, a result, or one sentence of a node."""
    from swf_core.measure.metrics.pairs import make_pairs

    from support.comfy_server import put_pictures

    host = find()
    assert not isinstance(host, str), host
    server, process = serve(host, new_base(seeds), free_port())
    atexit.register(process.kill)
    put_pictures(seeds, make_pairs(7, 12_345_600)[6])
    stock = {
        "1": {"class_type": "SWF_MiniLoader", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red house", "clip": ["1", 1]}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "content.png"}},
        "4": {"class_type": "LoadImage", "inputs": {"image": "style.png"}},
        "5": {"class_type": "VAEEncode", "inputs": {"pixels": ["3", 0], "vae": ["1", 2]}},
        "6": {"class_type": "VAEEncode", "inputs": {"pixels": ["4", 0], "vae": ["1", 2]}},
    }
    text = {"positive": ["2", 0], "negative": ["2", 0]}
    ours: tuple[dict[str, Any], ...] = (
        {"8": {"class_type": "SWF_TripleSampler", "inputs": triple_inputs(
            model=["1", 0], content=["5", 0], style=["6", 0], **text, steps=2)},
         "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}}},
        {"7": {"class_type": "SWF_QueryPreservePatch", "inputs": patch_inputs(
            model=["1", 0], content=["5", 0], style=["6", 0])},
         "8": {"class_type": "KSampler", "inputs": dict(
             model=["7", 0], seed=1, steps=2, cfg=2.0, sampler_name="euler", scheduler="normal", denoise=1.0,
             latent_image=["5", 0], **text)},
         "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}}},
        {"9": {"class_type": "SWF_StyleStrip", "inputs": {"caption": "a red house, oil painting", "edited": ""}}},
        {"9": {"class_type": "SWF_ColorEdit", "inputs": {"image": ["3", 0], "palette": "navy, gold", "strength": 1.0}}},
    )  # fmt: skip

    def case(rng: Random | None, folder: Path) -> None:
        own = rng.choice(ours) if rng else ours[0]
        graph = json.loads(json.dumps(stock | own))
        if rng:
            for _ in range(rng.choice((1, 1, 2))):
                node = graph[rng.choice(list(own))]["inputs"]
                name = rng.choice(list(node))
                node[name] = rng.choice(ODD_VALUES + (["2", 0], ["3", 0], ["1", 2], ["5", 0]))
                if name in BOUNDS and isinstance(node[name], int | float) and not isinstance(node[name], bool):
                    node[name] = min(node[name], BOUNDS[name])
        last = {"class_type": "PreviewAny", "inputs": {"source": ["9", 0]}}
        try:
            history = server.run(graph | {"99": last})
        except AssertionError as refused:
            json.loads(str(refused))  # the host's reasons, as JSON
            raise UserError("refused by the host") from None
        if history["status"]["status_str"] != "success":
            errors = [data for kind, data in history["status"]["messages"] if kind == "execution_error"]
            told = f"{errors[0]['node_type']}: {errors[0]['exception_type']}: {errors[0]['exception_message'].strip()}"
            if errors[0]["node_type"].startswith("SWF_"):
                assert errors[0]["exception_type"].endswith("UserError"), told
            raise UserError(told.replace("\n", " ")[:800])

    return case
