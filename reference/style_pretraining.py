"""Make the small feature network that students get with question 2: run this file as a module.

    python -m reference.style_pretraining

Nothing is learned: filters are random and orthogonal, which is enough for style transfer. Every
channel is then scaled and shifted so that over made-up pictures its mean is 0 and its standard
deviation 1 before the ReLU; without that, most channels would say the same or nothing.

Sources: Ustyuzhaninov et al., "Texture synthesis using shallow convolutional networks with random
filters" (2016); Mishkin & Matas, "All you need is a good init" (2016), for the scaling.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .datasets import painting_brushes as brushes
from .style_transfer import style_utils

SEED = 0
PICTURES = 6  # of each kind
SIZE = 64  # pixels, both sides
FIRST = 48  # channels of the first convolution
FIRE = {3: (16, 24), 4: (16, 24), 6: (24, 32), 7: (24, 32)}  # layer: squeezed, expanded to each
POOL_BEFORE = (3, 6)

State = dict[str, Tensor]


def orthogonal(rng: np.random.Generator, outputs: int, inputs: int, side: int) -> Tensor:
    """Filters (outputs, inputs, side, side) that are orthogonal where their number allows it."""
    size = inputs * side * side
    largest = max(outputs, size)
    rotation, triangle = np.linalg.qr(rng.normal(size=(largest, largest)))
    rotation *= np.sign(np.diag(triangle))  # or the signs would depend on the library
    return torch.tensor(rotation[:outputs, :size].reshape(outputs, inputs, side, side)).float()


def pictures() -> Tensor:
    """Return preprocessed pictures (N, 3, SIZE, SIZE), unlike those of the data set."""
    rng = np.random.default_rng([SEED, 1])
    kinds = (brushes.landscape, brushes.strokes, brushes.shards, brushes.waves)
    drawn = [kind(rng, SIZE, SIZE) for _ in range(PICTURES) for kind in kinds]
    return torch.cat([style_utils.preprocess(Image.fromarray(image), SIZE) for image in drawn])


def random_features() -> State:
    """Return the parameters by torchvision's names."""
    rng = np.random.default_rng(SEED)
    state: State = {}

    def convolve(name: str, x: Tensor, outputs: int, side: int, **options: int) -> Tensor:
        """Add a convolution, scaled for its inputs x; returns its output before the ReLU."""
        weight = orthogonal(rng, outputs, x.shape[1], side)
        raw = functional.conv2d(x, weight, **options)
        mean, deviation = raw.mean((0, 2, 3)), raw.std((0, 2, 3)) + 1e-6
        state[f"{name}.weight"] = weight / deviation[:, None, None, None]
        state[f"{name}.bias"] = -mean / deviation
        return (raw - mean[:, None, None]) / deviation[:, None, None]

    x = torch.relu(convolve("features.0", pictures(), FIRST, 3, stride=2))
    for layer, (squeezed, expanded) in FIRE.items():
        if layer in POOL_BEFORE:
            x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
        x = torch.relu(convolve(f"features.{layer}.squeeze", x, squeezed, 1))
        ones = convolve(f"features.{layer}.expand1x1", x, expanded, 1)
        threes = convolve(f"features.{layer}.expand3x3", x, expanded, 3, padding=1)
        x = torch.relu(torch.cat([ones, threes], dim=1))
    return state


def main(path: Path) -> None:
    """Write the parameters to ``path``, in half precision."""
    state = random_features()
    np.savez_compressed(path, **{name: value.numpy().astype("f2") for name, value in state.items()})


if __name__ == "__main__":
    main(style_utils.CHECKPOINT)
