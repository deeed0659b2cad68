"""The functions that formulas may use: their names in LaTeX, and what they compute.

They are autograd's, which are numpy's for arrays: the same evaluation gives the values of students'
formulas, and the truth and its derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as np

FUNCTION_COMMANDS = {
    r"\tanh": "tanh", r"\sigma": "sigmoid", r"\exp": "exp", r"\cosh": "cosh", r"\sinh": "sinh",
    r"\ln": "log", r"\log": "log", r"\diag": "diag", r"\sech": "sech", r"\sigmoid": "sigmoid",
    r"\coth": "coth", r"\sqrt": "sqrt",
}  # fmt: skip
FUNCTION_WORDS = {
    "tanh": "tanh", "sigmoid": "sigmoid", "sigm": "sigmoid", "sig": "sigmoid",
    "logistic": "sigmoid", "diag": "diag", "exp": "exp", "cosh": "cosh", "sinh": "sinh",
    "softmax": "softmax", "relu": "relu", "sech": "sech", "log": "log", "ln": "log", "sqrt": "sqrt",
}  # fmt: skip

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Functions:
    """What formulas are computed with. Values are matrices with two axes, vectors among them."""

    values: dict[str, Function]
    slopes: dict[str, Function]
    number: Callable[[float], Any]
    ones: Callable[[int, int], Any]
    eye: Callable[[int], Any]


def _sigmoid(x: Any) -> Any:
    return 0.5 * (np.tanh(0.5 * x) + 1)


def _tanh_slope(x: Any) -> Any:
    return 1 - np.tanh(x) ** 2


def _sigmoid_slope(x: Any) -> Any:
    return _sigmoid(x) * (1 - _sigmoid(x))


def _softmax(x: Any) -> Any:
    powers = np.exp(x)
    return powers / np.sum(powers)


def _diag(x: Any) -> Any:
    return np.diag(np.reshape(x, -1))


NUMPY = Functions(
    values={
        "tanh": np.tanh,
        "sigmoid": _sigmoid,
        "exp": np.exp,
        "cosh": np.cosh,
        "sinh": np.sinh,
        "sech": lambda x: 1 / np.cosh(x),
        "coth": lambda x: 1 / np.tanh(x),
        "log": np.log,
        "sqrt": np.sqrt,
        "diag": _diag,
        "softmax": _softmax,
        "relu": lambda x: x * (x > 0),
    },
    slopes={
        "tanh": _tanh_slope,
        "sigmoid": _sigmoid_slope,
        "exp": np.exp,
        "relu": lambda x: 1.0 * (x > 0),
    },
    # Not Python's own numbers, whose powers may raise or be complex.
    number=np.float64,
    ones=lambda rows, columns: np.ones((rows, columns)),
    eye=np.eye,
)
