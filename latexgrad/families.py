r"""What the student's own names for values stand for: ``U`` for ``W_x``, ``s_t`` for ``h_t``.

A name is taken for a value of the assignment if the answer says so (``s_t = \tanh(y_t)``), if it
differs in its capitals only, or if what is said in terms of it is then right. It never stands for
a gradient: those must be derived.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from .network import STACKED, TIME, Key, Network, key_of
from .nodes import Gradient, Index, Node, Symbol, walk
from .renaming import Family, Renaming

MAX_TRIED = 150  # assignments of names to values
MAX_UNKNOWN = 5  # names


@dataclass(frozen=True)
class GateNames:
    """What labels stand for gates: in general, and for certain names."""

    general: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]]


def gate_names(sides: Iterable[Node], network: Network, *, candidate_is_g: bool) -> GateNames:
    r"""Find out which labels are gates: where one gate has no label but an unknown one is used.

    A name with a label for the gate and another label that is often used for the same gate has two
    meanings: ``\delta^c`` beside ``\delta^{\tilde c}`` is not the candidate's.
    """
    if not network.gates:
        return GateNames({}, {})
    usual = Renaming(network, candidate_is_g=candidate_is_g)
    used: dict[str, dict[str, None]] = {}
    for side in sides:
        for node in walk(side):
            if isinstance(node, Symbol):
                used.setdefault(node.name, {}).update(dict.fromkeys(node.labels))
    general = dict(_deduced(used, usual, network))
    own: dict[str, dict[str, str]] = {}
    values = {key.name for key in network.values}
    for name, labels in used.items():
        if name not in values:
            own[name] = _chosen(labels, network, general, candidate_is_g=candidate_is_g)
    return GateNames(general, own)


def _deduced(
    used: Mapping[str, Iterable[str]], usual: Renaming, network: Network
) -> Iterator[tuple[str, str]]:
    inner = {label for key in network.values for label in key.labels if label not in network.gates}
    values = {key.name for key in network.sequences} - {*network.gates}
    for name, labels in used.items():
        unknown = [
            label
            for label in labels
            if usual.gate(name, label) not in network.gates
            and not usual.is_variable(label)
            and label not in inner
            and not label.startswith("#")
        ]
        if len(unknown) != 1:
            continue
        # Beside z for the candidate, whose value is z_t, c is the gradient by c_t itself.
        shadowed = values if unknown[0] in used else set()
        gates = {usual.gate(name, label) for label in labels if label not in shadowed}
        gates &= {*network.gates}
        missing = [gate for gate in network.gates if gate not in gates]
        if len(missing) == 1 and len(gates) > 1:
            yield unknown[0], missing[0]


def _chosen(
    labels: Iterable[str], network: Network, general: Mapping[str, str], *, candidate_is_g: bool
) -> dict[str, str]:
    """Return the gates of one name's labels: each gate has one label, the most usual."""
    found: dict[str, str] = {}
    for gate, others in network.gates.items():
        names = [gate, *(other for other in general if general[other] == gate)]
        ordered = sorted(others, key=lambda other: (len(other) == 1, other.upper() == other))
        if "g" in ordered:
            ordered.remove("g")
            names += ["g"] if candidate_is_g else []
        names += ordered
        label = next((name for name in names if name in labels), None)
        if label is not None:
            found[label] = gate
    return found


def unknown_families(
    sides: Iterable[Node], network: Network, renaming: Renaming
) -> dict[Family, int]:
    """Return the families of values that the assignment does not know, with their uses."""
    found: dict[Family, int] = {}
    for side in sides:
        for node in walk(side):
            symbols = [node] if isinstance(node, Symbol) else []
            if isinstance(node, Gradient) and isinstance(node.by, Symbol):
                symbols = [node.by]
            for symbol in symbols:
                made = renaming.canonical(symbol)
                known = isinstance(made, Symbol) and (
                    key_of(made) in network.values or key_of(made) in network.aliases
                )
                known = known or STACKED in symbol.labels
                known = known or (symbol.name in network.letters and not symbol.labels)
                if not known and not (
                    isinstance(made, Symbol) and _any_gate(made, network, renaming)
                ):
                    family = renaming.family(symbol)
                    found[family] = found.get(family, 0) + 1
    return _merged(found)


def _any_gate(symbol: Symbol, network: Network, renaming: Renaming) -> bool:
    """Say whether a symbol is a known one with a label for any gate."""
    variables = [label for label in symbol.labels if renaming.is_variable(label)]
    if not variables or not network.gates:
        return False
    gate = next(iter(network.gates))
    labels = [gate if label in variables else label for label in symbol.labels]
    return Key("", symbol.name, tuple(sorted(labels))) in network.values


def _merged(found: dict[Family, int]) -> dict[Family, int]:
    """Count ``h`` without a time with ``h_t``."""
    for family in list(found):
        timed = family._replace(timed=True)
        if not family.timed and timed in found:
            found[timed] += found.pop(family)
    return found


def known_families(network: Network, renaming: Renaming) -> dict[Family, int]:
    """Return the families of the network's values, with how many dimensions they have."""
    found: dict[Family, int] = {}
    # In the order of the task: that of a set, in which names would be tried, differs between runs.
    for key in (*network.inputs, *(key_of(symbol) for symbol, _node in network.forward)):
        time = Index(TIME) if key in network.sequences else None
        symbol = Symbol(key.name, key.labels, time, written=key.labels)
        found[renaming.family(symbol)] = len(network.inputs.get(key, ("H",)))
    return found


def proposals(
    unknown: Mapping[Family, int],
    used: Iterable[Family],
    network: Network,
    renaming: Renaming,
) -> Iterator[dict[Family, Family]]:
    """Yield what the names may stand for, the likeliest first; each value has one name only.

    Vectors of parameters may have several: the code of libraries has two biases.
    """
    values = known_families(network, renaming)
    names = sorted(unknown, key=lambda family: -unknown[family])[:MAX_UNKNOWN]
    taken = set(used)
    choices: list[list[Family | None]] = []
    for name in names:
        fitting: list[Family | None] = [
            value
            for value in values
            if value.gated == name.gated
            and (value.timed == name.timed or not name.timed)
            and value not in taken
        ]
        fitting.sort(key=lambda value: _unlike(name, value))
        choices.append([*fitting, None])
    for chosen in islice(product(*choices), MAX_TRIED):
        pairs = {n: v for n, v in zip(names, chosen, strict=True) if v is not None}
        several = [v for v in pairs.values() if values[v] > 1 or v.timed]
        if pairs and len(several) == len(set(several)):
            yield pairs


def _unlike(name: Family, value: Family | None) -> tuple[bool, bool]:
    assert value is not None  # noqa: S101 - None is added afterwards
    return name.name.lower() != value.name.lower(), name.labels != value.labels
