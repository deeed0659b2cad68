"""Ways to write of one's own: each right one lost points, or one mistake cost too much."""

from __future__ import annotations

import pytest

from tests.latexgrad.tasks import LSTM_STEP, RNN_SEQUENCE, RNN_STEP, run

SLOPE = r"(1 - h_t^2)"
STEP_OF = r"""
\[ \frac{\partial L}{\partial x_t} = W_x^T DELTA, \quad \frac{\partial L}{\partial h_{t-1}} = W_h^T DELTA \]
\[ \frac{\partial L}{\partial W_x} = DELTA x_t^T, \quad \frac{\partial L}{\partial W_h} = DELTA h_{t-1}^T \]
\[ \frac{\partial L}{\partial b} = DELTA \]
"""  # noqa: E501
SUMS_OF = r"""
\[ \frac{\partial L}{\partial x_t} = W_x^T DELTA_t, \quad \frac{\partial L}{\partial h_0} = W_h^T DELTA_1 \]
\[ \frac{\partial L}{\partial W_x} = \sum_{t=1}^T DELTA_t x_t^T, \quad
   \frac{\partial L}{\partial W_h} = \sum_{t=1}^T DELTA_t h_{t-1}^T, \quad
   \frac{\partial L}{\partial b} = \sum_{t=1}^T DELTA_t \]
"""  # noqa: E501
PLAIN_D = (
    r"dx_t = W_x^T dy_t, dh_{t-1} = W_h^T dy_t, dW_x = dy_t x_t^T, dW_h = dy_t h_{t-1}^T, db = dy_t"
)
ROWS = r"""
For a batch, $H = \tanh(X W_x + H_0 W_h + b)$:
\begin{align*}
dA &= dH \odot (1 - H^2) \\ dX &= dA\, W_x^T \\ dH_0 &= dA\, W_h^T \\
dW_x &= X^T dA \\ dW_h &= H_0^T dA \\ db &= \mathbf{1}^T dA
\end{align*}
"""
CASES = r"""
$$ \frac{\partial L}{\partial h_t} = \begin{cases}
\frac{\partial D_T}{\partial h_T} & t = T END
\frac{\partial D_t}{\partial h_t} + W_h^T ((1 - h_{t+1}^2) \odot \frac{\partial L}{\partial h_{t+1}}) & t < T
\end{cases} $$
$$ u_t = (1 - h_t^2) \odot \frac{\partial L}{\partial h_t} $$
"""  # noqa: E501
GATES = r"""
\[ \delta^f = S \odot c_{t-1} \odot f_t \odot (1-f_t), \quad
   \delta^i = S \odot \tilde c_t \odot i_t \odot (1-i_t), \]
\[ \delta^{\tilde c} = S \odot i_t \odot (1-\tilde c_t^2), \quad
   \delta^o = \frac{\partial L}{\partial h_t} \odot \tanh(c_t) \odot o_t \odot (1-o_t) \]
\[ \frac{\partial L}{\partial c_{t-1}} = S \odot f_t \]
"""
CELL = (
    r"\frac{\partial L}{\partial c_t}"
    r" + \frac{\partial L}{\partial h_t} \odot o_t \odot (1-\tanh^2(c_t))"
)
WEIGHTS = r"""
\[ \frac{\partial L}{\partial x_t} = \sum_g (W_x^g)^T \delta^g, \quad
   \frac{\partial L}{\partial h_{t-1}} = \sum_g (W_h^g)^T \delta^g \]
"""
EACH = r"""
\[ \frac{\partial L}{\partial W_x^g} = \delta^g x_t^T, \quad
   \frac{\partial L}{\partial W_h^g} = \delta^g h_{t-1}^T, \quad
   \frac{\partial L}{\partial b^g} = \delta^g \qquad \text{for } g = f, i, \tilde c, o \]
"""


def lost(part, text):
    found = run(part, text)
    assert found.pending is None, found.pending
    return {name.rsplit(" ", 1)[-1]: message for name, message in found.lost.items()}


@pytest.mark.parametrize("end", [r"\\[2mm]", r"\\*", r"\\[-.5em]", r"\\[\baselineskip]"])
def test_a_length_after_a_row_of_cases_is_no_factor(end):
    text = RNN_SEQUENCE + CASES.replace("END", end) + SUMS_OF.replace("DELTA", "u")
    assert lost("q3.6", text) == {}


def test_one_of_several_formulas_that_is_not_understood_leaves_its_gradient_to_a_person():
    text = RNN_SEQUENCE + CASES.replace("END", r"\\ \Xi") + SUMS_OF.replace("DELTA", "u")
    assert r"\Xi is used but never defined" in str(run("q3.6", text).pending)


def test_differentials_beside_gradients_define_nothing():
    text = (
        rf"Since $dh_t = {SLOPE} \odot dy_t$, with"
        rf" $\eta = {SLOPE} \odot \frac{{\partial L}}{{\partial h_t}}$:"
    )
    assert lost("q3.5", RNN_STEP + text + STEP_OF.replace("DELTA", r"\eta ")) == {}


def test_differentials_beside_gradients_that_are_written_alike_define_nothing():
    text = rf"$dh_t = {SLOPE} \odot dy_t$, so \[ dy_t = dh_t \odot {SLOPE}, {PLAIN_D} \]"
    assert lost("q3.5", RNN_STEP + text) == {}
    assert [*lost("q3.5", RNN_STEP + text.replace("= W_x^T", "= 2 W_x^T"))] == ["x_t"]


def test_a_gradient_by_a_word_in_upright_letters_is_that_gradient():
    text = r"""
    $\mathrm{dh}_{T} = \frac{\partial D_T}{\partial h_T}$; then
    $\mathrm{dy}_t = \mathrm{dh}_t \odot (1 - h_t^2)$, $\mathrm{dx}_t = W_x^T \mathrm{dy}_t$,
    $\mathrm{dh}_{t-1} = \frac{\partial D_{t-1}}{\partial h_{t-1}} + W_h^T \mathrm{dy}_t$,
    $\mathrm{dh}_0 = W_h^T \mathrm{dy}_1$, $dW_x = \sum_t \mathrm{dy}_t x_t^T$,
    $dW_h = \sum_t \mathrm{dy}_t h_{t-1}^T$, $db = \sum_t \mathrm{dy}_t$.
    """
    assert lost("q3.6", RNN_SEQUENCE + text) == {}


def test_in_one_step_without_times_0_is_the_step_before():
    assert lost("q3.5", RNN_STEP + ROWS) == {}
    assert [*lost("q3.5", RNN_STEP + ROWS.replace("= H_0^T", "= H^T"))] == ["W_h"]


def test_a_name_for_a_gradient_lets_its_formulas_define_the_gradient():
    text = r"""
    Let $G_t$ denote $\frac{\partial L}{\partial h_t}$, and write $s_t$ for $1 - h_t \odot h_t$.
    $$ G_t = \frac{\partial D_t}{\partial h_t} + W_h^T (G_{t+1} \odot s_{t+1}), \quad
       u_t = G_t \odot s_t $$
    """
    sums = SUMS_OF.replace("DELTA", "u")
    assert lost("q3.6", RNN_SEQUENCE + text + sums) == {}
    wrong = sums.replace(r"{\partial b} = ", r"{\partial b} = 2 ")
    assert [*lost("q3.6", RNN_SEQUENCE + text + wrong)] == ["b"]
    wrong = text.replace("+ W_h^T", "- W_h^T")
    found = run("q3.6", RNN_SEQUENCE + wrong + sums)
    assert "a sign is wrong" in found.lost[r"\partial L/\partial h_t"]
    assert found.earned == pytest.approx(0.35)  # half of what follows


def test_one_wrong_transposition_in_rows_costs_its_formula_only():
    text = r"""
    $$ G_t = \frac{\partial L}{\partial h_t}, \quad G_t = \frac{\partial D_t}{\partial h_t} + A_{t+1} W_h^T, \quad
       A_t = G_t \odot (1 - h_t \odot h_t) $$
    $$ \frac{\partial L}{\partial x_t} = A_t W_x^T, \quad \frac{\partial L}{\partial h_0} = A_1 W_h^T, \quad
       \frac{\partial L}{\partial W_x} = \sum_{t=1}^T x_t^T A_t, \quad
       \frac{\partial L}{\partial W_h} = \sum_{t=1}^T h_{t-1}^T A_t, \quad
       \frac{\partial L}{\partial b} = \sum_{t=1}^T A_t $$
    """  # noqa: E501
    assert lost("q3.6", RNN_SEQUENCE + text) == {}
    wrong = text.replace("x_t^T A_t", "A_t^T x_t")
    assert [*lost("q3.6", RNN_SEQUENCE + wrong)] == ["W_x"]


@pytest.mark.parametrize(
    "said",
    [
        "Denote $CELL$ by $S$.",
        "Let $S$ be $CELL$.",
        r"We write \(S\) for \(CELL\).",
        "Here $S$ stands for $CELL$.",
    ],
)
def test_a_name_that_a_sentence_gives_is_defined(said):
    text = LSTM_STEP + said.replace("CELL", CELL) + GATES + WEIGHTS + EACH
    assert lost("q4.5", text) == {}
    wrong = run("q4.5", text.replace(r"\odot (1-\tanh", r"\odot (1+\tanh"))
    assert wrong.earned < 0.6


def test_a_list_of_gates_is_no_part_of_a_formula():
    text = LSTM_STEP + f"$$ S = {CELL} $$" + GATES + WEIGHTS + EACH
    assert lost("q4.5", text) == {}
    assert [*lost("q4.5", text.replace(r"\sum_g (W_x^g)^T", r"2 \sum_g (W_x^g)^T"))] == ["x_t"]


@pytest.mark.parametrize("matrix", [r"(W_h^g \; W_x^g)", r"[W_h^g \; W_x^g]", "(W_h^g, W_x^g)"])
def test_round_brackets_with_a_gap_hold_blocks(matrix):
    stacked = rf"""
    With $z_t = \begin{{pmatrix}} h_{{t-1}} \\ x_t \end{{pmatrix}}$ and $W^g = {matrix}$:
    $$ \frac{{\partial L}}{{\partial W^g}} = \delta^g z_t^T, \frac{{\partial L}}{{\partial b^g}} = \delta^g,
       \frac{{\partial L}}{{\partial z_t}} = \sum_g (W^g)^T \delta^g $$
    """  # noqa: E501
    assert lost("q4.5", LSTM_STEP + f"$$ S = {CELL} $$" + GATES + stacked) == {}


def test_a_wrong_base_case_of_a_recursion_to_the_step_before_is_followed_through():
    text = r"""
    \[ \frac{\partial L}{\partial h_{t-1}} = \frac{\partial D_{t-1}}{\partial h_{t-1}} + W_h^T u_t, \quad
       \frac{\partial L}{\partial h_T} = 0, \quad u_t = \frac{\partial L}{\partial h_t} \odot (1 - h_t^2) \]
    """  # noqa: E501
    found = run("q3.6", RNN_SEQUENCE + text + SUMS_OF.replace("DELTA", "u"))
    assert "the base case is wrong" in found.lost[r"\partial L/\partial h_t"]
    assert found.earned == pytest.approx(0.35)


@pytest.mark.parametrize("relation", ["=", r"\leftarrow", ":="])
def test_a_name_that_is_changed_has_had_its_value_before(relation):
    update = (
        rf"$$ \delta = \frac{{\partial L}}{{\partial h_t}}, \delta {relation} \delta \odot SLOPE $$"
    )
    text = RNN_STEP + update + STEP_OF.replace("DELTA", r"\delta ")
    assert lost("q3.5", text.replace("SLOPE", SLOPE)) == {}
    assert run("q3.5", text.replace("SLOPE", "(1 - h_t)")).earned == pytest.approx(0.5)


@pytest.mark.parametrize(
    "said",
    [
        "Let $S$ be $CELL$ divided by two.",
        "Let $S$ be half of $CELL$.",
        "Let $S$ be $CELL$ with a factor of three in front.",
        "Denote $CELL$ by $S$ and multiply it by two.",
        r"Let $S$ be $CELL$ $\odot f_t$.",
    ],
)
def test_a_sentence_that_says_more_than_a_name_defines_none(said):
    text = LSTM_STEP + said.replace("CELL", CELL) + GATES + WEIGHTS + EACH
    assert "S is used but never defined" in str(run("q4.5", text).pending)


def test_a_name_for_a_gradient_that_nothing_says_earns_nothing():
    text = r"Let $\delta$ denote $\frac{\partial L}{\partial y_t}$."
    assert run("q3.5", RNN_STEP + text + STEP_OF.replace("DELTA", r"\delta ")).earned == 0


def test_a_sum_over_the_rows_of_a_batch_is_no_sum_over_steps():
    text = (
        RNN_STEP
        + r"""
    $$ dy = dh_{next} * (1 - h_{next}^2) $$
    $$ dx = dy\, W_x^T, \quad dh_{prev} = dy\, W_h^T $$
    $$ dW_x = x^T dy, \quad dW_h = h_{prev}^T dy $$
    $$ db = \sum_{n=1}^N dy_n $$
    """
    )
    assert lost("q3.5", text) == {}
    assert [*lost("q3.5", text.replace("^N dy_n", "^T dy_n"))] == ["b"]
    assert [*lost("q3.5", text.replace("^N dy_n", "^N 2 dy_n"))] == ["b"]


def test_hats_for_gradients_are_not_the_candidate():
    text = r"""\section{LSTM: a sequence}
    \begin{align*}
    \hat h_t &= \frac{\partial D_t}{\partial h_t} + \sum_g (W_h^g)^T \delta^g_{t+1} \\
    \hat c_t &= \hat h_t \odot o_t \odot (1-\tanh^2(c_t)) + \hat c_{t+1} \odot f_{t+1} \\
    \delta^f_t &= \hat c_t \odot c_{t-1} \odot f_t \odot (1-f_t) \\
    \delta^i_t &= \hat c_t \odot \tilde c_t \odot i_t \odot (1-i_t) \\
    \delta^{\tilde c}_t &= \hat c_t \odot i_t \odot (1-\tilde c_t^2) \\
    \delta^o_t &= \hat h_t \odot \tanh(c_t) \odot o_t \odot (1-o_t)
    \end{align*}
    \[ \frac{\partial L}{\partial W_x^g} = \sum_t \delta^g_t x_t^T, \quad
       \frac{\partial L}{\partial W_h^g} = \sum_t \delta^g_t h_{t-1}^T, \quad
       \frac{\partial L}{\partial b^g} = \sum_t \delta^g_t \]
    """
    named = (
        r"Write $\hat h_t$ for $\frac{\partial L}{\partial h_t}$ and $\hat c_t$ for"
        r" $\frac{\partial L}{\partial c_t}$."
    )
    assert lost("q4.6", text.replace(r"\begin{align*}", named + r"\begin{align*}")) == {}
    assert lost("q4.6", text) == {}


def test_a_name_below_a_brace_may_be_said_to_be_one():
    text = (
        r"\[ \underbrace{\frac{\partial L}{\partial y_t}}_{=:\,\delta}"
        rf" = {SLOPE} \odot \frac{{\partial L}}{{\partial h_t}} \]"
    )
    assert lost("q3.5", RNN_STEP + text + STEP_OF.replace("DELTA", r"\delta ")) == {}
    wrong = STEP_OF.replace("DELTA h_{t-1}^T", "h_{t-1} DELTA^T").replace("DELTA", r"\delta ")
    assert [*lost("q3.5", RNN_STEP + text + wrong)] == ["W_h"]


def test_gates_in_brackets_are_a_condition():
    text = LSTM_STEP + f"$$ S = {CELL} $$" + GATES + WEIGHTS
    each = EACH.replace(
        r"\qquad \text{for } g = f, i, \tilde c, o", r"\quad (g = f, i, \tilde c, o)"
    )
    assert lost("q4.5", text + each) == {}
    assert [*lost("q4.5", text.replace("(W_x^g)^T", "2 (W_x^g)^T") + each)] == ["x_t"]
