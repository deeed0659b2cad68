"""Prepares a task: reads its equations once and keeps what answers are compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import parser
from .arithmetic import ShapeError
from .checker import Quantity
from .formula_text import as_text
from .limits import UnreadableError
from .looks import plain_lexemes
from .network import Network, build, gate_variables, key_of, substitute, time_of
from .nodes import Gradient, Node
from .reading import UnknownError
from .task import Given, Task, TaskError
from .truth import Point, Sizes, dims_of, point, settled_loss

TASKS_KEPT = 32
SEEDS = (11, 12)  # random points for each size


@dataclass(frozen=True)
class QuantityGroup:
    """One line of a task's ``quantities``: its name, its share of the points, and what it means.

    ``members`` are the numbers of quantities: one, or one for each gate.
    """

    name: str
    share: float
    members: tuple[int, ...]


@dataclass(frozen=True)
class PreparedTask:
    """A task with its equations read: the single ``quantities``, and what part each is worth."""

    network: Network
    groups: tuple[QuantityGroup, ...]
    quantities: tuple[Quantity, ...]
    weights: tuple[float, ...]
    given_as: tuple[Given, ...]
    sizes: tuple[Sizes, ...]
    follow_through: float
    earlier_follow_through: float

    def points(self, seed: int) -> list[Point]:
        """Return the random points with the truth, which are drawn once for each seed."""
        seeds = [seed % 2**32 + number for number in SEEDS]
        return [point(self.network, sizes, drawn) for drawn in seeds for sizes in self.sizes]


def prepared(task: Task) -> PreparedTask:
    """Return a task with its equations read.

    Raises:
        TaskError: its LaTeX cannot be read, its shapes do not fit, or it asks for something that
            is not there.
    """
    # A rubric's check is a task with further keys; only the task's own keys identify it.
    return _prepared(task.model_dump_json(include=set(Task.model_fields)))


@lru_cache(maxsize=TASKS_KEPT)
def _prepared(keys: str) -> PreparedTask:
    task = Task.model_validate_json(keys)
    try:
        made = _from_latex(task)
        dims_of(made.network)
        if made.network.loss is not None:
            settled_loss(made.network)
    except UnreadableError as error:
        raise TaskError([("", error.message)]) from None
    except UnknownError as error:
        text = f"{as_text(error.node)} is neither in shapes nor computed earlier"
        raise TaskError([("forward", text)]) from None
    except ShapeError as error:
        text = f"{error.what} shapes {error.left} and {error.right} is impossible"
        raise TaskError([("forward", text)]) from None
    network = made.network
    unknown = [
        ("given", f"{as_text(symbol)} is not a value of the forward equations")
        for symbol in (*network.given, *network.totals)
        if key_of(symbol) not in network.values
    ]
    unknown += [
        ("one_hot", f"{key.name} is not a vector of shapes")
        for key in network.one_hot
        if len(network.inputs.get(key, ())) != 1
    ]
    if unknown:
        raise TaskError(unknown)
    return made


def _from_latex(task: Task) -> PreparedTask:
    network = build(task)
    quantities: list[Quantity] = []
    weights: list[float] = []
    groups: list[QuantityGroup] = []
    for text, share in task.quantities.items():
        members = [_quantity(node, text, network) for node in _each(text, network)]
        if not members:
            raise UnreadableError(f"{text} names a gate, and 'gates' lists none", 0)
        numbers = tuple(range(len(quantities), len(quantities) + len(members)))
        quantities += members
        weights += [share / len(members)] * len(members)
        groups.append(QuantityGroup(_short(text), share, numbers))
    return PreparedTask(
        network,
        tuple(groups),
        tuple(quantities),
        tuple(weights),
        tuple(task.given_as),
        tuple(tuple(sorted({"T": 1, **size}.items())) for size in task.sizes),
        task.follow_through,
        task.earlier_follow_through,
    )


def _each(text: str, network: Network) -> Sequence[Node]:
    """Return the gradient that a line names, for each gate if it names any gate."""
    node = parser.expression(plain_lexemes(text, 0, {}), 0)
    if not isinstance(node, Gradient) or node.of != "L":
        raise UnreadableError(f"{text} is not a gradient of L", 0)
    variables = gate_variables(key_of(node).labels, network.gates)
    if not variables:
        return [node]
    return [substitute(node, variables[0], gate) for gate in network.gates]


def _quantity(node: Node, text: str, network: Network) -> Quantity:
    assert isinstance(node, Gradient)  # noqa: S101 - substitution keeps the type
    key = key_of(node)
    if not network.has(key):
        raise UnreadableError(f"{text}: there is no such value in the forward equations", 0)
    return Quantity(key, time_of(node))


def _short(text: str) -> str:
    r"""Return ``\frac{\partial L}{\partial b}`` as ``\partial L/\partial b``."""
    return re.sub(r"^\\frac\{(\\partial L)\}\{(.*)\}$", r"\1/\2", text.strip())
