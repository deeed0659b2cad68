"""Two markers' files: how far they agree, what they must settle, and the file to settle it in."""

import csv
import io
import itertools
import json

import numpy as np
import pytest

from grader.deliver.marking import anonymous
from grader.deliver.marking.agreement import weighted_kappa
from grader.reports import stored
from tests.made_reports import check, report_of, store

NAMES = [f"s{n}" for n in range(8)]
ADA = dict(zip(NAMES, ["2", "1.5", "0", "1", "2", "2", "", "0.5"], strict=True))
BEN = dict(zip(NAMES, ["2", "1", "0", "1", "0.5", "2", "1", ""], strict=True))


@pytest.fixture
def reports(tmp_path):
    made = []
    for name in NAMES:
        one = report_of(
            check("q1.1", "pending", 0.0, 2.0, title="why"),
            check("q1.2", "passed", 1.0, 1.0),
            score=1.0, status="pending",
        )  # fmt: skip
        one["submission"] |= {"id": name, "sha256": name.encode().hex().ljust(64, "0")}
        made.append(one)
    return store(tmp_path / "reports", *made)


def write(path, points, marker, comments=()):
    rows = [["submission", "check", "points", "comment", "marker"]]
    comments = dict(comments)
    rows += [
        [name, "q1.1", given, comments.get(name, ""), marker] for name, given in points.items()
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def files(tmp_path):
    ada = write(tmp_path / "ada.csv", ADA, "Ada", {"s0": "clear", "s4": "=fine", "s6": "ask Ben"})
    return ada, write(tmp_path / "ben.csv", BEN, "Ben", {"s4": "no remedy", "s0": "good"})


def test_agreement_is_counted_over_what_both_marked(run_cli, reports, files):
    ran = run_cli("mark", reports, "--compare", *files)
    assert (ran.status, ran.err) == (1, "")
    both = [(float(ADA[n]), float(BEN[n])) for n in NAMES if ADA[n] and BEN[n]]
    difference = np.mean([b - a for a, b in both])
    (line,) = [line for line in ran.out.splitlines() if line.startswith("q1.1")]
    assert line.split() == [
        "q1.1", "6", "4", f"{difference:+.2f}", "1.5", f"{kappa_by_categories(both):.2f}",
    ]  # fmt: skip
    ada, ben = files
    said = "4 of 6 answers that both marked have the same points; 2 to settle"
    assert f"{said}; only in {ada}: 1; only in {ben}: 1" in " ".join(ran.out.split())
    listed = [line.split()[0] for line in ran.out.splitlines() if line.startswith("s")]
    assert listed == ["submission", "s4", "s1"]  # the largest difference first


def kappa_by_categories(pairs):
    """Cohen's weighted kappa by its table of categories (Cohen, 1968)."""
    values = sorted({value for pair in pairs for value in pair})
    seen = np.zeros((len(values), len(values)))
    for a, b in pairs:
        seen[values.index(a), values.index(b)] += 1 / len(pairs)
    weights = (np.subtract.outer(values, values)) ** 2
    expected = np.outer(seen.sum(1), seen.sum(0))
    return 1 - (weights * seen).sum() / (weights * expected).sum()


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_the_table_of_categories(seed):
    rng = np.random.default_rng(seed)
    pairs = [tuple(map(float, rng.choice([0, 0.5, 1, 2], 2))) for _ in range(20)]
    assert weighted_kappa(pairs) == pytest.approx(kappa_by_categories(pairs))


def test_kappa_of_equal_marks_is_one_and_without_spread_it_is_not_defined():
    assert weighted_kappa([(0.0, 0.0), (2.0, 2.0)]) == 1
    assert weighted_kappa([(1.0, 1.0), (1.0, 1.0)]) is None
    assert weighted_kappa([(0.0, 2.0)]) is None


def test_what_is_settled_goes_into_the_reports_and_the_rest_waits(
    run_cli, reports, files, tmp_path
):
    out = tmp_path / "settled.csv"
    ran = run_cli("mark", reports, "--compare", *files, "--settle", out)
    assert ran.status == 1
    assert f"{out}: 2 rows without points; settle them" in ran.out
    text = out.read_text(encoding="utf-8-sig")
    rows = {row["submission"]: row for row in csv.DictReader(io.StringIO(text))}
    assert [*rows][:2] == ["s1", "s4"]
    assert {*rows} == {*NAMES}
    assert rows["s4"]["comment"] == "Ada: 2: =fine\nBen: 0.5: no remedy"
    assert (rows["s0"]["comment"], rows["s0"]["marker"]) == ("clear\ngood", "Ada, Ben")
    assert rows["s7"]["points"] == "0.5"  # only Ada marked it
    ran = run_cli("mark", reports, "--marks", out)
    assert ran.status == 0
    assert "6 marks put into 6 reports; comments without points, kept for later: 2" in ran.out
    points = {name: checks(reports, name)[0] for name in NAMES}
    for name in NAMES:
        given = {ADA[name], BEN[name]} - {""}
        if len(given) == 2:
            assert points[name]["outcome"] == "pending"
        else:
            assert points[name]["points"] == float(*given)
    # Settled by hand, the file marks the rest.
    out.write_text(text.replace("Ada: 2: =fine\nBen: 0.5: no remedy", "one remedy"), "utf-8")
    lines = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
    for line in lines[1:3]:
        line[4] = "1"
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    assert run_cli("mark", reports, "--marks", out).status == 0
    assert checks(reports, "s4")[0]["message"] == "one remedy"


def checks(reports, name):
    made = json.loads((reports / name / "report.json").read_text(encoding="utf-8"))
    return made["questions"][0]["checks"]


def test_equal_marks_end_with_status_0(run_cli, reports, files, tmp_path):
    again = write(tmp_path / "again.csv", ADA, "Cy")
    ran = run_cli("mark", reports, "--compare", files[0], again)
    assert (ran.status, ran.err) == (0, "")
    assert "7 of 7 answers that both marked have the same points; 0 to settle" in ran.out


def test_files_that_do_not_fit_are_refused_and_no_report_changes(run_cli, reports, files, tmp_path):
    before = {path: path.read_bytes() for path in reports.rglob("*.json")}
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("submission,check,points\ns9,q1.1,1\ns1,q1.1,3\n", encoding="utf-8")
    ran = run_cli("mark", reports, "--compare", files[0], wrong, "--settle", tmp_path / "x.csv")
    assert ran.status == 2
    assert "wrong.csv:2: there is no report for 's9'" in ran.err
    assert "wrong.csv:3: s1 q1.1: points: 3 is more than the check's 2" in ran.err
    assert ran.err.endswith("2 problems; nothing was compared\n")
    assert not (tmp_path / "x.csv").exists()
    assert run_cli("mark", reports, "--compare", *files).status == 1
    assert {path: path.read_bytes() for path in reports.rglob("*.json")} == before


def test_a_file_with_anonymous_names_meets_one_with_names(run_cli, reports, files, tmp_path):
    page = tmp_path / "p.html"
    assert run_cli("mark", reports, "--page", page, "--anonymous").status == 0
    found = stored.load(reports)
    hidden = {anonymous.name(one.report): ADA[name] for name, one in found.items()}
    assert all(name in page.read_text(encoding="utf-8") for name in hidden)
    other = write(tmp_path / "hidden.csv", hidden, "Ada")
    ran = run_cli("mark", reports, "--compare", files[0], other)
    assert (ran.status, ran.err) == (0, "")
    assert "7 of 7 answers" in ran.out


def test_hostile_comments_do_not_reach_the_terminal_as_escapes(run_cli, reports, tmp_path):
    evil = {"s0": "\x1b[2J[red]x[/red]"}
    one = write(tmp_path / "one.csv", {"s0": "1"}, "\x1b[31mA", evil)
    two = write(tmp_path / "two.csv", {"s0": "2"}, "B", evil)
    ran = run_cli("mark", reports, "--compare", one, two)
    assert ran.status == 1
    assert "\x1b" not in "".join(itertools.chain(ran.out, ran.err))
    assert "[red]x" in ran.out
