"""Inputs for the functions of layers.py: a generator of the same name for each forward function.

Choose sizes that are all different: with N = D a transposed array would go unnoticed.
"""

from grader.author import Case

from .. import layers as right


def dense_forward(rng):
    """Yield cases; the names of the arguments are for messages and the rubric."""
    for N, D, M in [(3, 4, 5), (6, 2, 3), (1, 4, 2)]:
        x, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, M)), rng.normal(size=M)
        yield Case(f"N={N} D={D} M={M}", {"x": x, "W": W, "b": b})


# What typical wrong programs compute: a message can then name the mistake. It changes no points.
MISTAKES = {
    "dense_forward": {
        "the bias b is not added": lambda x, W, b: right.dense_forward(x, W, 0 * b)[0],
    },
}
