"""Case generators whose sizes stand in the rubric: called once for each case."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment.raised import short
from grader.author.cases import Case
from grader.errors import RAISED, BrokenError
from grader.model import Sizes
from grader.readers.texts import did_you_mean


class RaisedOnSizesError(BrokenError):
    """A generator raises on sizes of the rubric: ``problems`` holds one for each size."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def cases(
    generator: Callable[..., Any], rng: np.random.Generator, sizes: Sizes, folder: Path
) -> Iterable[Case]:
    """Yield the cases of a generator, which takes ``rng`` and, if there are any, sizes.

    Args:
        generator: a function of the case file.
        rng: what it draws from.
        sizes: what the rubric asks it for.
        folder: the assignment's code, for the place of what it raises.

    Raises:
        RaisedOnSizesError: it raises on sizes, or returns neither arguments by name nor a case.
    """
    if not sizes:
        return list(generator(rng))
    made, wrong, seen = [], [], Counter[str]()
    for group, size in sizes:
        try:
            made.append(_case(generator(rng, **dict(size)), group, size))
        except RAISED as error:
            key = f"sizes.{group}.{seen[group]}"
            wrong.append(f"{key}: {_written(size)}: {_words(generator, error, folder)}")
        seen[group] += 1
    if wrong:
        raise RaisedOnSizesError(wrong)
    return made


def _words(generator: Callable[..., Any], error: BaseException, folder: Path) -> str:
    name = getattr(generator, "__name__", "")
    return f"the generator {name} raised {short(error, folder)}; change this size or the generator"


def _written(size: tuple[tuple[str, Any], ...]) -> str:
    """Return a size as the rubric has it."""
    return f"{{{', '.join(f'{name}: {value}' for name, value in size)}}}"


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
