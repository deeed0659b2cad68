"""One picture and three styles to paint it in (question 2).

Two tiers share one format:

* ``mini`` makes up a landscape and three style pictures (``painting_brushes``), for the small
  network that students get;
* ``full`` reads the homework's photograph and three of its paintings below ``styles/`` of the data
  folder, and SqueezeNet 1.1 trained on ImageNet from ``weights/squeezenet1_1.pt``. Sizes and
  weights are those of the public CS231n homework.

Withheld are the losses that an optimization of our own reaches, the measure for a student's: on
``mini`` the reference solution's, on ``full`` that of the homework's own schedule.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import painting_brushes as brushes

KEPT = True  # drawn from the arguments and the files of the reference alone

Picture = np.ndarray  # (height, width, 3) uint8
Settings = dict[str, Any]

CONTENT_LAYER = 3
STYLE_LAYERS = (1, 4, 6, 7)
KEYS = ("image_size", "style_size", "content_weight", "style_weights", "tv_weight")

# Weights for which content, style and smoothness all matter at the optimum, and for which neither
# picture is left as it is: the content picture has about twice the loss of the optimum.
MINI: dict[str, tuple[Any, ...]] = {
    "strokes": (80, 80, 1.0, (20000.0, 15000.0, 6000.0, 6000.0), 0.2),
    "shards": (80, 72, 1.2, (20000.0, 18000.0, 6000.0, 8000.0), 0.3),
    "waves": (80, 88, 0.8, (20000.0, 12000.0, 8000.0, 6000.0), 0.25),
}
# All weights of the style of one picture are multiplied by one of these, in an order that follows
# from the seed, as does the order of the layers: weights that somebody wrote down are wrong.
MINI_STYLE_FACTORS = (1.0, 1.6, 2.5)
MINI_CONTENT_SIZE = (120, 90)  # width and height
MINI_BRUSHES: dict[str, tuple[Callable[..., Picture], tuple[int, int]]] = {
    "strokes": (brushes.strokes, (100, 80)),
    "shards": (brushes.shards, (108, 84)),
    "waves": (brushes.waves, (80, 96)),
}
FULL: dict[str, tuple[Any, ...]] = {
    "composition_vii": (192, 512, 5e-2, (20000.0, 500.0, 12.0, 1.0), 5e-2),
    "the_scream": (192, 224, 3e-2, (200000.0, 800.0, 12.0, 1.0), 2e-2),
    "starry_night": (192, 192, 6e-2, (300000.0, 1000.0, 15.0, 3.0), 2e-2),
}
RANDOM_START_SIZES = {"mini": 40, "full": 64}  # of a short run from noise, in pixels

# The homework's schedule, for the reference losses of the full tier.
HOMEWORK_STEPS = 200
HOMEWORK_LATE = 180  # after this step, a fresh Adam with the lower rate
HOMEWORK_RATES = (3.0, 0.1)
HOMEWORK_CLAMPED = 190  # steps before which pixels are clamped
HOMEWORK_BOUND = 1.5

REMEDY = "give the data folder with --data DIR or GRADER_DATA"


def settings(values: tuple[Any, ...]) -> Settings:
    """Return the arguments of ``style_transfer`` after the two pictures, by name."""
    given = dict(zip(KEYS, values, strict=True))
    return {
        "image_size": given["image_size"],
        "style_size": given["style_size"],
        "content_layer": CONTENT_LAYER,
        "content_weight": given["content_weight"],
        "style_layers": list(STYLE_LAYERS),
        "style_weights": list(given["style_weights"]),
        "tv_weight": given["tv_weight"],
    }


def generate(seed: int) -> dict[str, Any]:
    """Make up the inputs of the mini tier."""
    rng = np.random.default_rng(seed)
    content = brushes.landscape(rng, *MINI_CONTENT_SIZE)
    pictures = {name: brush(rng, *size) for name, (brush, size) in MINI_BRUSHES.items()}
    made = _inputs("mini", content, pictures, MINI, {})
    factors = rng.permutation(MINI_STYLE_FACTORS)
    for style, factor in zip(made["styles"].values(), factors, strict=True):
        chosen, order = style["settings"], rng.permutation(len(STYLE_LAYERS))
        chosen["style_layers"] = [STYLE_LAYERS[i] for i in order]
        chosen["style_weights"] = [float(factor * chosen["style_weights"][i]) for i in order]
    return made


def read(data: Path | None) -> dict[str, Any]:
    """Read the inputs of the full tier."""
    if data is None:
        raise FileNotFoundError(f"styles/tubingen.jpg not found: {REMEDY}")
    content = _picture(data / "styles" / "tubingen.jpg")
    pictures = {name: _picture(data / "styles" / f"{name}.jpg") for name in FULL}
    weights = _weights(data / "weights" / "squeezenet1_1.pt")
    return _inputs("full", content, pictures, FULL, weights)


def _inputs(
    tier: str,
    content: Picture,
    pictures: dict[str, Picture],
    table: dict[str, tuple[Any, ...]],
    weights: dict[str, np.ndarray],
) -> dict[str, Any]:
    return {
        "content": content,
        "styles": {
            name: {"picture": pictures[name], "settings": settings(values)}
            for name, values in table.items()
        },
        "random_start_size": RANDOM_START_SIZES[tier],
        "weights": weights,
    }


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path} not found: {REMEDY}")
    return path


def _picture(path: Path) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(_existing(path)) as image:
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise ValueError(f"{path}: not a picture") from None


def _weights(path: Path) -> dict[str, np.ndarray]:
    import pickle

    import torch

    try:
        state = torch.load(_existing(path), map_location="cpu", weights_only=True)
        found = {
            name: value.float().numpy()
            for name, value in state.items()
            if name.startswith("features.")
        }
    except (RuntimeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: not a state dictionary of SqueezeNet: {reason}") from None
    if "features.0.weight" not in found:
        raise ValueError(f"{path}: has no parameter features.0.weight")
    return found


def objectives(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return (losses, preprocessed content picture) for each style, with our own network."""
    from PIL import Image

    from .. import style_transfer as right

    right.style_utils.install(inputs["weights"] or None)
    made = {}
    for name, style in inputs["styles"].items():
        chosen = dict(style["settings"])
        image_size, style_size = chosen.pop("image_size"), chosen.pop("style_size")
        content = right.style_utils.preprocess(Image.fromarray(inputs["content"]), image_size)
        picture = right.style_utils.preprocess(Image.fromarray(style["picture"]), style_size)
        made[name] = right.objective(content, picture, **chosen), content
    return made


def homework_minimise(losses: Any, start: Any) -> tuple[Any, list[float]]:
    """Minimise as the public homework does; returns the image and the loss before each step."""
    import torch

    image = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=HOMEWORK_RATES[0])
    history = []
    for step in range(HOMEWORK_STEPS):
        if step < HOMEWORK_CLAMPED:
            image.data.clamp_(-HOMEWORK_BOUND, HOMEWORK_BOUND)
        optimizer.zero_grad()
        loss = torch.stack(losses.terms(image)).sum()
        loss.backward()
        history.append(loss.item())
        if step == HOMEWORK_LATE:
            optimizer = torch.optim.Adam([image], lr=HOMEWORK_RATES[1])
        optimizer.step()
    return image.detach(), history


def reference_run(losses: Any, content: Any, tier: str) -> dict[str, Any]:
    """Minimise from the content picture; returns the losses of the result and their history."""
    import torch

    from .. import style_transfer as right

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the workers: the same machine gives the same sums
    try:
        minimise = right.minimise if tier == "mini" else homework_minimise
        image, history = minimise(losses, content)
        with torch.no_grad():
            terms = [float(term) for term in losses.terms(image)]
    finally:
        torch.set_num_threads(threads)
    if not all(map(math.isfinite, terms)):
        raise RuntimeError("the reference optimization does not end at a finite loss")
    return {"terms": terms, "history": history}


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load the pictures of one tier, and minimize the losses for each style.

    Args:
        tier: ``"mini"`` (generated) or ``"full"`` (files).
        data: folder that holds ``styles/`` and ``weights/``; used by ``full`` only.
        seed: seed of the generator.

    Returns:
        ``inputs``: ``content``, a picture (height, width, 3) uint8; ``styles``, by name a
        ``picture`` and the ``settings``, the other arguments of ``style_transfer``;
        ``random_start_size``, the size of a run from noise; ``weights``, the parameters of the
        network by name, empty for the small one. ``withheld``: by the name of the style ``terms``,
        the content, style and total-variation loss that the reference reaches, and ``history``,
        its sum of losses at each step.

    Raises:
        FileNotFoundError: ``full`` without the data folder or one of its files.
        ValueError: an unknown tier, or files that cannot be read.
    """
    if tier not in ("mini", "full"):
        raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")
    inputs = generate(seed) if tier == "mini" else read(data)
    withheld = {
        name: reference_run(losses, content, tier)
        for name, (losses, content) in objectives(inputs).items()
    }
    return {"inputs": inputs, "withheld": withheld}
