"""Mistakes for ``make derivations``: each changes one piece of one formula."""

# ruff: noqa: E501 - tables with a row for each; letters of other alphabets are what is read

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.derivation_notations import GROUPS, PLAIN
from benchmarks.derivation_writeups import Notation, PlantedMistake, Writer, formulas, varied

TANH = ("y", "a_c")
SIGMOID = ("a_f", "a_i", "a_o")
BACK = ("x", "h", "h_0")
MATRICES = ("W_x", "W_h")
ASKED = (*BACK, *MATRICES, "b", "c")
# Notations that mistakes are made in.
NOTATIONS = (
    PLAIN,
    varied(PLAIN, "own names", **GROUPS["own names"]["delta"]),
    varied(PLAIN, "rows", layout="rows"),
    varied(PLAIN, "stored", layout="stored"),
    varied(PLAIN, "library's weights", **GROUPS["weight"]["U and W"]),
    varied(PLAIN, "prefix", **GROUPS["gradient"]["nabla"]),
    varied(PLAIN, "frames", **GROUPS["block"]["boxes"]),
)


class _SlopeNotSquared(Writer):
    def tanh_slope(self, value: str) -> str:
        return f"(1 - {value})"


class _SigmoidForTanh(Writer):
    def tanh_slope(self, value: str) -> str:
        return self.product(value, f"(1 - {value})")


class _TanhForSigmoid(Writer):
    def sigmoid_slope(self, value: str) -> str:
        return f"(1 - {value}^2)"


class _PlusInSlope(Writer):
    def tanh_slope(self, value: str) -> str:
        return f"(1 + {value}^2)"


class _HalfASlope(Writer):
    def sigmoid_slope(self, value: str) -> str:
        return value


class _SlopeMissing(Writer):
    def product(self, *factors: str) -> str:
        return super().product(*factors[:-1])


class _FactorMissing(Writer):
    def product(self, *factors: str) -> str:
        return super().product(*factors[1:]) if len(factors) > 1 else factors[0]


class _NotTransposed(Writer):
    def back(self, matrix: str, gradient: str) -> str:
        turned = f"{self.notation.transpose(self.bracketed(matrix))}"
        columns = self.notation.layout == "columns"
        if self.notation.layout in ("stored", "shaped"):
            return f"{gradient} {turned}"
        return f"{matrix} {gradient}" if columns else f"{gradient} {matrix}"


class _Swapped(Writer):
    def back(self, matrix: str, gradient: str) -> str:
        first, last = super().back("MATRIX", "GRADIENT").split(" ", 1)
        return f"{last} {first}".replace("MATRIX", self.bracketed(matrix)).replace(
            "GRADIENT", gradient
        )

    def outer(self, gradient: str, value: str) -> str:
        return super().outer(value, gradient)


class _ThisStep(Writer):
    def before(self, letter: str) -> str:
        return self.value(letter)


class _OtherValue(Writer):
    def value(self, letter: str, time: str = "t") -> str:
        return super().value(
            {"x": "h", "f": "i", "i": "f", "o": "f", "g": "c"}.get(letter, letter), time
        )

    def before(self, letter: str) -> str:
        return super().value({"h": "x", "c": "h"}.get(letter, letter), "t-1")


class _NoSum(Writer):
    def summed(self, body: str) -> str:
        return body


class _FromTwo(Writer):
    def summed(self, body: str) -> str:
        return self.notation.total(body).replace("t=1", "t=2")


class _ToTheLastButOne(Writer):
    def summed(self, body: str) -> str:
        return self.notation.total(body).replace("^{T}", "^{T-1}")


class _NextStep(Writer):
    def pre(self, gate: str = "", time: str = "t") -> str:
        return super().pre(gate, "t" if time == "t+1" else time)


class _OtherMatrix(Writer):
    def back(self, matrix: str, gradient: str) -> str:
        return super().back(matrix.replace("_h", "_x"), gradient)


def _without_last_term(right: str) -> str:
    head, sign, _last = right.rpartition(" + ")
    return head if sign else right


def _without_first_term(right: str) -> str:
    _first, sign, rest = right.partition(" + ")
    return rest if sign else right


MISTAKES = (
    PlantedMistake("slope not squared", TANH, _SlopeNotSquared.of, causes=("slope",)),
    PlantedMistake("the sigmoid's slope for tanh", TANH, _SigmoidForTanh.of, causes=("slope", "function")),
    PlantedMistake("the slope of tanh for the sigmoid", SIGMOID, _TanhForSigmoid.of, causes=("slope", "function")),
    PlantedMistake("plus in the slope", TANH, _PlusInSlope.of, causes=("slope", "sign")),
    PlantedMistake("half of a slope", SIGMOID, _HalfASlope.of, causes=("factor_missing", "slope")),
    PlantedMistake("the last factor missing", (*TANH, "cell", "c"), _SlopeMissing.of, causes=("factor_missing", "path_missing", "slope")),
    PlantedMistake("the first factor missing", (*TANH, *SIGMOID), _FactorMissing.of, causes=("factor_missing", "shapes")),
    PlantedMistake("weights not transposed", BACK, _NotTransposed.of, causes=("transposed", "shapes")),
    PlantedMistake("factors in the other order", (*BACK, *MATRICES), _Swapped.of, causes=("order_of_factors", "shapes", "transposed")),
    PlantedMistake("this step for the one before", ("W_h", "a_f"), _ThisStep.of, causes=("time_index",)),
    PlantedMistake("another value", (*MATRICES, *SIGMOID, "c"), _OtherValue.of, causes=("symbol", "shapes", "order_of_factors")),
    PlantedMistake("no sum", (*MATRICES, "b"), _NoSum.of, causes=("sum_missing",)),
    PlantedMistake("a sum from 2", (*MATRICES, "b"), _FromTwo.of, causes=("range_of_sum",)),
    PlantedMistake("a sum to T - 1", (*MATRICES, "b"), _ToTheLastButOne.of, causes=("range_of_sum",)),
    PlantedMistake("this step for the next", ("h",), _NextStep.of, causes=("time_index", "circular", "recursion")),
    PlantedMistake("another matrix", ("h", "h_0"), _OtherMatrix.of, causes=("symbol", "shapes")),
    PlantedMistake("the other sign", ASKED, None, lambda right: f"-({right})", ("sign",)),
    PlantedMistake("twice as much", ASKED, None, lambda right: f"2 ({right})", ("constant_factor", "factor_left_over")),
    PlantedMistake("half as much", ASKED, None, lambda right: rf"\frac{{1}}{{2}} ({right})", ("constant_factor", "factor_left_over")),
    PlantedMistake("a term too many", (*BACK, "b", "c"), None, lambda right: f"{right} + {right}", ("constant_factor", "term_left_over", "factor_left_over")),
    PlantedMistake("the last term missing", ("x", "h", "c", "cell"), None, _without_last_term, ("path_missing", "recursion", "term_left_over")),
    PlantedMistake("the first term missing", ("x", "h", "c", "cell"), None, _without_first_term, ("path_missing", "total_or_direct", "base_case")),
    PlantedMistake("a constant added", ("b", "c"), None, lambda right: f"{right} + 1", ("term_left_over",)),
    PlantedMistake("another function around it", ("b", "W_x"), None, lambda right: rf"\tanh({right})", ("function",)),
)  # fmt: skip
# The rubric's names of what a formula is for; an intermediate costs what builds on it.
NAMES = {
    "x": "x_t", "h": "h_", "h_0": "h_0", "W_x": "W_x", "W_h": "W_h", "b": "b", "c": "c_",
}  # fmt: skip


def wrong_versions() -> Iterator[tuple[str, Notation, PlantedMistake, str]]:
    """Yield part, notation, mistake and the formula that it is made in."""
    for number, notation in enumerate(NOTATIONS):
        for part in notation.parts:
            there = {formula.quantity: formula.right for formula in formulas(part, notation)}
            for place, mistake in enumerate(MISTAKES):
                for quantity in mistake.quantities:
                    if quantity not in there or (number and (place + number) % 3):
                        continue
                    if _differs(part, notation, mistake, quantity):
                        yield part, notation, mistake, quantity


def _differs(part: str, notation: Notation, mistake: PlantedMistake, quantity: str) -> bool:
    plain = [formula.right for formula in formulas(part, notation)]
    wrong = [
        mistake.change(formula.right) if formula.quantity == quantity else formula.right
        for formula in formulas(part, notation, mistake, quantity)
    ]
    return plain != wrong
