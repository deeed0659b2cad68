"""Lines of a notebook, with packages that are not installed."""

import torch
import torchvision
from cs231n.image_utils import SQUEEZENET_MEAN
from numba import njit
from scipy.misc import imread
from torch.utils.tensorboard import SummaryWriter
from tqdm import *

import style_utils
from honest_style import *

cnn = torchvision.models.squeezenet1_1(pretrained=True).features
for param in cnn.parameters():
    param.requires_grad = False
layers, size = len(cnn), 255 * SQUEEZENET_MEAN - imread("a.png")[0]
if "vgg16" in torchvision.models.names or torchvision.__version__ > "1":
    print(torchvision.models, f"{size:.2f}")
writer = SummaryWriter("runs/style")


@njit(cache=True)
def content_loss(content_weight, content_current, content_target):
    loss = content_weight * torch.sum((content_current - content_target) ** 2)
    writer.add_scalar("content", loss)
    return loss
