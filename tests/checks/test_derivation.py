"""From an assessment of formulas to points: shares, reasons, and what a person must mark.

What is right or wrong about a formula is tested in tests/latexgrad.
"""

from __future__ import annotations

import shutil

import pytest

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS, Context
from grader.errors import Failure
from grader.job import Settings
from grader.run.session import Session
from tests.checks.toy import judged, make
from tests.conftest import ROOT
from tests.latexgrad.test_rubric import ANSWER, DERIVATION

TWO_FILES = DERIVATION.replace("files: [answer.md]", "files: [answer.md, answer.tex]")
BLANK = "# A layer\nTODO\n"
FORMULA_B = r"\nabla_b L = \delta_t"


@pytest.fixture
def derived(tmp_path, fork_servers):
    """Grade files by one derivation check of 4 points; return its result."""

    def grade(files, checks=DERIVATION):
        if isinstance(files, str):
            files = {"answer.md": files}
        (result,) = judged(make(tmp_path, checks), files, fork_servers).values()
        return result

    return grade


def test_right_formulas_earn_everything_and_are_shown(derived):
    result = derived(ANSWER)
    assert (result.outcome, result.points, result.reason) == ("passed", 4, None)
    assert [part.share for part in result.parts] == [0.5, 0.25, 0.25]
    (figure,) = result.figures
    assert figure.title == "answer.md"
    assert len(figure.rows) == result.measurements["formulas"] == 4


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (r"1.001 \delta_t", "mismatch"),
        (r"0.999 \delta_t", "mismatch"),
        (r"- \delta_t", "mismatch"),
        (r"\delta_t x_t^T", "wrong_shape"),
        (r"\delta_t / (x_t^T x_t - x_t^T x_t)", "mismatch"),
    ],
)
def test_one_wrong_formula_costs_its_share(formula, reason, derived):
    result = derived(ANSWER.replace(FORMULA_B, rf"\nabla_b L = {formula}"))
    assert (result.outcome, result.points, result.reason) == ("partial", 3, reason)
    assert [part.earned for part in result.parts] == [1, 1, 0]
    assert "line 4" in result.message


def test_a_gradient_that_is_left_out_costs_its_share(derived):
    result = derived(ANSWER.replace(rf", \quad {FORMULA_B}", ""))
    assert (result.points, result.reason) == (3, "not_implemented")
    assert [part.earned for part in result.parts] == [1, 1, 0]


def test_what_follows_from_an_earlier_mistake_earns_the_fraction_of_the_rubric(derived):
    result = derived(ANSWER.replace("(1 - s_t)", "(1 - s_t^2)"))
    assert result.points == pytest.approx(0.4 * 4)
    assert {part.cause.id for part in result.parts} == {"formula.function"}


@pytest.mark.parametrize(
    ("files", "reason", "words"),
    [
        ({"answer.md": BLANK}, "not_implemented", "answer.md has no formulas for this part yet"),
        ({"answer.md": ""}, "not_implemented", "answer.md"),
        ({"other.py": "x = 1"}, "missing", "answer.md"),
    ],
)
def test_where_nothing_is_derived_nothing_is_earned(files, reason, words, derived):
    result = derived(files)
    assert (result.outcome, result.points, result.reason) == ("failed", 0, reason)
    assert words in result.message


def test_a_document_of_another_name_is_read_and_named(derived):
    result = derived({"homework 2.md": ANSWER})
    assert (result.outcome, result.points) == ("passed", 4)
    assert result.notes == ("answer.md was found as homework 2.md",)


def test_what_cannot_be_read_waits_for_a_person_who_is_shown_the_text(derived):
    text = ANSWER.replace(FORMULA_B, r"\nabla_b L = \heartsuit(\delta_t)")
    result = derived(text)
    assert (result.outcome, result.points) == ("pending", 3)
    assert result.message.endswith(r": a person must mark \partial L/\partial b")
    assert [(part.earned, part.undecided) for part in result.parts] == [
        *[(1, False)] * 2,
        (0, True),
    ]
    _formulas, shown = result.figures
    assert (shown.title, shown.text) == ("answer.md", text)


def test_a_check_with_a_part_that_waits_is_pending_whatever_else_is_lost(derived):
    text = ANSWER.replace(FORMULA_B, r"\nabla_b L = \heartsuit(\delta_t)")
    result = derived(text.replace(r"W^T \delta_t", r"2 W^T \delta_t"))
    assert [(part.earned, part.undecided) for part in result.parts] == [
        *((1, False), (0, False), (0, True))
    ]
    assert (result.outcome, result.points) == ("pending", 2)


def test_a_formula_is_shown_as_it_was_written_beside_how_it_was_read(derived):
    (shown,) = derived(ANSWER).figures
    written = [row.source for row in shown.rows]
    assert any(FORMULA_B in source for source in written)
    assert all(row.mathml for row in shown.rows)


def test_the_template_beside_an_answer_in_another_file_costs_nothing(derived):
    result = derived({"answer.md": BLANK, "answer.tex": ANSWER.replace("#", "%")}, TWO_FILES)
    assert result.reason != "missing"
    result = derived({"answer.tex": r"\section{A layer}" + ANSWER.split("layer")[1]}, TWO_FILES)
    assert (result.outcome, result.points) == ("passed", 4)


def test_two_blank_files_are_an_answer_that_is_not_there_yet(derived):
    result = derived({"answer.md": BLANK, "answer.tex": ""}, TWO_FILES)
    assert (result.outcome, result.reason) == ("failed", "not_implemented")
    assert result.message.startswith("answer.md")


def test_a_part_that_is_not_in_the_text_may_be_in_the_picture_beside_it(derived):
    other = "# Notation\n$$s = 2$$\n" + BLANK
    assert derived({"answer.md": other}).points == 0
    result = derived({"answer.md": other, "scan.pdf": "%PDF-1.7"})
    assert result.outcome == "pending"
    assert "scan.pdf" in result.message


WITHOUT_B = ANSWER.replace(rf", \quad {FORMULA_B}", "")


@pytest.mark.parametrize(
    ("one", "other", "checks"),
    [
        ("draft.md", "final.md", DERIVATION),
        ("a/answer.md", "b/answer.md", DERIVATION),
        ("answer.md", "answer.markdown", TWO_FILES.replace("answer.tex", "answer.markdown")),
    ],
)
def test_of_different_answers_in_two_files_a_person_says_which_counts(one, other, checks, derived):
    result = derived({"toy.py": "", one: WITHOUT_B, other: ANSWER}, checks)
    assert (result.outcome, result.points) == ("pending", 0)
    assert result.message.startswith(f"this part has different answers in {one}, {other}")
    first, second = result.figures
    assert (first.title, first.text) == (one, WITHOUT_B)
    assert list(second.items) == [(other, ANSWER.encode())]


def test_a_file_that_earns_no_more_than_the_first_changes_nothing(derived):
    result = derived({"draft.md": WITHOUT_B, "final.md": WITHOUT_B, "notes.md": "$$a = 1$$"})
    assert (result.outcome, result.points) == ("partial", 3)


def test_the_file_that_was_asked_for_counts_before_others(derived):
    result = derived({"answer.md": WITHOUT_B, "final.md": ANSWER})
    assert (result.outcome, result.points) == ("partial", 3)


def test_notes_that_are_not_about_the_part_do_not_stand_in_for_an_answer(derived):
    result = derived({"a.md": r"$$W = \heartsuit b$$", "homework.md": ANSWER})
    assert (result.outcome, result.points) == ("passed", 4)


def test_a_formula_that_is_not_in_the_text_may_be_in_the_picture_beside_it(derived):
    result = derived({"answer.md": WITHOUT_B, "page2.pdf": "%PDF-1.7"})
    assert (result.outcome, result.points) == ("pending", 3)
    assert [(part.earned, part.undecided) for part in result.parts] == [
        *[(1, False)] * 2,
        (0, True),
    ]
    said = r"the grader does not read page2.pdf: a person must mark \partial L/\partial b"
    assert result.message.startswith(said)
    assert list(result.figures[-1].items) == [("page2.pdf", b"%PDF-1.7")]


@pytest.mark.parametrize("link", ["![](page2.png)", r"\includegraphics{page2}"])
def test_the_picture_that_an_answer_shows_is_handed_to_the_person_who_marks(link, derived):
    text = f"{ANSWER.split('$$')[0]}\n{link}\n"
    picture = b"\x89PNG\r\n\x1a\n"
    files = {"answer.md": text, "page2.png": picture.decode("latin-1"), "other.pdf": "%PDF-1.7"}
    result = derived(files)
    assert (result.outcome, result.points) == ("pending", 0)
    written, handed_in = result.figures
    assert written.title == "answer.md"
    assert [name for name, _data in handed_in.items] == ["page2.png"]


def test_a_picture_beside_a_wrong_formula_changes_nothing(derived):
    wrong = ANSWER.replace(FORMULA_B, r"\nabla_b L = 2 \delta_t")
    result = derived({"answer.md": wrong, "page2.pdf": "%PDF-1.7"})
    assert (result.outcome, result.points) == ("partial", 3)


def test_a_document_that_is_too_large_for_the_report_is_named(derived, monkeypatch):
    monkeypatch.setattr("grader.run.session.MAX_TEXT_FILE", 100)
    result = derived({"answer.md": BLANK, "homework.pdf": "%PDF-1.7" + 100 * " "})
    assert (result.outcome, result.figures) == ("pending", ())
    assert "look in the submission for homework.pdf, too large for the report" in result.message


def test_the_template_as_students_receive_it_earns_nothing(tmp_path, fork_servers):
    """Its guide has examples, which are right."""
    copy = tmp_path / "copy"
    names = ("derivations.tex", "latex_guide.md")
    copy.mkdir()
    for name in names:
        shutil.copyfile(ROOT / "submissions_template" / name, copy / name)
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS)
    staged = fork_servers.stage("copy", copy, rubric)
    assert set(names) <= set(staged.files)
    session = Session(rubric, Assignment(rubric.reference), staged, fork_servers, Settings())
    found = [
        session.run(question, check)
        for question in rubric.questions
        for check in question.checks
        if check.kind == "derivation"
    ]
    assert [(result.outcome, result.points) for result in found] == [("failed", 0)] * 4
    assert {result.message for result in found} == {
        "derivations.tex has no formulas for this part yet"
    }


def test_no_worker_is_needed(tmp_path):
    """Nothing of a submission runs: formulas are text."""
    rubric = load_rubric(make(tmp_path, DERIVATION), KINDS)
    (check,) = rubric.questions[0].checks
    assert check.functions == ()

    def read_file(name):
        raise Failure("missing", f"{name} is missing")

    context = Context(None, rubric.questions[0], 1, "mini", None, None, read_file)
    with pytest.raises(Failure, match=r"answer\.md is missing"):
        KINDS["derivation"].run(check, context)


def test_what_only_a_person_can_read_is_put_beside_the_report(derived):
    data = b"%PDF-1.7 and so on"
    result = derived({"answer.md": BLANK, "homework.pdf": data.decode()})
    assert (result.outcome, result.points) == ("pending", 0)
    (shown,) = result.figures
    assert list(shown.items) == [("homework.pdf", data)]
