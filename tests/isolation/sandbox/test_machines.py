"""The contract on the machines that graders run on: root, a plain user, a container."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import machines
from tests.conftest import ROOT, SUBMISSIONS

# What may still succeed there: the names of files can be asked for without a root folder of one's
# own, and without Landlock folders can be listed.
TOLERATED = {
    "root": set(),
    "user": set(),
    "user-without-userns": {"sees_names"},
    "container": {"sees_names"},
    "container-without-landlock": {"lists_the_machine"},
}


@pytest.fixture
def place():
    """A folder that every user may enter and write."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def run(kind, place, *words):
    why = machines.lacking(kind)
    if why is not None:
        pytest.skip(why)
    return subprocess.run(
        machines.command(kind, sys.executable, "-m", "grader", *words),
        cwd=place, capture_output=True, text=True, timeout=240, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(place), "TMPDIR": str(place)},
    )  # fmt: skip


def private_assignment(place):
    """Copy the assignment to a folder that only root may enter, as a container should have it."""
    folder = place / "assignment"
    for name in ("reference", "submissions_template"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("submissions", "__pycache__")
        )
    shutil.copy(ROOT / "rubric.yaml", folder)
    folder.chmod(0o700)
    return folder / "rubric.yaml"


@pytest.mark.parametrize("kind", machines.KINDS)
def test_the_contract_is_kept(kind, place):
    rubric = ROOT / "rubric.yaml"
    if kind == "container-without-landlock":
        # Nothing but the modes of files protects them there.
        rubric = private_assignment(place)
    ran = run(kind, place, "doctor", "--rubric", rubric, "--json", place / "found.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads((place / "found.json").read_text())
    succeeded = {attack["name"] for attack in found["attacks"] if not attack["stopped"]}
    assert succeeded <= TOLERATED[kind]
    assert found["level"] == "full"
    expected = {"process", "environment", "rlimits", "no_new_privs", "seccomp"}
    assert expected <= {layer.split()[0] for layer in found["layers"]}
    assert ("setuid" in found["layers"]) == (not kind.startswith("user"))
    if kind in ("user-without-userns", "container", "container-without-landlock"):
        assert "namespaces" in found["missing"]
    assert len(found["advice"]) >= len(found["missing"])


def test_an_assignment_that_anybody_can_read_is_noticed_without_landlock(place):
    ran = run("container-without-landlock", place, "doctor", "--rubric", ROOT / "rubric.yaml",
              "--json", place / "found.json")  # fmt: skip
    assert ran.returncode == 1
    found = json.loads((place / "found.json").read_text())
    assert found["level"] == "partial"
    assert any("chmod 700" in line for line in found["advice"])


def test_grading_fails_closed(place):
    def grade(*options):
        return run(
            "container-without-landlock", place, "grade",
            SUBMISSIONS / "full_marks" / "plain", "--rubric", ROOT / "rubric.yaml",
            "--only", "q3.1", "--out", place / "out", *options,
        )  # fmt: skip

    refused = grade()
    assert refused.returncode == 3
    said = [line for line in refused.stderr.splitlines() if not line.startswith("note: hidden")]
    assert len(said) == 1
    assert "nothing was graded" in refused.stderr
    assert "reads_the_reference" in refused.stderr
    assert [path.name for path in (place / "out").iterdir()] in ([], [".sources.json"])

    graded = grade("--isolation", "partial")
    assert graded.returncode == 0, graded.stderr
    report = json.loads((place / "out" / "plain" / "report.json").read_text())
    assert report["score"] == report["max_score"]
    assert report["isolation"][0] == "partial"
    assert any("reads_the_reference" in line for line in report["isolation"])
    assert "isolation: partial" in graded.stdout

    unsaid = grade("--isolation", "none")
    assert unsaid.returncode == 2
    assert "--unsafe" in unsaid.stderr


@pytest.mark.parametrize("kind", machines.KINDS[1:4])
def test_hostile_submissions_gain_nothing_there(kind, place):
    names = ("kills_its_parent", "leaves_a_process", "exits_in_a_call", "eats_memory")
    ran = run(
        kind, place, "verify", "--rubric", ROOT / "rubric.yaml", "--jobs", "2",
        *(f"hostile/{name}" for name in names),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(names)} of {len(names)} examples score as they claim" in ran.stdout


def test_isolation_can_be_switched_off_on_purpose(grade):
    ran, reports = grade(
        SUBMISSIONS / "full_marks" / "plain",
        only=("q3.1",),
        options=("--isolation", "none", "--unsafe"),
    )
    assert ran.status == 0
    assert reports["plain"]["score"] == reports["plain"]["max_score"]
    assert reports["plain"]["isolation"][0] == "none"
    assert "seccomp" not in reports["plain"]["isolation"]
