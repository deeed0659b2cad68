"""Neural style transfer: the reference solution.

An image x is changed until it has the content of one picture and the style of another. F_l(x) are
the features (C_l, M_l) of layer l of a fixed convolutional network at M_l = H_l W_l places:

    content(x) = w_c sum (F_c(x) - F_c(content picture))^2
    style(x)   = sum over l of w_l sum (G_l(x) - G_l(style picture))^2
    G_l(x)     = F_l(x) F_l(x)^T / (C_l M_l)
    tv(x)      = w_t sum over neighbors, below and to the right, of the squared difference

The Gram matrix G_l keeps which features occur together and forgets where: that is the style.

Sources: question q2; Gatys, Ecker & Bethge, "Image style transfer using convolutional neural
networks" (2016); Mahendran & Vedaldi, "Understanding deep image representations by inverting them"
(2015), for the total variation; the public CS231n homework for weights and normalization.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

STEPS = 200
LEARNING_RATE = 0.1  # at first; it falls to zero along half a cosine

Terms = tuple[Tensor, Tensor, Tensor]  # content, style and total-variation loss, scalars


if __package__:
    from . import supplied

    style_utils = supplied.load("style_utils")
else:  # beside a student's files
    import style_utils


def content_loss(content_weight: float, content_current: Tensor, content_target: Tensor) -> Tensor:
    """Weighted sum of squared differences of two feature maps (N, C, H, W); a scalar."""
    return content_weight * (content_current - content_target).square().sum()


def gram_matrix(features: Tensor, normalize: bool = True) -> Tensor:  # noqa: FBT001, FBT002
    """Inner products of the channels of features (N, C, H, W), for each image: (N, C, C).

    With ``normalize`` they are divided by C * H * W, so that size does not matter.
    """
    n, c, h, w = features.shape
    flat = features.reshape(n, c, h * w)
    gram = flat @ flat.transpose(1, 2)
    return gram / (c * h * w) if normalize else gram


def style_loss(
    feats: Sequence[Tensor],
    style_layers: Sequence[int],
    style_targets: Sequence[Tensor],
    style_weights: Sequence[float],
) -> Tensor:
    """Weighted squared distances of Gram matrices, summed over layers; a scalar.

    ``style_targets[i]`` (N, C, C) and ``style_weights[i]`` belong to ``feats[style_layers[i]]``.
    """
    loss = torch.zeros((), dtype=feats[0].dtype, device=feats[0].device)
    for layer, target, weight in zip(style_layers, style_targets, style_weights, strict=True):
        loss = loss + weight * (gram_matrix(feats[layer]) - target).square().sum()
    return loss


def tv_loss(img: Tensor, tv_weight: float) -> Tensor:
    """Weighted sum of squared differences of neighboring pixels of img (N, 3, H, W); a scalar."""
    down = (img[:, :, 1:, :] - img[:, :, :-1, :]).square().sum()
    right = (img[:, :, :, 1:] - img[:, :, :, :-1]).square().sum()
    return tv_weight * (down + right)


@dataclass(frozen=True)
class Objective:
    """What is minimized: the three losses of an image for one content and one style picture."""

    network: nn.Sequential
    content_layer: int
    content_weight: float
    content_target: Tensor
    style_layers: Sequence[int]
    style_weights: Sequence[float]
    style_targets: Sequence[Tensor]
    tv_weight: float

    def terms(self, image: Tensor) -> Terms:
        """Return the content, style and total-variation loss of an image (1, 3, H, W)."""
        features = style_utils.extract_features(image, self.network)
        return (
            content_loss(self.content_weight, features[self.content_layer], self.content_target),
            style_loss(features, self.style_layers, self.style_targets, self.style_weights),
            tv_loss(image, self.tv_weight),
        )


def objective(
    content: Tensor,
    style: Tensor,
    content_layer: int,
    content_weight: float,
    style_layers: Sequence[int],
    style_weights: Sequence[float],
    tv_weight: float,
) -> Objective:
    """Return the losses for two preprocessed pictures, each (1, 3, H, W) of its own size."""
    network = style_utils.features_network()
    with torch.no_grad():
        content_features = style_utils.extract_features(content, network)
        style_features = style_utils.extract_features(style, network)
        targets = [gram_matrix(style_features[layer]) for layer in style_layers]
    return Objective(
        network,
        content_layer,
        content_weight,
        content_features[content_layer],
        style_layers,
        style_weights,
        targets,
        tv_weight,
    )


def minimise(losses: Objective, start: Tensor) -> tuple[Tensor, list[float]]:
    """Lower the sum of the losses with Adam, from the image ``start`` (1, 3, H, W).

    Returns:
        The image, and the sum of the losses before each step and after the last.
    """
    image = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=LEARNING_RATE)
    history = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
        optimizer.zero_grad()
        loss = torch.stack(losses.terms(image)).sum()
        loss.backward()
        history.append(loss.item())
        optimizer.step()
    with torch.no_grad():
        history.append(torch.stack(losses.terms(image)).sum().item())
    return image.detach(), history


def style_transfer(
    content_image: Image.Image,
    style_image: Image.Image,
    image_size: int,
    style_size: int,
    content_layer: int,
    content_weight: float,
    style_layers: Sequence[int],
    style_weights: Sequence[float],
    tv_weight: float,
    init_random: bool = False,  # noqa: FBT001, FBT002 - the homework's signature
) -> tuple[Tensor, list[float]]:
    """Paint the content of one picture in the style of another.

    Args:
        content_image: the picture whose content is kept.
        style_image: the picture whose style is taken.
        image_size: the smaller side of the result, in pixels.
        style_size: the smaller side of the style picture while its Gram matrices are taken.
        content_layer: index of the layer for the content.
        content_weight: weight of the content loss.
        style_layers: indices of the layers for the style.
        style_weights: their weights.
        tv_weight: weight of the total variation.
        init_random: start from noise instead of the content picture.

    Returns:
        The image (1, 3, H, W) as the network takes it (``style_utils.preprocess``), and the sum of
        the three losses at each step, the first at the initial image.
    """
    content = style_utils.preprocess(content_image, image_size)
    style = style_utils.preprocess(style_image, style_size)
    losses = objective(
        content, style, content_layer, content_weight, style_layers, style_weights, tv_weight
    )
    return minimise(losses, torch.rand_like(content) if init_random else content)
