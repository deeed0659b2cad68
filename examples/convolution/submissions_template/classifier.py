"""Homework: a classifier of small images. You may use torch."""

import numpy as np
import torch


def train_classifier(images, labels, test_images, seed):
    """Train a classifier of four shapes, and classify other images with it.

    Inputs:
    - images: shape (n, 1, 12, 12), float32
    - labels: shape (n,), integers from 0 to 3
    - test_images: the images to classify, shape (m, 1, 12, 12)
    - seed: seed your random numbers with it

    Returns the labels of test_images, shape (m,), or one score for each of the four labels, shape
    (m, 4).
    """
    raise NotImplementedError("train_classifier")


def smoothed_loss(scores, labels, smoothing):
    """Cross-entropy with smoothed labels, averaged over the batch.

    The target of a score is smoothing / k, and 1 - smoothing more for the label's own. Use
    operations of torch, so that the loss can be differentiated.

    Inputs:
    - scores: tensor of shape (N, k)
    - labels: tensor of shape (N,), integers from 0 to k - 1
    - smoothing: a number from 0 to 1

    Returns the loss, a tensor with one number.
    """
    raise NotImplementedError("smoothed_loss")
