"""One check of gradients: what is found about each gradient, case by case."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from grader.assignment.reference import SolvedCase
from grader.author.cases import BASE_GROUP, EDGE_CASES
from grader.checks import causes
from grader.checks.expectations import Tolerance
from grader.checks.measured import LargestDifferences
from grader.checks.numerics import Comparison, compare, tolerance
from grader.errors import Blocked, Failure, Reason, WorkerLost
from grader.isolation.wire import WireError
from grader.model import (
    Fraction,
    FunctionSpec,
    Part,
    Shares,
    Signature,
    Sized,
    Tolerances,
    own_names,
)

from .base import Context, Stubs
from .mistakes import NAMED, GivenValues, known_mistake, named, of_another_output
from .own_forward import right_for_own_forward
from .reference_mutants import explanation
from .right_caches import RightCaches
from .student_code import StudentModule

OWN_FORWARD = 0.5  # at most, for a gradient of a wrong forward: it may be easier than the right one


class GradientSpec(FunctionSpec, Tolerances, Shares, Sized):
    """Rubric keys of ``gradient``.

    ``gradients`` maps each returned gradient, in order, to the argument of ``forward`` it belongs
    to. ``function`` is called with one cotangent for each output of ``forward`` in ``returns`` that
    is not ``opaque``, and then the opaque ones. If ``function`` is ``forward`` itself, the
    gradients are among its own ``returns`` and belong to the one output that is neither.
    ``shares`` weighs the gradients (equal by default). ``groups`` restricts the cases (default:
    all). ``edge_share`` is the part of each gradient's points that is lost if it is wrong in the
    edge cases only. ``builds_on`` are functions that other checks are about. ``follow_through`` is
    the fraction for what is right once they are, and for a gradient that is right for the student's
    own forward, if that is wrong but near the right one: one half at most.
    ``surrogate`` names gradients that are not the derivative of ``forward``, such as those of a
    straight-through estimator. ``costly``: what becomes of those as slow as differences are
    (``cost.py``).
    """

    forward: str
    returns: Annotated[list[str], Field(min_length=1)]
    opaque: list[str] = []
    gradients: Annotated[dict[str, str], Field(min_length=1)]
    groups: list[str] = []
    mutation: Literal["note", "fail"] = "note"
    costly: Literal["note", "pending"] = "note"
    surrogate: list[str] = []
    builds_on: list[str] = []
    follow_through: Fraction = 0.0
    edge_share: Fraction = 0.2

    @property
    def functions(self) -> tuple[str, ...]:
        """The function, its forward, and those that they build on."""
        return (self.function, self.forward, *own_names(self.builds_on))

    def signatures(self, module: str) -> tuple[Signature, ...]:
        """What the function and its forward return."""
        opaque = tuple(i for i, name in enumerate(self.returns) if name in self.opaque)
        reader = self.function if self.function != self.forward else ""
        forward = Signature(module, self.forward, len(self.returns), opaque, reader)
        if self.function == self.forward:
            return (forward,)
        return (forward, Signature(module, self.function, len(self.gradients)))

    @property
    def forgives(self) -> bool:
        """Whether a wrong forward, or wrong ``builds_on`` functions, cost points elsewhere."""
        return self.follow_through > 0

    @property
    def values(self) -> list[str]:
        """The outputs of ``forward`` that are compared and differentiated."""
        return [n for n in self.returns if n not in self.opaque and n not in self.gradients]


class GradientRun:
    """What has been found so far; ``lost`` is how a worker was lost in the forward function."""

    module: StudentModule  # of the case that is compared

    def __init__(
        self, spec: GradientSpec, context: Context, lost: WorkerLost | None = None
    ) -> None:
        self.spec = spec
        self.context = context
        self.lost = lost
        self.found: dict[str, tuple[str, Comparison]] = {}
        self.wrong: dict[tuple[str, str], Comparison] = {}  # by gradient and case
        self.usual: set[str] = set()  # the gradients that are wrong in an ordinary case, too
        self.stubs = Stubs()
        self.failures: dict[str, int] = {}
        self.largest = LargestDifferences()
        # Gradients that are wrong for the same reason, cause and remark share a line.
        self.alike: dict[str, Hashable] = {}
        self.forward_wrong = False
        self.own: dict[str, dict[str, Any]] = {}  # the forward outputs by case
        self.forgiven = False
        # Where the own forward is wrong: not tried on a cache that is certainly right.
        self.untried = False
        self.blocked: list[tuple[SolvedCase, Blocked]] = []
        question = context.question
        self._caches = RightCaches(
            *(context.assignment, question.module, spec.signatures(question.module)[0]),
            *(spec.returns, spec.function),
        )

    @property
    def tries_right_caches(self) -> bool:
        """Whether it is time for right caches: not while other functions may be to blame."""
        spec, context = self.spec, self.context
        if spec.function == spec.forward:
            return False
        return context.answered or not (spec.builds_on and context.assignment.can_answer)

    def compare_case(self, module: StudentModule, case: SolvedCase) -> None:
        """Compare all gradients of one case."""
        self.module = module
        own = self._try_forward(case)
        limit = tolerance(self.spec, case)
        if own is None:
            if not any(blocked is case for blocked, _why in self.blocked):
                return  # the function itself has failed, which is noted
            self._compare_without_forward(case, limit)
            return
        self.own[case.name] = own
        wrong_here = any(
            not compare(name, own[name], case.forward[name], limit).ok for name in self.spec.values
        )
        self.forward_wrong |= wrong_here
        failed: Failure | None = None
        results: dict[str, Comparison] = {}
        try:
            results = self._results(case, self.backward(case, own), limit)
        except WorkerLost as lost:
            self._note_failure(case, lost)
            raise
        except Failure as failure:
            self.context.only_right()
            failed = failure
        if self.forward_wrong:
            self.context.only_right()
        if self.forward_wrong and (failed or not all(one.ok for one in results.values())):
            better, certain = self._on_right_caches(case, limit, own=True)
            self.untried |= not certain and case.group == BASE_GROUP
            if better is not None and _right(better) > _right(results):
                failed, results = None, better
                self.forgiven = True
        if failed is not None:
            self._note_failure(case, failed)
            return
        self.stubs.add(None)
        self._note_results(case, results)

    def _results(
        self, case: SolvedCase, gradients: dict[str, Any], limit: Tolerance
    ) -> dict[str, Comparison]:
        """Compare gradients with the right ones; name known mistakes."""
        spec, results = self.spec, {}
        for name, expected in case.expected.items():
            result = compare(name, gradients[name], expected, limit)
            self.context.compared(self.module, case, result, gradients[name])
            if not result.ok:
                self.context.only_right()
                known = of_another_output(case, name, gradients[name], limit)
                result = named(result, spec.function, known) if known else result
                result = replace(result, given=gradients[name])
            results[name] = result
        return results

    def _note_results(self, case: SolvedCase, results: dict[str, Comparison]) -> None:
        for name, result in results.items():
            self.largest.note(name, result)
            if not result.ok:
                self._note(name, case, result)

    def _on_right_caches(
        self, case: SolvedCase, limit: Tolerance, *, own: bool
    ) -> tuple[dict[str, Comparison] | None, bool]:
        """Compare the gradients on caches that a right forward makes; return the best comparison.

        None if the function fails on all of them, or there are none. And whether one of those that
        it does not fail on certainly holds nothing else than right values.
        """
        best: dict[str, Comparison] | None = None
        certain = False
        if not self.tries_right_caches:
            return best, certain
        for made in self._caches.made(self.module, case, own=own):
            try:
                results = self._results(case, self.backward(case, made.caches), limit)
            except WorkerLost:
                raise
            except (Failure, WireError):  # or a cache that is too large to be sent
                continue
            certain |= made.certain
            if best is None or _right(results) > _right(best):
                best = results
            if _right(best) == len(best):
                break
        return best, certain

    def _compare_without_forward(self, case: SolvedCase, limit: Tolerance) -> None:
        """Compare the gradients of a case that the student's forward cannot do.

        Raises:
            Blocked: in an ordinary case there is no way to try the gradients.
        """
        results, _certain = self._on_right_caches(case, limit, own=False)
        if results is not None and _right(results) == len(results):
            self.blocked = [(one, why) for one, why in self.blocked if one is not case]
            self.forgiven = True
            self.stubs.add(None)
            self._note_results(case, results)
        elif case.group == BASE_GROUP:
            _case, blocked = self.blocked[-1]
            raise blocked

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
        """Return the outputs of a case; None, with what that means noted, if there are none.

        Raises:
            WorkerLost: nothing can be called any more.
        """
        try:
            return self.forward(case)
        except (Blocked, Failure) as failed:
            self.context.only_right()
            if isinstance(failed, Failure) and self.spec.forward == self.spec.function:
                self._note_failure(case, failed)
            else:
                blocked = Blocked(failed.reason, failed.message, failed.cause)
                self.context.compared(self.module, case, blocked, function=self.spec.forward)
                self.blocked.append((case, blocked))
            if isinstance(failed, WorkerLost):
                if case.group == BASE_GROUP and self.spec.forward != self.spec.function:
                    self.lost = failed
                raise
            return None

    def forward(self, case: SolvedCase) -> dict[str, Any]:
        """Return the outputs of the student's forward function.

        Raises:
            Blocked: it fails, or has ended a worker already.
            WorkerLost: it ends this one.
        """
        spec = self.spec
        if self.lost is not None:
            raise Blocked(self.lost.reason, self.lost.message, self.lost.cause)
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

    def backward(self, case: SolvedCase, own: dict[str, Any]) -> dict[str, Any]:
        """Return the student's gradients, on the caches in ``own``; raises ``Failure``."""
        spec = self.spec
        if spec.forward == spec.function:
            return {name: own[name] for name in spec.gradients}
        given = {f"d{name}": value for name, value in case.cotangents.items()}
        arguments = given | {name: own[name] for name in spec.opaque}
        return self.module.call(spec.function, arguments, list(spec.gradients))

    def _note(self, name: str, case: SolvedCase, result: Comparison) -> None:
        self.found.setdefault(name, (case.name, result))
        self.wrong[name, case.name] = result
        self.failures[name] = self.failures.get(name, 0) + 1
        if case.group != EDGE_CASES:
            self.usual.add(name)

    def _note_failure(self, case: SolvedCase, failed: Failure) -> None:
        """Note all gradients of a case as wrong."""
        self.context.compared(self.module, case, failed, function=self.spec.function)
        self.stubs.add(failed)
        for name in self.spec.gradients:
            found = Comparison(name, failed.reason, failed.message, failed.cause, remark="")
            self._note(name, case, found)

    def parts(self, cases: tuple[SolvedCase, ...]) -> Iterator[Part]:
        """Yield the scored share of each gradient."""
        spec = self.spec
        own_forward: set[str] = set()
        if self.forward_wrong and spec.follow_through and self.found:
            own_forward = right_for_own_forward(self, cases)
        if self.forgiven:
            self.module.notes.append(
                f"your {spec.forward} is wrong, so {spec.function} was tested with the cache of a "
                f"right one; {spec.forward} costs no points here"
            )
        for name in spec.gradients:
            share = spec.shares.get(name, 1 / len(spec.gradients))
            if name not in self.found:
                mutated = spec.mutation == "fail" and self.module.mutated.get(spec.function)
                reason: Reason | None = "mutated_input" if mutated else None
                text = f"{spec.function} changes its arguments in place" if mutated else ""
                yield Part(name, share, 0.0 if mutated else 1.0, reason, text)
                continue
            self._look_at_mistakes(name, cases)
            if name in self.usual and name not in own_forward:
                self._look_at_changes(name, cases)
            yield self._wrong_part(name, share, len(cases), follows=name in own_forward)

    def _look_at_mistakes(self, name: str, cases: tuple[SolvedCase, ...]) -> None:
        """Name the known mistake that gives the same gradient in all ordinary cases.

        Where the function returns the gradient with a value, it must give that value, too.
        """
        case_name, first = self.found[name]
        group = next(case.group for case in cases if case.name == case_name)
        if first.reason not in NAMED or _is_named(first):
            return
        others = self.spec.values if self.spec.function == self.spec.forward else ()
        given = []
        for case in cases:
            own = self.own.get(case.name, {})
            values = {name: self._given(name, case), **{n: own[n] for n in others if n in own}}
            counts = (case.group == EDGE_CASES) == (group == EDGE_CASES)
            given.append(GivenValues(case, values, tolerance(self.spec, case), counts))
        text = known_mistake(self.context, self.spec.function, given)
        if text is not None:
            self.found[name] = case_name, named(first, self.spec.function, text)

    def _given(self, name: str, case: SolvedCase) -> Any:
        wrong = self.wrong.get((name, case.name))
        return case.expected[name] if wrong is None else wrong.given

    def _look_at_changes(self, name: str, cases: tuple[SolvedCase, ...]) -> None:
        """Name the change of the reference that gives the same gradient in all ordinary cases."""
        case_name, first = self.found[name]
        if first.reason not in NAMED or causes.explains(first.cause):
            return
        given = [{name: self._given(name, case)} for case in cases]
        text = explanation(self.spec, self.context, cases, given)
        if text is not None:
            self.found[name] = case_name, named(first, self.spec.function, text)

    def _wrong_part(self, name: str, share: float, cases: int, *, follows: bool) -> Part:
        spec = self.spec
        case_name, result = self.found[name]
        text = f"case {case_name}: {result.text}"
        if name not in self.usual:
            self.alike[name] = (result.reason, result.cause, "edge")
            return Part(name, share, 1 - spec.edge_share, result.reason, text, result.cause)
        count = self.failures[name]
        earned, remark, cause = 0.0, "", result.cause
        if follows:
            earned = min(spec.follow_through, OWN_FORWARD)
            remark = f"It is the right gradient of your own {spec.forward}, which is wrong"
            cause = causes.follow_through(remark)
        elif self.forward_wrong:
            remark = f"Your {spec.forward} is also wrong: fix it first"
        self.alike[name] = (result.reason, result.cause, remark)
        message = text + (f" ({count} of {cases} cases fail)" if count > 1 else "")
        end = " " if message.endswith("?") else ". "
        text = f"{message}{end}{remark}" if remark else message
        return Part(name, share, earned, result.reason, text, cause)


def _is_named(found: Comparison) -> bool:
    return found.known is not None and found.known.id.startswith("mistake.")


def _right(results: dict[str, Comparison]) -> int:
    return sum(result.ok for result in results.values())
