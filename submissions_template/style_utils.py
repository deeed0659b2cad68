"""Images and the feature network of question 2. GIVEN: grading uses this version.

The network is SqueezeNet 1.1 up to its classifier, in plain torch with torchvision's parameter
names, so that torchvision's checkpoint fits. What lies beside this file is a small network of the
same form, the first eight layers with fewer channels; ``install`` puts another in its place:

    style_utils.install(torch.load("squeezenet1_1.pt", weights_only=True))

Sources: Iandola et al., "SqueezeNet" (2016); the layers' numbers are those of the public CS231n
homework on style transfer.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue, on the scale from 0 to 1
STD = (0.229, 0.224, 0.225)
CHECKPOINT = Path(__file__).with_name("squeezenet_mini.npz")
POOLING_LAYERS = (2, 5, 8)
LAYERS = 13  # of the whole network; a checkpoint may end earlier

_installed = None


def load_image(path):
    """Read an image file; returns a PIL image in RGB."""
    with Image.open(path) as image:
        return image.convert("RGB")


def preprocess(img, size=512):
    """Turn a picture into an input of the network.

    Inputs:
    - img: PIL image
    - size: its smaller side is resized to this many pixels

    Returns a float32 tensor of shape (1, 3, H, W): (value - MEAN) / STD for values from 0 to 1.
    """
    img = img.convert("RGB")
    width, height = img.size
    scale = size / min(width, height)
    # As torchvision's Resize does: the longer side is rounded down.
    new = (
        (size if width <= height else int(width * scale + 1e-9)),
        (size if height <= width else int(height * scale + 1e-9)),
    )
    if new != img.size:
        img = img.resize(new, Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(img, dtype=np.float32) / 255).permute(2, 0, 1)
    return ((pixels - _column(MEAN)) / _column(STD))[None]


def deprocess(img):
    """Turn a tensor of shape (1, 3, H, W) or (3, H, W) back into a PIL image; undoes preprocess."""
    img = img.detach().cpu().reshape(img.shape[-3:])
    pixels = (img * _column(STD) + _column(MEAN)).clamp(0, 1) * 255
    return Image.fromarray(pixels.round().to(torch.uint8).permute(1, 2, 0).numpy())


def install(state_dict):
    """Use these parameters from now on.

    Inputs:
    - state_dict: tensors or arrays by torchvision's names ("features.0.weight", ...); others, such
      as those of the classifier, are ignored. None: the parameters of the file beside this one.
    """
    global _installed  # noqa: PLW0603 - one network per process, as in the homework
    _installed = None
    if state_dict is not None:
        _installed = {
            name: torch.as_tensor(value).to(torch.float32)
            for name, value in state_dict.items()
            if name.startswith("features.")
        }


def features_network():
    """Return the layers of SqueezeNet up to its classifier, as a ``torch.nn.Sequential``.

    0 convolution, 1 ReLU, 2 pooling, 3 and 4 Fire, 5 pooling, 6 and 7 Fire, 8 pooling, 9 to 12
    Fire.
    The parameters do not require gradients.
    """
    state = _installed
    if state is None:
        with np.load(CHECKPOINT) as file:
            state = {name: torch.from_numpy(file[name]).to(torch.float32) for name in file.files}
    last = max(int(name.split(".")[1]) for name in state)
    layers = [_layer(number, state) for number in range(min(last + 1, LAYERS))]
    network = nn.Sequential(*layers)
    network.load_state_dict({name.removeprefix("features."): state[name] for name in state})
    return network.requires_grad_(False).eval()


def extract_features(x, cnn):
    """Return the outputs of all layers of a network.

    Inputs:
    - x: tensor of shape (N, 3, H, W), from preprocess
    - cnn: from features_network()

    Returns a list: features[i] is the output of layer i, of shape (N, C_i, H_i, W_i).
    """
    features = []
    for layer in cnn:
        x = layer(x)
        features.append(x)
    return features


class Fire(nn.Module):
    """A 1x1 convolution that squeezes, then 1x1 and 3x3 convolutions side by side."""

    def __init__(self, inputs, squeezed, ones, threes):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeezed, ones, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeezed, threes, kernel_size=3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


def _layer(number, state):
    """Make a layer of the network, as wide as the parameters say."""
    if number == 0:
        width, colours = state["features.0.weight"].shape[:2]
        return nn.Conv2d(colours, width, kernel_size=3, stride=2)
    if number == 1:
        return nn.ReLU()
    if number in POOLING_LAYERS:
        return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
    squeezed, inputs = state[f"features.{number}.squeeze.weight"].shape[:2]
    ones = len(state[f"features.{number}.expand1x1.weight"])
    threes = len(state[f"features.{number}.expand3x3.weight"])
    return Fire(inputs, squeezed, ones, threes)


def _column(values):
    return torch.tensor(values).reshape(3, 1, 1)
