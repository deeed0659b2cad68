"""Many captioned images, for the larger run of question 5 that earns extra credit.

The same two tiers as ``captions``, with more training images: enough of them to say something true
about an image that was never seen. (Full tier: photographs of Flickr8k and SqueezeNet features,
under COCO's file names, in this course's own data folder.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import captions

KEPT = True  # drawn from the arguments and the files of the reference alone

TRAIN_IMAGES = 400
VAL_IMAGES = 60
STEPS = {"mini": 300, "full": 600}  # minibatches of 25 captions


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load the captions of one tier; see ``captions.load``. ``steps`` says how long to train."""
    if tier == "mini":
        loaded = captions.generate(seed, TRAIN_IMAGES, VAL_IMAGES)
    elif tier == "full":
        loaded = captions.read(data, seed, None)
    else:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    loaded["inputs"]["steps"] = STEPS[tier]
    return loaded
