"""Runs the student's ``style_transfer`` in a worker.

The four functions it is made of are checked by themselves; here right ones take their place. What
comes back are images and histories as they are: their losses are computed elsewhere.
"""

from types import ModuleType
from typing import Any

import numpy as np
import style_utils
import torch
from PIL import Image

LONGEST_HISTORY = 20000  # entries that are looked at
SETTINGS = (  # the arguments after the two pictures, in order
    *("image_size", "style_size", "content_layer", "content_weight"),
    *("style_layers", "style_weights", "tv_weight"),
)


def style_transfer(
    student: ModuleType,
    *,
    seed: int,
    device: str,
    content: np.ndarray,
    styles: dict[str, dict[str, Any]],
    random_start_size: int,
    weights: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Paint the content picture in every style, and in the first once more from noise.

    Returns:
        ``images``, arrays by the name of the style; ``histories``, likewise, (steps,) float64;
        ``random``, the ``image`` and ``history`` of a small run with ``init_random=True``.

    Raises:
        TypeError: the student's function returns something else than an image and a list.
    """
    del device  # the network is small and stays where preprocess puts the image
    _replace_pieces(student)
    style_utils.install(weights or None)
    picture = Image.fromarray(content)
    images, histories = {}, {}
    for name, style in styles.items():
        torch.manual_seed(seed)
        chosen = [style["settings"][key] for key in SETTINGS]
        result = student.style_transfer(picture.copy(), Image.fromarray(style["picture"]), *chosen)
        images[name], histories[name] = _unpacked(result)
    first = next(iter(styles.values()))
    small = {**first["settings"], "image_size": random_start_size, "style_size": random_start_size}
    torch.manual_seed(seed)
    chosen = [small[key] for key in SETTINGS]
    image, history = _unpacked(
        student.style_transfer(
            picture.copy(), Image.fromarray(first["picture"]), *chosen, init_random=True
        )
    )
    return {
        "images": images,
        "histories": histories,
        "random": {"image": image, "history": history},
    }


def _unpacked(result: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise TypeError("style_transfer must return the image and the list of losses")
    image, history = result
    if isinstance(history, torch.Tensor):
        history = history.detach().flatten()
    if not isinstance(history, list | tuple | np.ndarray | torch.Tensor):
        kind = type(history).__name__
        raise TypeError(f"style_transfer must return a list of losses, got {kind}")
    return _as_array(image), np.array([float(loss) for loss in history[:LONGEST_HISTORY]])


def _as_array(image: Any) -> np.ndarray:
    if isinstance(image, torch.Tensor):
        return image.detach().cpu().to(torch.float32).numpy()
    if isinstance(image, np.ndarray):
        return image.astype(np.float32)
    kind = type(image).__name__
    raise TypeError(f"style_transfer must return the image as a tensor (1, 3, H, W), got {kind}")


def _replace_pieces(student: ModuleType) -> None:
    for piece in (content_loss, gram_matrix, style_loss, tv_loss):
        setattr(student, piece.__name__, piece)


def content_loss(
    content_weight: float, content_current: torch.Tensor, content_target: torch.Tensor
) -> torch.Tensor:
    """Weighted sum of squared differences."""
    return content_weight * ((content_current - content_target) ** 2).sum()


def gram_matrix(features: torch.Tensor, normalize: bool = True) -> torch.Tensor:  # noqa: FBT001, FBT002
    """Inner products of channels, (N, C, C)."""
    n, c, h, w = features.shape
    flat = features.reshape(n, c, h * w)
    gram = flat @ flat.transpose(1, 2)
    return gram / (c * h * w) if normalize else gram


def style_loss(
    feats: list[torch.Tensor],
    style_layers: list[int],
    style_targets: list[torch.Tensor],
    style_weights: list[float],
) -> torch.Tensor:
    """Weighted squared distances of Gram matrices, summed over layers."""
    distances = [
        weight * ((gram_matrix(feats[layer]) - target) ** 2).sum()
        for layer, target, weight in zip(style_layers, style_targets, style_weights, strict=True)
    ]
    return torch.stack(distances).sum()


def tv_loss(img: torch.Tensor, tv_weight: float) -> torch.Tensor:
    """Weighted sum of squared differences of neighbors."""
    down = img[:, :, 1:, :] - img[:, :, :-1, :]
    right = img[:, :, :, 1:] - img[:, :, :, :-1]
    return tv_weight * ((down**2).sum() + (right**2).sum())
