"""What a student's file states: its formulas by section, and the rules that they define."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from . import equations, parser, source
from .equations import Equation
from .limits import MAX_FORMULAS, MAX_TOKENS, UnreadableError
from .network import LAST, TIME, Key, Model, Names, key_of, lexed, substitute, time_of
from .nodes import Gradient, Index, Node, Series, Sum, Symbol, Transpose, parts, with_parts
from .scripts import series_range
from .tokens import Lexeme

DOCUMENTS_KEPT = 16  # the checks of one submission read the same file


@dataclass(frozen=True)
class Domain:
    """For which times a rule holds: from lower to upper, or everywhere."""

    lower: Index | None = None
    upper: Index | None = None

    @property
    def limited(self) -> bool:
        """Whether it holds for some times only."""
        return self.lower is not None or self.upper is not None


@dataclass(frozen=True)
class Formula:
    """One equation as written. ``sides`` that cannot be read hold the error in their place."""

    text: str
    at: int
    heading: str
    display: bool
    sides: tuple[Node | UnreadableError, ...]
    relations: tuple[str, ...]
    domain: Domain
    number: int

    @property
    def problem(self) -> UnreadableError | None:
        """Why it cannot be read, if it cannot."""
        return next((side for side in self.sides if isinstance(side, UnreadableError)), None)


@dataclass(frozen=True)
class Reading:
    """A file, read: the same for all checks."""

    document: source.Document
    formulas: tuple[Formula, ...]
    problems: tuple[tuple[str, UnreadableError], ...]


@dataclass(frozen=True)
class Rule:
    """A quantity and what the answer says it is: ``links`` of a chain, each to be right.

    ``time`` is the index on the left-hand side; ``implied`` rules come from the middle of a chain.
    ``raw`` are the links as they were written, with any gate's label and sums over gates;
    ``gates`` says which gate is meant here. ``earlier`` rules stand in another part, where their
    mistakes are paid for.
    """

    key: Key
    time: Index | None
    links: tuple[Node, ...]
    formula: Formula
    domain: Domain = Domain()
    implied: bool = False
    raw: tuple[Node, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    earlier: bool = False


def finished(node: Node, rule: Rule, names: Names) -> Node:
    """Return a link from its raw form: for the rule's gate, with sums over gates written out."""
    for variable, gate in rule.gates:
        node = names.canonical(_gate_value(node, variable, gate))
    return names.expanded(node)


@lru_cache(maxsize=DOCUMENTS_KEPT)
def read(text: str, *, markdown: bool) -> Reading:
    """Read a file.

    Raises:
        UnreadableError: it is too large.
    """
    document = source.read(text, markdown=markdown)
    formulas: list[Formula] = []
    problems: list[tuple[str, UnreadableError]] = [("", found) for found in document.problems]
    problems += document.strays
    left = MAX_TOKENS
    for block in document.blocks:
        try:
            lexemes = lexed(block.text, block.at, document.macros)
            left -= len(lexemes)
            found = equations.equations(lexemes)
        except UnreadableError as error:
            if block.display:
                problems.append((block.heading, error))
            continue
        for equation in found:
            if len(formulas) >= MAX_FORMULAS or left < 0:
                raise UnreadableError("the file holds too many formulas", equation.at)
            formulas += _formulas(equation, block, len(formulas))
    return Reading(document, tuple(formulas), tuple(problems))


def _formulas(equation: Equation, block: source.Block, number: int) -> Iterator[Formula]:
    for sides, conditions in _cases(equation):
        nodes = tuple(_node(side, equation.at) for side in sides)
        if not block.display and any(isinstance(node, UnreadableError) for node in nodes):
            continue  # half a sentence in the running text
        yield Formula(
            block.text, equation.at, block.heading, block.display, nodes,
            tuple(equation.relations), _domain(conditions), number,
        )  # fmt: skip


def _node(side: Sequence[Lexeme], at: int) -> Node | UnreadableError:
    try:
        return parser.expression(side, at)
    except UnreadableError as error:
        return error
    except RecursionError:
        return UnreadableError("it is nested too deeply", at)


def _cases(equation: Equation) -> Iterator[tuple[list[list[Lexeme]], list[list[Lexeme]]]]:
    """Yield an equation, or one for each row of its ``cases``."""
    last = equation.sides[-1]
    if not last or last[0].text != r"\begincases":
        yield equation.sides, equation.conditions
        return
    rows: list[list[list[Lexeme]]] = [[[]]]
    for lexeme in last[1:]:
        remark = lexeme.kind == "word" and len(lexeme.text) > 1
        if lexeme.text == r"\endcases":
            break
        if lexeme.text == r"\\":
            rows.append([[]])
        elif lexeme.text == "&" or (remark and len(rows[-1]) == 1):
            rows[-1].append([])
        elif not remark:
            rows[-1][-1].append(lexeme)
    for value, *conditions in rows:
        trimmed = [lexeme for lexeme in value if lexeme.text not in (",", ".")] if value else []
        if trimmed:
            said = [condition for condition in conditions if condition]
            yield [*equation.sides[:-1], trimmed], said


def _domain(conditions: Sequence[Sequence[Lexeme]]) -> Domain:
    r"""Return the times that conditions such as ``t = T`` or ``1 \le t < T`` allow."""
    texts = [[lexeme.text for lexeme in condition] for condition in conditions]
    if any(r"\dots" in text for text in texts):
        return Domain()  # t = T, ..., 1: all of them
    for condition, text in zip(conditions, texts, strict=True):
        condition = [lexeme for lexeme in condition if lexeme.text not in (",", ".")]  # noqa: PLW2901
        if not text or not condition or text[0] in ("g", "k") or r"\in" in text:
            continue
        try:
            found = series_range(condition, None, condition[0].at)
        except UnreadableError:
            continue
        if found.lower is None or found.upper is None:
            continue
        if not {found.lower.variable, found.upper.variable} <= {None, LAST}:
            continue
        return Domain(found.lower, found.lower if "=" in text else found.upper)
    return Domain()


def in_section(reading: Reading, pattern: re.Pattern[str]) -> list[Formula]:
    """Return the formulas below headings that match."""
    return [formula for formula in reading.formulas if pattern.search(formula.heading)]


def problems_in(reading: Reading, pattern: re.Pattern[str] | None) -> list[UnreadableError]:
    """Return what could not be read below headings that match, or anywhere."""
    return [
        error
        for heading, error in reading.problems
        if pattern is None or not heading or pattern.search(heading)
    ]


def names_for(formulas: Sequence[Formula], model: Model) -> Names:
    """Return the names that an answer uses: whether g is the candidate gate or any gate."""
    candidate = any(
        _uses_value_g(side)
        for formula in formulas
        for side in formula.sides
        if not isinstance(side, UnreadableError)
    )
    return Names(model, candidate_is_g=candidate)


def _uses_value_g(node: Node) -> bool:
    if isinstance(node, Symbol) and node.name == "g" and node.time is not None:
        return True
    return any(_uses_value_g(part) for part in parts(node))


def rules(formulas: Sequence[Formula], model: Model, names: Names) -> list[Rule]:
    """Return the rules that formulas define, in order; a rule for any gate becomes one for each."""
    found: list[Rule] = []
    for formula in formulas:
        if formula.problem is not None:
            continue
        sides = [
            names.canonical(side) for side in formula.sides if not isinstance(side, UnreadableError)
        ]
        for rule in _rules(sides, formula, model):
            found += _for_gates(rule, model, names)
    return found


def _rules(sides: list[Node], formula: Formula, model: Model) -> Iterator[Rule]:
    if _target(sides[0]) is None and _target(sides[-1]) is not None:
        sides = [sides[-1], *sides[:-1]]
    for place, side in enumerate(sides[:-1]):
        target = _target(side)
        if target is None or (target[0].of == "" and target[0] in model.values):
            continue
        key, time, transposed = target
        links = tuple(sides[place + 1 :])
        if place == 0 and formula.relations[0] != "=":
            links = (_updated(side, links[-1], time, formula.relations[0], model),)
        if transposed:
            links = tuple(Transpose(link, link.at) for link in links)
        if place and (key.of != "L" or any(link == side for link in links)):
            continue
        yield Rule(key, time, links, formula, formula.domain, implied=place > 0)


def _updated(side: Node, link: Node, time: Index | None, relation: str, model: Model) -> Node:
    """Return what an update makes of a quantity.

    ``W += ...`` adds up over the steps; ``h_t += ...`` is added to what was given for that step.
    """
    added: Node | None = link if relation == "+=" else None
    if added is None and isinstance(link, Sum) and side in link.terms:
        kept = [place for place, term in enumerate(link.terms) if term != side]
        added = Sum(
            tuple(link.terms[place] for place in kept),
            tuple(link.signs[place] for place in kept),
            link.at,
        )
    if added is None:
        return link
    if time is not None:
        return Sum((side, added), (1, 1), side.at)
    if model.one_step:
        return added
    return Series("sum", TIME, added, Index(None, 1), Index(LAST), at=side.at)


def _target(node: Node) -> tuple[Key, Index | None, bool] | None:
    if isinstance(node, Transpose):
        inner = _target(node.of)
        return None if inner is None else (inner[0], inner[1], not inner[2])
    if isinstance(node, Symbol | Gradient):
        return key_of(node), time_of(node), False
    return None


def _for_gates(rule: Rule, model: Model, names: Names) -> Iterator[Rule]:
    variables = [label for label in dict.fromkeys(rule.key.labels) if names.is_variable(label)]
    for chosen in product(model.gates, repeat=len(variables)):
        gates = tuple(zip(variables, chosen, strict=True))
        labels = [dict(gates).get(label, label) for label in rule.key.labels]
        key = Key(rule.key.of, rule.key.name, tuple(sorted(labels)))
        made = replace(rule, key=key, raw=rule.links, gates=gates)
        yield replace(made, links=tuple(finished(link, made, names) for link in rule.links))


def _gate_value(node: Node, variable: str, gate: str) -> Node:
    """Put a gate in place of a variable: as a label, and ``g_t`` itself as the gate's value."""
    if isinstance(node, Symbol) and node.name == variable and not node.labels:
        return replace(node, name=gate, time=node.time or Index(TIME))
    substituted = substitute(node, variable, gate)
    if isinstance(substituted, Symbol):
        return substituted
    return with_parts(
        substituted, tuple(_gate_value(part, variable, gate) for part in parts(substituted))
    )
