"""Mutations: of bytes, of texts, of JSON, of safetensors files. Each is drawn from a `random.Random` and bounded."""

from __future__ import annotations

import copy
import json
import struct
from random import Random
from typing import Any

NUMBERS = (0, 1, -1, 2, 255, 256, 65_535, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e-30, 1e30, 1e308)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, "", " ", "a", "-", "../a", "/a", "a" * 300, "ä中", "NaN", "1e400", [], [[]], {}, {"a": 1},
    [1, "a"], float("nan"), float("inf"), -float("inf"), *NUMBERS,
)  # fmt: skip
CHARACTERS = "aZ0 \t\n\r,.;:!?-_+*/\\|'\"`~@#$%^&()[]{}<>=，。、（）《》「」éßñ中文の\u200b\u200d\u0301\ufeff\u00a0"
LONGEST = 1 << 20  # bytes of a mutated file


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """One to eight changes: bits, bytes, chunks cut, doubled, moved, overwritten, lengths replaced."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        size = len(body)
        if not size:
            return bytes(rng.randbytes(rng.randrange(16)))
        at, span = rng.randrange(size), rng.choice((1, 2, 4, 16, 256))
        # Heads decide more than bodies do.
        at = min(at, rng.randrange(64)) if rng.random() < 0.4 else at
        kind = rng.randrange(8)
        if kind == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            body[at : at + span] = rng.randbytes(min(span, size - at))
        elif kind == 2:
            del body[at : at + span]
        elif kind == 3:
            body[at:at] = body[at : at + span]
        elif kind == 4:
            del body[at:]
        elif kind == 5:
            body[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice((0, 1, 255, 65_535, 2**24, 2**31)))
        elif kind == 6:
            other = rng.randrange(size)
            body[at : at + span] = body[other : other + span]
        else:
            body += rng.randbytes(span)
    return bytes(body[:LONGEST])


def mutate_text(text: str, rng: Random) -> str:
    """One to eight changes: characters put in, cut, doubled, pieces swapped."""
    for _ in range(rng.choice((1, 2, 4, 8))):
        at, other = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:at] + "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(1, 6))) + text[at:]
        elif kind == 1:
            text = text[:at] + text[other:]
        elif kind == 2:
            text = text[:other] + text[at:other] + text[other:]
        elif kind == 3:
            text = text[other:] + text[:at] + text[at:other]
        else:
            text = text[:at] + rng.choice((text.upper(), text.title(), "a " * 50, "," * 40, "(" * 20)) + text[at:]
    return text[:4000]


def mutate_json(value: Any, rng: Random) -> Any:
    """One to four places of a JSON value: another value, a key renamed, taken away or added, a list cut or doubled."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2, 4))):
        value = _mutate_place(value, rng)
    return value


def _mutate_place(value: Any, rng: Random) -> Any:
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return copy.deepcopy(rng.choice(ODD_VALUES))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key, kind = rng.choice(keys), rng.randrange(6)
    if kind == 0:
        del value[key]
    elif kind == 1 and isinstance(value, dict):
        value[rng.choice(("", "a", "__class__", key + "s"))] = value.pop(key)
    elif kind == 1:
        value.insert(key, copy.deepcopy(rng.choice(ODD_VALUES)))
    elif kind == 2 and isinstance(value, list):
        value.append(value[key])
    else:
        value[key] = _mutate_place(value[key], rng)
    return value


def mutate_safetensors(data: bytes, rng: Random) -> bytes:
    """The header's JSON, its values, or any byte."""
    kind = rng.randrange(3)
    if kind == 0:
        return mutate_bytes(data, rng)
    (length,) = struct.unpack("<Q", data[:8])
    body = bytearray(data[8 + length :])
    header = json.loads(data[8 : 8 + length])
    if kind == 1:
        header = mutate_json(header, rng)
    elif body:  # values that are no numbers, or huge: 16 bit of ones is NaN in every floating type
        at = rng.randrange(len(body)) & ~3
        body[at : at + 4] = rng.choice(
            (b"\xff\xff\xff\xff", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f", b"\x00\x7c\x00\x7c")
        )
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)
