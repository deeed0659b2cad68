"""Derivations written in any notation, right or with one mistake: what ``make derivations`` reads.

``Notation`` says how each thing is written; ``written`` gives the text of one part in it. A mistake
is made in one formula, by writing one of its pieces in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

HEADINGS = {
    "q3.5": "Vanilla RNN: one step",
    "q3.6": "Vanilla RNN: a sequence",
    "q4.5": "LSTM: one step",
    "q4.6": "LSTM: a sequence",
}
GATES = ("f", "i", "c", "o")


@dataclass(frozen=True)
class Notation:
    """How one student writes.

    Attributes:
        name: what is unusual about it.
        gradient: of the loss by something.
        direct: the gradient of step t's own loss by something.
        times, transpose: the product by element, and what is transposed.
        layout: columns, rows, stored (rows, weights as libraries keep them) or shaped (gradients by
            vectors are rows, those by matrices lie as the matrices).
        at: a letter at a time.
        weight, bias: of an input (x, h) and, in the LSTM, a gate.
        letters: for values, and for gates as labels (those begin with an underscore).
        pre: the name of the preactivation's gradient; None for the gradient itself.
        cell: the name of the cell's total gradient in one step.
        tanh_slope, squared: the slope of tanh at its value, and a square.
        total: a sum over all steps.
        block: the formulas of a part as text.
        before: text before them.
        edit: what is done to the text last.
    """

    name: str = "plain"
    gradient: Callable[[str], str] = lambda by: rf"\frac{{\partial L}}{{\partial {by}}}"
    direct: Callable[[str], str] = lambda by: rf"\frac{{\partial L_t}}{{\partial {by}}}"
    times: str = r"\odot"
    transpose: Callable[[str], str] = lambda of: f"{of}^T"
    layout: str = "columns"
    at: Callable[[str, str], str] = lambda letter, time: f"{letter}_{{{time}}}"
    weight: Callable[[str, str], str] = lambda of, gate: f"W_{of}^{{{gate}}}" if gate else f"W_{of}"
    bias: Callable[[str], str] = lambda gate: f"b^{{{gate}}}" if gate else "b"
    letters: dict[str, str] = field(default_factory=dict)
    pre: Callable[[str, str], str] | None = None
    cell: Callable[[str], str] = lambda time: rf"\gamma_{{{time}}}"
    tanh_slope: Callable[[str], str] = lambda value: f"(1 - {value}^2)"
    total: Callable[[str], str] = lambda body: rf"\sum_{{t=1}}^{{T}} {body}"
    block: Callable[[list[tuple[str, str]]], str] = lambda formulas: "\n".join(
        f"$${left} = {right}$$" for left, right in formulas
    )
    before: str = ""
    edit: Callable[[str], str] = lambda text: text
    parts: tuple[str, ...] = tuple(HEADINGS)


@dataclass(frozen=True)
class WrittenFormula:
    """A formula with what it says: the quantity by which the rubric knows it."""

    quantity: str
    left: str
    right: str


@dataclass(frozen=True)
class PlantedMistake:
    """One mistake: the formulas it may be made in, what is written then, and its usual causes."""

    name: str
    quantities: tuple[str, ...]
    make: Callable[[Writer], Writer] | None
    change: Callable[[str], str] = lambda right: right
    causes: tuple[str, ...] = ()


class Writer:
    """Writes the formulas of one part."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    @classmethod
    def of(cls, right: Writer) -> Writer:
        """Return a writer of this kind in the notation of another."""
        return cls(right.notation)

    # Pieces, which mistakes replace

    def value(self, letter: str, time: str = "t") -> str:
        """Return a value at a time."""
        name = self.notation.letters.get(letter, r"\tilde c" if letter == "g" else letter)
        return self.notation.at(name, time)

    def label(self, gate: str) -> str:
        """Return the label of a gate."""
        return self.notation.letters.get(f"_{gate}", r"\tilde c" if gate == "c" else gate)

    def before(self, letter: str) -> str:
        """Return a value of the step before."""
        return self.value(letter, "t-1")

    def by(self, what: str) -> str:
        """Return the gradient by something."""
        return self.notation.gradient(what)

    def given(self, what: str) -> str:
        """Return the gradient that is given."""
        return self.notation.gradient(what)

    def product(self, *factors: str) -> str:
        """Return a product by element."""
        return f" {self.notation.times} ".join(factors)

    def back(self, matrix: str, gradient: str) -> str:
        """Return what comes back through a matrix."""
        turned = self.notation.transpose
        match self.notation.layout:
            case "columns":
                return f"{turned(self.bracketed(matrix))} {gradient}"
            case "rows":
                return f"{gradient} {turned(self.bracketed(matrix))}"
            case _:
                return f"{gradient} {matrix}"

    def outer(self, gradient: str, value: str) -> str:
        """Return the gradient by a matrix."""
        turned = self.notation.transpose
        match self.notation.layout:
            case "columns":
                return f"{gradient} {turned(value)}"
            case "rows":
                return f"{turned(value)} {gradient}"
            case "stored":
                return f"{turned(f'({gradient})')} {value}"
            case _:
                return f"{turned(f'({gradient})')} {turned(value)}"

    def bracketed(self, matrix: str) -> str:
        """Return a matrix that a superscript may follow."""
        return f"({matrix})" if "^" in matrix else matrix

    def tanh_slope(self, value: str) -> str:
        """Return the slope of tanh at its value."""
        return self.notation.tanh_slope(value)

    def sigmoid_slope(self, value: str) -> str:
        """Return the slope of the sigmoid at its value, as a product."""
        return self.product(value, f"(1 - {value})")

    def summed(self, body: str) -> str:
        """Return a sum over all steps."""
        return self.notation.total(body)

    def pre(self, gate: str = "", time: str = "t") -> str:
        """Return the gradient by the preactivation."""
        if self.notation.pre is not None:
            return self.notation.pre(self.label(gate) if gate else "", time)
        label = f"^{{{self.label(gate)}}}" if gate else ""
        return self.by(self.value("y" if not gate else "a", time) + label)


def written(
    part: str, notation: Notation, mistake: PlantedMistake | None = None, at: str = ""
) -> str:
    """Return the text of a part, with a mistake in the formula of the quantity ``at``."""
    found = [
        (
            formula.left,
            mistake.change(formula.right) if mistake and formula.quantity == at else formula.right,
        )
        for formula in formulas(part, notation, mistake, at)
    ]
    lines = [f"# {HEADINGS[part]}", notation.before, notation.block(found)]
    return notation.edit("\n".join(line for line in lines if line) + "\n")


def formulas(
    part: str, notation: Notation, mistake: PlantedMistake | None = None, at: str = ""
) -> Iterator[WrittenFormula]:
    """Yield the formulas of a part."""
    right = Writer(notation)
    wrong = mistake.make(right) if mistake is not None and mistake.make is not None else right
    make = {"q3.5": _rnn_step, "q3.6": _rnn_sequence, "q4.5": _lstm_step, "q4.6": _lstm_sequence}

    def writer(quantity: str) -> Writer:
        return wrong if quantity == at else right

    yield from make[part](writer, notation)


Choose = Callable[[str], Writer]


def _rnn_step(writer: Choose, notation: Notation) -> Iterator[WrittenFormula]:
    w = writer("y")
    wx, wh = notation.weight("x", ""), notation.weight("h", "")
    yield WrittenFormula("y", w.pre(), w.product(w.given(w.value("h")), w.tanh_slope(w.value("h"))))
    w = writer("x")
    yield WrittenFormula("x", w.by(w.value("x")), w.back(wx, w.pre()))
    w = writer("h")
    yield WrittenFormula("h", w.by(Writer(notation).before("h")), w.back(wh, w.pre()))
    w = writer("W_x")
    yield WrittenFormula("W_x", w.by(wx), w.outer(w.pre(), w.value("x")))
    w = writer("W_h")
    yield WrittenFormula("W_h", w.by(wh), w.outer(w.pre(), w.before("h")))
    w = writer("b")
    yield WrittenFormula("b", w.by(notation.bias("")), w.pre())


def _rnn_sequence(writer: Choose, notation: Notation) -> Iterator[WrittenFormula]:
    wx, wh = notation.weight("x", ""), notation.weight("h", "")
    w = writer("h")
    later = w.back(wh, w.pre("", "t+1"))
    yield WrittenFormula("h", w.by(w.value("h")), f"{notation.direct(w.value('h'))} + {later}")
    w = writer("y")
    yield WrittenFormula("y", w.pre(), w.product(w.by(w.value("h")), w.tanh_slope(w.value("h"))))
    w = writer("x")
    yield WrittenFormula("x", w.by(w.value("x")), w.back(wx, w.pre()))
    w = writer("h_0")
    yield WrittenFormula("h_0", w.by(w.value("h", "0")), w.back(wh, w.pre("", "1")))
    w = writer("W_x")
    yield WrittenFormula("W_x", w.by(wx), w.summed(w.outer(w.pre(), w.value("x"))))
    w = writer("W_h")
    yield WrittenFormula("W_h", w.by(wh), w.summed(w.outer(w.pre(), w.before("h"))))
    w = writer("b")
    yield WrittenFormula("b", w.by(notation.bias("")), w.summed(w.pre()))


def _gate_slopes(writer: Choose, cell: str, output: str) -> Iterator[WrittenFormula]:
    for gate, other in (("f", "c"), ("i", "g")):
        w = writer(f"a_{gate}")
        factor = w.before("c") if other == "c" else w.value("g")
        right = w.product(cell, factor, w.sigmoid_slope(w.value(gate)))
        yield WrittenFormula(f"a_{gate}", w.pre(gate), right)
    w = writer("a_c")
    yield WrittenFormula(
        "a_c", w.pre("c"), w.product(cell, w.value("i"), w.tanh_slope(w.value("g")))
    )
    w = writer("a_o")
    right = w.product(output, rf"\tanh({w.value('c')})", w.sigmoid_slope(w.value("o")))
    yield WrittenFormula("a_o", w.pre("o"), right)


def _through_h(w: Writer, gradient: str) -> str:
    return w.product(gradient, w.value("o"), rf"(1 - \tanh^2({w.value('c')}))")


def _lstm_step(writer: Choose, notation: Notation) -> Iterator[WrittenFormula]:
    w = writer("cell")
    total = notation.cell("t")
    through = _through_h(w, w.given(w.value("h")))
    yield WrittenFormula("cell", total, f"{w.given(w.value('c'))} + {through}")
    yield from _gate_slopes(writer, total, w.given(w.value("h")))
    w = writer("c")
    yield WrittenFormula("c", w.by(Writer(notation).before("c")), w.product(total, w.value("f")))
    for name, left in (("x", writer("x").value("x")), ("h", Writer(notation).before("h"))):
        w = writer(name)
        terms = [w.back(notation.weight(name, w.label(g)), w.pre(g)) for g in GATES]
        yield WrittenFormula(name, w.by(left), " + ".join(terms))
    yield from _gate_parameters(writer, notation, lambda _w, body: body)


def _gate_parameters(
    writer: Choose, notation: Notation, over: Callable[[Writer, str], str]
) -> Iterator[WrittenFormula]:
    for gate in GATES:
        for name in ("x", "h"):
            w = writer(f"W_{name}")
            value = w.value("x") if name == "x" else w.before("h")
            left = w.by(notation.weight(name, w.label(gate)))
            yield WrittenFormula(f"W_{name}", left, over(w, w.outer(w.pre(gate), value)))
        w = writer("b")
        yield WrittenFormula("b", w.by(notation.bias(w.label(gate))), over(w, w.pre(gate)))


def _lstm_sequence(writer: Choose, notation: Notation) -> Iterator[WrittenFormula]:
    w = writer("h")
    terms = [w.back(notation.weight("h", w.label(g)), w.pre(g, "t+1")) for g in GATES]
    direct = notation.direct(w.value("h"))
    yield WrittenFormula("h", w.by(w.value("h")), " + ".join([direct, *terms]))
    w = writer("c")
    later = w.product(w.by(w.value("c", "t+1")), w.value("f", "t+1"))
    right = f"{_through_h(w, w.by(w.value('h')))} + {later}"
    yield WrittenFormula("c", w.by(w.value("c")), right)
    yield from _gate_slopes(writer, w.by(Writer(notation).value("c")), w.by(w.value("h")))
    yield from _gate_parameters(writer, notation, lambda w, body: w.summed(body))


def varied(notation: Notation, name: str, **changes: object) -> Notation:
    """Return a notation with some things written in another way."""
    return replace(notation, name=name, **changes)  # type: ignore[arg-type]
