"""Stacked vectors, block matrices and all gates in one matrix: the blocks are what is asked for."""

from __future__ import annotations

import pytest

from tests.latexgrad.tasks import LSTM_STEP, RNN_SEQUENCE, RNN_STEP, SLOPE, run

OPERATORS = (
    r"\begin{pmatrix} i_t \\ f_t \\ o_t \\ \tilde c_t \end{pmatrix} = "
    r"\begin{pmatrix} \sigma \\ \sigma \\ \sigma \\ \tanh \end{pmatrix} W z_t"
)
GATES = {
    "f": r"\epsilon_t \odot c_{t-1} \odot f_t \odot (1 - f_t)",
    "i": r"\epsilon_t \odot \tilde c_t \odot i_t \odot (1 - i_t)",
    "c": r"\epsilon_t \odot i_t \odot (1 - \tilde c_t^2)",
    "o": r"\frac{\partial L}{\partial h_t} \odot \tanh(c_t) \odot o_t \odot (1 - o_t)",
}
LATER = {
    gate: formula.replace(r"\epsilon_t", r"\frac{\partial L}{\partial c_t}")
    for gate, formula in GATES.items()
}
EPSILON = (
    r"\epsilon_t = \frac{\partial L}{\partial c_t}"
    r" + \frac{\partial L}{\partial h_t} \odot o_t \odot (1 - \tanh^2(c_t))"
)
CELL = r"\frac{\partial L}{\partial c_{t-1}} = \epsilon_t \odot f_t"
CARRIED = (
    r"\frac{\partial L}{\partial c_t} = \frac{\partial L}{\partial h_t} \odot o_t"
    r" \odot (1 - \tanh^2(c_t)) + \frac{\partial L}{\partial c_{t+1}} \odot f_{t+1}"
)
TOTAL = r"\frac{\partial L}{\partial h_t} = \frac{\partial D_t}{\partial h_t} + W_h^T"


def by(name: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {name}}}"


def matrix(*rows: str) -> str:
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def displays(*formulas: str) -> str:
    return "".join(rf"\[ {formula} \]" for formula in formulas)


def step(*formulas: str):
    return run("q3.5", RNN_STEP + displays(rf"\delta = {SLOPE}", *formulas, rf"{by('b')} = \delta"))


def steps(*formulas: str):
    usual = (
        rf"\delta_t = {SLOPE}",
        rf"{TOTAL} \delta_{{t+1}}",
        rf"{by('h_0')} = W_h^T \delta_1",
        rf"{by('b')} = \sum_{{t=1}}^T \delta_t",
    )
    return run("q3.6", RNN_SEQUENCE + displays(*usual, *formulas))


def gates(*formulas: str):
    return run("q4.5", LSTM_STEP + displays(EPSILON, CELL, *formulas))


def lstm_steps(*formulas: str):
    heading = "\\section{LSTM: a sequence}\n"
    return run("q4.6", heading + displays(CARRIED, *formulas))


def stacked(pattern: str, order: str) -> str:
    return matrix(*(pattern % gate for gate in order))


WHOLE = (rf"{by('W')} = \delta z_t^T", rf"{by('z_t')} = W^T \delta")
DELTA = r"\delta"
Z = "z_t = " + matrix("h_{t-1}", "x_t")
W = "W = " + matrix("W_h & W_x")
BLOCKS = (
    rf"{matrix(by('W_h') + ' & ' + by('W_x'))} = \delta {matrix('h_{t-1}^T & x_t^T')}",
    rf"{matrix(by('h_{t-1}'), by('x_t'))} = {matrix('W_h^T', 'W_x^T')} \delta",
)
FACTORS = [GATES[gate].split(r" \odot ", 1)[1] for gate in "fico"]
GIVEN = (
    r"\delta_t = "
    + matrix(
        *(rf"\mathrm{{diag}}({factor}) & 0" for factor in FACTORS[:3]),
        rf"0 & \mathrm{{diag}}({FACTORS[3]})",
    )
    + " v"
)
ACCENTED = matrix(*(rf"\hat {gate}_t" for gate in "fico")) + " = W z_t + b"
EACH = [rf"\delta^{gate} = {formula}" for gate, formula in GATES.items()]
ALL = (
    rf"{by('W')} = \delta_t z_t^T",
    rf"{by('z_t')} = W^T \delta_t",
    rf"{by('b')} = \delta_t",
)
BY_INPUT = (
    rf"{by('W_x')} = \delta_t x_t^T",
    rf"{by('W_h')} = \delta_t h_{{t-1}}^T",
    rf"{by('b')} = \delta_t",
    rf"{by('x_t')} = W_x^T \delta_t",
    rf"{by('h_{t-1}')} = W_h^T \delta_t",
)


@pytest.mark.parametrize(
    "formulas",
    [
        (Z, W, *WHOLE),
        ("z_t = [h_{t-1}, x_t]", "W = [W_h, W_x]", *WHOLE),
        ("z_t = [x_t; h_{t-1}]", r"W = [W_x \mid W_h]", *WHOLE),
        (r"z_t = \begin{pmatrix} h_{t-1} \\ x_t \end{pmatrix}", "y_t = W z_t + b", *WHOLE),
        (Z, *WHOLE),
        (r"z_t = h_{t-1} \oplus x_t", "y_t = W z_t + b", *WHOLE),
        (r"z_t = \operatorname{concat}(h_{t-1}, x_t)", "y_t = W z_t + b", *WHOLE),
        ("z_t = [h_{t-1}^T, x_t^T]^T", "y_t = W z_t + b", *WHOLE),
        (
            r"z_t = \left[\begin{array}{c} h_{t-1} \\ x_t \end{array}\right]",
            r"W = \left[\begin{array}{cc} W_h & W_x \end{array}\right]",
            *WHOLE,
        ),
        BLOCKS,
        (rf"{by('W')} = {by('W')} + 0", Z, W, *WHOLE),
        (Z, W, rf"{by('W')} = {matrix(by('W_h') + ' & ' + by('W_x'))} = \delta z_t^T", WHOLE[1]),
        (
            rf"{by('W')} = \delta (h_{{t-1}} \oplus x_t)^T",
            by(r"(h_{t-1} \oplus x_t)") + r" = W^T \delta",
        ),
        ("u = [x_t, h_{t-1}]", *(x.replace("z_t", "u").replace("W", r"\Theta") for x in WHOLE)),
        (Z, *(x.replace(by("W"), r"\nabla_W L") for x in WHOLE)),
        (r"z_t = \binom{h_{t-1}}{x_t}", "y_t = W z_t + b", *WHOLE),
        (Z, W, WHOLE[0], r"u = W^T \delta", "u = " + matrix(by("h_{t-1}"), by("x_t"))),
        # A list is mostly meant as a column, whether or not it says so.
        ("z_t = [h_{t-1}, x_t]^T", "W = [W_h, W_x]", *WHOLE),
        ("z_t = (x_t, h_{t-1})^T", *WHOLE),
        (BLOCKS[0], rf"[{by('x_t')}, {by('h_{t-1}')}]^T = [W_x, W_h]^T \delta"),
        # Nothing but a gap stands between the blocks.
        (Z, r"W = [W_h \; W_x]", *WHOLE),
        (r"z_t = \left[h_{t-1}^T \quad x_t^T\right]^T", "W = [W_h W_x]", *WHOLE),
        # Brackets around a product hold no blocks.
        (
            r"D = \mathrm{diag}(1 - h_t^2)",
            "J = [D W_h]",
            rf"{by('h_{t-1}')} = J^T {by('h_t')}",
            rf"{by('x_t')} = [D \; W_x]^T {by('h_t')}",
            BLOCKS[0],
        ),
        # Kronecker's product of a row and a column, in either order.
        (Z, W, rf"{by('W')} = z_t^T \otimes \delta", WHOLE[1]),
        (
            rf"{by('W_x')} = \delta \otimes x_t^T",
            rf"{by('W_h')} = \delta \otimes h_{{t-1}}",
            BLOCKS[1],
        ),
        (Z, W, *WHOLE, rf"{by('W_h')} = {by('W')} {matrix('I', '0')}"),
        (
            BLOCKS[0],
            rf"{by('x_t')} = W_x^T \delta",
            rf"{by('h_{t-1}')} = {matrix('W_h^T & I')} {matrix(DELTA, 'h_{t-1} - h_{t-1}')}",
        ),
    ],
)
def test_blocks_of_one_step_earn_everything(formulas):
    assert step(*formulas).lost == {}


def test_a_stack_may_lie_in_rows():
    found = run(
        "q3.5",
        RNN_STEP
        + displays(
            rf"\delta = {SLOPE}, \quad z_t = [h_{{t-1}}, x_t], \quad y_t = z_t W + b",
            rf"{by('W')} = z_t^T \delta",
            rf"{by('z_t')} = \delta W^T",
            rf"{by('b')} = \delta",
        ),
    )
    assert found.lost == {}


@pytest.mark.parametrize(
    ("formulas", "lost"),
    [
        ((Z, W, rf"{by('W')} = \delta {matrix('x_t', 'h_{t-1}')}^T", WHOLE[1]), {"W_x", "W_h"}),
        ((BLOCKS[0].replace("h_{t-1}^T & x_t^T", "x_t^T & h_{t-1}^T"), BLOCKS[1]), {"W_x", "W_h"}),
        ((BLOCKS[0], BLOCKS[1].replace(r"W_h^T \\ W_x^T", r"W_x^T \\ W_h^T")), {"x_t", "h_{t-1}"}),
        ((Z, W, WHOLE[0], rf"{by('z_t')} = W \delta"), {"x_t", "h_{t-1}"}),
        ((Z, W, rf"{by('W')} = - \delta z_t^T", WHOLE[1]), {"W_x", "W_h"}),
        ((Z.replace("h_{t-1}", "h_t"), W, *WHOLE), {"W_h", "h_{t-1}"}),
        (
            (Z, "W = " + matrix("W_x & W_h"), *WHOLE),
            {"W_x", "W_h", "x_t", "h_{t-1}"},
        ),
    ],
)
def test_a_wrong_block_loses_by_its_value(formulas, lost):
    assert set(step(*formulas).lost) == {rf"\partial L/\partial {name}" for name in lost}


@pytest.mark.parametrize(
    "formulas",
    [
        (BLOCKS[0], Z, W, rf"{by('x_t')} = [0, I] W^T \delta",
         rf"{by('h_{t-1}')} = [I \; 0] W^T \delta"),
        (BLOCKS[0], W, "P = [0, I_D]", rf"{by('x_t')} = P W^T \delta",
         rf"{by('h_{t-1}')} = W_h^T \delta"),
        (rf"[{by('W_x')}, 2 {by('W_h')}] = [\delta x_t^T, 2 \delta h_{{t-1}}^T]", BLOCKS[1]),
    ],
)  # fmt: skip
def test_blocks_that_are_not_understood_cost_nothing(formulas):
    found = step(*formulas)
    assert found.pending is not None
    assert set(found.lost) == set(found.judgement.undecided)


def test_what_reaches_a_state_through_a_stack_is_not_all_of_its_gradient():
    right = (Z, "y_t = W z_t + b", rf"{by('z_t')} = W^T \delta_t")
    found = steps(*right, rf"{by('W')} = \sum_{{t=1}}^T \delta_t z_t^T")
    assert found.lost == {}
    missing = steps(*right, rf"{by('W')} = \delta_t z_t^T")
    assert set(missing.lost) == {r"\partial L/\partial W_x", r"\partial L/\partial W_h"}


def test_a_stack_at_another_time_is_that_of_another_step():
    found = steps(
        Z,
        W,
        rf"{by('x_t')} = W_x^T \delta_t",
        rf"{by('W')} = \sum_{{t=1}}^T \delta_t z_{{t-1}}^T",
    )
    assert set(found.lost) == {r"\partial L/\partial W_x", r"\partial L/\partial W_h"}


@pytest.mark.parametrize(
    "formulas",
    [
        (Z, "a_t = W z_t + b", "a_t = " + stacked("a_t^%s", "ifoc"), *EACH,
         r"\delta_t = " + stacked(r"\delta^%s", "ifoc"), *ALL),
        (Z, "W = " + matrix(*(f"W_h^{gate} & W_x^{gate}" for gate in "ifoc")), *EACH,
         r"\delta_t = " + stacked(r"\delta^%s", "ifoc"), *ALL),
        ("a_t = " + stacked("a_t^%s", "fico"),
         r"\delta_t = " + matrix(*(GATES[gate] for gate in "fico")), *BY_INPUT),
        (OPERATORS, Z,
         r"\delta_t = " + matrix(*(GATES[gate] for gate in "ifoc")), *ALL),
        (Z, *EACH, rf"{by('W^g')} = \delta^g z_t^T", rf"{by('b^g')} = \delta^g",
         rf"{by('z_t')} = \sum_g (W^g)^T \delta^g"),
        (Z, "a_t = W z_t + b", "a_t = " + stacked("a_t^%s", "ifog"),
         *(rf"{by(f'a_t^{gate}')} = {GATES[gate]}" for gate in "ifo"),
         by("a_t^g") + " = " + GATES["c"],
         *(formula.replace(r"\delta_t", by("a_t")) for formula in ALL)),
        *((Z, *pre, *(rf"{by(f'{accent} {gate}_t')} = {GATES[gate]}" for gate in "fico"),
           r"\delta_t = " + matrix(*(by(f"{accent} {gate}_t") for gate in "fico")), *ALL)
          for accent, pre in ((r"\bar", ()), (r"\hat", (ACCENTED,)), (r"\tilde", ()))),
        (Z, "W = [W^i, W^f, W^o, W^c]^T", r"\delta_t = [\delta^i, \delta^f, \delta^o, \delta^c]^T",
         *EACH, *ALL),
        # A stack of given gradients leaves them given.
        (Z, r"v = " + matrix(r"\epsilon_t", by("h_t")), GIVEN, *ALL),
        # No order of the gates is stated: one of all is right.
        (r"\delta_t = " + matrix(*(GATES[gate] for gate in "ocfi")), *BY_INPUT),
    ],
)  # fmt: skip
def test_all_gates_in_one_matrix_earn_everything(formulas):
    assert gates(*formulas).lost == {}


@pytest.mark.parametrize(
    "formulas",
    [
        (Z, "a_t = W z_t + b", "a_t = " + stacked("a_t^%s", "ifoc"), *EACH,
         r"\delta_t = " + stacked(r"\delta^%s", "fioc"), *ALL),
        (Z, "W = " + matrix(*(f"W_x^{gate} & W_h^{gate}" for gate in "ifoc")), *EACH,
         r"\delta_t = " + stacked(r"\delta^%s", "ifoc"), *ALL),
        ("a_t = " + stacked("a_t^%s", "fico"),
         r"\delta_t = " + matrix(*(GATES[gate] for gate in "fioc")), *BY_INPUT),
        (Z, ACCENTED, *(by(rf"\hat {gate}_t") + " = " + GATES[gate] for gate in "fico"),
         r"\delta_t = " + matrix(*(by(rf"\hat {gate}_t") for gate in "ifco")), *ALL),
    ],
)  # fmt: skip
def test_gates_in_another_order_than_was_stated_lose(formulas):
    assert gates(*formulas).earned < 0.75


def test_all_gates_of_a_sequence_may_be_in_one_matrix():
    every = rf"{by('b')} = \sum_{{t=1}}^T \delta_t"
    delta = r"\delta_t = " + matrix(*(LATER[gate] for gate in "ifoc"))
    order = "a_t = " + stacked("a_t^%s", "ifoc")
    weights = rf"{by('W')} = \sum_{{t=1}}^T \delta_t z_t^T"
    right = (Z, order, delta, rf"{TOTAL} \delta_{{t+1}}", weights, every)
    assert lstm_steps(*right).lost == {}
    other = (Z, "a_t = " + stacked("a_t^%s", "foic"), *right[2:])
    assert lstm_steps(*other).earned < 0.7


def test_names_that_hold_names_are_bounded():
    many = [f"{name} = [{', '.join([inner] * 300)}]" for name, inner in ("PQ", "QR", ("R", "x_t"))]
    found = step(*many, rf"{by('P')} = \delta", *BLOCKS)
    assert found.pending is not None
    assert "too many operations" in found.pending.message
