"""Pretrained networks for question 1. GIVEN: grading uses this version.

    model = pretrained.resnet18(pretrained=True)
    features = model.fc.in_features            # how many numbers the last layer is given
    model.fc = torch.nn.Linear(features, 2)    # a new head, for two classes

Every network here ends in one linear layer ``fc``, its head, and its parameters have torchvision's
names. The file ``resnet18_mini.npz`` beside this one holds a ResNet-18 of a fifth of the usual
width, trained to tell 106 kinds of drawn insects apart (3 x 48 x 48 pixels); ants and bees are not
among them. Where photographs are graded, a network that was trained on ImageNet takes its place,
and that may be of another architecture: rely on ``model.fc.in_features``, not on a number.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

CHECKPOINT = Path(__file__).with_name("resnet18_mini.npz")
MEAN = (0.485, 0.456, 0.406)  # of the channels red, green, blue of pixels from 0 to 1
STD = (0.229, 0.224, 0.225)  # images are normalised: (pixel - MEAN) / STD
MINI_WIDTH, MINI_CLASSES = 12, 106
IMAGENET_CLASSES = 1000

Parameters = Mapping[str, np.ndarray]


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a short cut around them: relu(f(x) + x)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        short_cut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + short_cut)


class ResNet18(nn.Module):
    """ResNet-18 (He et al., 2016): images (N, 3, H, W) -> scores (N, num_classes).

    ``width`` is the number of channels of the first stage; the original has 64.
    """

    def __init__(self, num_classes: int = IMAGENET_CLASSES, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(width, width, stride=1)
        self.layer2 = self._stage(width, 2 * width, stride=2)
        self.layer3 = self._stage(2 * width, 4 * width, stride=2)
        self.layer4 = self._stage(4 * width, 8 * width, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width, num_classes)
        initialise(self)

    @staticmethod
    def _stage(channels_in: int, channels: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            BasicBlock(channels_in, channels, stride), BasicBlock(channels, channels, 1)
        )

    def features(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) -> what the head is given, (N, fc.in_features)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.flatten(self.avgpool(x), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


class FixedBatchNorm2d(nn.BatchNorm2d):
    """A batch norm that uses its running mean and variance in training mode, too.

    The available weights of MobileNetV2 have what their batch norms did in the convolutions before
    them; the statistics of a batch would undo it.
    """

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_var
        return nn.functional.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel by itself, narrow; with a short cut where shapes allow it."""

    def __init__(self, channels_in: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = expansion * channels_in
        layers = [] if expansion == 1 else [conv_bn_relu6(channels_in, hidden, kernel=1)]
        layers += [
            conv_bn_relu6(hidden, hidden, stride=stride, groups=hidden),
            nn.Conv2d(hidden, channels, 1, bias=False),
            FixedBatchNorm2d(channels),
        ]
        self.conv = nn.Sequential(*layers)
        self.short_cut = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.short_cut else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2 (Sandler et al., 2018): images (N, 3, H, W) -> scores (N, num_classes).

    Its head is called ``fc`` like that of a ResNet; torchvision calls it ``classifier.1``.
    """

    STAGES = (  # expansion, channels, blocks, stride of the first block
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    )

    def __init__(self, num_classes: int = IMAGENET_CLASSES) -> None:
        super().__init__()
        layers = [conv_bn_relu6(3, 32, stride=2)]
        channels_in = 32
        for expansion, channels, blocks, first_stride in self.STAGES:
            for i in range(blocks):
                stride = first_stride if i == 0 else 1
                layers.append(InvertedResidual(channels_in, channels, stride, expansion))
                channels_in = channels
        layers.append(conv_bn_relu6(channels_in, 1280, kernel=1))
        self.features = nn.Sequential(*layers)
        self.fc = nn.Linear(1280, num_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean(dim=(2, 3)))


def conv_bn_relu6(
    channels_in: int, channels: int, *, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Return a convolution without bias, a batch norm and a ReLU that ends at 6."""
    convolution = nn.Conv2d(
        channels_in, channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )
    return nn.Sequential(convolution, FixedBatchNorm2d(channels), nn.ReLU6(inplace=True))


def initialise(network: nn.Module) -> None:
    """Fill the convolutions with random weights that keep the size of the signal."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "resnet18_mini": lambda: ResNet18(MINI_CLASSES, MINI_WIDTH),
    "resnet18": ResNet18,
    "mobilenet_v2": MobileNetV2,
}
_in_use: dict[str, str | Parameters | None] = {"architecture": "resnet18_mini", "parameters": None}


def resnet18(pretrained: bool = False) -> nn.Module:  # noqa: FBT001, FBT002 - torchvision's way
    """Return a network for images: pretrained, or with random parameters.

    Its last layer is ``model.fc``, an ``nn.Linear``. The network is on the CPU and in training
    mode, and all its parameters require gradients.
    """
    network = ARCHITECTURES[_in_use["architecture"]]()
    if pretrained:
        parameters = _in_use["parameters"]
        load_parameters(network, read_checkpoint() if parameters is None else parameters)
    return network


def install(architecture: str, parameters: Parameters | None) -> None:
    """Choose what ``resnet18`` returns: one of ARCHITECTURES with these pretrained parameters.

    Without parameters, those of the file beside this one. Called by the grader; students need not.
    """
    _in_use.update(architecture=architecture, parameters=parameters)


def read_checkpoint(path: Path = CHECKPOINT) -> dict[str, np.ndarray]:
    """Read the parameters of ``resnet18_mini`` by name; stored in half precision, given as float32.

    Raises:
        FileNotFoundError: the file is not beside this one.
    """
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in arrays.items()}


def load_parameters(network: nn.Module, parameters: Parameters) -> None:
    """Copy parameters by name into a network; how many batches batch norms saw may be left out.

    Raises:
        RuntimeError: a name or a shape does not fit.
    """
    state = {name: torch.from_numpy(np.array(value)) for name, value in parameters.items()}
    counts = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
    network.load_state_dict({**counts, **state})


def normalise(images: np.ndarray) -> Tensor:
    """Images (N, H, W, 3) uint8 -> what the networks take, (N, 3, H, W) float32."""
    pixels = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    return (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
