"""Puts the formulas of an answer into the assignment's spelling."""

from __future__ import annotations

from dataclasses import replace

from .components import arranged
from .derivatives import LOSSES, STEP_LOSS, completed, loss_gradient
from .limits import UnreadableError
from .network import BATCH, LAST, LATER, TIME, Network
from .nodes import (
    Gradient,
    Index,
    Node,
    Ones,
    Operator,
    Partial,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    Symbol,
    Transpose,
    parts,
    with_parts,
)
from .parser import PRIME
from .spelling import NEXT, ONES, Spelling, time_letter
from .statements import Domain, Statement
from .symbol_words import known, known_key, of_word
from .truth import dims_of


class Speller:
    """Puts the formulas of an answer into the assignment's spelling."""

    def __init__(self, spelling: Spelling, network: Network) -> None:
        self._spelling = spelling
        self._network = network
        self._dims = dims_of(network)

    def statement(self, statement: Statement) -> Statement:
        """Return a statement in the assignment's spelling."""
        read = [side for side in statement.sides if not isinstance(side, UnreadableError)]
        entries = arranged(read, self._network, self._dims) if len(read) > 1 else None
        if entries is not None and len(read) == len(statement.sides):
            statement = replace(statement, sides=tuple(entries))
        sides = tuple(
            side if isinstance(side, UnreadableError) else self.node(side)
            for side in statement.sides
        )
        domain = statement.domain
        lower, upper = (bound and self._index(bound) for bound in (domain.lower, domain.upper))
        if any(bound and bound.variable not in (None, LAST) for bound in (lower, upper)):
            lower = upper = None
        return replace(
            statement, sides=sides, domain=Domain(lower, upper, domain.members, domain.variable)
        )

    def node(self, node: Node) -> Node:  # noqa: PLR0911 - one case per node
        """Return a formula in the assignment's spelling."""
        match node:
            case Symbol():
                return self._symbol(node)
            case Gradient():
                return self._gradient(node)
            case Quotient():
                return self._quotient(node)
            case Product():
                return self._product(node)
            case Series():
                return self._series(node)
            case Sum():
                terms = tuple(
                    Ones(at=term.at) if self._is_ones(term) else self.node(term)
                    for term in node.terms
                )
                return replace(node, terms=terms)
            case _:
                return with_parts(node, tuple(self.node(part) for part in parts(node)))

    def _is_ones(self, node: Node) -> bool:
        """Say whether a term is a vector of ones by the name of e: in ``e - h_t^2``."""
        return (
            isinstance(node, Symbol)
            and node.name in ONES
            and node.time is None
            and not set(node.labels) - {"H", "n", "N", "h"}
            and (node.name, node.labels) not in self._spelling.own
            and node.name not in self._spelling.losses
        )

    # Gradients

    def _gradient(self, node: Gradient) -> Node:
        by = self.node(node.by)
        if isinstance(by, Symbol) and by.name.endswith(" "):
            by = replace(by, name=by.name.rstrip())
        if (
            self._spelling.next_is == "carried"
            and self._carried(node.by)
            and isinstance(by, Symbol)
        ):
            by = replace(by, labels=tuple(sorted((*by.labels, NEXT))))
        if isinstance(by, Transpose):
            return Transpose(self._gradient(replace(node, by=by.of)), node.at)
        base, _mark, time = node.of.partition("@")
        if base in self._spelling.losses:
            index = None if time in ("", "None") else self._index(Index.read(time))
            return self._accumulated(loss_gradient("L", index, by, node.at))
        return self._accumulated(replace(node, by=by))

    def _carried(self, node: Node) -> bool:
        if not isinstance(node, Symbol):
            return False
        found = of_word(node, self._network)
        return isinstance(found, Symbol) and found.time == Index(NEXT)

    def _accumulated(self, node: Gradient) -> Gradient:
        if not self._spelling.accumulated or node.loss == STEP_LOSS:
            return node
        if node.of == STEP_LOSS:
            return replace(node, of="L")
        if node.of.startswith(f"{STEP_LOSS}_"):
            return replace(node, of=LATER)
        return node

    def _quotient(self, node: Quotient) -> Node:
        above, below = self._differential(node.above), self._differential(node.below)
        if above is None or below is None:
            return with_parts(node, tuple(self.node(part) for part in parts(node)))
        name = above.name if isinstance(above, Symbol) else ""
        if name in LOSSES | self._spelling.losses | {STEP_LOSS} and isinstance(above, Symbol):
            letter = name if name in LOSSES else "L"
            return self.node(loss_gradient(letter, above.time, below, node.at))
        return self.node(Gradient(f"{name}@{getattr(above, 'time', None)}", below, node.at))

    def _differential(self, node: Node) -> Node | None:
        """Return what a letter for differentials stands before."""
        if isinstance(node, Product) and len(node.factors) == 2 and node.operators[0] == "":  # noqa: PLR2004
            first, second = node.factors
            if self._is_prefix(first):
                return second
        return None

    def _is_prefix(self, node: Node) -> bool:
        return (
            isinstance(node, Symbol)
            and not node.labels
            and node.time is None
            and node.name in self._spelling.prefixes
        )

    def _product(self, node: Product) -> Node:
        factors: list[Node] = []
        operators: list[Operator] = []
        place = 0
        while place < len(node.factors):
            factor = node.factors[place]
            if factors:
                sign = node.operators[place - 1]
                inner = sign == r"\otimes" and not self._spelling.outer
                operators.append(r"\odot" if inner else sign)
            following = node.factors[place + 1] if place + 1 < len(node.factors) else None
            touching = following is not None and node.operators[place] == ""
            if touching and self._is_prefix(factor) and _is_named(following):
                assert following is not None  # noqa: S101 - it touches
                made = completed(Partial(following, shorthand=True, at=factor.at))
                factors.append(self.node(made))
                place += 2
                continue
            factors.append(self.node(factor))
            place += 1
        if len(factors) == 1:
            return factors[0]
        return replace(node, factors=tuple(factors), operators=tuple(operators))

    # Symbols

    def _symbol(self, symbol: Symbol) -> Node:
        spelling, network = self._spelling, self._network
        if (symbol.name, symbol.labels) in spelling.own:
            return replace(symbol, time=symbol.time and self._index(symbol.time))
        if (symbol.name, symbol.labels) in spelling.shadows:
            # The trailing space is not seen, and keeps it apart from the assignment's.
            time = symbol.time and self._index(symbol.time)
            return replace(symbol, name=f"{symbol.name} ", time=time)
        found = of_word(symbol, network)
        if isinstance(found, Gradient):
            return self.node(found)
        symbol = _numbered(found, network)
        transposed = False
        if f"#{TIME}" in symbol.labels and symbol.time and symbol.time.variable == TIME:
            symbol, transposed = _without(symbol, f"#{TIME}"), True  # x_t^t
        elif symbol.time == Index(TIME) and _is_parameter(symbol, network):
            symbol, transposed = replace(symbol, time=None), True  # W^t
        for mark in ("H", "*", r"\ast"):
            plain = _without(symbol, mark)
            if mark in symbol.labels and not known(symbol, network) and known(plain, network):
                symbol, transposed = plain, not transposed
        symbol = self._prime(symbol)
        untimed = symbol.time is None  # c'_t is another name, W' a transpose
        if PRIME in symbol.labels and untimed and known(_without(symbol, PRIME), network):
            symbol, transposed = _without(symbol, PRIME), not transposed
        symbol = self._timed(symbol)
        return Transpose(symbol, symbol.at) if transposed else symbol

    def _prime(self, symbol: Symbol) -> Symbol:
        """Read ``h'`` as the value of the step before, if it has no time."""
        plain = _without(symbol, PRIME)
        timed = replace(plain, time=Index(TIME, -1))
        state = known_key(timed, self._network) in self._network.sequences
        if PRIME in symbol.labels and symbol.time is None and state:
            return timed
        return symbol

    def _timed(self, symbol: Symbol) -> Symbol:
        letter = time_letter(symbol, self._network)
        if symbol.time is None and letter is not None and letter == self._spelling.time:
            return replace(_without(symbol, letter), time=Index(TIME))
        if symbol.time is None:
            return symbol
        return replace(symbol, time=self._index(symbol.time))

    def _index(self, index: Index) -> Index:
        spelling = self._spelling
        first = spelling.first_step
        if first is not None and index.variable == first.variable:
            return Index(TIME, index.offset - first.offset)
        shift = 1 if spelling.from_zero else 0
        if index.variable == spelling.time and spelling.time != TIME:
            return Index(TIME, index.offset)
        if index.variable in (LAST, spelling.last):
            return Index(LAST, index.offset + shift)
        if index.variable is None:
            return Index(None, index.offset + shift)
        if index == Index(NEXT):
            return Index(TIME, spelling.next_is == "later")
        return index

    def _series(self, node: Series) -> Node:
        variable = TIME if node.variable == self._spelling.time != TIME else node.variable
        if self._network.one_step and _is_of_batch(node, variable):
            body = self.node(_of_step(node.body, node.variable))
            return replace(node, variable=BATCH, body=body, lower=None, upper=None)
        return replace(
            node,
            variable=variable,
            body=self.node(node.body),
            lower=node.lower and self._index(node.lower),
            upper=node.upper and self._index(node.upper),
        )


def _is_of_batch(node: Series, variable: str) -> bool:
    r"""Say whether a sum is over the rows of a batch: ``\sum_{n=1}^N dy_n``."""
    return variable == BATCH and node.lower == Index(None, 1) and node.upper == Index("N")


def _of_step(node: Node, row: str) -> Node:
    """Return a formula with the step in place of the row of a batch: one sequence is evaluated."""
    if isinstance(node, Symbol):
        of_row = node.time is not None and node.time == Index(row)
        return replace(node, time=Index(TIME)) if of_row else node
    return with_parts(node, tuple(_of_step(part, row) for part in parts(node)))


def _numbered(symbol: Symbol, network: Network) -> Symbol:
    """Read ``W_1`` as a name: a matrix has no time."""
    time = symbol.time
    if time is None or time.variable is not None or known(symbol, network):
        return symbol
    if not (symbol.name[:1].isupper() and len(symbol.name) == 1):
        return symbol
    labels = (*symbol.labels, str(time.offset))
    return replace(symbol, labels=tuple(sorted(labels)), written=labels, time=None)


def _is_named(node: Node | None) -> bool:
    if isinstance(node, Transpose | Power):
        return _is_named(node.of)
    return isinstance(node, Symbol)


def _is_parameter(symbol: Symbol, network: Network) -> bool:
    key = known_key(symbol, network)
    return key is not None and key not in network.sequences


def _without(symbol: Symbol, label: str) -> Symbol:
    return replace(
        symbol,
        labels=tuple(other for other in symbol.labels if other != label),
        written=tuple(other for other in symbol.written if other != label),
    )
