"""A class graded in parts: each submission in exactly one, and merged as if graded at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.checks.toy import make
from tests.e2e.test_interrupted import CHECKS, graded

NAMES = [f"s{number}" for number in range(10)]
WRONG = ("s1", "s4", "s7")


@pytest.fixture
def folder(monkeypatch):
    """The toy assignment and a class of ten, where workers may read them; it is the current one."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        make(made, CHECKS)
        right = (made / "reference" / "toy.py").read_text()
        for student in NAMES:
            wrong = right.replace("return", "return 2 *") if student in WRONG else right
            place = made / "class" / student
            place.mkdir(parents=True)
            (place / "toy.py").write_text(wrong)
        monkeypatch.chdir(made)
        yield made


@pytest.fixture
def run_shard(run_cli, folder):
    """Grade shard ``place`` into the folder ``out``."""

    def run(place, out, *options):
        return run_cli("grade", "class", "--shard", place, "--out", out, "--jobs", 1, *options)

    return run


@pytest.fixture
def three(run_shard):
    """Grade the class in three shards."""
    for number in (1, 2, 3):
        assert run_shard(f"{number}/3", f"parts/{number}").status == 0


def files(folder):
    """Return the names and contents of what a merged folder holds beside its notes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_the_shards_together_are_the_whole_class(three, run_cli, folder):
    parts = [{*graded(folder / "parts" / str(number))} for number in (1, 2, 3)]
    assert sorted(len(part) for part in parts) == [3, 3, 4]
    assert sorted(name for part in parts for name in part) == NAMES
    ran = run_cli("merge", *(f"parts/{number}" for number in (3, 1, 2)), "--out", "all")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "10 reports of 3 of 3 shards merged",
        "overview: all/index.html, all/gradebook.csv",
    ]
    whole = run_cli("grade", "class", "--out", "whole", "--jobs", 1)
    assert whole.status == 0
    assert graded(folder / "all") == graded(folder / "whole")
    assert files(folder / "all").keys() == files(folder / "whole").keys()
    same = [(folder / out / "gradebook.csv").read_text() for out in ("all", "whole")]
    assert same[0] == same[1]
    assert all(name in (folder / "all" / "index.html").read_text() for name in NAMES)
    kept = folder / "all" / ".sources.json"
    assert {*json.loads(kept.read_text())} == {*NAMES}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def links(folder):
    """Return the links of each report to the class page and to its neighbors."""
    return {
        path.parent.name: re.findall(r'href="(\.\./[^"]*)"', path.read_text(encoding="utf-8"))
        for path in folder.glob("*/report.html")
    }


def test_merged_reports_lead_to_their_neighbors_in_the_class_not_in_the_shard(three, run_cli):
    assert links(Path("parts/1"))["s3"][1:] == ["../s0/report.html", "../s6/report.html"]
    assert run_cli("merge", "parts", "--out", "all").status == 0
    merged = links(Path("all"))
    assert merged["s3"] == ["../index.html#row-s3", "../s2/report.html", "../s4/report.html"]
    assert sorted(merged) == NAMES
    written = {path: path.stat().st_mtime_ns for path in Path("all").glob("*/report.html")}
    assert run_cli("merge", "parts", "--out", "all").status == 0  # writes no page again
    assert {path: path.stat().st_mtime_ns for path in written} == written
    shutil.copytree("class/s3", "class/s35")  # one more hands in
    ran = run_cli("grade", "class", "--out", "all", "--jobs", 1)
    assert "1 submission graded, 10 unchanged" in ran.out
    again = links(Path("all"))
    assert again["s3"][2] == again["s4"][1] == "../s35/report.html"


def test_what_is_merged_is_what_grading_goes_on_from(three, run_cli):
    assert run_cli("merge", "parts", "--out", "all").status == 0
    ran = run_cli("grade", "class", "--out", "all", "--jobs", 1)
    assert "0 submissions graded, 10 unchanged" in ran.out


def test_a_shard_is_the_same_whatever_the_order_of_the_arguments(run_cli, folder):
    for section in ("b", "a"):  # both have a student of the name s1
        shutil.copytree(folder / "class" / "s1", folder / section / "s1")
        shutil.copytree(folder / "class" / "s2", folder / section / f"{section}2")
    for out, names in (("x", ("a", "b")), ("y", ("b", "a"))):
        ran = run_cli("grade", *names, "--shard", "1/2", "--out", out, "--jobs", 1)
        assert ran.status in (0, 1)  # namesakes are contested
    sources = [json.loads((folder / out / ".sources.json").read_text()) for out in ("x", "y")]
    assert sources[0] == sources[1]
    assert graded(folder / "x") == graded(folder / "y")


def test_a_shard_says_how_much_of_the_class_it_is(run_shard):
    ran = run_shard("2/3", "two")
    assert ran.err == "shard 2/3: 3 of 10 submissions\n"
    again = run_shard("2/3", "two")
    assert "0 submissions graded, 3 unchanged" in again.out


def test_more_shards_than_submissions_leave_some_empty(run_shard, run_cli):
    for number in range(1, 13):
        ran = run_shard(f"{number}/12", f"parts/{number}")
        assert ran.status == 0
    assert (ran.out, ran.err) == ("", "shard 12/12: 0 of 10 submissions\n")
    ran = run_cli("merge", "parts", "--out", "all")
    assert (ran.status, ran.err) == (0, "")
    assert "10 reports of 12 of 12 shards merged" in ran.out


@pytest.mark.parametrize("place", ["0/3", "4/3", "1/0", "1", "1/3/3", "-1/3", "a/b", "1 / 3"])
def test_what_is_no_shard_is_refused(place, run_cli, folder):
    ran = run_cli("grade", "class", "--out", "out", f"--shard={place}")
    assert ran.status == 2
    assert "is not K/N with K from 1 to N, such as 1/4" in ran.err
    assert not (folder / "out").exists()


def test_two_shards_do_not_share_a_folder(run_shard, folder):
    assert run_shard("1/3", "out").status == 0
    before = files(folder / "out")
    ran = run_shard("2/3", "out")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "error: --out out: holds shard 1/3; give shard 2/3 a folder of its own\n"
    assert files(folder / "out") == before


def test_a_missing_shard_and_missing_reports_are_named(three, run_cli, folder):
    shutil.rmtree(folder / "parts" / "2")
    shutil.rmtree(folder / "parts" / "3" / "s5")
    ran = run_cli("merge", "parts", "--out", "all")
    assert ran.status == 1
    assert ran.out.startswith("6 reports of 2 of 3 shards merged\n")
    assert ran.err.splitlines() == [
        "missing: 1 shard: 2/3",
        "missing: shard 3/3 in parts/3: 1 report: s5; grade this shard again to go on",
    ]
    assert len(graded(folder / "all")) == 6


def test_a_shard_that_was_graded_twice_is_completed_from_both(three, run_cli, folder):
    shutil.copytree(folder / "parts" / "3", folder / "parts" / "again")
    shutil.rmtree(folder / "parts" / "3" / "s5")
    shutil.rmtree(folder / "parts" / "again" / "s2")
    ran = run_cli("merge", "parts", "--out", "all")
    assert (ran.status, ran.err) == (0, "")
    assert len(graded(folder / "all")) == 10


def refused(ran, folder):
    """Return the one sentence that merging was refused with."""
    assert (ran.status, ran.out) == (2, "")
    assert not (folder / "all").exists()
    (line,) = ran.err.splitlines()
    return line


def both(*numbers):
    """Return how messages name two of three shards."""
    return " and ".join(f"shard {number}/3 in parts/{number}" for number in numbers)


def test_another_rubric_is_refused(run_shard, run_cli, folder):
    assert run_shard("1/3", "parts/1").status == 0
    rubric = folder / "rubric.yaml"
    text = rubric.read_text()
    rubric.write_text(
        text.replace("values: 0.75, edge_cases: 0.25", "values: 0.5, edge_cases: 0.5")
    )
    assert rubric.read_text() != text
    assert run_shard("2/3", "parts/2").status == 0
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line == (
        f"error: {both(1, 2)} were graded with different rubrics, reference files or data: q1.1 "
        "would not be graded alike"
    )


def test_another_reference_is_refused(run_shard, run_cli, folder):
    assert run_shard("1/3", "parts/1").status == 0
    with (folder / "reference" / "toy.py").open("a") as file:
        file.write("\nMORE = 1\n")
    assert run_shard("2/3", "parts/2").status == 0
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert "different rubrics, reference files or data: q1.1" in line


def test_another_seed_is_refused(run_shard, run_cli, folder):
    assert run_shard("1/3", "parts/1").status == 0
    assert run_shard("2/3", "parts/2", "--seed", 12345).status == 0
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line.startswith(f"error: {both(1, 2)} were graded with different seeds: public ")
    assert line.endswith("and public 12345; use the same file with --seed-file, or the same --seed")


def test_another_program_is_refused(three, run_cli, folder):
    """A note as another version of the program, or one with another torch, writes it."""
    path = folder / "parts" / "3" / ".shard.json"
    note = json.loads(path.read_text())
    note["graded_with"] |= {"engine": "ab" * 16, "whole": "cd" * 16}
    path.write_text(json.dumps(note))
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line.startswith(f"error: {both(1, 3)} were graded with different programs: dl-grader ")
    assert "(abababab); dl-grader, Python, numpy and torch must be of the same versions" in line


@pytest.mark.parametrize(
    ("place", "options", "told"),
    [
        ("2/4", (), "do not divide the class into the same number of shards"),
        ("2/3", ("--isolation", "none", "--unsafe"), "settings of --isolation: full and none"),
    ],
)  # fmt: skip
def test_shards_of_another_division_or_isolation_are_refused(
    place, options, told, run_shard, run_cli, folder
):
    assert run_shard("1/3", "parts/1").status == 0
    assert run_shard(place, "parts/2", *options).status == 0
    assert told in refused(run_cli("merge", "parts", "--out", "all"), folder)


def test_another_class_is_refused(run_shard, run_cli, folder):
    assert run_shard("1/3", "parts/1").status == 0
    shutil.rmtree(folder / "class" / "s9")
    assert run_shard("2/3", "parts/2").status == 0
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line == (
        f"error: {both(1, 2)} are of different classes, of 10 and 9 submissions: name the same "
        "submissions for each shard"
    )


def test_one_submission_with_two_results_is_refused(three, run_cli, folder):
    shutil.copytree(folder / "parts" / "2", folder / "parts" / "again")
    path = folder / "parts" / "again" / "s1" / "report.json"
    text = path.read_text()
    path.write_text(text.replace('"mismatch"', '"crashed"'))
    assert path.read_text() != text
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line == (
        "error: parts/2/s1/report.json and parts/again/s1/report.json have different results for "
        "the same submission: leave out one of the two folders"
    )


def test_a_report_from_before_the_rubric_changed_is_refused(three, run_shard, run_cli, folder):
    """All shards began again after a change, and one of them was killed at once."""
    path = folder / "parts" / "2" / "s1" / "report.json"
    old = path.read_text()
    with (folder / "reference" / "toy.py").open("a") as file:
        file.write("\nMORE = 1\n")
    for number in (1, 2, 3):
        assert run_shard(f"{number}/3", f"parts/{number}").status == 0
    path.write_text(old)
    line = refused(run_cli("merge", "parts", "--out", "all"), folder)
    assert line == (
        "error: parts/2/s1/report.json: its q1.1 was graded with another rubric, reference or "
        "program than shard 2/3: grade this shard again"
    )


def test_folders_without_a_shard_are_refused(three, run_cli, folder):
    assert run_cli("grade", "class", "--out", "whole", "--jobs", 1).status == 0
    for name, told in (("whole", "holds no shard"), ("nowhere", "no such folder")):
        ran = run_cli("merge", "parts", name, "--out", "all")
        assert told in refused(ran, folder)
    ran = run_cli("merge", "parts", "--out", "parts/1")
    assert (ran.status, ran.err) == (
        2, "error: --out parts/1: holds one of the shards; name another DIR\n"
    )  # fmt: skip
    (folder / "parts" / "1" / ".shard.json").write_text("{}")
    assert "does not say what shard this is" in refused(
        run_cli("merge", "parts", "--out", "all"), folder
    )


def mark(run_cli, folder, out, name, points):
    (folder / "marks.csv").write_text(
        f"submission,check,points,comment,by\n{name},q1.1,{points},looked,me\n"
    )
    ran = run_cli("mark", out, "--marks", "marks.csv", "--override")
    assert ran.status == 0, ran.err


def test_marks_of_a_person_survive_merging_again(three, run_shard, run_cli, folder):
    assert run_cli("merge", "parts", "--out", "all").status == 0
    mark(run_cli, folder, "all", "s1", 3)
    marked = (folder / "all" / "s1" / "report.json").read_bytes()
    ran = run_cli("merge", "parts", "--out", "all")
    assert ran.status == 0
    assert "1 report with a person's marks left unchanged" in ran.out
    assert (folder / "all" / "s1" / "report.json").read_bytes() == marked

    # s1 hands in again, so that the mark is for another work.
    (folder / "class" / "s1" / "toy.py").write_text((folder / "reference" / "toy.py").read_text())
    assert run_shard("2/3", "parts/2").status == 0
    ran = run_cli("merge", "parts", "--out", "all")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: --out all: this would overwrite a person's marks: s1 q1.1. ")
    assert "Nothing was merged. Merge into another --out DIR" in ran.err
    assert (folder / "all" / "s1" / "report.json").read_bytes() == marked
    assert run_cli("merge", "parts", "--out", "all", "--discard-marks").status == 0
    assert graded(folder / "all")["s1"]["score"] == 4


def test_marks_in_a_shard_are_merged(three, run_cli, folder):
    mark(run_cli, folder, "parts/2", "s1", 3)
    assert run_cli("merge", "parts", "--out", "all").status == 0
    assert graded(folder / "all")["s1"]["score"] == 3


def test_merging_withholds_a_broken_grade_as_grading_does(three, run_cli, folder):
    path = folder / "parts" / "2" / "s1" / "report.json"
    made = json.loads(path.read_text())
    made |= {"status": "broken", "score": None, "questions": []}
    made["submission"] |= {"notes": ["the disk was full"]}
    path.write_text(json.dumps(made))
    ran = run_cli("merge", "parts", "--out", "all")
    assert ran.status == 3
    assert ran.err == "broken: the disk was full [s1]\n"


def test_a_killed_shard_goes_on_and_merges(folder, run_cli, run_shard):
    """Four shards at once, as a cluster runs them, with one killed and begun again."""
    command = [sys.executable, "-m", "grader", "grade", "class", "--jobs", "1"]
    with tempfile.TemporaryFile() as nowhere:
        started = [
            subprocess.Popen(
                [*command, "--shard", f"{number}/4", "--out", f"parts/{number}"],
                stdout=nowhere, stderr=nowhere,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            for number in (1, 2, 3, 4)
        ]  # fmt: skip
        while not (folder / "parts" / "2" / ".shard.json").exists():
            assert started[1].poll() is None
        started[1].kill()
        statuses = [one.wait(timeout=120) for one in started]
    assert statuses == [0, -9, 0, 0]
    assert run_cli("merge", "parts", "--out", "all").status == 1
    assert run_shard("2/4", "parts/2").status == 0
    assert run_cli("merge", "parts", "--out", "all").status == 0
    assert len(graded(folder / "all")) == 10
