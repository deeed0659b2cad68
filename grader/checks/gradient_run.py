"""One check of gradients: what is found about each gradient, case by case."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from grader.assignment.reference import SolvedCase
from grader.author.cases import BASE_GROUP, EDGE_CASES
from grader.checks import causes
from grader.checks.numerics import Comparison, Tolerance, compare, tolerance
from grader.errors import Blocked, Failure, Reason, WorkerLost
from grader.model import Array, Fraction, FunctionSpec, Part, Shares, Sized, Tolerances

from .base import Context, Stubs
from .differences import Differences, agrees, is_double
from .follow_through import composed, forgiven, is_an_attempt, right_at_outputs
from .mistakes import matching_mistake, named
from .student_code import StudentModule


class GradientSpec(FunctionSpec, Tolerances, Shares, Sized):
    """Rubric keys of ``gradient``.

    ``gradients`` maps each returned gradient, in order, to the argument of ``forward`` it belongs
    to. ``function`` is called with one cotangent for each output of ``forward`` in ``returns`` that
    is not ``opaque``, and then the opaque ones. If ``function`` is ``forward`` itself, the
    gradients are among its own ``returns`` and belong to the one output that is neither.
    ``shares`` weighs the gradients (equal by default). ``groups`` restricts the cases (default:
    all). ``edge_share`` is the part of each gradient's points that is lost if it is wrong in the
    edge cases only. ``follow_through`` is the fraction for a gradient that is right for the
    student's own wrong forward, or built from the student's own wrong ``builds_on`` functions.
    """

    forward: str
    returns: Annotated[list[str], Field(min_length=1)]
    opaque: list[str] = []
    gradients: Annotated[dict[str, str], Field(min_length=1)]
    groups: list[str] = []
    mutation: Literal["note", "fail"] = "note"
    builds_on: list[str] = []
    follow_through: Fraction = 0.0
    edge_share: Fraction = 0.2

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, its forward, and those that they build on."""
        return (self.function, self.forward, *self.builds_on)

    @property
    def forgives(self) -> bool:
        """Whether a wrong forward, or wrong ``builds_on`` functions, cost points elsewhere."""
        return self.follow_through > 0

    @property
    def values(self) -> list[str]:
        """The outputs of ``forward`` that are compared and differentiated."""
        return [n for n in self.returns if n not in self.opaque and n not in self.gradients]


class GradientRun:
    """The state of one check: what has been found about each gradient so far."""

    module: StudentModule  # of the case that is compared

    def __init__(self, spec: GradientSpec, context: Context) -> None:
        self.spec = spec
        self.context = context
        self.found: dict[str, tuple[str, Comparison]] = {}
        self.usual: set[str] = set()  # the gradients that are wrong in an ordinary case, too
        self.stubs = Stubs()
        self.failures: dict[str, int] = {}
        self.consistent: dict[str, bool] = {}
        self.right_at_own: dict[str, bool] = {}
        self.raised: dict[str, tuple[str, Comparison]] = {}  # in an edge case
        self.largest: dict[str, float] = {}
        # Gradients that are wrong for the same reason, cause and remark share a line.
        self.alike: dict[str, Hashable] = {}
        self.forward_wrong = False
        self.follows: bool | None = None
        self.blocked: list[tuple[SolvedCase, Blocked]] = []

    def compare_case(self, module: StudentModule, case: SolvedCase) -> None:
        """Compare all gradients of one case."""
        spec = self.spec
        self.module = module
        own = self._try_forward(case)
        if own is None:
            return
        limit = tolerance(spec, case)
        self.forward_wrong |= any(
            not compare(name, own[name], case.forward[name], limit).ok for name in spec.values
        )
        gradients = self._try_backward(case, own)
        if gradients is None:
            return
        self.stubs.add(None)
        wrong = []
        for name, expected in case.expected.items():
            result = compare(name, gradients[name], expected, limit)
            self.largest[name] = max(self.largest.get(name, 0.0), result.max_rel or 0.0)
            if not result.ok:
                known = matching_mistake(
                    self.context, spec.function, case, name, gradients[name], limit
                )
                if known:
                    result = named(result, spec.function, known)
                self._note(name, case, result)
                wrong.append(name)
        if wrong:
            self._compare_at_own_outputs(case, own, gradients, wrong, limit)
        if wrong and spec.builds_on:
            self._compare_composed(case, gradients, wrong, limit)

    def skipped(self) -> list[SolvedCase]:
        """Return the cases that the student's forward cannot do, and note them."""
        names = [case.name for case, _blocked in self.blocked]
        if names:
            forward = self.spec.forward
            self.module.notes.append(
                f"{self.spec.function} was not tried on {', '.join(names)}: {forward} fails there"
            )
        return [case for case, _blocked in self.blocked]

    def _try_forward(self, case: SolvedCase) -> dict[str, Any] | None:
        """Return the outputs of a case; None, with what that costs noted, if there are none.

        Raises:
            Blocked: in an ordinary case there must be outputs.
            WorkerLost: nothing can be called any more.
        """
        try:
            return self._forward(case)
        except (Blocked, Failure) as failed:
            if isinstance(failed, Failure) and self.spec.forward == self.spec.function:
                self._note_failure(case, failed)
            elif case.group == BASE_GROUP:
                raise
            else:  # a special case that the forward cannot handle costs points there
                blocked = Blocked(failed.reason, failed.message, failed.cause)
                self.blocked.append((case, blocked))
            if isinstance(failed, WorkerLost):
                raise
            return None

    def _forward(self, case: SolvedCase) -> dict[str, Any]:
        spec = self.spec
        if spec.forward == spec.function:
            return self.module.call(spec.function, case.arguments, spec.returns, spec.opaque)
        try:
            return self.module.call(spec.forward, case.arguments, spec.returns, spec.opaque)
        except WorkerLost as lost:
            message = f"{spec.forward}, which must run first: {lost.message}"
            raise WorkerLost(lost.reason, message, retry=lost.retry) from None
        except Failure as failed:
            message = f"fix {spec.forward} first: {failed.message}"
            raise Blocked(failed.reason, message, failed.cause) from None

    def _backward(self, case: SolvedCase, own: dict[str, Any]) -> dict[str, Any]:
        spec = self.spec
        if spec.forward == spec.function:
            return {name: own[name] for name in spec.gradients}
        arguments: dict[str, Any] = {f"d{n}": value for n, value in case.cotangents.items()}
        arguments |= {name: own[name] for name in spec.opaque}
        return self.module.call(spec.function, arguments, list(spec.gradients))

    def _note(self, name: str, case: SolvedCase, result: Comparison) -> None:
        self.found.setdefault(name, (case.name, result))
        self.failures[name] = self.failures.get(name, 0) + 1
        if case.group != EDGE_CASES:
            self.usual.add(name)

    def _try_backward(self, case: SolvedCase, own: dict[str, Any]) -> dict[str, Any] | None:
        """Return the gradients of a case; None, with all of them noted as wrong, if it fails."""
        try:
            return self._backward(case, own)
        except Failure as failed:
            self._note_failure(case, failed)
            if isinstance(failed, WorkerLost):
                raise
            return None

    def _note_failure(self, case: SolvedCase, failed: Failure) -> None:
        """Note all gradients of a case as wrong."""
        self.stubs.add(failed)
        for name in self.spec.gradients:
            found = Comparison(name, failed.reason, failed.message, failed.cause, remark="")
            self._note(name, case, found)
            if case.group != EDGE_CASES:
                self.consistent[name] = self.right_at_own[name] = False
            else:
                self.raised[name] = (case.name, found)

    def _compare_at_own_outputs(
        self,
        case: SolvedCase,
        own: dict[str, Any],
        gradients: dict[str, Any],
        wrong: list[str],
        limit: Tolerance,
    ) -> None:
        """See whether wrong gradients are right for the wrong outputs of the student's forward."""
        at = right_at_outputs(self.context, self.spec.function, case, own)
        for name in wrong:
            same = at is not None and compare(name, gradients[name], at[name], limit).ok
            self.right_at_own[name] = self.right_at_own.get(name, True) and same

    def _compare_composed(
        self, case: SolvedCase, gradients: dict[str, Any], wrong: list[str], limit: Tolerance
    ) -> None:
        """See whether wrong gradients are what the student's own smaller functions add up to."""
        own = composed(self.context, self.spec.function, self.module, case)
        if own is not None and not self._follows_cotangents(case, own, limit):
            own = None
        for name in wrong:
            same = own is not None and compare(name, gradients[name], own[name], limit).ok
            self.consistent[name] = self.consistent.get(name, True) and same

    def _follows_cotangents(
        self, case: SolvedCase, own: dict[str, Array], limit: Tolerance
    ) -> bool:
        """Say whether composed gradients, all of them, change with the cotangents, and ours too.

        Steps that return the same whatever comes from above can be added up rightly by anyone.
        """
        if self.follows is None:
            rng = np.random.default_rng([self.context.seed, 3])
            others = {
                name: (value * rng.uniform(0.5, 1.5, value.shape)).astype(value.dtype)
                for name, value in case.cotangents.items()
            }
            other_case = replace(case, cotangents=others)
            other = composed(self.context, self.spec.function, self.module, other_case)
            self.follows = other is not None and not any(
                compare(name, other[name], own[name], limit).ok for name in own
            )
            if self.follows and other is not None:
                self.follows = self._equals_composed(other_case, other, limit)
        return self.follows

    def _equals_composed(self, case: SolvedCase, own: dict[str, Array], limit: Tolerance) -> bool:
        try:
            gradients = self._backward(case, self._forward(case))
        except WorkerLost:
            raise
        except (Failure, Blocked):
            return False
        return all(compare(name, gradients[name], own[name], limit).ok for name in own)

    def parts(self, cases: tuple[SolvedCase, ...]) -> Iterator[Part]:
        """Yield the scored share of each gradient."""
        spec = self.spec
        if self.forward_wrong and self.found and not self._is_an_attempt(cases[0]):
            # No credit for following a forward that hardly depends on its inputs.
            self.right_at_own.clear()
            self.consistent.clear()
        self._keep_right_at_own()
        own_forward: dict[str, bool] = {}
        if self.forward_wrong and spec.follow_through and self.found:
            own_forward = self._right_for_own_forward(cases)
        for name in spec.gradients:
            share = spec.shares.get(name, 1 / len(spec.gradients))
            if name not in self.found:
                mutated = spec.mutation == "fail" and self.module.mutated.get(spec.function)
                reason: Reason | None = "mutated_input" if mutated else None
                text = f"{spec.function} changes its arguments in place" if mutated else ""
                yield Part(name, share, 0.0 if mutated else 1.0, reason, text)
                continue
            case_name, result = self.found[name]
            count = self.failures[name]
            if name not in self.usual:
                text = f"case {case_name}: {result.text}"
                self.alike[name] = (result.reason, result.cause, "edge")
                yield Part(name, share, 1 - spec.edge_share, result.reason, text, result.cause)
                continue
            often = f" ({count} of {len(cases)} cases fail)" if count > 1 else ""
            earned, remark, cause = 0.0, "", result.cause
            if spec.follow_through and self.consistent.get(name):
                earned = spec.follow_through
                source = " and ".join(spec.builds_on)
                remark = f"It is right, given your own {source}: fix that first"
                if earned == 1:
                    self.module.notes.append(forgiven(spec.function, source))
                    yield Part(name, share, earned)
                    continue
                cause = causes.follow_through(remark)
            elif own_forward.get(name):
                earned = spec.follow_through
                remark = f"It is the right gradient of your own {spec.forward}, which is wrong"
                cause = causes.follow_through(remark)
            elif self.forward_wrong:
                remark = f"Your {spec.forward} is also wrong: fix it first"
            self.alike[name] = (result.reason, result.cause, remark)
            message = f"case {case_name}: {result.text}{often}"
            end = " " if message.endswith("?") else ". "
            text = f"{message}{end}{remark}" if remark else message
            yield Part(name, share, earned, result.reason, text, cause)

    def _keep_right_at_own(self) -> None:
        """Take back what was found about gradients that only a wrong forward makes differ."""
        spec = self.spec
        names = [name for name in self.found if self.right_at_own.get(name)]
        if not names or not self.forward_wrong:
            return
        for name in names:
            del self.found[name]
            self.usual.discard(name)
            if name in self.raised:  # what raises follows from nobody's forward
                self.found[name] = self.raised[name]
        what = f"{', '.join(names)} of {spec.function}"
        self.module.notes.append(forgiven(what, spec.forward))

    def _is_an_attempt(self, case: SolvedCase) -> bool:
        spec = self.spec
        return is_an_attempt(self.module, spec.forward, case, spec.returns, spec.opaque)

    def _right_for_own_forward(self, cases: tuple[SolvedCase, ...]) -> dict[str, bool]:
        """Compare wrong gradients with central differences of the student's own forward."""
        usual = [case for case in cases if case.group == BASE_GROUP]
        case = min(
            (c for c in usual if all(is_double(value) for value in c.arguments.values())),
            key=lambda c: sum(np.size(value) for value in c.arguments.values()),
            default=None,
        )
        if case is None:
            return {}
        try:
            own = self._forward(case)
            gradients = self._backward(case, own)
            if not self._is_an_attempt(case):
                return {}
            spec = self.spec
            run = Differences(
                self.module, case, spec.forward, spec.returns, spec.opaque, spec.values
            )
            return {
                name: agrees(run, self.spec.gradients[name], gradients[name], self.context.seed)
                for name in self.found
            }
        except WorkerLost:
            raise
        except (Failure, Blocked):
            return {}
