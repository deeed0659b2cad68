"""Finds what an answer means: its spelling, its names for values, and its convention.

A bounded number of meanings is tried, the likeliest first; the one under which most of the answer
is right counts, for the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .checker import Checker
from .evaluate import EvaluationError
from .families import (
    GateNames,
    gate_names,
    known_families,
    proposals,
    unknown_families,
)
from .limits import Budget, OverBudgetError
from .network import Network, keys_in
from .nodes import Blocks, Node, Symbol, Transpose, parts, walk
from .prepare import PreparedTask
from .renaming import Family, Renaming
from .resolve import resolve
from .rules import Rule, rules, uses_value_g
from .scope import COLUMNS, LAYOUTS, ROWS, Layout
from .sections import PartContent, usable
from .speller import Speller
from .spelling import Spelling, of_gradients, sides_of, spelling_of
from .stacks import Stacked, stacked
from .statements import Statement
from .truth import Point
from .verdicts import ComparedAnswer, compare_with_truth, earned

SEARCH_OPERATIONS = 30_000  # for names, of one check: a fifth of a second
MAX_RULES = 16  # by which a name is judged
MAX_STATEMENTS = 40  # that they are looked for in
OPERATIONS_EACH = 100  # of making the rules for one proposal
RIGHT = 1 - 1e-9
FEW = 2  # orders of blocks that are looked at in full
DIMENSIONS = frozenset("DHNKT")  # capitals that are numbers where they have no time


@dataclass(frozen=True)
class _Meaning:
    spelling: Spelling
    candidate_is_g: bool


def interpreted(
    part: PartContent, ready: PreparedTask, points: Sequence[Point], budget: Budget
) -> ComparedAnswer:
    """Compare an answer with the truth under the meaning that suits it best.

    Raises:
        OverBudgetError: it takes too long.
    """
    best: tuple[float, ComparedAnswer] | None = None
    for meaning in _meanings([*part.earlier, *part.own], ready.network):
        try:
            tried = [
                _Interpretation(part, read, ready, points, budget, meaning)
                for read in _statements(part, ready, meaning)
            ]
            for one in _likeliest(tried):
                found = one.compared()
                score = earned(ready, found)
                if best is None or score > best[0] + 1e-9:
                    best = score, found
                if score > RIGHT:
                    return found
        except OverBudgetError:
            if best is None:
                raise
            break
    assert best is not None  # noqa: S101 - there is at least one meaning
    return best[1]


def _meanings(statements: Sequence[Statement], network: Network) -> Iterator[_Meaning]:
    found = spelling_of(statements, network)
    candidate = any(uses_value_g(side) for side in sides_of(statements))
    for spelling in found:
        yield _Meaning(spelling, candidate)
    if network.gates and (candidate or any(map(_lists_g, sides_of(statements)))):
        yield _Meaning(found[0], candidate_is_g=not candidate)


def _lists_g(side: Node) -> bool:
    """Say whether g is the label of one block beside others: then it is one gate, and not any."""
    return any(
        isinstance(cell, Symbol) and "g" in cell.labels
        for node in walk(side)
        if isinstance(node, Blocks)
        for cell in parts(node)
    )


def _likeliest(tried: Sequence[_Interpretation]) -> Sequence[_Interpretation]:
    """Return the two with which most formulas are right, the best first."""
    if len(tried) <= FEW:
        return tried
    budget = Budget(SEARCH_OPERATIONS)
    shares: list[float] = []
    for one in tried:
        try:
            shares.append(one.share(budget))
        except OverBudgetError:
            break
    ordered = sorted(range(len(shares)), key=lambda number: -shares[number])
    return [tried[number] for number in ordered[:FEW]] or tried[:FEW]


def _statements(part: PartContent, ready: PreparedTask, meaning: _Meaning) -> Iterator[Stacked]:
    """Yield the statements in the assignment's spelling, with blocks in place of their names."""
    speller = Speller(meaning.spelling, ready.network)
    own = [speller.statement(found) for found in part.own]
    earlier = [speller.statement(found) for found in part.earlier]
    yield from stacked(own, earlier, ready.network)


class _Interpretation:
    """An answer under one meaning."""

    def __init__(
        self,
        part: PartContent,
        read: Stacked,
        ready: PreparedTask,
        points: Sequence[Point],
        budget: Budget,
        meaning: _Meaning,
    ) -> None:
        self._ready = ready
        self._network = ready.network
        self._points = points
        self._budget = budget
        self._part = part
        self._inferred = read.inferred
        self._own = read.own
        self._earlier = read.earlier
        self._guessed: dict[Family, Family] = {}
        self._sides = list(sides_of([*self._earlier, *self._own]))
        names: GateNames = gate_names(
            self._sides, ready.network, candidate_is_g=meaning.candidate_is_g
        )
        self._renaming = Renaming(
            ready.network,
            candidate_is_g=meaning.candidate_is_g,
            gates=names.general,
            own_gates=names.own,
        )

    def compared(self) -> ComparedAnswer:
        """Compare the answer with the truth, with names for values if it has any."""
        renaming = self._renaming
        families = self._names()
        if families:
            renaming = renaming.with_families(families)
        found = self._rules(renaming)
        compared = compare_with_truth(self._ready, found, renaming, self._points, self._budget)
        compared.guessed = frozenset(self._doubtful(compared))
        return compared

    def _doubtful(self, compared: ComparedAnswer) -> Iterator[str]:
        """Yield the names whose meaning was guessed and is not borne out by a right formula."""
        missing = any(verdict.status == "missing" for verdict in compared.verdicts)
        answer = compared.answer
        shown: set[tuple[str, tuple[str, ...]]] = set()
        for number, rule in enumerate(answer.rules):
            truth = answer.has_truth(rule.key) and number not in answer.passive
            if (
                self._guessed
                and truth
                and compared.checker.first_wrong(number, trusted=True) is None
            ):
                for key in (rule.key, *(key for link in rule.links for key in keys_in(link))):
                    labels = (label for label in key.labels if label not in self._network.gates)
                    shown.add((key.name, tuple(labels)))
        yield from self._unproven(compared)
        for name, value in self._guessed.items():
            if missing or (value.name, value.labels) not in shown:
                yield name.name

    def _unproven(self, compared: ComparedAnswer) -> Iterator[str]:
        """Yield the names whose blocks were inferred and are in no formula that is right."""
        if not self._inferred:
            return
        answer = compared.answer
        right = {
            rule.statement.number
            for number, rule in enumerate(answer.rules)
            if answer.has_truth(rule.key)
            and number not in answer.passive
            and compared.checker.first_wrong(number, trusted=True) is None
        }
        statements = [found for found in self._part.own if found.number in right]
        used = {
            node.name
            for side in sides_of(statements)
            for node in walk(side)
            if isinstance(node, Symbol)
        }
        yield from (name for name in self._inferred if name not in used)

    def _rules(self, renaming: Renaming) -> list[Rule]:
        own = rules(self._own, self._network, renaming)
        earlier = rules(self._earlier, self._network, renaming)
        return [*usable(earlier, own, self._ready), *own]

    # Names for values

    def _names(self) -> dict[Family, Family]:
        """Return what the student's own names for values stand for."""
        unknown = unknown_families(self._sides, self._network, self._renaming)
        for family in self._derived():
            unknown.pop(family, None)
        values = known_families(self._network, self._renaming)
        sure = dict(_by_capitals(unknown, values)) | dict(self._renames(unknown, values))
        for family in sure:
            unknown.pop(family, None)
        if not unknown:
            return sure
        renaming = self._renaming.with_families(sure)
        used = [*self._used(renaming, values), *sure.values()]
        tried = list(proposals(unknown, used, self._network, renaming))
        if not tried:
            return sure
        self._guessed = self._search(tried, renaming)
        return sure | self._guessed

    def _derived(self) -> Iterator[Family]:
        """Yield the names that the answer defines by gradients: they are gradients as well."""
        for statement in (*self._earlier, *self._own):
            sides = list(sides_of([statement]))
            if len(sides) < 2 or not of_gradients(statement):  # noqa: PLR2004 - an equation
                continue
            for side in sides:
                symbol = side.of if isinstance(side, Transpose) else side
                if isinstance(symbol, Symbol):
                    family = self._renaming.family(symbol)
                    yield from (family, family._replace(timed=True))

    def _renames(
        self, unknown: Mapping[Family, int], values: Mapping[Family, int]
    ) -> Iterator[tuple[Family, Family]]:
        """Yield what the answer says that names stand for: ``U = W_x``."""
        for statement in (*self._earlier, *self._own):
            sides = [side for side in sides_of([statement]) if isinstance(side, Symbol)]
            if len(sides) != 2 or len(statement.sides) != 2:  # noqa: PLR2004 - an equation
                continue
            for new, old in (sides, sides[::-1]):
                known = self._renaming.canonical(old)
                meant = self._renaming.family(known) if isinstance(known, Symbol) else None
                family = self._renaming.family(new)
                if family in unknown and meant is not None and meant in values:
                    yield family, meant

    def _used(self, renaming: Renaming, values: Mapping[Family, int]) -> Iterator[Family]:
        for side in self._sides:
            for node in walk(renaming.canonical(side)):
                if isinstance(node, Symbol) and (family := renaming.family(node)) in values:
                    yield family

    def _search(
        self, tried: Sequence[dict[Family, Family]], renaming: Renaming
    ) -> dict[Family, Family]:
        """Return the proposal by which most rules are right, if it makes any right."""
        budget = Budget(SEARCH_OPERATIONS)
        best: tuple[float, dict[Family, Family]] = (0.0, {})
        base: dict[Layout, float] = {}
        try:
            for layout in (COLUMNS, ROWS, *LAYOUTS[2:]):
                base[layout] = self._share({}, renaming, layout, budget)
                for proposal in tried:
                    share = self._share(proposal, renaming, layout, budget)
                    if share > max(best[0], base[layout]) + 1e-9:
                        best = share, proposal
                    if share > RIGHT:
                        return proposal
        except OverBudgetError:
            pass
        return best[1]

    def share(self, budget: Budget) -> float:
        """Return the share of rules that are right, read in the usual layout."""
        return self._share({}, self._renaming, COLUMNS, budget)

    def _share(
        self, proposal: dict[Family, Family], renaming: Renaming, layout: Layout, budget: Budget
    ) -> float:
        """Return the share of rules that are right if the names stand for what is proposed."""
        renaming = renaming.with_families(proposal)
        chosen = rules(self._own[:MAX_STATEMENTS], self._network, renaming)
        judged = [rule for rule in chosen if self._is_first_gate(rule)][:MAX_RULES]
        count = len(judged)
        used = {key for rule in judged for link in rule.links for key in keys_in(link)}
        judged += [rule for rule in chosen if rule not in judged and rule.key in used]
        budget.spend(OPERATIONS_EACH)
        given = self._ready.given_as[-1]
        try:
            resolved = resolve(judged, self._network, renaming, layout, given, budget)
            checker = Checker(resolved, self._points[:1], budget)
            checker.choose_readings()
            answer = resolved.answer
            asked = [n for n in range(count) if answer.has_truth(judged[n].key)]
            right = [n for n in asked if checker.first_wrong(n, trusted=True) is None]
        except (EvaluationError, ArithmeticError, ValueError, LookupError):
            return 0.0
        total = sum(rule.key.of == "L" for rule in judged[:count])
        return len(right) / total if total else 0.0

    def _is_first_gate(self, rule: Rule) -> bool:
        gates = list(self._network.gates)
        return not any(label in gates[1:] for label in rule.key.labels)


def _by_capitals(
    unknown: Mapping[Family, int], values: Mapping[Family, int]
) -> Iterator[tuple[Family, Family]]:
    """Yield names that differ from a value's in their capitals: ``C_t`` and ``c_t``."""
    for family in unknown:
        for value in values:
            alike = family.name.lower() == value.name.lower()
            timed = value.timed  # B may be a matrix beside b
            dimension = family.name in DIMENSIONS and not family.timed
            if dimension:
                continue
            if alike and family.labels == value.labels and family.gated == value.gated and timed:
                yield family, value
