"""Case generators whose sizes stand in the rubric: called once for each case."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from grader.author.cases import Case
from grader.model import Sizes
from grader.readers.texts import did_you_mean


def cases(generator: Callable[..., Any], rng: np.random.Generator, sizes: Sizes) -> Iterable[Case]:
    """Yield the cases of a generator, which takes ``rng`` and, if there are any, sizes.

    Raises:
        TypeError: it returns neither arguments by name nor a case.
    """
    if not sizes:
        return list(generator(rng))
    return [_case(generator(rng, **dict(size)), group, size) for group, size in sizes]


def _case(made: Any, group: str, size: tuple[tuple[str, Any], ...]) -> Case:
    if isinstance(made, Case):
        return replace(made, group=group)
    if isinstance(made, Mapping):
        return Case(" ".join(f"{name}={value}" for name, value in size), made, group)
    raise TypeError(f"it returns {type(made).__name__}, not a dictionary of arguments or a Case")


def problems(generator: Callable[..., Any], sizes: Sizes) -> Iterator[str]:
    """Yield how the sizes of the rubric differ from what a generator takes."""
    name = getattr(generator, "__name__", "")
    parameters = list(inspect.signature(generator).parameters.values())[1:]  # without rng
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    taken = [parameter.name for parameter in parameters]
    needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    if not sizes and needed:
        yield f"the generator {name} needs {', '.join(needed)} from the rubric"
    if sizes and not taken:
        yield f"the generator {name} takes no sizes"
        return
    for group, size in sizes:
        given = dict(size)
        for key in given:
            if key not in taken:
                meant = did_you_mean(key, taken) or f" (it takes {', '.join(taken)})"
                yield f"{group}: the generator {name} takes no {key!r}{meant}"
        for key in needed:
            if key not in given:
                yield f"{group}: {key!r} is missing, which the generator {name} needs"
