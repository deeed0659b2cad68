"""What a student's file states, and the rules for quantities that its statements define."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from . import equations, parser, source
from .equations import Equation
from .limits import FILES_KEPT, MAX_STATEMENTS, MAX_TOKENS, UnreadableError
from .network import LAST, TIME, Key, Network, Renaming, key_of, substitute, time_of
from .nodes import Gradient, Index, Node, Series, Sum, Symbol, Transpose, parts, with_parts
from .scripts import series_range
from .tokens import Lexeme, plain_lexemes


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
class Statement:
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
class FileContent:
    """A file, read: the same for all checks."""

    document: source.Document
    statements: tuple[Statement, ...]
    problems: tuple[tuple[str, UnreadableError], ...]


@dataclass(frozen=True)
class Rule:
    """A quantity and what the answer says it is: ``links`` of a chain, each to be right.

    ``time`` is the index on the left-hand side; ``implied`` rules come from the middle of a chain.
    ``raw`` are the links as they were written, with any gate's label and sums over gates;
    ``gates`` says which gate is meant here. ``earlier`` rules are in another part, where their
    mistakes cost points.
    """

    key: Key
    time: Index | None
    links: tuple[Node, ...]
    statement: Statement
    domain: Domain = Domain()
    implied: bool = False
    raw: tuple[Node, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    earlier: bool = False


def finished(node: Node, rule: Rule, renaming: Renaming) -> Node:
    """Return a link from its raw form: for the rule's gate, with sums over gates written out."""
    for variable, gate in rule.gates:
        node = renaming.canonical(_gate_value(node, variable, gate))
    return renaming.sums_written_out(node)


@lru_cache(maxsize=FILES_KEPT)
def read_file(text: str, *, markdown: bool) -> FileContent:
    """Read a file.

    Raises:
        UnreadableError: it is too large.
    """
    document = source.read(text, markdown=markdown)
    statements: list[Statement] = []
    problems: list[tuple[str, UnreadableError]] = [("", found) for found in document.problems]
    problems += document.strays
    left = MAX_TOKENS
    for block in document.blocks:
        try:
            lexemes = plain_lexemes(block.text, block.at, document.macros)
            left -= len(lexemes)
            found = equations.equations(lexemes)
        except UnreadableError as error:
            if block.display:
                problems.append((block.heading, error))
            continue
        for equation in found:
            if len(statements) >= MAX_STATEMENTS or left < 0:
                raise UnreadableError("the file holds too many formulas", equation.at)
            statements += _statements(equation, block, len(statements))
    return FileContent(document, tuple(statements), tuple(problems))


def _statements(equation: Equation, block: source.Block, number: int) -> Iterator[Statement]:
    for sides, conditions in _cases(equation):
        nodes = tuple(_parsed(side, equation.at) for side in sides)
        if not block.display and any(isinstance(node, UnreadableError) for node in nodes):
            continue  # half a sentence in the running text
        yield Statement(
            block.text, equation.at, block.heading, block.display, nodes,
            tuple(equation.relations), _domain(conditions), number,
        )  # fmt: skip


def _parsed(side: Sequence[Lexeme], at: int) -> Node | UnreadableError:
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


def renaming_for(statements: Sequence[Statement], network: Network) -> Renaming:
    """Return the renaming that an answer uses: whether g is the candidate gate or any gate."""
    candidate = any(
        _uses_value_g(side)
        for statement in statements
        for side in statement.sides
        if not isinstance(side, UnreadableError)
    )
    return Renaming(network, candidate_is_g=candidate)


def _uses_value_g(node: Node) -> bool:
    if isinstance(node, Symbol) and node.name == "g" and node.time is not None:
        return True
    return any(_uses_value_g(part) for part in parts(node))


def rules(statements: Sequence[Statement], network: Network, renaming: Renaming) -> list[Rule]:
    """Return the rules that statements define, in order; one for any gate becomes one each."""
    found: list[Rule] = []
    for statement in statements:
        if statement.problem is not None:
            continue
        sides = [
            renaming.canonical(side)
            for side in statement.sides
            if not isinstance(side, UnreadableError)
        ]
        for rule in _rules(sides, statement, network):
            found += _for_gates(rule, network, renaming)
    return found


def _rules(sides: list[Node], statement: Statement, network: Network) -> Iterator[Rule]:
    if _target(sides[0]) is None and _target(sides[-1]) is not None:
        sides = [sides[-1], *sides[:-1]]
    for place, side in enumerate(sides[:-1]):
        target = _target(side)
        if target is None or (target[0].of == "" and target[0] in network.values):
            continue
        key, time, transposed = target
        links = tuple(sides[place + 1 :])
        if place == 0 and statement.relations[0] != "=":
            links = (_updated(side, links[-1], time, statement.relations[0], network),)
        if transposed:
            links = tuple(Transpose(link, link.at) for link in links)
        if place and (key.of != "L" or any(link == side for link in links)):
            continue
        yield Rule(key, time, links, statement, statement.domain, implied=place > 0)


def _updated(side: Node, link: Node, time: Index | None, relation: str, network: Network) -> Node:
    """Return the value of a quantity after an update.

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
    if network.one_step:
        return added
    return Series("sum", TIME, added, Index(None, 1), Index(LAST), at=side.at)


def _target(node: Node) -> tuple[Key, Index | None, bool] | None:
    if isinstance(node, Transpose):
        inner = _target(node.of)
        return None if inner is None else (inner[0], inner[1], not inner[2])
    if isinstance(node, Symbol | Gradient):
        return key_of(node), time_of(node), False
    return None


def _for_gates(rule: Rule, network: Network, renaming: Renaming) -> Iterator[Rule]:
    variables = [label for label in dict.fromkeys(rule.key.labels) if renaming.is_variable(label)]
    for chosen in product(network.gates, repeat=len(variables)):
        gates = tuple(zip(variables, chosen, strict=True))
        labels = [dict(gates).get(label, label) for label in rule.key.labels]
        key = Key(rule.key.of, rule.key.name, tuple(sorted(labels)))
        made = replace(rule, key=key, raw=rule.links, gates=gates)
        yield replace(made, links=tuple(finished(link, made, renaming) for link in rule.links))


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
