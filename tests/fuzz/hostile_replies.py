"""Results as a hostile worker may send them, in place of right ones: a grammar over decoded values.

Every value is one that the wire can carry, so it has passed all that is checked before a judge sees
it. ``spoiled`` puts hostile values in some places of a right result, or in all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.isolation.wire import Opaque, TensorData
from grader.isolation.wire.codec import DTYPES

Draw = random.Random
Array = np.ndarray[Any, Any]

TEXTS = (
    "", "0", "nan", "object", "<script>alert(1)</script>", "\x1b[2J", "\u202e", "\0",
    "{0.__class__}", "%s%n", "=cmd()", "x" * 300, "long " * 20_000, "\N{PILE OF POO}" * 50,
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 2**31, 2**53 + 1, 2**63 - 1, 1 - 2**63, 0.0, -0.0, 0.5, 1e308, -1e308, 5e-324,
    float("nan"), float("inf"), -float("inf"), True, False,
)  # fmt: skip
SHAPES = ((), (0,), (1,), (1, 1), (0, 3), (3, 0), (2, 3), (1,) * 16, (7,), (64, 64), (5000,))
DEEP = 15


def spoiled(draw: Draw, right: Any) -> Any:
    """Return a right result with hostile values in one to three places."""
    result = right
    for _ in range(draw.randint(1, 3)):
        result = _somewhere(draw, result, 0)
    return result


def made_up(draw: Draw, right: Any) -> Any:
    """Return a result of the right form, nothing in which is right; or any value at all."""
    if draw.random() < 0.3:
        return junk(draw)
    if type(right) is dict:
        return {key: made_up_leaf(draw, item) for key, item in right.items()}
    if type(right) in (list, tuple):
        return type(right)(made_up_leaf(draw, item) for item in right)
    return made_up_leaf(draw, right)


def made_up_leaf(draw: Draw, right: Any) -> Any:
    """Return a hostile value for a part of a result; parts that hold others keep their form."""
    if type(right) in (dict, list, tuple) and draw.random() < 0.9:
        parts = right.items() if type(right) is dict else enumerate(right)
        made = {key: made_up_leaf(draw, item) for key, item in parts}
        return made if type(right) is dict else type(right)(made.values())
    if isinstance(right, Opaque):
        return Opaque(right.handle, draw.choice(TEXTS)[:40])
    if isinstance(right, np.ndarray | np.generic) and draw.random() < 0.8:
        return array_like(draw, np.asarray(right))
    return junk(draw)


def junk(draw: Draw, depth: int = 0) -> Any:
    """Return any value that the wire can carry."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: draw.choice(NUMBERS),
        lambda: draw.choice(TEXTS),
        lambda: array(draw, draw.choice(SHAPES), draw.choice(sorted(DTYPES))),
        lambda: TensorData(array(draw, draw.choice(SHAPES), draw.choice(sorted(DTYPES)))),
        lambda: array(draw, (), draw.choice(sorted(DTYPES)))[()],
        lambda: Opaque(draw.choice((0, -1, 7, 2**40)), draw.choice(TEXTS)[:40]),
        lambda: nested(draw),
    ]
    if depth < 3:
        kinds += [
            lambda: [junk(draw, depth + 1) for _ in range(draw.randint(0, 4))],
            lambda: tuple(junk(draw, depth + 1) for _ in range(draw.randint(0, 4))),
            lambda: {key(draw): junk(draw, depth + 1) for _ in range(draw.randint(0, 4))},
        ]
    return draw.choice(kinds)()


def nested(draw: Draw) -> Any:
    """Return lists or dictionaries within one another."""
    value: Any = draw.choice(NUMBERS)
    for _ in range(draw.randint(1, DEEP)):
        value = [value] if draw.random() < 0.7 else {key(draw): value}
    return value


def key(draw: Draw) -> Any:
    """Return a key of a dictionary."""
    return draw.choice([*TEXTS[:12], 0, 1, -1, 2**40, True])


def array(draw: Draw, shape: tuple[int, ...], dtype: str) -> Array:
    """Return an array of extreme or random numbers."""
    rng = np.random.default_rng(draw.getrandbits(32))
    with np.errstate(all="ignore"):
        filled: Array = {
            "noise": lambda: rng.normal(size=shape),
            "zeros": lambda: np.zeros(shape),
            "ones": lambda: np.ones(shape),
            "extreme": lambda: rng.choice(np.array(NUMBERS, dtype=np.float64), size=shape),
            "indices": lambda: rng.integers(-3, 50, size=shape),
            "nan": lambda: np.full(shape, np.nan),
            "huge": lambda: np.full(shape, 1e300),
            "tiny": lambda: np.full(shape, 1e-310),
        }[draw.choice(["noise", "zeros", "ones", "extreme", "indices", "nan", "huge", "tiny"])]()
        return np.asarray(filled).astype(dtype)


def array_like(draw: Draw, right: Array) -> Any:
    """Return something like an array: of its shape, or of one that nearly is."""
    shape = draw.choice(
        [
            *([right.shape] * 4),
            right.shape[::-1],
            (right.size,),
            (1, *right.shape),
            (*right.shape, 1),
            right.shape[1:],
            tuple(max(0, size - 1) for size in right.shape),
            tuple(0 for _size in right.shape),
        ]
    )
    if len(shape) > 16:
        shape = ()
    usual = right.dtype.name if right.dtype.name in DTYPES else "float64"
    made = array(draw, shape, draw.choice([usual, usual, *sorted(DTYPES)]))
    if draw.random() < 0.2:
        return draw.choice([TensorData(made), made.tolist() if made.size < 1000 else made])
    return made


def _somewhere(draw: Draw, value: Any, depth: int) -> Any:
    """Return a value with a hostile one in one place, an entry more or less, or another key."""
    if type(value) not in (dict, list, tuple) or not value or draw.random() < 0.1 * depth:
        if isinstance(value, np.ndarray | np.generic) and draw.random() < 0.7:
            return array_like(draw, np.asarray(value))
        return junk(draw)
    entries = list(value.items()) if type(value) is dict else list(enumerate(value))
    at = draw.randrange(len(entries))
    how = draw.choice(["inside", "inside", "inside", "drop", "add", "exchange", "wrap"])
    if how == "inside":
        entries[at] = (entries[at][0], _somewhere(draw, entries[at][1], depth + 1))
    elif how == "drop":
        del entries[at]
    elif how == "add":
        entries.append((key(draw), junk(draw)))
    elif how == "exchange":
        other = draw.randrange(len(entries))
        one, two = entries[at], entries[other]
        entries[at], entries[other] = (one[0], two[1]), (two[0], one[1])
    else:
        return draw.choice([[value], (value,), {"result": value}])
    return dict(entries) if type(value) is dict else type(value)(item for _key, item in entries)
