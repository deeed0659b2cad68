"""What runs beside student code: a driver of the assignment's, or a call that the rubric asks for.

Both run in two places: in a worker, with the student's module, and on this side, with the
reference's.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, Protocol

from pydantic import Field

from grader.assignment.reference import Assignment
from grader.errors import BrokenError, Failure
from grader.readers.texts import did_you_mean

from . import ready_driver
from .student_code import StudentModule, unpack

Dotted = Annotated[str, Field(pattern=r"^\w+\.\w+$")]
READY = ("call.py", inspect.getsource(ready_driver))
NO_PATH = (
    "torch finds no path from it to what {function} returns: did you detach a value or convert it "
    "to numpy on the way?"
)


class Driver(Protocol):
    """Code that works with a module and named inputs. Hashable: it is a part of cache keys."""

    @property
    def words(self) -> str:
        """What it is called in messages."""

    def beside(
        self, module: StudentModule, assignment: Assignment, inputs: Mapping[str, Any]
    ) -> Any:
        """Run it in a worker, beside student code; return what came back.

        Raises:
            Failure: student code fails.
        """

    def here(self, solution: ModuleType, assignment: Assignment, inputs: Mapping[str, Any]) -> Any:
        """Run it on this side, with the reference."""

    def source(self, assignment: Assignment) -> tuple[str, str] | None:
        """Return name and source of the assignment's file that it lies in, if it lies in one."""


@dataclass(frozen=True)
class OwnDriver:
    """``<file>.<function>`` of ``drivers/``; it needs the student's ``function``."""

    name: str
    function: str

    @property
    def words(self) -> str:
        """Its name in the rubric."""
        return f"the driver {self.name}"

    def beside(
        self, module: StudentModule, assignment: Assignment, inputs: Mapping[str, Any]
    ) -> Any:
        """Run it in a worker."""
        return self.other(self.name.partition(".")[2], module, assignment, inputs)

    def other(
        self,
        entry: str,
        module: StudentModule,
        assignment: Assignment,
        inputs: Mapping[str, Any],
    ) -> Any:
        """Run the function ``entry`` of the same file in a worker."""
        driver = assignment.driver(self.name.partition(".")[0])
        return module.drive(driver, entry, self.function, dict(inputs))

    def here(self, solution: ModuleType, assignment: Assignment, inputs: Mapping[str, Any]) -> Any:
        """Run it on this side."""
        run = assignment.function("drivers", self.name)
        if run is None:
            raise BrokenError(f"there is no driver {self.name}")
        return run(solution, **inputs)

    def source(self, assignment: Assignment) -> tuple[str, str]:
        """Return name and source of its file."""
        file = self.name.partition(".")[0]
        return file, assignment.driver(file)[1]


@dataclass(frozen=True)
class Call:
    """A plain call of the student's ``function``.

    Attributes:
        function: its name.
        arguments: the names of the inputs that it is given, in order; None for all of them.
        outputs: the names of what it returns, in order; if there are none, all of it is
            ``returned``.
        gradients: an output ``d<name>`` for each input that torch differentiates by.
    """

    function: str
    arguments: tuple[str, ...] | None
    outputs: tuple[str, ...]
    gradients: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is called."""
        return f"the call of {self.function}"

    def _asked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        names = self.arguments if self.arguments is not None else tuple(inputs)
        given = {name: inputs[name] for name in names}
        return {"function": self.function, "given": given, "gradients_of": list(self.gradients)}

    def beside(
        self, module: StudentModule, assignment: Assignment, inputs: Mapping[str, Any]
    ) -> Any:
        """Call it in a worker."""
        del assignment
        return self._read(module.drive(READY, "call", self.function, self._asked(inputs)))

    def here(self, solution: ModuleType, assignment: Assignment, inputs: Mapping[str, Any]) -> Any:
        """Call the reference's function."""
        del assignment
        found = self._read(ready_driver.call(solution, **self._asked(inputs)))
        for name in self.gradients:
            if found[f"d{name}"] is None:
                text = NO_PATH.format(function=self.function)
                raise BrokenError(f"d{name} of the reference: {text}")
        return {n: v.detach() if hasattr(v, "detach") else v for n, v in found.items()}

    def source(self, assignment: Assignment) -> None:
        """Return nothing: it lies in the engine."""
        del assignment

    def _read(self, reply: Any) -> dict[str, Any]:
        """Return the outputs by name; student code may have forged the reply."""
        if type(reply) is not dict or type(reply.get("gradients")) is not dict:
            raise Failure("wrong_dtype", f"{self.function} gave no readable result")
        returned = reply.get("returned")
        if self.outputs:
            found = unpack(self.function, returned, self.outputs)
        else:
            found = {"returned": unpack(self.function, returned, ("a value",))["a value"]}
        found |= {f"d{name}": reply["gradients"].get(name) for name in self.gradients}
        return found


def name_problems(key: str, names: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """Yield what in a list of names is not known, or there twice."""
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{key}: {name!r} appears twice"
        if name not in known:
            near = did_you_mean(name, known)
            yield f"{key}: there is no input {name!r}{near}; there are {', '.join(known)}"


def function_problems(key: str, folder: str, name: str, assignment: Assignment) -> Iterator[str]:
    """Yield what is wrong with ``<file>.<function>`` of a folder."""
    file, _, function = name.partition(".")
    if not assignment.has(f"{folder}.{file}"):
        path = f"{folder}/{file}.py"
        yield f"{key}: there is no file {path}{assignment.near(path)}"
    elif not assignment.names(folder, name):
        near = did_you_mean(function, sorted(assignment.defined(f"{folder}.{file}")))
        yield f"{key}: {folder}/{file}.py has no function {function!r}{near}"
