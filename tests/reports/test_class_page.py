"""The class page: every number on it, computed again from the reports by other means."""

import base64
import copy
import hashlib
import re

import numpy as np
import pytest

from grader.reports import html
from grader.reports.class_summary import ClassSummary
from tests.made_reports import check, report_of, typed

CAUSES = [
    {"id": "sign", "text": "the sign is wrong"},
    {"id": "factor", "text": "they are 2 times too large"},
    None,
]


def drawn(seed, count, *, extra=0.0):
    """Return reports of three checks with random points, causes and outcomes, as JSON."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        checks = []
        for name, most in (("q1.1", 4.0), ("q1.2", 1.0), ("q2.1", 5.0)):
            share = rng.choice([0.0, 0.5, 1.0, 1.0])
            outcome = {0.0: "failed", 1.0: "passed"}.get(share, "partial")
            cause = CAUSES[rng.integers(3)] if share < 1 else None
            if name == "q1.2" and rng.random() < 0.2:
                outcome, share, cause = "pending", 0.0, None
            checks.append(check(name, outcome, share * most, most, cause=cause))
        if extra and number % 3 == 0:
            checks.append(check("q3.1", "passed", extra, extra))
        score = sum(one["points"] for one in checks)
        waits = any(one["outcome"] == "pending" for one in checks)
        made = report_of(*checks, score=score, status="pending" if waits else "complete")
        made["submission"]["id"] = f"s{number:02d}"
        found.append(made)
    return found


def checks_of(made):
    return {one["id"]: one for question in made["questions"] for one in question["checks"]}


@pytest.mark.parametrize("count", [1, 2, 7, 8, 40, 41])
@pytest.mark.parametrize("extra", [0.0, 2.0], ids=["one_maximum", "two_maxima"])
def test_median_mean_and_distribution_are_those_of_the_scores(count, extra):
    made = drawn(count, count, extra=extra)
    found = ClassSummary(list(map(typed, made)))
    shares = np.array([100 * one["score"] / one["max_score"] for one in made])
    same = len({one["max_score"] for one in made}) == 1
    scores = np.array([one["score"] for one in made]) if same else shares
    assert found.median == pytest.approx(np.median(scores))
    assert found.mean == pytest.approx(np.mean(scores))
    counts, _edges = np.histogram(
        shares, bins=np.arange(0, 101, 10) - 1e-9 * np.array([0] * 10 + [-1])
    )
    assert [one.count for one in found.bins] == counts.tolist()
    assert sum(one.count for one in found.bins) == count


def share_of_others(report, name):
    """The points of all other checks that are decided, out of theirs."""
    others = [r for key, r in checks_of(report).items() if key != name]
    others = [r for r in others if r["outcome"] != "pending"]
    return sum(r["points"] for r in others) / sum(r["max_points"] for r in others)


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_of_each_check_are_those_of_its_points(seed):
    made = drawn(seed, 30)
    found = {one.id: one for one in ClassSummary(list(map(typed, made))).checks}
    for name, one in found.items():
        rows = [(report, checks_of(report)[name]) for report in made]
        decided = [(report, row) for report, row in rows if row["outcome"] != "pending"]
        points = np.array([row["points"] for _report, row in decided])
        assert one.decided == len(decided)
        assert one.full == int((points == rows[0][1]["max_points"]).sum())
        assert one.mean == pytest.approx(points.mean())
        rest = np.array([share_of_others(report, name) for report, _row in decided])
        assert one.discrimination == pytest.approx(np.corrcoef(points, rest)[0, 1])
        assert one.waiting == tuple(
            report["submission"]["id"] for report, row in rows if row["outcome"] == "pending"
        )
        for cause in (CAUSES[0], CAUSES[1]):
            behind = tuple(
                report["submission"]["id"] for report, row in decided if row["cause"] == cause
            )
            assert [c.submissions for c in one.causes if c.text == cause["text"]] == (
                [behind] if behind else []
            )
        assert [len(c.submissions) for c in one.causes] == sorted(
            (len(c.submissions) for c in one.causes), reverse=True
        )


def test_the_rubric_decides_about_the_order():
    made = list(map(typed, drawn(0, 3)))
    assert [one.id for one in ClassSummary(made, ["q2.1", "q1.2", "q1.1"]).checks] == [
        "q2.1", "q1.2", "q1.1",
    ]  # fmt: skip


def test_too_few_reports_and_equal_points_have_no_discrimination():
    assert all(
        one.discrimination is None for one in ClassSummary(list(map(typed, drawn(0, 4)))).checks
    )
    equal = [copy.deepcopy(drawn(0, 1)[0]) for _ in range(9)]
    assert all(one.discrimination is None for one in ClassSummary(list(map(typed, equal))).checks)


def test_what_a_person_must_look_at_is_named_with_its_check():
    lost = [
        check(f"q1.{n}", "failed", 0.0, 2.0, message="x.py cannot be imported") for n in (1, 2, 3)
    ]
    one = report_of(*lost, check("q1.4", "passed", 1.0, 1.0), score=1.0)
    two = report_of(check("q1.1", "pending", 0.0, 2.0, message="Explain it."), status="pending")
    broken = report_of(score=None, status="broken")
    for made, name in ((one, "ada"), (two, "bo"), (broken, "cy")):
        made["submission"]["id"] = name
    found = ClassSummary(list(map(typed, (one, two, broken)))).for_a_person
    assert [(item.submission, item.check) for item in found] == [
        ("ada", "q1.1"), ("bo", "q1.1"), ("cy", ""),
    ]  # fmt: skip
    assert found[0].text == ("one cause took all 6 points of 3 checks: x.py cannot be imported")
    assert found[1].text == "Explain it."
    assert found[2].text == "no grade, by the grader's fault"


@pytest.fixture
def page(tmp_path):
    """The page of a class of 30."""
    html.write_index(tmp_path / "index.html", map(typed, drawn(1, 30)), ["q1.1", "q1.2", "q2.1"])
    return (tmp_path / "index.html").read_text()


def test_the_page_allows_its_own_script_and_no_other(page):
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert "innerHTML" not in script


def test_each_link_leads_to_a_check_of_a_report(page):
    links = set(re.findall(r'href="(s\d\d)/report.html(?:#([^"]*))?"', page))
    assert {name for name, _check in links} == {f"s{n:02d}" for n in range(30)}
    assert {name for _report, name in links} == {"", "q1.1", "q1.2", "q2.1"}
    anchors = set(re.findall(r'id="(q\d\.\d)"', html.report(typed(drawn(1, 1)[0]))))
    assert anchors == {"q1.1", "q1.2", "q2.1"}


def test_the_page_shows_the_figures_of_the_summary(page):
    found = ClassSummary(list(map(typed, drawn(1, 30))))
    shown = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "30 submissions; median" in shown
    for one in found.checks:
        assert f"{one.full_percent} %" in shown
        assert f"{one.discrimination:.2f}" in shown
        for cause in one.causes:
            assert f"{len(cause.submissions)} of {one.decided}: {cause.text}" in shown
