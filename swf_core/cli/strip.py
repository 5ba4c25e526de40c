"""`strip`: captions without the words that say how a picture is made, as JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..errors import UserError
from .argument_types import number
from .arguments import add_common
from .loading import device_of
from .progress import Bars


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "strip",
        help="take the style words out of captions",
        description="Delete from captions, one a line, the words that say how a picture is made; one JSON line each on "
        "stdout. Without --llm no model is used.",
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="captions, one a line; default -, stdin")
    parser.add_argument(
        "--llm",
        metavar="URL|FOLDER",
        help="a language model marks the words: an OpenAI-compatible endpoint (http://127.0.0.1:11434/v1), or a folder "
        "with an instruct model",
    )
    parser.add_argument("--llm-model", default="", metavar="NAME", help="the endpoint's model; default: its first")
    parser.add_argument(
        "--key-variable", default="", metavar="NAME", help="the environment variable that holds the endpoint's key"
    )
    parser.add_argument(
        "--timeout", type=number(1, 3600), default=120.0, metavar="S", help="for a caption (default 120 s)"
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="the endpoint may be on another machine: captions leave this one"
    )
    parser.add_argument(
        "--media",
        nargs="+",
        default=(),
        metavar="PHRASE",
        help="phrases that name a medium in these captions though they are things elsewhere, such as: 'neon sign'",
    )
    parser.add_argument("--device", default="auto", help="of a local model; default: a GPU where there is one")
    add_common(parser, model=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, bars: Bars) -> dict[str, Any]:
    """Read, strip, report."""
    captions = _lines(args.file)
    from ..words.strip import strip_all

    marker = _marker(args)
    try:
        results = strip_all(captions, marker, None, bars("strip") if marker else None, args.media)
    finally:
        if marker:
            marker.close()
    rows = []
    for s in results:
        line = {"caption": s.caption, "stripped": s.stripped, "removed": list(s.removed), "method": s.method}
        rows.append(line | ({"note": s.note} if s.note else {}))
    bars.close()
    if not args.json:
        for line in rows:
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return {"captions": rows, "fallbacks": sum(bool(marker) and s.method != marker.name for s in results)}


def _lines(file: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"The captions '{file}' cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        raise UserError(f"'{file}' is no UTF-8 text; give a text file with one caption a line.") from None
    return text.splitlines()


def _marker(args: argparse.Namespace) -> Any:
    if not args.llm:
        return None
    if "://" in args.llm:
        from ..words.strip.llm.endpoint import Endpoint, EndpointMarker

        return EndpointMarker(Endpoint(args.llm, args.llm_model, args.key_variable, args.timeout, args.allow_remote))
    from ..words.strip.llm.local import load_instruct

    return load_instruct(Path(args.llm), device_of(args.device))
