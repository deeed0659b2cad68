"""What is taken for what in a one-change program: operators, comparisons, functions."""

from __future__ import annotations

import ast

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|",
}  # fmt: skip
OTHERS = {
    "+": "-*", "-": "+*", "*": "/+", "/": "*+", "//": "*+", "%": "*", "**": "*", "@": "*",
    "&": "|", "|": "&",
}  # fmt: skip
COMPARED: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">"), ast.Gt: (">=", "<"), ast.GtE: (">", "<"),
    ast.Eq: ("!=",), ast.NotEq: ("==",), ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
# Functions and attributes that are taken for one another.
EXCHANGED: dict[str, tuple[str, ...]] = {
    "sum": ("mean", "max"), "mean": ("sum",), "max": ("min", "sum"), "min": ("max",),
    "argmax": ("argmin",), "zeros": ("ones",), "ones": ("zeros",),
    "zeros_like": ("ones_like",), "ones_like": ("zeros_like",),
    "hstack": ("vstack",), "vstack": ("hstack",), "exp": ("log", "tanh"), "log": ("exp",),
    "tanh": ("sin", "arctan"), "sigmoid": ("np.tanh",), "sqrt": ("square",), "abs": ("negative",),
    "train": ("eval",), "eval": ("train",), "maximum": ("minimum",), "minimum": ("maximum",),
}  # fmt: skip
