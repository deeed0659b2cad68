"""The random generators that student code may use."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def generators(*, accelerator: bool) -> Callable[[int], None]:
    """Return what seeds every global random generator that student code may use.

    Called before student code is read, which may put something else where a library was.
    """
    seeded: list[Callable[[int], Any]] = [random.seed, _seed_numpy]
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        # torch.manual_seed asks after every kind of accelerator, for milliseconds.
        seeded.append(torch.manual_seed if accelerator else torch.default_generator.manual_seed)

    def seed_all(seed: int) -> None:
        for one in seeded:
            one(seed)

    return seed_all


def _seed_numpy(seed: int) -> None:
    np.random.seed(seed % 2**32)  # noqa: NPY002 - what students call
