"""Right in single precision, the type that torch gives to a new buffer."""

import torch

from honest_style import *


def gram_matrix(features, normalize=True):
    N, C, H, W = features.shape
    flat = features.reshape(N, C, H * W)
    gram = torch.zeros(N, C, C)
    for n in range(N):
        gram[n] = flat[n] @ flat[n].t()
    return gram / (C * H * W) if normalize else gram
