"""A small assignment of layers with gradients, to test the kinds ``forward`` and ``gradient``.

``layer`` is y = tanh(x w + b). ``stack`` runs it several times in a row and builds on it. ``loss``
returns its gradient together with its value.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from textwrap import dedent

import yaml

from grader.job import Settings
from grader.model import CheckResult
from grader.run.workers import ForkServers
from tests.checks.toy import judged

LAYER = """
import numpy as np


def layer_forward(x, w, b):
    y = np.tanh(x @ w + b)
    return y, (x, w, y)


def layer_backward(dy, cache):
    x, w, y = cache
    da = dy * (1 - y**2)
    return da @ w.T, x.T @ da, da.sum(axis=0)
"""
STACK = """

def stack_forward(x, w, b, depth):
    caches = []
    for _ in range(depth):
        x, cache = layer_forward(x, w, b)
        caches.append(cache)
    return x, caches


def stack_backward(dh, caches):
    dw, db = 0, 0
    for cache in reversed(caches):
        dh, dw_layer, db_layer = layer_backward(dh, cache)
        dw, db = dw + dw_layer, db + db_layer
    return dh, dw, db
"""
LOSS = """

def loss(x, y):
    return 0.5 * ((x - y) ** 2).sum(), x - y
"""
RIGHT = LAYER + STACK + LOSS
CASES = """
import numpy as np

from grader.author.cases import Case


def layer_forward(rng):
    for n, d, h, dtype, group in (
        (3, 4, 2, np.float64, "values"),
        (2, 3, 5, np.float64, "values"),
        (4, 2, 3, np.float32, "values"),
        (1, 2, 2, np.float64, "edge_cases"),
    ):
        shapes = {"x": (n, d), "w": (d, h), "b": (h,)}
        arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
        yield Case(f"N={n} D={d} H={h}", arrays, group)


def stack_forward(rng):
    for depth in (2, 3):
        arrays = {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(4, 4)) / 2}
        yield Case(f"depth {depth}", {**arrays, "b": rng.normal(size=4), "depth": depth})


def loss(rng):
    yield Case("usual", {"x": rng.normal(size=5), "y": rng.normal(size=5)})


def _slope_forgotten(arguments, cotangents):
    x, w, dy = arguments["x"], arguments["w"], cotangents["y"]
    return {"dx": dy @ w.T, "dw": x.T @ dy, "db": dy.sum(axis=0)}


def _no_tanh(x, w, b):
    return x @ w + b


def _caches_of_layers(call, arguments, forward):
    x, caches = arguments["x"], []
    for _ in range(arguments["depth"]):
        inputs = {"x": x, "w": arguments["w"], "b": arguments["b"]}
        caches.append(call("layer_forward", inputs, ["y", "cache"], ["cache"])["cache"])
        x = np.tanh(x @ arguments["w"] + arguments["b"])
    return caches


MISTAKES = {
    "layer_forward": {
        "the tanh is forgotten": _no_tanh,
        "the bias is forgotten": lambda x, w, b: np.tanh(x @ w),
        "the last column is left out": lambda x, w, b: np.tanh(x @ w + b)[:, :-1],
    },
    "layer_backward": {"the slope of tanh is forgotten": _slope_forgotten},
}
CACHES = {"stack_backward": _caches_of_layers}
INTERMEDIATES = {}
"""
RUBRIC = """
assignment: layers
title: Layers
points: 10
questions:
  - id: q1
    title: Layers
    points: 10
    module: layers.py
    checks:
"""
FORWARD = {
    "id": "q1.1", "title": "layer", "points": 10, "kind": "forward", "function": "layer_forward",
    "returns": ["y", "cache"], "opaque": ["cache"], "shares": {"values": 0.7, "edge_cases": 0.3},
}  # fmt: skip
GRADIENT = {
    "id": "q1.1", "title": "layer", "points": 10, "kind": "gradient", "function": "layer_backward",
    "forward": "layer_forward", "returns": ["y", "cache"], "opaque": ["cache"],
    "gradients": {"dx": "x", "dw": "w", "db": "b"}, "shares": {"dx": 0.5, "dw": 0.3, "db": 0.2},
}  # fmt: skip
# Checks about the functions that others build on.
LAYERS = [{**FORWARD, "id": "q1.8"}, {**GRADIENT, "id": "q1.9"}]
STACKED = {
    "function": "stack_backward", "forward": "stack_forward", "returns": ["h", "caches"],
    "opaque": ["caches"], "builds_on": ["layer_forward", "layer_backward"],
}  # fmt: skip


def write(folder: Path, check: dict[str, object], cases: str = CASES) -> Path:
    """Write the assignment with one check, a dictionary of rubric keys; return the rubric."""
    limit = {key: check[key] for key in ("timeout_s",) if key in check}
    checks = [check, *({**layer, **limit} for layer in LAYERS if "builds_on" in check)]
    keys = [
        yaml.safe_dump(one, default_flow_style=True, sort_keys=False).replace("\n", " ")
        for one in checks
    ]
    rubric = RUBRIC.replace("points: 10", f"points: {sum(one['points'] for one in checks)}")
    files = {
        "reference/layers.py": RIGHT,
        "reference/cases/layers.py": cases,
        "submissions_template/layers.py": "".join(
            f"def {line.removeprefix('def ')}\n    raise NotImplementedError\n\n\n"
            for line in RIGHT.splitlines()
            if line.startswith("def ")
        ),
        "rubric.yaml": rubric.lstrip() + "".join(f"      - {one}\n" for one in keys),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "rubric.yaml"


def judge(
    folder: Path,
    fork_servers: ForkServers,
    check: dict[str, object],
    source: str = RIGHT,
    cases: str = CASES,
    settings: Settings | None = None,
) -> CheckResult:
    """Judge a submission of this module with one check."""
    # A folder of its own: a process that has read an assignment does not read it again.
    own = Path(tempfile.mkdtemp(dir=folder))
    files = {"layers.py": dedent(source)}
    return judged(write(own, check, cases), files, fork_servers, settings)["q1.1"]


def changed(*replacements: tuple[str, str], source: str = RIGHT) -> str:
    """Return the right module with parts of its text replaced, each of which must be there."""
    for old, new in replacements:
        assert old in source, old
        source = source.replace(old, new)
    return source
