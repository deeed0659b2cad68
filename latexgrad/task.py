"""From the rubric's LaTeX to what is asked: built once for each check, and kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import network, parser
from .checker import Quantity
from .limits import UnreadableError
from .network import GATE_VARIABLES, Model, key_of, substitute, time_of
from .nodes import Gradient, Node
from .truth import PROBE_SIZES, Sizes
from .verdicts import Task

TASKS_KEPT = 32
SEEDS = (11, 12)  # random points for each size
DIMENSIONS = frozenset(PROBE_SIZES)


@dataclass(frozen=True)
class Asked:
    """One line of the rubric's ``quantities``: a quantity, or one for each gate."""

    name: str
    share: float
    members: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """What a check of kind ``derivation`` asks."""

    task: Task
    asked: tuple[Asked, ...]


@dataclass(frozen=True)
class Settings:
    """The rubric's keys that say what is asked, in a form that can be kept."""

    shapes: tuple[tuple[str, tuple[str, ...]], ...]
    forward: str
    given: tuple[str, ...]
    also_total: tuple[str, ...]
    given_as: tuple[Any, ...]
    gates: tuple[tuple[str, tuple[str, ...]], ...]
    aliases: tuple[tuple[str, tuple[str, ...]], ...]
    quantities: tuple[tuple[str, float], ...]
    sizes: tuple[Sizes, ...]
    follow_through: float
    earlier_follow_through: float


@lru_cache(maxsize=TASKS_KEPT)
def question(settings: Settings, seed: int) -> Question:
    """Return what is asked.

    Raises:
        UnreadableError: the rubric's LaTeX cannot be read, or asks for something unknown.
    """
    one_step = all(dict(sizes)["T"] == 1 for sizes in settings.sizes)
    made = network.build(
        dict(settings.shapes),
        settings.forward,
        settings.given,
        dict(settings.gates),
        dict(settings.aliases),
        totals=settings.also_total,
        one_step=one_step,
    )
    quantities: list[Quantity] = []
    weights: list[float] = []
    asked: list[Asked] = []
    for text, share in settings.quantities:
        members = [_quantity(node, text, made) for node in _each(text, made)]
        if not members:
            raise UnreadableError(f"{text} names a gate, and 'gates' lists none", 0)
        numbers = tuple(range(len(quantities), len(quantities) + len(members)))
        quantities += members
        weights += [share / len(members)] * len(members)
        asked.append(Asked(short(text), share, numbers))
    seeds = tuple(seed % 2**32 + number for number in SEEDS)
    task = Task(
        made, tuple(quantities), tuple(weights), settings.given_as, settings.sizes, seeds,
        settings.follow_through, settings.earlier_follow_through,
    )  # fmt: skip
    return Question(task, tuple(asked))


def _each(text: str, made: Model) -> list[Node]:
    node = parser.expression(network.lexed(text, 0, {}), 0)
    if not isinstance(node, Gradient) or node.of != "L":
        raise UnreadableError(f"{text} is not a gradient of L", 0)
    labels = key_of(node).labels
    variables = [label for label in labels if label in GATE_VARIABLES and label not in made.gates]
    if not variables:
        return [node]
    return [substitute(node, variables[0], gate) for gate in made.gates]


def _quantity(node: Node, text: str, made: Model) -> Quantity:
    assert isinstance(node, Gradient)  # noqa: S101 - substitution keeps the type
    key = key_of(node)
    if not made.knows(key):
        raise UnreadableError(f"{text}: there is no such value in the forward equations", 0)
    return Quantity(key, time_of(node))


def short(text: str) -> str:
    r"""Return ``\frac{\partial L}{\partial b}`` as ``\partial L/\partial b``."""
    return re.sub(r"^\\frac\{(\\partial L)\}\{(.*)\}$", r"\1/\2", text.strip())


def settings_of(
    *,
    shapes: Mapping[str, Sequence[str]],
    forward: str,
    given: Sequence[str],
    also_total: Sequence[str],
    given_as: Sequence[Any],
    gates: Mapping[str, Sequence[str]],
    aliases: Mapping[str, Sequence[str]],
    quantities: Mapping[str, float],
    sizes: Sequence[Mapping[str, int]],
    follow_through: float,
    earlier_follow_through: float,
) -> Settings:
    """Return settings from the mappings and lists that a rubric holds."""
    return Settings(
        _frozen(shapes),
        forward,
        tuple(given),
        tuple(also_total),
        tuple(given_as),
        _frozen(gates),
        _frozen(aliases),
        tuple(quantities.items()),
        tuple(tuple(sorted(size.items())) for size in sizes),
        follow_through,
        earlier_follow_through,
    )


def _frozen(
    mapping: Mapping[str, Sequence[str]],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(values)) for name, values in mapping.items())
