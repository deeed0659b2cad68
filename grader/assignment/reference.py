"""An assignment's own code, under a package name of its own: reference, cases, drivers, data."""

from __future__ import annotations

import ast
import copy
import hashlib
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

import numpy as np

from grader.assignment import sized
from grader.assignment.kept_data import DataSetKey, Drawn, KeptData
from grader.assignment.raised import short
from grader.assignment.solved import SolvedCase as SolvedCase  # noqa: PLC0414 - who asks the reference needs both
from grader.assignment.syntax import statements
from grader.author.cases import Case
from grader.errors import RAISED, BrokenError, UsageError
from grader.model import Array, CheckSpec, Sizes, Tier
from grader.readers.texts import did_you_mean

Call = Callable[..., tuple[Any, ...]]
SOLVED_SETS_KEPT = 64  # checks of one rubric and seed; a second submission finds them ready


class OtherNumberError(BrokenError):
    """The reference's ``function`` returns another number of values than the rubric names."""

    function: str = ""


@dataclass(frozen=True)
class Dataset:
    """What a training check needs: ``inputs`` go to the worker, ``withheld`` never leaves."""

    inputs: dict[str, Any]
    withheld: dict[str, Any]


class RunsHere(Hashable, Protocol):
    """What works with the reference and named inputs; hashable."""

    @property
    def words(self) -> str:
        """What it is called in messages."""

    def here(self, solution: ModuleType, assignment: Assignment, inputs: Mapping[str, Any]) -> Any:
        """Run it; return a dictionary of values."""


class Assignment:
    """Access to everything under an assignment's ``reference`` folder.

    What goes wrong in here is our side's fault: ``BrokenError``. ``can_answer`` says that the
    reference is here, and can take the place of a student's function.
    """

    can_answer: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        self._package = f"_assignment_{digest}"
        # What became of the reference in a worker (grader/checks/fault.py), once per process.
        self.tried: dict[Hashable, Any] = {}
        # What changes of the reference give (grader/checks/reference_mutants.py), by check.
        self.changed: dict[Hashable, Any] = {}
        self._solve = lru_cache(maxsize=SOLVED_SETS_KEPT)(self._solve_uncached)
        self._drive = lru_cache(maxsize=SOLVED_SETS_KEPT)(self._driven_uncached)
        self.kept_data = KeptData(self.folder)
        # Reading a rubric asks for both again and again.
        self._draw = lru_cache(maxsize=SOLVED_SETS_KEPT)(self._cases_uncached)
        self.defined = lru_cache(maxsize=None)(self._defined_uncached)

    def _import(self, name: str) -> ModuleType:
        if self._package not in sys.modules:
            # A namespace package: the folder may do without an __init__.py.
            spec = importlib.machinery.ModuleSpec(self._package, None, is_package=True)
            spec.submodule_search_locations = [str(self.folder)]
            sys.modules[self._package] = importlib.util.module_from_spec(spec)
        try:
            return importlib.import_module(f"{self._package}.{name}")
        except RAISED as error:
            path = f"{self.folder.name}/{name.replace('.', '/')}.py"
            raise BrokenError(f"{path} cannot be imported: {short(error)}") from error

    def has(self, name: str) -> bool:
        """Say whether there is a file for the dotted module ``name``."""
        return (self.folder / f"{name.replace('.', '/')}.py").is_file()

    def near(self, name: str) -> str:
        """Return a question after the file that was meant by ``name``, such as ``drivers/a.py``.

        It is empty if no file of the same folder has a similar name.
        """
        wrong = self.folder / name
        known = sorted(path.name for path in wrong.parent.glob("*.py"))
        return did_you_mean(wrong.name, known)

    def solution(self, module: str) -> ModuleType:
        """Return the reference solution of a student's module, such as ``rnn_layers.py``."""
        return self._import(module.removesuffix(".py"))

    def second(self, module: str) -> ModuleType | None:
        """Return an independent second solution, ``second/<module>``, if there is one."""
        name = f"second.{module.removesuffix('.py')}"
        return self._import(name) if self.has(name) else None

    def _case_file(self, module: str) -> ModuleType:
        return self._import(f"cases.{module.removesuffix('.py')}")

    def function_problems(self, module: str, check: CheckSpec) -> Iterator[str]:
        """Yield a problem for each function of a check that the reference solution lacks."""
        solution = self.solution(module)
        for name in check.functions:
            if not callable(getattr(solution, name, None)):
                near = did_you_mean(name, sorted(self.defined(module.removesuffix(".py"))))
                text = f"the reference {module} has no function {name!r}{near}"
                yield f"{check.key_of(name)}: {text}"

    def cases(self, module: str, function: str, seed: int, sizes: Sizes = ()) -> list[Case]:
        """Return the cases of a function, drawn with ``seed``.

        Raises:
            UsageError: the case file has no generator for it, or one that takes other sizes.
            BrokenError: the generator raises; ``RaisedOnSizesError`` on sizes of the rubric.
        """
        return list(self._draw(module, function, seed, sizes))

    def _cases_uncached(
        self, module: str, function: str, seed: int, sizes: Sizes
    ) -> tuple[Case, ...]:
        name = f"cases.{module.removesuffix('.py')}"
        generator = getattr(self._case_file(module), function, None) if self.has(name) else None
        if not callable(generator):
            path = f"{self.folder.name}/{name.replace('.', '/')}.py"
            near = did_you_mean(function, sorted(self.defined(name)))
            raise UsageError(f"function: {path} has no case generator {function!r}{near}")
        if wrong := "; ".join(sized.problems(generator, sizes)):
            raise UsageError(f"sizes: {wrong}")
        try:
            return tuple(sized.cases(generator, np.random.default_rng(seed), sizes, self.folder))
        except sized.RaisedOnSizesError:
            raise
        except RAISED as error:
            raise BrokenError(f"the cases of {function} raised {short(error)}") from error

    def outputs(
        self, module: str, function: str, arguments: Mapping[str, Any], returns: Sequence[str]
    ) -> dict[str, Any]:
        """Return by name what the reference's function returns.

        Raises:
            BrokenError: it raises, or returns another number of values.
        """
        return self._outputs(self.solution(module), function, arguments.values(), tuple(returns))

    def case_table(self, module: str, name: str) -> Mapping[str, Any]:
        """Return a dictionary of a case file, such as MISTAKES; an empty one if there is none.

        Raises:
            UsageError: what has this name is not a dictionary.
        """
        if not self.has(f"cases.{module.removesuffix('.py')}"):
            return {}
        found = getattr(self._case_file(module), name, {})
        if not isinstance(found, Mapping):
            place = f"{self.folder.name}/cases/{module}"
            raise UsageError(f"function: {place}: {name} must be a dictionary by function")
        return found

    def mistakes(self, module: str, function: str) -> Mapping[str, Callable[..., Any]]:
        """Return what typical wrong programs compute, by description."""
        found: Mapping[str, Any] = self.case_table(module, "MISTAKES").get(function, {})
        return found

    def caches(self, module: str, function: str) -> Callable[..., Any] | None:
        """Return how the cache of a gradient function is made from a student's other functions."""
        return self.case_table(module, "CACHES").get(function)

    def intermediates(self, module: str, function: str) -> Callable[..., Mapping[str, Any]] | None:
        """Return what students may keep in the cache of a function, by the usual names."""
        return self.case_table(module, "INTERMEDIATES").get(function)

    def solved(
        self,
        module: str,
        function: str,
        returns: Sequence[str],
        opaque: Sequence[str],
        seed: int,
        sizes: Sizes = (),
    ) -> tuple[SolvedCase, ...]:
        """Return the cases of a forward function with the reference's outputs."""
        return self._solve(module, function, tuple(returns), tuple(opaque), "", (), seed, sizes)

    def solved_gradients(
        self,
        module: str,
        forward: str,
        returns: Sequence[str],
        opaque: Sequence[str],
        backward: str,
        gradients: Sequence[str],
        seed: int,
        sizes: Sizes = (),
    ) -> tuple[SolvedCase, ...]:
        """Return the cases of ``forward`` with random cotangents and the reference's gradients.

        With ``backward`` equal to ``forward`` the gradients are among its own outputs.
        """
        names = (tuple(returns), tuple(opaque), backward, tuple(gradients))
        return self._solve(module, forward, *names, seed, sizes)

    def _solve_uncached(
        self,
        module: str,
        forward: str,
        returns: tuple[str, ...],
        opaque: tuple[str, ...],
        backward: str,
        gradients: tuple[str, ...],
        seed: int,
        sizes: Sizes,
    ) -> tuple[SolvedCase, ...]:
        solution = self.solution(module)
        rng = np.random.default_rng([seed, 1])
        solved = []
        for case in self.cases(module, forward, seed, sizes):
            arguments = {name: _frozen(value) for name, value in case.arguments.items()}
            outputs = self._outputs(solution, forward, arguments.values(), returns)
            values = _arrays(forward, {n: outputs[n] for n in returns if n not in opaque})
            cotangents: dict[str, Array] = {}
            expected = values
            if backward == forward:
                expected = {name: values.pop(name) for name in gradients}
            elif backward:
                cotangents = {
                    name: _frozen(np.asarray(rng.standard_normal(value.shape)).astype(value.dtype))
                    for name, value in values.items()
                }
                inputs = [*cotangents.values(), *(outputs[name] for name in opaque)]
                expected = self._outputs(solution, backward, inputs, gradients)
            expected = _arrays(backward or forward, expected)
            expected = {name: _frozen(value) for name, value in expected.items()}
            values = {name: _frozen(value) for name, value in values.items()}
            solved.append(
                SolvedCase(case.name, case.group, arguments, expected, cotangents, values)
            )
        if not solved:
            raise BrokenError(f"the case generator of {forward} yields no case")
        return tuple(solved)

    def _outputs(
        self, solution: ModuleType, function: str, arguments: Any, names: tuple[str, ...]
    ) -> dict[str, Any]:
        try:
            result = getattr(solution, function)(*arguments)
        except RAISED as error:
            raise BrokenError(f"the reference {function} raised {short(error)}") from error
        items = (result,) if len(names) == 1 and type(result) is not tuple else result
        if len(items) != len(names):
            other = OtherNumberError(
                f"the reference {function} returns {len(items)} values, but the rubric names "
                f"{len(names)} ({', '.join(names)})"
            )
            other.function = function
            raise other
        return dict(zip(names, items, strict=True))

    def driver(self, name: str) -> tuple[str, str]:
        """Return a label and the source text of ``drivers/<name>.py``."""
        path = self.folder / "drivers" / f"{name}.py"
        try:
            return f"drivers/{name}.py", path.read_text(encoding="utf-8")
        except OSError as error:
            raise BrokenError(f"the driver {path.name} cannot be read: {error.strerror}") from None
        except ValueError:
            raise BrokenError(f"the driver {path.name} is not UTF-8 text") from None

    def function(self, folder: str, name: str) -> Callable[..., Any] | None:
        """Return ``<file>.<function>`` of a folder such as ``facts``, if there is one."""
        file, _, function = name.partition(".")
        if not self.has(f"{folder}.{file}"):
            return None
        return getattr(self._import(f"{folder}.{file}"), function, None)

    def names(self, folder: str, name: str) -> bool:
        """Say whether ``<file>.<function>`` is defined in a folder, without importing the file.

        Raises:
            BrokenError: the file is not Python.
        """
        file, _, function = name.partition(".")
        return function in self.defined(f"{folder}.{file}")

    def _defined_uncached(self, name: str) -> frozenset[str]:
        """Return the functions and classes of the dotted module ``name``, without importing it.

        Raises:
            BrokenError: it is not Python, or cannot be read.
        """
        path = f"{name.replace('.', '/')}.py"
        if not self.has(name):
            return frozenset()
        try:
            tree = ast.parse((self.folder / path).read_bytes())
        except OSError as error:
            raise BrokenError(
                f"{self.folder.name}/{path} cannot be read: {error.strerror}"
            ) from None
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            words = getattr(error, "msg", None) or str(error)
            raise BrokenError(
                f"{self.folder.name}/{path}:{line}: this is not Python: {words}"
            ) from None
        kinds = (ast.FunctionDef, ast.ClassDef)
        return frozenset(node.name for node in statements(tree) if isinstance(node, kinds))

    def driven(
        self, module: str, driver: RunsHere, cases: str, seed: int, sizes: Sizes = ()
    ) -> tuple[SolvedCase, ...]:
        """Return cases with what a driver makes of the reference solution for them."""
        return self._drive(module, driver, cases, seed, sizes)

    def _driven_uncached(
        self, module: str, driver: RunsHere, cases: str, seed: int, sizes: Sizes
    ) -> tuple[SolvedCase, ...]:
        solution = self.solution(module)
        solved = []
        for case in self.cases(module, cases, seed, sizes):
            try:
                found = driver.here(solution, self, copy.deepcopy(dict(case.arguments)))
                expected = {name: _frozen(np.asarray(value)) for name, value in found.items()}
            except RAISED as error:
                message = f"{driver.words} on the reference raised {short(error)}"
                raise BrokenError(message) from error
            solved.append(SolvedCase(case.name, case.group, dict(case.arguments), expected))
        if not solved:
            raise BrokenError(f"the case generator {cases} yields no case")
        return tuple(solved)

    def comparison(self, module: str, cases: str) -> Callable[..., Any] | None:
        """Return the assignment's own way to compare the outputs of these cases, if it has one."""
        return self.case_table(module, "COMPARISONS").get(cases)

    def dataset(self, name: str, tier: Tier, data: Path | None, seed: int) -> Dataset:
        """Return the data set ``datasets/<name>.py`` of a tier, drawn or read once per process.

        Raises:
            UsageError: the data folder or one of its files is missing or malformed.
        """

        def draw() -> Drawn:
            loaded = self._import(f"datasets.{name}").load(tier, data, seed)
            return dict(loaded["inputs"]), dict(loaded["withheld"])

        try:
            return Dataset(
                *self.kept_data.drawn_once(DataSetKey((name,), (tier, seed), data), draw)
            )
        except BrokenError:
            raise
        except (OSError, ValueError) as error:
            raise UsageError(f"the data set {name!r} ({tier} tier): {error}") from None
        except RAISED as error:
            raise BrokenError(f"the data set {name!r} raised {short(error)}") from error


def _arrays(function: str, values: Mapping[str, Any]) -> dict[str, Array]:
    """Return what the reference's function returned as arrays; raises ``BrokenError``."""
    arrays = {}
    for name, value in values.items():
        try:
            arrays[name] = np.asarray(value)
        except ValueError as error:
            message = f"{name} of the reference {function} is not an array; is it opaque? ({error})"
            raise BrokenError(message) from None
    return arrays


def _frozen(value: Any) -> Any:
    """Make an array read-only: a reference that changes its inputs must not go unnoticed."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return value
