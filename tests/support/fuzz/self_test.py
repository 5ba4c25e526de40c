"""What the fuzzer must see, drawn: a result, a sentence, a traceback, a hang, a crash, too much memory."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

from swf_core.errors import UserError


def case(rng: Random | None, folder: Path) -> None:
    kind = rng.randrange(6) if rng else 0
    if kind == 1:
        raise UserError("This is one sentence.")
    if kind == 2:
        raise ZeroDivisionError
    if kind == 3:
        time.sleep(60)
    if kind == 4:
        os._exit(3)
    if kind == 5:
        assert b"\x01" * 1_500_000_000
