"""Headings that only number the parts: they count in the template's order."""

from __future__ import annotations

import pytest

from latexgrad.numbering import numbered_parts, numbers_of
from tests.latexgrad.tasks import ROOT, run

CHECKS = ("q3.5", "q3.6", "q4.5", "q4.6")
MACRO = "\\newcommand{\\grad}[1]{\\frac{\\partial L}{\\partial #1}}\n"
NAMED = (
    "Vanilla RNN: one step", "Vanilla RNN: a sequence", "LSTM: one step", "LSTM: a sequence",
)  # fmt: skip


def under(headings: tuple[str, ...]) -> str:
    """Return the reference derivations with other headings."""
    text = (ROOT / "reference" / "derivations" / "derivations.tex").read_text(encoding="utf-8")
    text = text[text.index(rf"\section{{{NAMED[0]}}}") :]
    for named, heading in zip(NAMED, headings, strict=True):
        text = text.replace(rf"\section{{{named}}}", heading)
    return MACRO + text


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("Part 1", (1,)), ("(b)", (2,)), ("3.5.1", (3, 5, 1)), ("Question 3 (ii)", (3, 2)),
        ("Teil 2", (2,)), ("IV.", (4,)), ("Q3.5", (3, 5)), ("Problem 4, part c)", (4, 3)),
        ("Solution to Exercise 2", (2,)), ("Part 1: gradients", ()), ("Notation", ()), ("", ()),
        ("1" * 100, ()),
    ],
)  # fmt: skip
def test_a_heading_of_nothing_but_numbers_is_one(title, numbers):
    assert numbers_of(title) == numbers


@pytest.mark.parametrize(
    ("headings", "parts"),
    [
        (["Notation", "(a)", "(b)"], [["(a)"], ["(b)"]]),
        (["Part 2", "Part 1"], [["Part 1"], ["Part 2"]]),
        (["1 / (a)", "1 / (b)", "2 / (a)"], [["1 / (a)", "1 / (b)"], ["2 / (a)"]]),
        (["RNN / i", "LSTM / i"], [["RNN / i"], ["LSTM / i"]]),
        (["(a)", "(b)", "(c)"], []),
        (["One", "Two"], []),
    ],
)
def test_numbered_parts_are_found_if_there_are_as_many_as_in_the_template(headings, parts):
    assert numbered_parts(headings, 2) == parts


@pytest.mark.parametrize(
    "headings",
    [
        tuple(rf"\section{{Part {number}}}" for number in (1, 2, 3, 4)),
        tuple(rf"\subsection*{{({letter})}}" for letter in "abcd"),
        tuple(rf"\section{{{number}}}" for number in ("3.5", "3.6", "4.5", "4.6")),
        (
            r"\section{Question 3} \subsection{(i)}", r"\subsection{(ii)}",
            r"\section{Question 4} \subsection{(i)}", r"\subsection{(ii)}",
        ),
        (
            r"\section{Vanilla RNN} \subsection{1}", r"\subsection{2}",
            r"\section{LSTM} \subsection{1}", r"\subsection{2}",
        ),
    ],
)  # fmt: skip
def test_parts_that_are_only_numbered_earn_everything(headings):
    text = under(headings)
    for check in CHECKS:
        assert run(check, text).lost == {}


def test_a_number_that_does_not_fit_what_is_below_it_costs_nothing():
    text = under(tuple(rf"\section{{Part {number}}}" for number in (3, 4, 1, 2)))
    for check in CHECKS:
        found = run(check, text)
        assert found.pending is not None
        assert "only numbers for headings" in found.pending.message


def test_a_wrong_formula_below_a_number_loses_its_quantity():
    text = under(tuple(rf"\section{{Part {number}}}" for number in (1, 2, 3, 4)))
    wrong = text.replace(r"\grad{W_x} &= \grad{y_t} x_t^T", r"\grad{W_x} &= - \grad{y_t} x_t^T", 1)
    assert wrong != text
    assert set(run("q3.5", wrong).lost) == {r"\partial L/\partial W_x"}
