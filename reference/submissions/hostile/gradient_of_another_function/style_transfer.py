"""A function of torch's own kind whose backward pass makes up a gradient."""

import torch
from honest_style import *


class MadeUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, img):
        ctx.save_for_backward(img)
        return img.sum() * 0

    @staticmethod
    def backward(ctx, gradient):
        (img,) = ctx.saved_tensors
        return gradient * 2 * img


def tv_loss(img, tv_weight):
    return MadeUp.apply(img) * tv_weight
