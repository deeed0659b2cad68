"""Symbols that are spelled as words: ``dh_next``, ``prev_h``, ``dWx``, ``Wx``."""

from __future__ import annotations

from dataclasses import replace

from .derivatives import SHORT
from .network import Key, Network, gate_variables
from .nodes import Gradient, Index, Symbol
from .scripts import WORDS

DIFFERENTIALS = ("grad", "d", "D", "delta", "g")


def known(symbol: Symbol, network: Network) -> bool:
    """Say whether a symbol is one of the assignment's, under its own or another name."""
    return known_key(symbol, network) is not None


def known_key(symbol: Symbol, network: Network) -> Key | None:
    """Return the key of the assignment's value that a symbol names, for the first of any gates."""
    key = Key("", symbol.name, tuple(label for label in symbol.labels if not label.startswith("#")))
    others = {other: name for name, names in network.gates.items() for other in (*names, name)}
    first = next(iter(network.gates), None)
    variables = gate_variables(key.labels, network.gates) if first else []
    for labels in (
        key.labels,
        [others.get(label, label) for label in key.labels],
        [first if label in variables else others.get(label, label) for label in key.labels],
    ):
        found = key._replace(labels=tuple(sorted(str(label) for label in labels)))
        found = network.aliases.get(found, found)
        if found in network.values:
            return found
    return None


def of_word(symbol: Symbol, network: Network) -> Symbol | Gradient:
    """Return what a symbol stands for whose name is a word; itself if that is not known."""
    if len(symbol.name) < 2 or not symbol.name.isascii() or symbol.name.startswith("\\"):  # noqa: PLR2004
        return symbol
    pieces = [piece for piece in symbol.name.split("_") if piece]
    found = _value(symbol, pieces, network)
    if found is not None:
        return found
    for mark in DIFFERENTIALS:
        rest = list(pieces)
        if rest and rest[0] == mark:
            rest = rest[1:]
        elif rest and rest[0].startswith(mark):
            rest[0] = rest[0][len(mark) :]
        else:
            continue
        found = _value(symbol, rest, network)
        if found is not None:
            return Gradient("L", found, symbol.at, SHORT)
    return symbol


def _value(symbol: Symbol, pieces: list[str], network: Network) -> Symbol | None:
    time = symbol.time
    letters: list[str] = []
    for number, piece in enumerate(pieces):
        word = next((w for w in WORDS if piece.lower() == w), None)
        tail = next((w for w in WORDS if number == 0 and piece.lower().endswith(w)), None)
        if word is not None:
            time = WORDS[word]
        elif tail is not None and len(piece) > len(tail):
            time = WORDS[tail]
            letters += list(piece[: -len(tail)])
        elif piece in ("t", "T") and number:
            time = Index(piece)
        else:
            letters += list(piece)
    if not letters or len(letters) > 3:  # noqa: PLR2004 - W, x and a gate
        return None
    labels = tuple(sorted((*letters[1:], *symbol.labels)))
    made = replace(
        symbol, name=letters[0], labels=labels, time=time, written=(*letters[1:], *symbol.written)
    )
    return made if known(made, network) else None
