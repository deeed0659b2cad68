"""The network's names for the symbols of an answer: gates by other labels, names of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from .network import BATCH, GATE_VARIABLES, TIME, Key, Network, key_of, substitute
from .nodes import Index, Node, Series, Sum, Symbol, parts, scripts_in, with_parts


class Family(NamedTuple):
    """Symbols that differ in their gate and time alone."""

    name: str
    labels: tuple[str, ...]
    gated: bool
    timed: bool


class Renaming:
    """Gives the symbols of an answer the network's names for them.

    ``candidate_is_g`` says that the answer calls the candidate gate g, so that a label g names that
    gate and not any gate. ``gates`` are further names of gates; ``own_gates`` those that a name of
    the student's own has, where they are not the usual ones. ``families`` are the student's names
    for values of the network.
    """

    def __init__(
        self,
        network: Network,
        *,
        candidate_is_g: bool = False,
        gates: Mapping[str, str] | None = None,
        own_gates: Mapping[str, Mapping[str, str]] | None = None,
        families: Mapping[Family, Family] | None = None,
    ) -> None:
        self._network = network
        self._labels = {
            other: name
            for name, others in network.gates.items()
            for other in others
            if other not in GATE_VARIABLES or candidate_is_g
        } | dict(gates or {})
        self._values_of_gates = dict(gates or {})
        self._own_gates = own_gates or {}
        self._families = families or {}
        self._candidate_is_g = candidate_is_g

    def with_families(self, families: Mapping[Family, Family]) -> Renaming:
        """Return a renaming that knows the student's names for values, too."""
        made = Renaming(self._network, candidate_is_g=self._candidate_is_g)
        made._labels = self._labels
        made._values_of_gates = self._values_of_gates
        made._own_gates = self._own_gates
        made._families = {**self._families, **families}
        return made

    def gate(self, name: str, label: str) -> str:
        """Return the gate that a label of a name stands for; the label itself if it is none."""
        return self._own_gates.get(name, self._labels).get(label, label)

    def family(self, symbol: Symbol) -> Family:
        """Return the family of a symbol."""
        gates = self._network.gates
        plain: list[str] = []
        gated = False
        for label in symbol.labels:
            known = self.gate(symbol.name, label) in gates or self.is_variable(label)
            gated = gated or known
            if not known:
                plain.append(label)
        return Family(symbol.name, tuple(plain), gated, symbol.time is not None)

    def is_variable(self, label: str) -> bool:
        """Say whether a label stands for any gate."""
        if not self._network.gates or label in self._network.gates or label in self._labels:
            return False
        return label in GATE_VARIABLES

    def canonical(self, node: Node) -> Node:
        """Return a node with the network's names; sums over gates say over which."""
        if isinstance(node, Symbol):
            return self._symbol(node)
        if isinstance(node, Series) and (node.members or self._over_gates(node)):
            body = self.canonical(node.body)
            return replace(node, body=body, members=tuple(self._members(node)))
        return with_parts(node, tuple(self.canonical(part) for part in parts(node)))

    def sums_written_out(self, node: Node) -> Node:
        """Return a canonical node with its sums over gates written out."""
        if isinstance(node, Series) and node.members and node.operator == "sum":
            terms = tuple(
                self.sums_written_out(self.canonical(substitute(node.body, node.variable, gate)))
                for gate in node.members
            )
            return Sum(terms, (1,) * len(terms), node.at)
        return with_parts(node, tuple(self.sums_written_out(part) for part in parts(node)))

    def _members(self, node: Series) -> Sequence[str]:
        if not node.members:
            return tuple(self._network.gates)
        return [self._labels.get(member, member) for member in node.members]

    def _over_gates(self, node: Series) -> bool:
        if node.lower is not None or not self._network.gates or node.variable in (TIME, BATCH):
            return False
        return node.variable in set(scripts_in(node.body))

    def _symbol(self, symbol: Symbol) -> Symbol:
        symbol = _with_time_second(_without_rows(symbol))
        network = self._network
        key = key_of(symbol)
        if key not in network.values:
            key = self._aliased(key)
        if key not in network.values:
            key = self._gate_itself(key)
        if key not in network.values:
            labels = tuple(sorted(self.gate(key.name, label) for label in key.labels))
            key = self._aliased(Key("", key.name, labels))
        if key not in network.values:
            key = self._of_family(symbol, key)
        time = symbol.time
        if key in network.sequences and time is None:
            time = Index(TIME)
        elif key not in network.values and time is not None and time.offset == 0:
            # W_{x,k}: k is not a time but any gate.
            labels = tuple(sorted([*key.labels, time.variable or ""]))
            gates = tuple(network.gates)
            if gates and time.variable in GATE_VARIABLES:
                tried = substitute(Symbol(key.name, labels), time.variable or "", gates[0])
                if isinstance(tried, Symbol) and key_of(tried) in network.values:
                    return Symbol(key.name, labels, None, symbol.at)
        return replace(symbol, name=key.name, labels=key.labels, time=time)

    def _aliased(self, key: Key) -> Key:
        """Return the key of the value that has another name; ``g`` may be any gate's value."""
        if key.name in GATE_VARIABLES and not self._candidate_is_g:
            return key
        return self._network.aliases.get(key, key)

    def _gate_itself(self, key: Key) -> Key:
        """Return the key of a gate's own value by another name of the gate: ``c'_t``, ``z_t``."""
        name = key.name + "'" * key.labels.count("'")
        labels = tuple(label for label in key.labels if label != "'")
        found = Key("", self._values_of_gates.get(name, name), labels)
        return found if found in self._network.values else key

    def _of_family(self, symbol: Symbol, key: Key) -> Key:
        """Return the key of the network's value that the student calls by another name."""
        family = self.family(symbol)
        meant = self._families.get(family)
        if meant is None and symbol.time is None:
            meant = self._families.get(family._replace(timed=True))
        if meant is None:
            return key
        gates = [label for label in key.labels if label not in family.labels]
        return Key("", meant.name, tuple(sorted([*meant.labels, *gates])))


def _without_rows(symbol: Symbol) -> Symbol:
    """Drop an index that counts the members of a batch: only one sequence is evaluated."""
    labels = tuple(label for label in symbol.labels if label != f"#{BATCH}")
    return symbol if labels == symbol.labels else replace(symbol, labels=labels)


def _with_time_second(symbol: Symbol) -> Symbol:
    """Read ``a_{k,t}``, whose first index is a label and whose second is the time."""
    extra = [label for label in symbol.labels if label.startswith("#") and TIME in label]
    time = symbol.time
    if extra and time is not None and time.offset == 0 and time.variable in GATE_VARIABLES:
        labels = [label for label in symbol.labels if label not in extra]
        later = Index.read(extra[0][1:])
        return replace(symbol, labels=tuple(sorted([*labels, time.variable])), time=later)
    return symbol
