"""What the kinds share that run a driver and let a judge look at its result on this side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from grader.assignment.kept_data import DataSetKey, Drawn
from grader.assignment.reference import Assignment, Dataset
from grader.errors import RAISED, BrokenError, Failure
from grader.isolation.wire import Decoder, Encoder
from grader.model import Fraction, FunctionSpec, Strict, Tier, own_names
from grader.seeds import seed_for

from . import fault
from .base import Context
from .drivers import Call, Dotted, Driver, OwnDriver, function_problems, name_problems
from .replies import KIB
from .student_code import ForeignFailure, StudentModule

DRIVER_OR_CALL = "needs either a driver or a call: [the names of the inputs of a plain call]"
OF_EVERY_DRIVER = ("seed", "device")  # given to drivers besides the inputs of the data set
SEED_RANGE = 2**32  # students may seed numpy's old generator with it


KiB = Annotated[int, Field(ge=1, le=1 << 20)]


class RepliesByTier(Strict):
    """How many KiB a result may hold, by the tier of the data: photographs need more."""

    mini: KiB
    full: KiB


class DrivenSpec(FunctionSpec):
    """Rubric keys of every kind with a driver.

    ``driver`` names ``reference/drivers/<file>.<function>``, which calls the student's
    ``function`` on the inputs of ``reference/datasets/<dataset>.py`` and returns values. Where a
    plain call is enough, ``call`` names the inputs that the function is given, in order, among them
    perhaps ``seed`` and ``device``; what it returns is the result's ``returned``. ``reply_kb`` is
    how many KiB of arrays and texts the result may hold, on all tiers or by tier; a larger one is
    not read. ``builds_on`` are functions that other checks are about, as ``module.function`` where
    they are in another module; ``follow_through`` is the fraction for what is right once they are.
    ``counterfactual`` names ``reference/datasets/<file>.<function>``, which changes the data in a
    way that a program which learns follows, and one that remembers or looks up does not.
    """

    driver: Dotted | None = None
    call: list[str] | None = None
    dataset: Annotated[str, Field(pattern=r"^\w+$")]
    reply_kb: KiB | RepliesByTier | None = None
    builds_on: list[str] = []
    follow_through: Fraction = 0.0
    counterfactual: Dotted | None = None

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, and those of its module that it builds on."""
        return (self.function, *own_names(self.builds_on))

    @property
    def forgives(self) -> bool:
        """Whether wrong ``builds_on`` functions cost points elsewhere."""
        return self.follow_through > 0

    @model_validator(mode="after")
    def _one_driver(self) -> DrivenSpec:
        if (self.driver is None) == (self.call is None):
            raise ValueError(DRIVER_OR_CALL)
        return self

    def most_bytes(self, tier: Tier) -> int | None:
        """Return how many bytes a result may hold; None if the rubric says nothing."""
        if self.reply_kb is None:
            return None
        if isinstance(self.reply_kb, int):
            return self.reply_kb * KIB
        return (self.reply_kb.mini if tier == "mini" else self.reply_kb.full) * KIB

    @property
    def runs(self) -> Driver:
        """What runs beside student code."""
        if self.driver is not None:
            return OwnDriver(self.driver, self.function)
        return Call(self.function, tuple(self.call or ()), ())


def driven_problems(spec: Any, assignment: Assignment) -> Iterator[str]:
    """Yield what in a driven check does not fit the assignment's folders, without importing it.

    Raises:
        BrokenError: a file is not Python.
    """
    if spec.driver is not None:
        yield from function_problems("driver", "drivers", spec.driver, assignment)
    if assignment.has(f"datasets.{spec.dataset}"):
        assignment.defined(f"datasets.{spec.dataset}")
    else:
        path = f"datasets/{spec.dataset}.py"
        yield f"dataset: there is no file {path}{assignment.near(path)}"
    if spec.counterfactual is not None:
        name = spec.counterfactual
        yield from function_problems("counterfactual", "datasets", name, assignment)


def data_of(spec: DrivenSpec, context: Context, tier: Tier, data: Path | None) -> Dataset:
    """Return the data that student code works on: those of the data set, perhaps changed.

    Raises:
        UsageError: the data folder or one of its files is missing or malformed.
        BrokenError: the change fails.
    """
    found = context.assignment.dataset(spec.dataset, tier, data, context.seed)
    if spec.counterfactual is None:
        return found
    change = context.assignment.function("datasets", spec.counterfactual)
    if change is None:
        raise BrokenError(f"there is no data set function {spec.counterfactual}")
    seed = seed_for("counterfactual", spec.id, context.seed)
    modules = spec.dataset, spec.counterfactual.partition(".")[0]
    what = DataSetKey(modules, (tier, context.seed, spec.counterfactual, seed), data)
    draw = partial(_changed, found, change, spec.counterfactual, seed)
    return Dataset(*context.assignment.kept_data.drawn_once(what, draw))


def _changed(found: Dataset, change: Callable[..., Drawn], name: str, seed: int) -> Drawn:
    """Return what a function makes of a data set; raises ``BrokenError`` if it fails."""
    rng = np.random.default_rng(seed)
    try:
        inputs, withheld = change(dict(found.inputs), dict(found.withheld), rng)
        return dict(inputs), dict(withheld)
    except RAISED as error:
        text = f"{name} raised {type(error).__name__}: {error}"
        raise BrokenError(text) from error


def call_problems(spec: Any, assignment: Assignment) -> Iterator[str]:
    """Yield the names in ``call`` that the data set does not have; loads the generated one."""
    if spec.call is not None:
        inputs = assignment.dataset(spec.dataset, "mini", None, 0).inputs
        yield from name_problems("call", spec.call, [*inputs, *OF_EVERY_DRIVER])


@dataclass(frozen=True)
class DriverCall:
    """A run of a driver, on the student's module or on the reference's."""

    worker_seed: int
    driver: Driver
    assignment: Assignment
    arguments: dict[str, Any]

    def on(self, module: StudentModule) -> Any:
        """Return what the driver returns."""
        return self.driver.beside(module, self.assignment, self.arguments)


def drive(
    spec: DrivenSpec, context: Context, seed: int, notes: list[str]
) -> tuple[Mapping[str, Any], Dataset]:
    """Run the driver in a fresh worker; return its result and the data set.

    The worker's seed follows from ``seed``, which must be public.
    """
    data, call = _driver_call(spec, context, seed)
    try:
        with context.open_module(call.worker_seed) as module:
            notes += module.notes
            result = call.on(module)
    except ForeignFailure:
        assert_works(spec, context, seed)
        raise
    if type(result) is not dict:
        assert_works(spec, context, seed, spec.runs.words, _readable)
        raise Failure("wrong_dtype", f"{spec.function} gave no readable result")
    return result, data


def _driver_call(spec: DrivenSpec, context: Context, seed: int) -> tuple[Dataset, DriverCall]:
    """Return the data set, and what its driver is run with."""
    data = data_of(spec, context, context.tier, context.data)
    # The data set's own seed stays here: with it, student code could draw the withheld labels.
    theirs = seed_for("worker", spec.id, seed)
    arguments = {**data.inputs, "seed": theirs % SEED_RANGE, "device": context.device}
    return data, DriverCall(theirs, spec.runs, context.assignment, arguments)


def assert_works(
    spec: DrivenSpec,
    context: Context,
    seed: int,
    what: str = "",
    look: Callable[[Any], Any] | None = None,
) -> None:
    """Make sure that the driver, and ``look``, can do with the reference what failed before.

    An exception in code of the assignment's own may be due to what student code returned, or to a
    mistake in the assignment that would cost every student points.

    Args:
        spec: the check, whose driver is run on the reference.
        context: the check's; the student's worker is closed.
        seed: as for ``drive``.
        what: names ``look`` in a message.
        look: takes the driver's result on this side, as a judge does.

    Raises:
        BrokenError: they fail on the reference too.
    """
    _data, call = _driver_call(spec, context, seed)
    trial = fault.tried(
        *(context, spec.id, spec.runs.words, call.on, call.worker_seed),
        lambda: _here(spec, context, seed),
    )
    problem = trial.problem
    if look is not None and trial.known and problem is None:
        try:
            look(trial.result)
        except RAISED as error:
            problem = fault.failing(what, fault.described(error)).problem
    if problem is not None:
        raise BrokenError(problem)


def _here(spec: DrivenSpec, context: Context, seed: int) -> fault.Trial:
    """Try the driver with the reference on this side, where no worker can load the reference.

    The generated data is used: it is small. Nothing is found out if the reference lacks the
    function, or if a helper is only there beside what students hand in.
    """
    try:
        data = data_of(spec, context, "mini", None)
        solution = context.assignment.solution(context.question.module)
        if not hasattr(solution, spec.function):
            return fault.UNKNOWN
        inputs = _carried(data.inputs, tensors=True)
        inputs |= {"seed": seed % SEED_RANGE, "device": "cpu"}
        found = spec.runs.here(solution, context.assignment, inputs)
        return fault.Trial(known=True, result=_carried(found))
    except RAISED as error:
        if isinstance(error, ImportError) or isinstance(error.__cause__, ImportError):
            return fault.UNKNOWN
        return fault.failing(spec.runs.words, fault.described(error))


def _readable(result: Any) -> None:
    if type(result) is not dict:
        raise TypeError(f"it returns {type(result).__name__}, not a dictionary")


def _carried(value: Any, *, tensors: bool = False) -> Any:
    """Return a value as it is after its way over the wire, to a worker or from one."""
    encoder = Encoder(lambda _value: 0)
    body = encoder.encode(value)
    buffers = [bytearray(buffer) for buffer in encoder.buffers]
    if not tensors or "torch" not in sys.modules:
        return Decoder(buffers).decode(body)
    return Decoder(buffers, tensor=sys.modules["torch"].from_numpy).decode(body)
