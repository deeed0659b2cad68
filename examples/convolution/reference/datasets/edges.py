"""Images with one edge each, to try the filters of question 2 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

IMAGES, SIZE = 20, 9


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Draw images (IMAGES, 1, SIZE, SIZE) of three kinds; both tiers are the same."""
    del tier, data
    rng = np.random.default_rng(seed)
    dark, bright = rng.uniform(0, 0.4, (IMAGES, 1, 1, 1)), rng.uniform(0.6, 1, (IMAGES, 1, 1, 1))
    below = np.arange(SIZE)[:, None] >= rng.integers(2, SIZE - 2, (IMAGES, 1, 1, 1))
    horizontal = np.where(below, bright, dark) * np.ones(SIZE)
    flat = bright * np.ones((SIZE, SIZE))
    vertical = horizontal.swapaxes(2, 3)
    # The filters are a constant of the student's, which needs no inputs.
    return {
        "inputs": {},
        "withheld": {"flat": flat, "horizontal": horizontal, "vertical": vertical},
    }
