"""The rules that statements make: what an answer says that each quantity is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from .differentials import without_differentials
from .network import LAST, TIME, Key, Network, key_of, keys_in, substitute, time_of
from .nodes import (
    BlockOf,
    Blocks,
    Gradient,
    Index,
    Node,
    Series,
    Sum,
    Symbol,
    Transpose,
    parts,
    scripts_in,
    walk,
    with_parts,
)
from .renaming import Renaming
from .spelling import sides_of
from .statements import EVERYWHERE, Domain, Statement


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
    domain: Domain = EVERYWHERE
    implied: bool = False
    raw: tuple[Node, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    earlier: bool = False


def finished(node: Node, rule: Rule, renaming: Renaming) -> Node:
    """Return a link from its raw form: for the rule's gate, with sums over gates written out."""
    for variable, gate in rule.gates:
        node = renaming.canonical(_gate_value(node, variable, gate))
    return renaming.sums_written_out(node)


def uses_value_g(node: Node) -> bool:
    """Say whether g has a time: then it is a value, that of the candidate gate perhaps."""
    return any(
        isinstance(one, Symbol) and one.name == "g" and one.time is not None for one in walk(node)
    )


def rules(statements: Sequence[Statement], network: Network, renaming: Renaming) -> list[Rule]:
    """Return the rules that statements define, in order; one for any gate becomes one each."""
    found: list[Rule] = []
    read = [
        (statement, [renaming.canonical(side) for side in sides_of([statement])])
        for statement in statements
        if statement.problem is None
    ]
    for statement, sides in without_differentials(read, network):
        for rule in [*_rules(sides, statement, network), *_block_rules(sides, statement, network)]:
            found += _for_gates(rule, network, renaming)
    return _with_other_names(found, network)


def _with_other_names(found: list[Rule], network: Network) -> list[Rule]:
    r"""Let formulas for ``H_t`` define ``\partial L/\partial h_t``, of which it is another name.

    The gradient must not be given or defined itself, and not be in those formulas: then the name
    has got another meaning.
    """
    # Not by a formula for one step, such as that for h_0.
    defined = {rule.key for rule in found if rule.time is None or rule.time.variable == TIME}
    names: dict[Key, Rule] = {}
    for rule in found:
        meant = _target(rule.links[-1])
        if (
            not rule.key.of
            and meant is not None
            and (meant[0].of, meant[1:]) == ("L", (rule.time, False))
            and meant[0] not in defined
            and not (network.one_step and meant[0] in network.given_keys)
        ):
            names[rule.key] = rule
    return [_under_other_name(rule, names, found) for rule in found]


def _under_other_name(rule: Rule, names: Mapping[Key, Rule], found: Sequence[Rule]) -> Rule:
    named = names.get(rule.key)
    meant = None if named is None else _target(named.links[-1])
    if named is None or meant is None or rule is named:
        return rule
    formulas = [one for one in found if one.key == rule.key and one is not named]
    used = {key for one in formulas for link in one.links for key in keys_in(link)}
    return rule if meant[0] in used else replace(rule, key=meant[0])


def _rules(sides: list[Node], statement: Statement, network: Network) -> Iterator[Rule]:
    """Yield a rule for each name in a chain, which is what the formulas of the chain say."""
    formulas = [not (_is_name(side, network) or _names_in(side, network)) for side in sides]
    for place, side in enumerate(sides):
        target = _target(side)
        if target is None or (target[0].of == "" and target[0] in network.values):
            continue
        key, time, transposed = target
        links = [
            link for link, formula in zip(sides, formulas, strict=True) if formula and link != side
        ]
        after = [link for link in sides[place + 1 :] if link != side]
        if place == 0 and statement.relations[0] != "=":
            after = [_updated(side, sides[-1], time, statement.relations[0], network)]
        elif not any(link in links for link in after):
            # All that follows are names: what stands before them says what they are.
            after = links or after or sides[place + 1 :]
        if not after or (place and key.of not in ("L", "")):
            continue
        made = tuple(Transpose(link, link.at) if transposed else link for link in after)
        yield Rule(
            *(key, time, made, statement, statement.domain),
            implied=any(not formula for formula in formulas[:place]),
        )


def _block_rules(sides: list[Node], statement: Statement, network: Network) -> Iterator[Rule]:
    """Yield what a chain with blocks of names in it says about each of the names."""
    named = next((side for side in map(_straight, sides) if _names_in(side, network)), None)
    if not isinstance(named, Blocks):
        return
    others = [side for side in map(_straight, sides) if not _is_name(side, network)]
    others = others if any(side != named for side in others) else list(map(_straight, sides))
    for row, cells in enumerate(named.rows):
        for column, cell in enumerate(cells):
            if _is_given(cell, network) and all(one == named or _target(one) for one in others):
                continue  # v = [dL/dh; dL/dc] says what v is
            of = [_block_of(side, named, row, column) for side in others]
            if isinstance(cell, Blocks):
                yield from _block_rules([cell, *of], statement, network)
            else:
                made = replace(statement, relations=("=",) * len(statement.relations))
                yield from _rules([cell, *of], made, network)


def _is_given(node: Node, network: Network) -> bool:
    """Say whether a gradient is one that the task gives for the step."""
    target = _target(node)
    return (
        target is not None
        and network.one_step
        and target[0] in network.given_keys
        and target[1] == Index(TIME)
    )


def _straight(node: Node) -> Node:
    """Return a transposed matrix of blocks, or one among blocks, as blocks that are transposed."""
    if isinstance(node, Blocks):
        return replace(node, rows=tuple(tuple(map(_straight, row)) for row in node.rows))
    if not isinstance(node, Transpose):
        return node
    inner = _straight(node.of)
    if not isinstance(inner, Blocks):
        return node
    columns = zip(*inner.rows, strict=True)
    rows = tuple(tuple(_straight(Transpose(cell, cell.at)) for cell in row) for row in columns)
    return replace(inner, rows=rows)


def _names_in(node: Node, network: Network) -> bool:
    """Say whether blocks are names that a chain may define."""
    if not isinstance(node, Blocks):
        return False
    return all(_is_name(cell, network) or _names_in(cell, network) for cell in parts(node))


def _block_of(side: Node, layout: Blocks, row: int, column: int) -> Node:
    if isinstance(side, Blocks):
        rows = side.rows
        alike = len(rows) == len(layout.rows) and len(rows[0]) == len(layout.rows[0])
        if not alike and (side.loose or layout.loose):
            rows = tuple(zip(*rows, strict=True))
            alike = len(rows) == len(layout.rows) and len(rows[0]) == len(layout.rows[0])
        if alike:
            return rows[row][column]
    return BlockOf(side, layout, row, column, side.at)


def _is_name(node: Node, network: Network) -> bool:
    """Say whether a side of a chain is a name that the chain may define."""
    target = _target(node)
    return target is not None and not (
        target[0].of == "D" or (target[0].of == "" and target[0] in network.values)
    )


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
    # A name of the student's own may have such a label and not mean any gate by it.
    used = set(rule.key.labels) if rule.key.of else set()
    used |= {name for link in rule.links for name in scripts_in(link)}
    used |= {node.name for link in rule.links for node in walk(link) if isinstance(node, Symbol)}
    variables = [
        label
        for label in dict.fromkeys(rule.key.labels)
        if renaming.is_variable(label) and label in used
    ]
    members = {renaming.gate("", member) for member in rule.domain.members}
    for chosen in product(network.gates, repeat=len(variables)):
        gates = tuple(zip(variables, chosen, strict=True))
        if any(rule.domain.variable == v and gate not in members for v, gate in gates):
            continue
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
