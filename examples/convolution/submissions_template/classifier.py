"""Homework: a classifier of small images. You may use torch."""

import numpy as np
import torch


def train_classifier(images, labels, seed):
    """Train a classifier of four shapes.

    Inputs:
    - images: shape (n, 1, 12, 12), float32
    - labels: shape (n,), integers from 0 to 3
    - seed: seed your random numbers with it

    Returns a function predict(images) that returns the labels (m,) of images (m, 1, 12, 12), or
    one score for each of the four labels, shape (m, 4).
    """
    raise NotImplementedError("train_classifier")
