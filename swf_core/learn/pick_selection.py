"""Picks as a line of text, for graphs that travel and for the API: 0,2 or 100:2 or ids."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import UserError
from .picks import pickable_samples, read_picks


def parse_selection(folder: Path, text: str, up_to: int) -> dict[str, str]:
    """The samples that a text names, id -> caption, in the order of samples.json.

    "2" is a place among the samples of the step `up_to`, from 0; "100:2" one among those of step 100; 16 hexadecimal
    digits are an id; "none" is no sample. Raises UserError for anything else and for what the run does not have.
    """
    known, captions = pickable_samples(folder), read_picks(folder)["captions"]
    if text.strip().lower() == "none":
        return {}
    by_step: dict[int, list[str]] = {}
    for name, record in known.items():
        if record["step"] <= up_to:
            by_step.setdefault(record["step"], []).append(name)
    chosen: set[str] = set()
    for word in re.split(r"[\s,;]+", text.strip()):
        if re.fullmatch(r"[0-9a-f]{16}", word):
            if word not in known or known[word]["step"] > up_to:
                raise UserError(f"The selection names the sample {word}, which this run does not have.")
            chosen.add(word)
            continue
        place = re.fullmatch(r"(?:(\d{1,7}):)?(\d{1,4})", word)
        if place is None:
            raise UserError(f"The selection has '{word}'; give places (0,2), step:place (100:2), ids, or 'none'.")
        step = int(place[1]) if place[1] else up_to
        ids = by_step.get(step, [])
        if int(place[2]) >= len(ids):
            raise UserError(f"The selection names sample {place[2]} of step {step}, which has {len(ids)} samples.")
        chosen.add(ids[int(place[2])])
    return {i: captions.get(i, known[i]["prompt"]) for i in known if i in chosen}
