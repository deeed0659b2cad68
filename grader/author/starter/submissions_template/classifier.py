"""Homework: train a classifier in numpy."""

import numpy as np


def train_classifier(train_x, train_y, test_x, seed):
    """Train a classifier of three classes, and predict the classes of other points.

    Inputs:
    - train_x: points to train with, shape (N, D)
    - train_y: their labels, shape (N,), integers from 0 to 2
    - test_x: points to classify, shape (M, D)
    - seed: seed your random numbers with it

    Returns the predicted labels of test_x, shape (M,).
    """
    raise NotImplementedError("train_classifier")
