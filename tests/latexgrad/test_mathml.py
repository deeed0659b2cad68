"""MathML: well-formed, escaped, and nothing else gets onto the page."""

# ruff: noqa: RUF001 - letters of other alphabets are what is written here

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from grader.author.evidence import Formula, Formulas
from grader.reports import html as pages
from grader.reports.mathml import ELEMENTS, harmless
from grader.reports.report import Report
from latexgrad import mathml
from latexgrad.nodes import Gradient, Symbol
from latexgrad.statements import read_file
from tests.latexgrad.tasks import VARIANTS

FILES = sorted(VARIANTS.glob("*/*.*"))
EVIL = "</math><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_formula_becomes_wellformed_mathml(path):
    formulas = read_file(path.read_text(encoding="utf-8"), markdown=path.suffix == ".md").statements
    assert formulas
    for formula in formulas:
        assert formula.problem is None
        made = mathml.formula(formula.sides, formula.relations)
        assert harmless(made)
        root = ET.fromstring(made)
        assert root.tag == "math"
        assert {element.tag for element in root.iter()} <= ELEMENTS
        assert all(len(e) == 2 for e in root.iter() if e.tag in ("mfrac", "msub", "msup", "mover"))
        assert all(len(e) == 3 for e in root.iter() if e.tag in ("msubsup", "munderover"))


def test_a_formula_looks_as_it_was_written():
    right = r"\sum_{t=1}^T \tilde c_{t-1} * (1 - \sigma(h_t)^2) x_t^T"
    text = rf"$$\frac{{\partial L}}{{\partial W_x^f}} = {right}$$"
    (formula,) = read_file(text, markdown=False).statements
    made = "".join(ET.fromstring(mathml.formula(formula.sides, formula.relations)).itertext())
    assert made == "∂L∂Wxf=∑t=1Tc~t−1*(1−(σ(ht))2)xt⊤"


@pytest.mark.parametrize("before", ["", "\\", "\\tilde "])
@pytest.mark.parametrize("evil", [EVIL, "<b>", "&amp;", '"'])
def test_names_are_escaped(evil, before):
    name = before + evil
    symbol = Symbol(name, (name, "x"))
    made = mathml.formula([symbol, Gradient(name, symbol)], ["="])
    assert harmless(made)
    assert "<script" not in made
    assert evil in "".join(ET.fromstring(made).itertext())


@pytest.mark.parametrize(
    "text",
    [
        EVIL,
        "<math><script>1</script></math>",
        "<math><mi>x</mi>",
        "<math></mi></math>",
        "<math><mi/></math>",
        '<math onload="x()"></math>',
        '<math display="block" href="javascript:x"></math>',
        "<math><mi>1 < 2</mi></math>",
        "<math><!-- --></math>",
        "<math><mi\n></mi></math>",
        "<mi>x</mi>",
        "",
    ],
)
def test_anything_else_is_not_harmless(text):
    assert not harmless(text)


def test_the_page_holds_mathml_and_escapes_what_only_looks_like_it(made_report):
    good = mathml.formula([Symbol("x"), Symbol("y")], ["="])
    bad = good.replace("<mi>x</mi>", EVIL)
    page = pages.report(made_report(good, bad))
    assert good in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("<math") == 1


@pytest.fixture
def made_report():
    """Return a report with one check whose figure holds two formulas."""

    def make(*rows: str):
        shown = [
            {"place": "line 1", "mathml": row, "source": "", "verdict": "right"} for row in rows
        ]
        check = {
            "id": "q1.1", "title": "t", "kind": "derivation", "outcome": "passed", "reason": None,
            "points": 1, "max_points": 1, "extra_credit": False, "visibility": "visible",
            "message": "", "hint": "", "notes": [], "seed": 1, "duration_s": 0.1, "parts": [],
            "measurements": {}, "output": "",
            "figures": [{"kind": "formulas", "title": "f", "rows": shown}],
        }  # fmt: skip
        question = {"id": "q1", "title": "q", "score": 1, "max_score": 1, "checks": [check]}
        made = {
            "schema_version": 1, "assignment": "a", "status": "complete", "title": "t", "score": 1,
            "max_score": 1, "submission": {"id": "s", "sha256": None, "files": [], "notes": []},
            "isolation": [], "tier": "mini", "graded_at": "2026-01-01T00:00:00+00:00",
            "grader_version": "1", "questions": [question],
        }  # fmt: skip
        return Report.read(json.dumps(made).encode())

    return make


def test_figures_are_described_as_json():
    from grader.model import CheckResult
    from grader.reports import figures
    from tests.latexgrad.tasks import shipped

    figure = Formulas("f", (Formula("line 1", "", "$$ ( $$", "not read"),))
    result = CheckResult(shipped("q3.5")[1], "pending", 0.0, figures=(figure,))
    (described,) = figures.described(result)
    assert described.kind == "formulas"
    assert described.rows[0].source == "$$ ( $$"
