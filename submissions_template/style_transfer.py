"""Question 2: paint one picture in the style of another (Gatys, Ecker & Bethge, 2016).

An image is changed step by step until the features that a fixed network computes from it are near
those of the content picture, and the Gram matrices of these features near those of the style
picture. You write the losses (2.1 to 2.4) and the optimization (2.5).

Allowed libraries: the Python standard library, numpy, torch and PIL. The network and everything
about image files are in ``style_utils.py``, which you are given; read it first.

All losses must be torch expressions of their arguments, because the image is changed along their
gradients: no ``.item()``, ``.data``, ``.detach()`` or numpy on the way to the loss. They must not
depend on the network: they are graded on arrays of any size, in float64.
"""


def content_loss(content_weight, content_current, content_target):
    """How far the content of an image is from that of the content picture (2.1).

        content_weight * sum of (content_current - content_target)^2

    over all entries: a sum, not a mean, and without a factor 1/2.

    Inputs:
    - content_weight: a number
    - content_current: features of the image, tensor of shape (N, C, H, W)
    - content_target: features of the content picture, tensor of shape (N, C, H, W)

    Returns a scalar tensor.
    """
    raise NotImplementedError("content_loss")


def gram_matrix(features, normalize=True):  # noqa: FBT002
    """Which features occur together, wherever they do (2.2).

    With F[n] the features of image n as a matrix of C rows and H * W columns:

        G[n] = F[n] F[n]^T,  divided by C * H * W if normalize

    Each image of the batch has its own matrix.

    Inputs:
    - features: tensor of shape (N, C, H, W)
    - normalize: whether to divide

    Returns a tensor of shape (N, C, C).
    """
    raise NotImplementedError("gram_matrix")


def style_loss(feats, style_layers, style_targets, style_weights):
    """How far the style of an image is from that of the style picture (2.3).

        sum over i of style_weights[i] * sum of (G_i - style_targets[i])^2

    with G_i the normalized Gram matrix of feats[style_layers[i]]. Use your ``gram_matrix``.

    Inputs:
    - feats: the features of the image in every layer of the network, a list of tensors; those of
      layer l have shape (N, C_l, H_l, W_l)
    - style_layers: list of the layers that count, in any order
    - style_targets: list of as many tensors of shape (N, C_l, C_l), the normalized Gram matrices of
      the style picture
    - style_weights: list of as many numbers

    Returns a scalar tensor.
    """
    raise NotImplementedError("style_loss")


def tv_loss(img, tv_weight):
    """Total variation: how much neighboring pixels differ (2.4).

        tv_weight * (sum of (img[n, c, i + 1, j] - img[n, c, i, j])^2
                     + sum of (img[n, c, i, j + 1] - img[n, c, i, j])^2)

    Each sum is over all pairs of neighbors inside the image; none reaches across a border.

    Inputs:
    - img: tensor of shape (N, 3, H, W)
    - tv_weight: a number

    Returns a scalar tensor. No loops, please.
    """
    raise NotImplementedError("tv_loss")


def style_transfer(
    content_image,
    style_image,
    image_size,
    style_size,
    content_layer,
    content_weight,
    style_layers,
    style_weights,
    tv_weight,
    init_random=False,  # noqa: FBT002
):
    """Find the image with the least content_loss + style_loss + tv_loss (2.5).

    1. ``style_utils.preprocess`` the content picture to image_size and the style picture to
       style_size, and get the features of both with ``style_utils.extract_features``.
    2. Start from the preprocessed content picture, or from noise.
    3. Change the image, 200 times or so, along the gradient of the sum of the three losses.

    You choose the optimizer. The grader computes the sum of the losses of the image that you
    return. As low as the reference's earns full marks, and lower is welcome.
    Two settings that work:

    - Adam for 200 steps, its learning rate falling from 0.1 to 0 (by a factor of
      (1 + cos(pi * step / 200)) / 2, for example). This is good for all pictures.
    - That of the public homework: Adam with learning rate 3.0; before each step up to 190 the image
      is clamped to [-1.5, 1.5] in place; from step 180 of 200 a new Adam with learning rate 0.1.
      This is for the real paintings and the real SqueezeNet. Steps of 3.0 are longer than the whole
      range of pixels: with the small network and the small pictures that you are given, they leave
      nothing but noise.

    Inputs:
    - content_image, style_image: PIL images
    - image_size: the smaller side of the result, in pixels
    - style_size: the smaller side of the style picture while its Gram matrices are taken
    - content_layer: index of the layer whose features are the content
    - content_weight: weight of the content loss
    - style_layers: list of indices of the layers for the style
    - style_weights: list of as many weights
    - tv_weight: weight of the total variation
    - init_random: start from random pixels, of your choice, instead of the content picture

    Returns a tuple of:
    - image: tensor of shape (1, 3, H, W) or (3, H, W), in the form that ``preprocess`` returns: do
      not ``deprocess`` it, that would round its values
    - loss_history: list of numbers, the sum of the three losses before each step; the first is that
      of the initial image
    """
    raise NotImplementedError("style_transfer")
