"""The wheel: the build backend's and the bundles' are the same, and work outside the repository."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest

import grader
from grader.errors import BrokenError
from grader.frontends import wheel
from tests.conftest import ROOT, SUBMISSIONS

INFORMATION = f"dl_grader-{grader.__version__}.dist-info"
OF_THE_BUILDER = {f"{INFORMATION}/{name}" for name in ("WHEEL", "RECORD", "METADATA")}


def contents(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def header(text):
    """Return the fields of METADATA; the README below them may have changed since installation."""
    return text.decode().partition("\n\n")[0].splitlines()


def test_the_wheel_of_bundles_holds_what_the_build_backend_packs(built, packed):
    theirs, ours = contents(built), contents(packed)
    assert set(ours) == set(theirs)
    different = {name for name in ours if ours[name] != theirs[name]} - OF_THE_BUILDER
    assert different == set()
    name = f"{INFORMATION}/METADATA"
    assert header(ours[name]) == header(theirs[name]), "install again: pip install -e '.[test]'"
    assert built.name == packed.name


def test_it_holds_the_engine_alone_with_all_that_is_no_code(packed):
    names = set(contents(packed))
    assert {name.split("/")[0] for name in names} == {"grader", "latexgrad", INFORMATION}
    assert {
        "grader/py.typed", "grader/reports/report.schema.json",
        "grader/reports/templates/report.html.j2", "grader/frontends/gradescope/files/setup.sh",
        "grader/frontends/gradescope/results.schema.json", "latexgrad/grammar.lark",
    } <= names  # fmt: skip


def test_the_record_is_right(packed, tmp_path):
    """pip refuses a wheel whose record does not name its files, and warns of other hashes."""
    words = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    target = tmp_path / "site"
    ran = subprocess.run(
        [*words, "--disable-pip-version-check", "--target", target, packed],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "WARNING" not in ran.stderr
    found = next(metadata.distributions(path=[str(target)]))
    assert {str(file) for file in found.files or ()} >= set(contents(packed))


def test_a_version_that_is_not_the_installed_one_is_not_packed(monkeypatch):
    monkeypatch.setattr(grader, "__version__", "9.9")
    with pytest.raises(BrokenError, match=r"files are of version 9\.9: pip install it again"):
        wheel.build()


def test_the_installed_command_grades_outside_the_repository(grading, open_place):
    ran = grading.run(
        *("grader", "grade", SUBMISSIONS / "wrong" / "fc_without_bias", "--only", "q5.1"),
        *("--rubric", ROOT / "rubric.yaml", "--seed", "7", "--out", "reports"), cwd=open_place,
    )  # fmt: skip
    assert (ran.status, ran.err) == (0, ""), ran
    assert re.search(r"q5\.1 +temporal_fc_forward +0 / ", ran.out)
    assert (open_place / "reports" / "fc_without_bias" / "report.html").is_file()
    where = grading.run("python", "-c", "import grader; print(grader.__file__)", cwd=open_place)
    assert where.out.startswith(str(grading.site))


@pytest.fixture(scope="module")
def demo(grading, open_place):
    """The folder of a new assignment, written by the installed wheel."""
    ran = grading.run("grader", "new", "demo", cwd=open_place)
    assert (ran.status, ran.err) == (0, "")
    assert "cd demo && grader verify\n" in ran.out
    return open_place / "demo"


def test_a_new_assignment_verifies_as_it_is(grading, demo):
    ran = grading.run("grader", "verify", cwd=demo)
    assert (ran.status, ran.err) == (0, ""), ran
    assert ran.out.splitlines()[-1] == "2 of 2 examples score as they claim"
    assert re.search(r"full_marks/plain +10 / 10 +yes ", ran.out)
    assert re.search(r"wrong/bias_forgotten +4 / 6 +yes ", ran.out)


def test_a_new_assignment_holds_what_lies_in_the_package(demo):
    starter = ROOT / "grader" / "author" / "starter"
    theirs = {p.relative_to(starter): p.read_text() for p in starter.rglob("*.*") if p.is_file()}
    theirs = {path: text for path, text in theirs.items() if "__pycache__" not in path.parts}
    written = {p.relative_to(demo): p.read_text() for p in demo.rglob("*.*")
               if p.is_file() and "__pycache__" not in p.parts}  # fmt: skip
    assert set(written) == set(theirs)
    different = {path.name for path in theirs if written[path] != theirs[path]}
    assert different == {"rubric.yaml"}


def test_the_template_of_a_new_assignment_is_checked(grading, demo):
    ran = grading.run("grader", "check", cwd=demo / "submissions_template")
    assert (ran.status, ran.err) == (1, ""), ran
    for function in ("dense_forward", "train_classifier"):
        assert f"{function} is not implemented yet" in ran.out
    assert "0 of 10 points" in ran.out


def test_the_bundle_of_a_new_assignment_is_checked_by_a_student(grading, plain, demo, tmp_path):
    """With the wheel that lies in the bundle, in an environment without what grading needs."""
    ran = grading.run("grader", "bundle", "student", "-o", tmp_path / "demo.zip", cwd=demo)
    assert (ran.status, ran.err) == (0, ""), ran
    with zipfile.ZipFile(tmp_path / "demo.zip") as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "demo"
    assert (home / wheel.name()).is_file()
    assert plain.run("grader", "check", "q1.1", cwd=home).status == 1
    right = demo / "reference" / "submissions" / "full_marks" / "plain" / "layers.py"
    (home / "layers.py").write_text(right.read_text())
    ran = plain.run("grader", "check", "q1", cwd=home)
    assert (ran.status, ran.err) == (0, ""), ran
    assert "2 of 2 checks passed" in ran.out


def test_the_version_is_printed(grading, open_place):
    ran = grading.run("grader", "--version", cwd=open_place)
    assert ran.out == f"grader, version {grader.__version__}\n"


def test_where_grading_is_possible_the_plugin_is_there(grading, tmp_path):
    ran = grading.run("python", "-m", "pytest", "--help", cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "--submission=DIR" in ran.out
