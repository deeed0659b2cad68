"""What docs/derivations.md shows is read as it says, and earns what it says."""

from __future__ import annotations

import re

import pytest

from tests.latexgrad.tasks import ROOT, run

TEXT = (ROOT / "docs" / "derivations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```latex\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_has_examples():
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_earns_everything(example):
    assert run("q3.6" if "sequence" in example else "q3.5", example).lost == {}


def test_what_is_said_not_to_be_understood_waits_for_a_person():
    for text in (
        r"\| h_t \|",
        r"h_t \approx x_t",
        r"\text{half of } h_t",
        r"\operatorname{mean}(h_t)",
    ):
        formula = rf"$$\frac{{\partial L}}{{\partial b}} = {text}$$"
        assert run("q3.5", "\\section{RNN step}\n" + formula).pending is not None


def test_the_messages_shown_are_messages_of_the_variants():
    shown = re.search(r"```text\n(.*?)```", TEXT, re.DOTALL)[1].splitlines()
    folder = ROOT / "reference" / "derivations" / "wrong"
    said = set()
    for name, check in (
        ("rnn_step_factor_left_over", "q3.5"),
        ("lstm_step_slope_of_output_gate", "q4.5"),
        ("rnn_sequence_recursion_missing", "q3.6"),
    ):
        found = run(check, (folder / f"{name}.tex").read_text(encoding="utf-8"))
        said |= {line for message in found.lost.values() for line in message.splitlines()}
    assert set(shown) <= said
