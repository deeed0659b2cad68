"""My reference of small helpers."""


def affine(x, w, b):
    return x @ w + b
