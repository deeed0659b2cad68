r"""How an answer spells things: its letters for the loss, for time and for differentials.

Each answer is put into one spelling before its symbols are looked up: that of the assignment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .derivatives import LOSSES, STEP_LOSS
from .limits import UnreadableError
from .network import LAST, TIME, Network
from .nodes import (
    Gradient,
    Index,
    Node,
    Product,
    Series,
    Symbol,
    Transpose,
    walk,
)
from .statements import Statement
from .symbol_words import known, known_key, of_word

PASSES = 4  # names may be made of one another, in any order
PREFIXES = frozenset((r"\delta", r"\Delta", "d", r"\nabla"))
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
NEXT = "next"
ONES = frozenset(("e", "J"))  # names of a vector of ones


@dataclass(frozen=True)
class Spelling:
    """The spelling of one answer.

    Attributes:
        losses: what the loss is called, besides the usual names.
        prefixes: letters that make a gradient of what they stand before.
        own: names that the answer itself defines.
        shadows: names of the assignment's that the answer defines as a gradient.
        time, last: the letters for the step and for the last step.
        next_is: whether ``next`` is step t + 1, step t as in the code of one step, or a variable of
            its own in which a loop carries a gradient from one step to another.
        from_zero: whether the first step is step 0.
        accumulated: whether the loss with an index is that of all steps from there on.
        outer: whether a circled times is an outer product, and not one by element.
        first_step: what number the step has where all steps are numbered, else None.
    """

    losses: frozenset[str] = frozenset()
    prefixes: frozenset[str] = PREFIXES
    own: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    shadows: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    time: str = TIME
    last: str = LAST
    next_is: Literal["later", "now", "carried"] = "later"
    from_zero: bool = False
    accumulated: bool = False
    first_step: Index | None = None
    outer: bool = True


@dataclass
class _Facts:
    """What is counted in an answer before its spelling is known."""

    numerators: Counter[str] = field(default_factory=Counter)
    defined: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    shadows: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    times: Counter[str] = field(default_factory=Counter)
    target_times: Counter[str] = field(default_factory=Counter)
    bounds: Counter[str] = field(default_factory=Counter)
    numbers: Counter[Index] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    zero_sums: int = 0


def sides_of(statements: Iterable[Statement]) -> Iterator[Node]:
    """Yield the sides of statements that were read."""
    for statement in statements:
        yield from (side for side in statement.sides if not isinstance(side, UnreadableError))


def spelling_of(statements: Sequence[Statement], network: Network) -> list[Spelling]:
    """Return the spelling of an answer, the likeliest first, and others that it may have."""
    facts = _facts(statements, network)
    values = {key.name for key in network.values} | {key.name for key in network.aliases}
    usual = values | LOSSES | {"d"}
    losses = {name for name in facts.numerators if name not in usual}
    time = TIME
    if network.sequences and facts.target_times and not facts.target_times[TIME]:
        time = facts.target_times.most_common(1)[0][0]
    bounds = [name for name in facts.bounds if name not in (LAST, time, TIME)]
    last = bounds[0] if len(set(bounds)) == 1 and not facts.bounds[LAST] else LAST
    bare = {name for name, labels in facts.defined if not labels}
    first = Spelling(
        losses=frozenset(losses) if len(losses) == 1 else frozenset(),
        prefixes=PREFIXES - bare,
        own=frozenset(facts.defined),
        shadows=frozenset(facts.shadows),
        time=time,
        last=last,
        first_step=_only_step(facts) if network.one_step else None,
    )
    return [first, *_others(first, facts, network)]


def _others(first: Spelling, facts: _Facts, network: Network) -> Iterator[Spelling]:
    if facts.words[NEXT]:
        yield replace(first, next_is="now")
        if not network.one_step:
            yield replace(first, next_is="carried")
    if not network.one_step and facts.zero_sums:
        yield replace(first, from_zero=True)
    if facts.words["outer"]:
        yield replace(first, outer=False)
    if facts.words["later loss"]:
        yield replace(first, accumulated=True)


def _only_step(facts: _Facts) -> Index | None:
    """Return the step that an answer is about if it is never called t: step 1, or the last."""
    if facts.times[TIME] or not facts.numbers:
        return None
    if set(facts.numbers) == {Index(None, 0)}:
        return Index(None, 1)  # h_0 beside x and h: the step before
    for variable in (None, LAST):
        indexes = [index for index in facts.numbers if index.variable == variable]
        if indexes and len(indexes) == len(facts.numbers):
            return max(indexes, key=lambda index: index.offset)
    return None


def _facts(statements: Sequence[Statement], network: Network) -> _Facts:
    facts = _Facts()
    for statement in statements:
        if statement.problem is not None:
            continue
        _count_targets(statement, facts, network)
        for bound in (statement.domain.lower, statement.domain.upper):
            if bound is not None and bound.variable is not None:
                facts.bounds[bound.variable] += 1
        for side in sides_of([statement]):
            for node in walk(side):
                _count(node, facts, network)
    _add_shadows(statements, facts, network)
    return facts


def _add_shadows(statements: Sequence[Statement], facts: _Facts, network: Network) -> None:
    r"""Add names of the assignment's that are made of gradients by names of the student's own.

    In ``\hat c_t = \hat h_t \odot ...`` the name is not the candidate where ``\hat h_t`` is one.
    """
    targets = [
        (target, {(node.name, node.labels) for side in sides_of([one]) for node in walk(side)
                  if isinstance(node, Symbol)}, of_gradients(one))
        for one in statements
        if one.problem is None and isinstance(target := next(sides_of([one]), None), Symbol)
    ]  # fmt: skip
    made = set(facts.shadows)
    for _pass in range(PASSES):
        before = len(made)
        for target, names, of_loss in targets:
            if isinstance(of_word(target, network), Gradient):
                continue
            if of_loss or names & made:
                made.add((target.name, target.labels))
        if len(made) == before:
            break
    facts.shadows |= made - facts.defined


def _count_targets(statement: Statement, facts: _Facts, network: Network) -> None:
    for side in statement.sides:
        target = side.of if isinstance(side, Transpose) else side
        if isinstance(target, Gradient):
            if target.of not in ("L", STEP_LOSS) and not target.of.startswith(f"{STEP_LOSS}_"):
                facts.numerators[target.of.split("@")[0].split(",")[0]] += 1
            named: object = target.by
        else:
            named = target
            meant = of_word(target, network) if isinstance(target, Symbol) else target
            word = isinstance(meant, Gradient)
            if isinstance(target, Symbol) and not known(target, network) and not word:
                facts.defined.add((target.name, target.labels))
            elif isinstance(target, Symbol) and (
                _is_in(meant, statement) if isinstance(meant, Gradient) else of_gradients(statement)
            ):
                facts.shadows.add((target.name, target.labels))
        if isinstance(named, Symbol):
            time = time_letter(named, network)
            if time is not None:
                facts.target_times[time] += 1
        if not isinstance(target, Gradient | Symbol):
            continue
        return


def _is_in(meant: Gradient, statement: Statement) -> bool:
    r"""Say whether a word's gradient is there: ``dc = \partial L/\partial c + ...`` is another."""
    return any(
        isinstance(node, Gradient) and node.of not in ("D", STEP_LOSS) and _same(node.by, meant.by)
        for side in sides_of([statement])
        for node in walk(side)
    )


def _same(one: Node, other: Node) -> bool:
    return (
        isinstance(one, Symbol)
        and isinstance(other, Symbol)
        and (one.name, one.labels, one.time) == (other.name, other.labels, other.time)
    )


def of_gradients(statement: Statement) -> bool:
    """Say whether there is a gradient in a statement."""
    return any(isinstance(node, Gradient) for side in sides_of([statement]) for node in walk(side))


def time_letter(symbol: Symbol, network: Network) -> str | None:
    """Return the letter for the time of a symbol, whether it was read as time or as a label."""
    if symbol.time is not None:
        variable = symbol.time.variable
        key = known_key(symbol, network)
        untimed = key is not None and key not in network.sequences
        return None if variable == LAST or untimed else variable
    if not known(symbol, network):
        for label in symbol.labels:
            rest = tuple(other for other in symbol.labels if other != label)
            plain = replace(symbol, labels=rest, time=Index(TIME))
            if label in LETTERS and known_key(plain, network) in network.sequences:
                return label
    return None


def _count(  # noqa: C901, PLR0912 - one case per node
    node: Node, facts: _Facts, network: Network
) -> None:
    match node:
        case Symbol():
            if node.time is not None:
                if node.time.variable in (None, LAST):
                    if known(replace(node, name=node.name.lower()), network):
                        facts.numbers[node.time] += 1
                else:
                    facts.times[node.time.variable] += 1
            if node.time == Index(NEXT) or "next" in node.name:
                facts.words[NEXT] += 1
        case Gradient(of=of) if of.startswith(f"{STEP_LOSS}_"):
            facts.words["later loss"] += 1
        case Product(operators=operators) if r"\otimes" in operators:
            facts.words["outer"] += 1
        case Series():
            for bound in (node.lower, node.upper):
                if bound is not None and bound.variable is not None:
                    facts.bounds[bound.variable] += 1
            if node.lower == Index(None, 0):
                facts.zero_sums += 1
        case _:
            pass
