"""Verdicts: near misses, conventions, follow-through, and what waits for a person."""

from __future__ import annotations

import pytest

from tests.latexgrad.tasks import (
    LSTM_STEP,
    RNN_SEQUENCE,
    RNN_STEP,
    ROOT,
    SEQUENCE,
    SLOPE,
    STEP,
    run,
    run_files,
    sequence,
    step,
    written,
)


def test_the_formulas_of_these_tests_are_right():
    assert step().earned == pytest.approx(1)
    assert sequence(SEQUENCE).earned == pytest.approx(1)


@pytest.mark.parametrize("factor", ["1.001", "0.999", "0.999999", "1.000001", "(-1)", "2", "0"])
def test_a_formula_that_is_off_by_a_factor_fails(factor):
    found = step(b=rf"{factor} * {SLOPE}")
    assert set(found.lost) == {r"\partial L/\partial b"}
    assert found.earned == pytest.approx(0.8)


@pytest.mark.parametrize(
    "formula",
    [
        rf"\frac{{1}}{{2}} ({SLOPE}) + 0.5 * {SLOPE}",
        rf"{SLOPE} + 0",
        rf"\left(\left(\left({SLOPE}\right)^T\right)\right)^T",
        r"\frac{\partial L}{\partial h_t} (1 - h_t) (1 + h_t)",
        r"\frac{\partial L}{\partial h_t} / \cosh(y_t)^2",
        r"\frac{\partial L}{\partial h_t} * \operatorname{sech}^2 y_t",
        r"4 \frac{\partial L}{\partial h_t} * \sigma(2 y_t) * (1 - \sigma(2 y_t))",
        r"\frac{\partial L}{\partial h_t} * \frac{4}{(e^{y_t} + e^{-y_t})^2}",
        r"\frac{\partial L}{\partial h} * (1 - h * h)",
        r"\sqrt{(1 - h_t^2)^2} * \frac{\partial L}{\partial h_t}",
    ],
)
def test_any_way_of_writing_it_is_right(formula):
    assert step(b=formula).lost == {}


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (r"W_x^T \frac{\partial L}{\partial x_t}", "wrong_shape"),
        (r"\frac{\partial L}{\partial h_t}^T * (1 - h_t * h_t)", "mismatch"),
        (r"\frac{\partial L}{\partial h_t}^T \odot (1 - h_t * h_t)", "wrong_shape"),
        (r"\frac{\partial L}{\partial h_t} * (1 - h_t * h_t) x_t^T", "wrong_shape"),
        (r"\frac{\partial L}{\partial h_t} + \ln(0 * h_t)", "mismatch"),
        (r"\frac{\partial L}{\partial b}", "mismatch"),
    ],
)
def test_wrong_formulas_have_a_reason(formula, reason):
    found = step(b=formula)
    (part,) = [part for part in found.judgement.parts if part.earned < 1]
    assert part.name == r"\partial L/\partial b"
    assert part.reason == reason


def test_both_readings_are_possible_and_either_counts():
    found = step(h=r"W_h^T \frac{\partial L}{\partial h_t} * (1 - h_t * h_t)")
    assert found.lost == {}
    (note,) = [note for note in found.judgement.notes if "ways" in note]
    assert "can be read in 2 ways; it is read as W_h^T (" in note


def test_a_chain_is_right_if_every_link_is():
    given = r"\frac{\partial L}{\partial h_t}"
    right = rf"{SLOPE} = {given} - h_t^2 * {given}"
    assert step(b=right).lost == {}
    middle_wrong = rf"\frac{{\partial L}}{{\partial h_t}} * (1 + h_t * h_t) = {SLOPE}"
    message = step(b=middle_wrong).lost[r"\partial L/\partial b"]
    assert "part 1 of the chain): a sign is wrong" in message


@pytest.mark.parametrize(
    "update",
    [
        r"\mathrel{+}= \frac{\partial L}{\partial y_t} x_t^T",
        r"+= \frac{\partial L}{\partial y_t} x_t^T, \quad t = T, \dots, 1",
        r"\leftarrow \frac{\partial L}{\partial W_x} + \frac{\partial L}{\partial y_t} x_t^T",
    ],
)
def test_updates_of_weights_add_up_over_the_steps(update):
    text = written(SEQUENCE, RNN_SEQUENCE).replace(f"&= {SEQUENCE['W_x']}", update)
    assert update in text
    assert run("q3.6", text).lost == {}


def test_the_last_of_two_formulas_for_a_quantity_counts():
    wrong = written({"b": r"\frac{\partial L}{\partial h_t}"}, "")
    text = written(STEP, RNN_STEP)
    assert run("q3.5", text.replace(RNN_STEP, RNN_STEP + wrong)).lost == {}
    assert set(run("q3.5", text + wrong).lost) == {r"\partial L/\partial b"}


def test_an_earlier_mistake_costs_the_fraction_of_the_rubric():
    wrong = {"y_t": r"\frac{\partial L}{\partial h_t} * (1 - h_t)"}
    rest = {
        "x_t": r"W_x^T \frac{\partial L}{\partial y_t}",
        "b": r"\frac{\partial L}{\partial y_t}",
    }
    found = run("q3.5", written(wrong | STEP | rest, RNN_STEP))
    assert found.earned == pytest.approx(0.6 + 0.4 * 0.5)
    assert (
        "right, given your own \\partial L/\\partial y_t" in found.lost[r"\partial L/\partial x_t"]
    )


def test_own_symbols_are_followed_through_too():
    text = written(
        {
            "x_t": r"W_x^T \delta_t",
            "h_{t-1}": r"W_h^T \delta_t",
            "W_x": r"\delta_t x_t^T",
            "W_h": r"\delta_t h_{t-1}^T",
            "b": r"\delta_t",
        },
        RNN_STEP + r"$$\delta_t = \frac{\partial L}{\partial h_t} * (1 - h_t)$$",
    )
    found = run("q3.5", text)
    assert found.earned == pytest.approx(0.5)
    assert r"\delta_t (line 2): uses 1 - h_t where 1 - h_t * h_t" in found.judgement.message


@pytest.mark.parametrize("nothing", ["0", "0 * y_t", "y_t - y_t", r"h_t * 0"])
def test_follow_through_is_not_for_sale(nothing):
    rest = {
        "x_t": r"W_x^T \frac{\partial L}{\partial y_t}",
        "h_{t-1}": r"W_h^T \frac{\partial L}{\partial y_t}",
        "W_x": r"\frac{\partial L}{\partial y_t} x_t^T",
        "W_h": r"\frac{\partial L}{\partial y_t} h_{t-1}^T",
        "b": r"\frac{\partial L}{\partial y_t}",
    }
    assert run("q3.5", written({"y_t": nothing} | rest, RNN_STEP)).earned == 0
    # Nothing follows from what was not derived from the loss.
    assert run("q3.5", written({"y_t": "y_t"} | rest, RNN_STEP)).earned == 0
    derived = {"y_t": r"y_t * \frac{\partial L}{\partial h_t}"}
    assert run("q3.5", written(derived | rest, RNN_STEP)).earned == pytest.approx(0.5)


def test_rows_and_columns_must_not_be_mixed():
    rows = {"x_t": rf"({SLOPE}) W_x^T", "h_{t-1}": rf"({SLOPE}) W_h^T"}
    found = run("q3.5", written(STEP | rows, RNN_STEP))
    assert set(found.lost) == {r"\partial L/\partial x_t", r"\partial L/\partial h_{t-1}"}


def test_total_and_direct_gradients_must_not_be_mixed():
    # The total gradient is taken as given for b, the direct one is named as such for W_x.
    mixed = {
        "x_t": rf"W_x^T ({SLOPE})",
        "h_0": r"W_h^T (\frac{\partial L}{\partial h_1} * (1 - h_1 * h_1))",
        "W_x": r"\sum_t (\frac{\partial D_t}{\partial h_t} * (1 - h_t * h_t)) x_t^T",
        "W_h": rf"\sum_t ({SLOPE}) h_{{t-1}}^T",
        "b": rf"\sum_t {SLOPE}",
    }
    found = sequence(mixed)
    assert r"\partial L/\partial W_x" in found.lost
    assert "read as total gradients" in " ".join(found.judgement.notes)
    # What is given earns no more than what is made of it.
    assert r"\partial L/\partial h_t" in found.lost
    assert 0 < found.earned < 0.8


def test_gradients_that_are_only_given_earn_nothing():
    base_only = sequence({"h_T": r"\frac{\partial D_T}{\partial h_T}"})
    assert base_only.failure.reason == "not_implemented"
    nothing = run("q3.6", RNN_SEQUENCE + r"$$\delta_t = \frac{\partial L}{\partial h_t}$$")
    assert nothing.failure.reason == "not_implemented"


@pytest.mark.parametrize(
    ("recursion", "right"),
    [
        ({"h_t": SEQUENCE["h_t"]}, True),
        ({"y_{T+1}": "0"} | {"h_t": SEQUENCE["h_t"]}, True),
        ({"h_t": SEQUENCE["h_t"]} | {"h_T": r"\frac{\partial D_T}{\partial h_T}"}, True),
        ({"h_t": SEQUENCE["h_t"]} | {"h_T": r"2 \frac{\partial D_T}{\partial h_T}"}, False),
        ({"y_{T+1}": "1"} | {"h_t": SEQUENCE["h_t"]}, False),
        ({"h_t": r"\frac{\partial D_t}{\partial h_t} + \frac{\partial L}{\partial h_t}"}, False),
        ({"h_t": r"W_h^T \frac{\partial L}{\partial y_{t+1}}"}, False),
    ],
)
def test_recursions_are_evaluated_with_their_base_case(recursion, right):
    rest = {key: formula for key, formula in SEQUENCE.items() if key != "h_t"}
    found = sequence(recursion | rest)
    assert (r"\partial L/\partial h_t" not in found.lost) == right
    if not right:
        assert found.earned < 0.8


def test_recursions_that_go_in_circles_end():
    circle = {
        "h_t": r"\frac{\partial L}{\partial y_t}",
        "y_t": r"\frac{\partial L}{\partial h_t} + \frac{\partial L}{\partial y_{t+1}}",
    }
    assert sequence(SEQUENCE | circle).earned < 0.6


def test_a_step_may_not_look_beyond_itself():
    message = step(b=r"\frac{\partial L}{\partial h_t} * (1 - h_{t+1}^2)").lost
    assert "belongs to a different step" in message[r"\partial L/\partial b"] or "h_{t+1}" in str(
        message
    )


# What waits for a person, and what is not there


@pytest.mark.parametrize(
    ("formula", "column", "what"),
    [
        (r"\frac{\partial L}{\partial h_t} \heartsuit h_t", 66, r"\heartsuit is not understood"),
        (r"\frac{\partial L}{\partial h_t} * (1 - h_t", None, "never closed"),
        (r"\frac{\partial L}{\partial h_t} * * h_t", None, "* is not expected here"),
        (r"\begin{pmatrix} h_t & 1 \\ h_t \end{pmatrix}", None, "not equally long"),
        (
            r"\kappa_t * \frac{\partial L}{\partial h_t}",
            None,
            r"\kappa_t is used but never defined",
        ),
    ],
)
def test_what_cannot_be_read_waits_for_a_person_with_its_place(formula, column, what):
    found = step(b=formula)
    assert found.pending is not None
    assert "derivations.tex, line" in found.pending.message
    assert what in found.pending.message
    assert "heartsuit" not in what or f"column {column}" in found.pending.message
    assert found.pending.text.startswith(RNN_STEP)


def test_a_part_of_which_nothing_can_be_read_waits_for_a_person():
    assert "line 2, column 3" in run("q3.5", RNN_STEP + "$$\\heartsuit = 1$$").pending.message


def test_what_cannot_be_read_and_is_not_needed_is_a_note():
    extra = RNN_STEP + "$$ \\heartsuit_t = \\spadesuit $$\n"
    found = run("q3.5", written(STEP, extra))
    assert found.lost == {}
    text = written(STEP, RNN_STEP + "\\[ ( \\]\n")
    notes = run("q3.5", text).judgement.notes
    assert any("line 2, column 4 was not read: a bracket is never closed" in n for n in notes)


@pytest.mark.parametrize("close", ["", r"\end{algin}", r"\end{align*}"])
def test_an_environment_that_is_not_closed_costs_the_next_part_nothing(close):
    first = written(STEP, RNN_STEP).replace(r"\end{align}", close)
    text = first + "\n" + written(SEQUENCE, RNN_SEQUENCE)
    found = run("q3.5", text)
    assert "line 3, column 1: \\begin{align} is never closed" in found.pending.message
    assert run("q3.6", text).earned == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "opening", "closing", "hashes"),
    [
        ("derivations.tex", r"\[", r"\]", ""),
        ("derivations.tex", "$$", "$$", ""),
        ("derivations.md", "$$", "$$", "# "),
    ],
)
def test_display_mathematics_that_is_not_closed_ends_at_the_next_heading(
    name, opening, closing, hashes
):
    def part(formulas: dict[str, str], heading: str, end: str) -> str:
        title = heading if not hashes else f"{hashes}{heading[9:-2]}\n"
        lines = [rf"\frac{{\partial L}}{{\partial {key}}} = {f}" for key, f in formulas.items()]
        shown = "\n".join(f"{opening} {line} {closing}" for line in lines)
        return f"{title}{shown[: len(shown) - len(closing)]}{end}\n\n"

    text = part(STEP, RNN_STEP, "") + part(SEQUENCE, RNN_SEQUENCE, closing)
    assert "is never closed" in run("q3.5", text, name).pending.message
    assert run("q3.6", text, name).earned == pytest.approx(1)


@pytest.mark.parametrize(
    ("opening", "closing", "what"),
    [
        (r"\begin{aling}", r"\end{aling}", r"\frac is outside mathematics, in \begin{aling}"),
        (r"\begin{aligned}", r"\end{aligned}", r"mathematics, in \begin{aligned}"),
        (r"\begin{itemize}\end{itemize}", "", r"\frac is outside mathematics: a person must mark"),
    ],
)
def test_formulas_outside_mathematics_wait_for_a_person(opening, closing, what):
    text = written(STEP, RNN_STEP)
    text = text.replace(r"\begin{align}", opening).replace(r"\end{align}", closing)
    text += "\n" + written(SEQUENCE | {"b": r"\frac{\partial L}{\partial h_1}"}, RNN_SEQUENCE)
    assert what in run("q3.5", text).pending.message
    assert set(run("q3.6", text).lost) == {r"\partial L/\partial b"}  # its own part is all read


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (
            "derivations.tex",
            r"\includegraphics[width=9cm]{scan}",
            r"does not read what \includegraphics",
        ),
        ("derivations.tex", r"\input{step}", r"the grader does not read what \input includes"),
        ("derivations.md", "![my notes](scan.jpg)", "the grader does not read pictures"),
    ],
)
def test_pictures_and_other_files_wait_for_a_person(name, text, what):
    heading = RNN_STEP if name.endswith(".tex") else "# Vanilla RNN: one step\n"
    assert what in run("q3.5", heading + text, name).pending.message


def test_alignat_and_fenced_latex_are_read():
    text = written(STEP, RNN_STEP)
    columns = text.replace(r"\begin{align}", r"\begin{alignat}{2}")
    assert run("q3.5", columns.replace(r"\end{align}", r"\end{alignat}")).lost == {}
    fenced = "# Vanilla RNN: one step\n```latex\n" + text.partition("\n")[2] + "\n```\n"
    assert run("q3.5", fenced, "derivations.md").lost == {}


@pytest.mark.parametrize("text", ["", " \n\n", "no formulas at all", "\ufeff", "% $$b = 1$$"])
def test_a_file_without_formulas_is_not_implemented(text):
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        assert run(check, text).failure.reason == "not_implemented"


def test_the_template_is_not_implemented():
    template = (ROOT / "submissions_template" / "derivations.tex").read_text()
    for check in ("q3.5", "q3.6", "q4.5", "q4.6"):
        assert run(check, template).failure.reason == "not_implemented"


def test_the_template_may_lie_beside_the_answer():
    template = (ROOT / "submissions_template" / "derivations.tex").read_text()
    files = {"derivations.tex": template, "derivations.md": written(STEP, "# RNN step\n")}
    files["derivations.md"] = (
        files["derivations.md"].replace("\\begin{align}", "$$").replace("\\end{align}", "$$")
    )
    assert run_files("q3.5", files).lost == {}
    assert run_files("q3.5", {"derivations.tex": template}).failure.reason == "not_implemented"
    assert run_files("q3.5", {}).failure.reason == "missing"


def test_a_part_that_is_missing_is_not_implemented_though_others_are_there():
    text = written(STEP, RNN_STEP)
    assert run("q3.5", text).earned == pytest.approx(1)
    for check in ("q3.6", "q4.5", "q4.6"):
        assert run(check, text).failure.reason == "not_implemented"


def test_without_headings_right_formulas_count_and_wrong_ones_wait_for_a_person():
    assert run("q3.5", written(STEP, "")).earned == pytest.approx(1)
    wrong = STEP | {"b": r"\frac{\partial L}{\partial h_t}"}
    assert "no heading for this part" in run("q3.5", written(wrong, "")).pending.message


def test_a_file_that_is_too_large_waits_for_a_person():
    assert "larger than 64 KiB" in run("q3.5", "x" * 70_000).pending.message


def test_the_cell_gradient_of_a_step_is_the_one_that_is_given():
    text = (
        LSTM_STEP
        + r"$$\frac{\partial L}{\partial c_{t-1}} = \frac{\partial L}{\partial c_t} * f_t$$"
    )
    found = run("q4.5", text)
    message = found.lost[r"\partial L/\partial c_{t-1}"]
    assert found.earned == 0
    assert "the gradient through h_t" in message or "wrong value" in message


def test_the_report_shows_each_formula_with_its_verdict():
    found = step(b=r"\frac{\partial L}{\partial h_t}")
    (figure,) = found.judgement.figures
    assert [row.verdict for row in figure.rows] == ["right"] * 4 + ["wrong"]
    assert all(row.mathml.startswith("<math") for row in figure.rows)
    assert [row.place for row in figure.rows] == [f"line {number}" for number in range(4, 9)]


def test_a_formula_that_waits_says_so_and_why():
    found = step(b=r"\Xi_t")
    (figure, _text) = found.judgement.figures
    (*others, last) = [row.verdict for row in figure.rows]
    assert others == ["right"] * 4
    assert last == "waits for a person (line 8, column 34): \\Xi_t is used but never defined"


def test_an_intermediate_formula_that_waits_is_not_called_wrong():
    slope = r"\frac{\partial L}{\partial y_t}"
    text = written({"y_t": r"\Xi_t", "b": slope, "W_x": r"2 x_t^T"}, RNN_STEP)
    (figure, _text) = run("q3.5", text).judgement.figures
    (inner, outer, wrong) = [row.verdict for row in figure.rows]
    assert inner.startswith("waits for a person (line 4, column ")
    assert outer == inner
    assert wrong == "wrong"


def test_a_base_case_after_the_last_step_is_judged_too():
    for base, said in (("0", "right"), ("1", "wrong")):
        found = sequence({"y_{T+1}": base} | SEQUENCE)
        assert found.judgement.figures[0].rows[0].verdict == said
    assert "check the base case" in found.lost[r"\partial L/\partial h_t"]


def test_every_formula_has_a_verdict():
    text = (
        RNN_STEP
        + "With $y_t = W_x x_t + W_h h_{t-1} + b$:\n$$ \\delta_t = 2 b $$\n"
        + written(
            {"y_t": r"\frac{\partial L}{\partial h_t} * (1 - h_t)"}
            | STEP
            | {"x_t": r"W_x^T \frac{\partial L}{\partial y_t}", "b": "b"},
            "",
        )
        + "\n$$ \\frac{\\partial L}{\\partial y_t} = \\frac{\\partial L}{\\partial h_t} $$"
    )
    (figure,) = run("q3.5", text).judgement.figures
    follows = "right, except for an earlier mistake"
    assert [row.verdict for row in figure.rows] == [
        *("not graded", "your own definition", "replaced by a later formula", follows),
        *("right", "right", "right", "wrong", "wrong"),
    ]


@pytest.mark.parametrize(
    ("later", "lost"),
    [
        (r"\frac{\partial L}{\partial y_t} x_t^T", False),  # (H, D) for (H,)
        (r"W_x^T \frac{\partial L}{\partial y_t}", False),  # (D,)
        (r"W_x \frac{\partial L}{\partial y_t}", False),  # no shape at all
        (r"2 \frac{\partial L}{\partial y_t}", True),
    ],
)
def test_the_last_formula_counts_unless_its_shape_is_impossible(later, lost):
    formulas = {"y_t": SLOPE} | STEP
    again = rf"\[ \frac{{\partial L}}{{\partial b}} = {later} \]"
    found = run("q3.5", written(formulas, RNN_STEP) + again)
    assert (r"\partial L/\partial b" in found.lost) == lost
