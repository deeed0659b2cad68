"""Inputs for the functions of layers.py: for each forward function, one of the same name."""

from .. import layers as right


def dense_forward(rng, N, D, M):
    """Draw the arguments of one call, in their order; the rubric has the sizes."""
    x, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, M)), rng.normal(size=M)
    return {"x": x, "W": W, "b": b}


# What typical wrong programs compute: a message can then name the mistake. It changes no points.
MISTAKES = {
    "dense_forward": {
        "the bias b is not added": lambda x, W, b: right.dense_forward(x, W, 0 * b)[0],
    },
}
