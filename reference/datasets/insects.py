"""Ants and bees, a network that was trained on other images, and how long to train (question 1).

Two tiers share one format:

* ``mini`` draws insects (``insect_drawings``); the pretrained network is the one in the file beside
  ``submissions_template/pretrained.py``.
* ``full`` reads the photographs below ``hymenoptera_data/`` of the data folder. The network is
  torchvision's ResNet-18 if the data folder has it (``weights/resnet18*.pt`` or ``.pth``), and
  otherwise the MobileNetV2 of ``weights/mobilenet_v2.pt`` in its place.
"""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from .. import supplied
from . import insect_drawings

KEPT = True  # drawn from the arguments and the files of the reference alone

CLASSES = ("ants", "bees")
MINI = "resnet18_mini"  # the architecture of the small data set
TRAIN, VAL, WITHHELD = 244, 40, 153  # images; on the full tier VAL of the 244 are set aside
SUFFIXES = (".jpg", ".jpeg", ".png")
RESIZED, CROPPED = 256, 224  # pixels: the shorter side, then the square in the middle
# How each function is called: epochs, images per batch, and how often each training image comes in
# an epoch. With a few dozen validation images the best epoch is often the first of several equal
# ones, and then an epoch should not be too short.
SETTINGS = {
    "mini": {
        "finetune": {"num_epochs": 8, "batch_size": 4, "passes": 1},
        "freeze": {"num_epochs": 8, "batch_size": 4, "passes": 1},
    },
    "full": {
        # Batches of 4, as in the tutorial, are too few for a learning rate of 0.001 here.
        "finetune": {"num_epochs": 2, "batch_size": 16, "passes": 3},
        "freeze": {"num_epochs": 2, "batch_size": 4, "passes": 6},
    },
}
# How a file that is not a checkpoint, or one of another network, fails to be read.
UNREADABLE = (OSError, EOFError, RuntimeError, UnpicklingError, AttributeError, KeyError, TypeError)
SLOWER = np.float32(4)
EPS = np.float32(1e-5)  # of the batch norms
REMEDY = "give the data folder with --data DIR or GRADER_DATA"

Labelled = tuple[np.ndarray, np.ndarray]  # images (n, S, S, 3) uint8, labels (n,) int64


def drawn(rng: np.random.Generator, n: int) -> Labelled:
    """Draw n ants and bees in random order, one more ant than bees if n is odd."""
    labels = rng.permutation(np.arange(n) % 2)
    species = [(insect_drawings.ANT, insect_drawings.BEE)[label] for label in labels]
    return insect_drawings.draw_many(rng, species), labels


def photograph(path: Path) -> np.ndarray:
    """Read an image, reduce its shorter side to RESIZED and cut out the middle.

    Returns:
        (CROPPED, CROPPED, 3) uint8.

    Raises:
        ValueError: the file is not an image that can be read.
    """
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from None
    width, height = image.size
    scale = RESIZED / min(width, height)
    size = max(RESIZED, int(width * scale)), max(RESIZED, int(height * scale))
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (size[0] - CROPPED) // 2, (size[1] - CROPPED) // 2
    return np.asarray(image.crop((left, top, left + CROPPED, top + CROPPED)))


def photographs(folder: Path) -> Labelled:
    """Read the images of ``folder/ants`` and ``folder/bees``.

    Raises:
        FileNotFoundError: there are none of a class.
        ValueError: a file cannot be read.
    """
    images, labels = [], []
    for label, name in enumerate(CLASSES):
        found = folder / name
        paths = sorted(found.glob("*")) if found.is_dir() else []
        paths = [path for path in paths if path.suffix.lower() in SUFFIXES]
        if not paths:
            raise FileNotFoundError(f"{found} has no images: {REMEDY}")
        images += [photograph(path) for path in paths]
        labels += [label] * len(paths)
    return np.stack(images), np.array(labels, dtype=np.int64)


def split(
    rng: np.random.Generator, labels: np.ndarray, held_out: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``held_out`` indices, of each class equally many; returns the others and these."""
    chosen: list[int] = []
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        share = held_out * (label + 1) // len(CLASSES) - len(chosen)
        chosen += indices[:share].tolist()
    rest = np.setdiff1d(np.arange(len(labels)), chosen)
    return rng.permutation(rest), np.array(sorted(chosen))


def network(weights: Path) -> dict[str, Any]:
    """Read the network that was trained on ImageNet.

    Returns:
        ``architecture``, a key of ``pretrained.ARCHITECTURES``, and ``parameters``, arrays by name.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a file is damaged or holds another network.
    """
    import torch

    pretrained = supplied.load("pretrained")
    found = [*sorted(weights.glob("resnet18*.pt*")), weights / "mobilenet_v2.pt"]
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{weights} has neither resnet18 nor mobilenet_v2.pt: {REMEDY}")
    architecture = "resnet18" if path.name.startswith("resnet18") else "mobilenet_v2"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        arrays = {
            name.replace("classifier.1.", "fc."): value.numpy().astype(np.float32)
            for name, value in state.items()
            if not name.endswith("num_batches_tracked")
        }
        if architecture == "mobilenet_v2":
            arrays = rescaled(arrays)
        pretrained.load_parameters(pretrained.ARCHITECTURES[architecture](), arrays)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} cannot be read as {architecture}: {reason}") from None
    return {"architecture": architecture, "parameters": arrays}


def rescaled(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Write a network whose batch norms are part of its convolutions so that it can be fine-tuned.

    Where a batch norm has mean 0 and variance 1, the convolution before it has weights of the size
    that the batch norm's factor gave them, and gradient descent with the usual learning rate
    diverges. Convolutions are multiplied by a power of two c and variances by c ** 2: the network
    computes the same, and its convolutions learn c ** 2 times as slowly.
    """
    norms = [name for name in arrays if name.endswith("running_var")]
    if not all(np.allclose(arrays[name], 1, atol=1e-3) for name in norms):
        return arrays  # torchvision's own file: its batch norms are real
    made = dict(arrays)
    for name in norms:
        made[name] = (arrays[name] + EPS) * SLOWER**2 - EPS
    for name, value in arrays.items():
        if value.ndim == 4:
            made[name] = value * SLOWER
    return made


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load ants and bees of one tier, and the network to start from.

    Args:
        tier: ``"mini"`` (drawn) or ``"full"`` (photographs).
        data: folder that holds ``hymenoptera_data/`` and ``weights/``; used by ``full`` only.
        seed: seed of the drawings; on ``full``, of the choice of validation images.

    Returns:
        ``inputs``: ``train_images`` (n, S, S, 3) uint8 and ``train_labels`` (n,) int64,
        ``val_images`` and ``val_labels`` likewise, ``class_names``, ``settings`` of ``finetune``
        and ``freeze``, and ``network``: ``architecture``, a name, and ``parameters``, arrays by
        name (none on ``mini``: they lie beside ``pretrained.py``).
        ``withheld``: ``images`` and ``labels`` for the accuracy.

    Raises:
        FileNotFoundError: ``full`` without the data folder or one of its parts.
        ValueError: an unknown tier, or a file that cannot be read.
    """
    rng = np.random.default_rng(seed)
    if tier == "mini":
        train, val, withheld = (drawn(rng, n) for n in (TRAIN, VAL, WITHHELD))
        start: dict[str, Any] = {"architecture": MINI, "parameters": {}}
    elif tier == "full":
        if data is None:
            raise FileNotFoundError(f"hymenoptera_data not found: {REMEDY}")
        images, labels = photographs(data / "hymenoptera_data" / "train")
        withheld = photographs(data / "hymenoptera_data" / "val")
        rest, chosen = split(rng, labels, VAL)
        train, val = ((images[i], labels[i]) for i in (rest, chosen))
        start = network(data / "weights")
    else:
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    return {
        "inputs": {
            "train_images": train[0],
            "train_labels": train[1],
            "val_images": val[0],
            "val_labels": val[1],
            "class_names": list(CLASSES),
            "settings": SETTINGS[tier],
            "network": start,
        },
        "withheld": {"images": withheld[0], "labels": withheld[1]},
    }
