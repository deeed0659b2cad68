"""The Dockerfile and the archive for Gradescope, built and run for real.

``make container-test`` runs these; they take some minutes and need root, buildah and debootstrap.
``GRADER_CONTAINER`` names the folder in which images are kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

import grader.frontends.gradescope
from grader.assignment.examples import assembled, load_examples
from tests import machines
from tests.container.image import BASE, IMAGE, PIP_ARGS, WHEELS, Container, Images, lacking

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "GRADER_CONTAINER"
# Isolation of buildah's kind "chroot": see the capabilities that docs/gradescope.md names.
CAP_SYS_ADMIN, CAP_SYS_PTRACE = 21, 19
LAYERS = ("q3.1", "q5.1", "q5.2")
HOSTILE = [
    "reads_the_reference_by_path", "forges_an_answer", "kills_its_parent", "walks_frames",
    "writes_results", "eats_memory", "runs_a_shell", "connects_to_the_internet",
    "loops_forever", "reads_other_submissions",
]  # fmt: skip
pytestmark = [
    pytest.mark.skipif(VARIABLE not in os.environ, reason="make container-test runs these"),
    pytest.mark.skipif(lacking() is not None, reason=f"images cannot be built: {lacking()}"),
]


@pytest.fixture(scope="module")
def images() -> Images:
    return Images(Path(os.environ[VARIABLE]).resolve())


@pytest.fixture(scope="module")
def machine(images: Images) -> Iterator[Container]:
    """A container of the image that the Dockerfile makes."""
    seconds = images.build()
    print(f"image built in {seconds:.0f} s")
    with images.container(IMAGE) as made:
        yield made


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    path = Path(grader.frontends.gradescope.__file__).parent / "results.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def hand_in(machine: Container, schema: jsonschema.Draft202012Validator):
    """Run the image's autograder on a submission, as the platform does."""

    def run(submission: Path, *only: str, wrapper: tuple[str, ...] = (), **variables: str):
        root = machine.files / "autograder"
        for name in ("submission", "results"):
            shutil.rmtree(root / name, ignore_errors=True)
        shutil.copytree(submission, root / "submission")
        (root / "results").mkdir()
        metadata = {"created_at": "2026-03-01T10:00:00-07:00", "previous_submissions": []}
        (root / "submission_metadata.json").write_text(json.dumps(metadata))
        named = [word for name in only for word in ("--only", name)]
        words = (*wrapper, "/autograder/run_autograder", *named)
        ran = machine.run(*words, **variables)
        print(f"{submission.name}: {ran.seconds:.1f} s, exit status {ran.status}")
        assert "Traceback" not in ran.out, ran.out
        found = json.loads((root / "results" / "results.json").read_text())
        schema.validate(found)
        return ran, found

    return run


@pytest.fixture(scope="module")
def examples(rubric):
    """The example submissions by name, completed by their bases."""
    with assembled(load_examples(rubric)) as work:
        yield {item.identifier: item.path for item in work}


def outcomes(found: dict) -> dict[str, str]:
    return {test["number"]: test["extra_data"]["outcome"] for test in found["tests"]}


def test_the_image_holds_the_assignment_where_only_root_may_enter(machine):
    source = machine.files / "autograder" / "source"
    assert oct(source.stat().st_mode & 0o777) == "0o700"
    assert (source / "assignment" / "rubric.yaml").is_file()
    assert not (source / "assignment" / "reference" / "submissions").exists()
    assert not (source / "engine").exists()


def test_the_systems_python_is_as_it_was(machine):
    ran = machine.run("/usr/bin/python3", "-c", "import numpy")
    assert ran.status != 0
    assert "No module named 'numpy'" in ran.out
    assert machine.run("readlink", "-f", "/opt/grader/bin/python3").out.startswith("/usr/bin/")


def test_isolation_is_full_without_namespaces_and_with_few_capabilities(machine):
    status = machine.run("cat", "/proc/self/status").out
    (effective,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
    assert not int(effective, 16) & (1 << CAP_SYS_ADMIN | 1 << CAP_SYS_PTRACE)
    rubric = "/autograder/source/assignment/rubric.yaml"
    words = ("/opt/grader/bin/grader", "doctor", "--rubric", rubric, "--json", "/root/doctor.json")
    ran = machine.run(*words)
    found = json.loads((machine.files / "root" / "doctor.json").read_text())
    assert [attack for attack in found["attacks"] if not attack["stopped"]] == []
    assert (ran.status, found["level"]) == (0, "full")
    assert "namespaces" in found["missing"]


def test_the_reference_solution_earns_every_point_within_the_budget(hand_in, examples):
    ran, found = hand_in(examples["full_marks.plain"])
    assert ran.status == 0
    assert found["score"] >= 98  # explanations are marked by a person, extra credit is on top
    assert set(outcomes(found).values()) <= {"passed", "pending"}
    assert "isolation: full, 30 of 30 attacks stopped" in ran.out
    assert "namespaces" not in ran.out.split("isolation:")[1]
    assert "not_reached" not in found["extra_data"]
    assert found["execution_time"] < 540


def test_a_wrong_submission_loses_what_it_loses_elsewhere(hand_in, examples):
    _ran, found = hand_in(examples["wrong.fc_without_bias"], *LAYERS)
    assert outcomes(found)["q3.1"] == "passed"
    assert outcomes(found)["q5.1"] in {"failed", "partial"}
    assert "bias" in found["tests"][1]["output"]


def test_the_template_earns_nothing(hand_in):
    ran, found = hand_in(ROOT / "submissions_template", *LAYERS)
    assert (ran.status, found["score"]) == (0, 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_gains_nothing_and_leaves_nothing(name, machine, hand_in, examples):
    before = {path.name for path in (machine.files / "tmp").iterdir()}
    ran, found = hand_in(examples[f"hostile.{name}"], *LAYERS)
    assert ran.status == 0, ran.out
    checks = outcomes(found)
    assert checks.pop("q5.2") in {"failed", "partial"}
    assert set(checks.values()) == {"passed"}
    assert found["score"] < 5
    assert "isolation: full" in ran.out
    assert {path.name for path in (machine.files / "tmp").iterdir()} == before
    assert sorted(path.name for path in (machine.files / "autograder" / "results").iterdir()) == [
        "results.json"
    ]


@pytest.fixture
def source_with_examples(machine: Container) -> Iterator[str]:
    """The assignment with its example submissions, which the image comes without."""
    place = machine.files / "autograder" / "source" / "assignment" / "reference" / "submissions"
    shutil.copytree(ROOT / "reference" / "submissions", place)
    yield "/autograder/source/assignment/rubric.yaml"
    shutil.rmtree(place)


def test_every_hostile_example_scores_as_it_claims(machine, source_with_examples, rubric):
    """One run of all of them, one after the other, in one grader."""
    names = [e.name for e in load_examples(rubric) if e.name.startswith("hostile/")]
    before = {path.name for path in (machine.files / "tmp").iterdir()}
    words = ("verify", "hostile/*", "--jobs", "1", "--rubric", source_with_examples)
    ran = machine.run("/opt/grader/bin/grader", *words, timeout_s=1800)
    print(f"{len(names)} hostile examples: {ran.seconds:.0f} s")
    assert ran.status == 0, ran.out
    assert f"{len(names)} of {len(names)} examples score as they claim" in ran.out
    assert {path.name for path in (machine.files / "tmp").iterdir()} == before


def test_an_honest_submission_after_all_of_them_earns_every_point(hand_in, examples):
    _ran, found = hand_in(examples["full_marks.vectorised"], *LAYERS)
    assert set(outcomes(found).values()) == {"passed"}


WITHOUT_LANDLOCK = """
import os, sys
sys.path.insert(0, "/root")
import machines
machines.libc.prctl(38, 1, 0, 0, 0)  # no_new_privs: a filter without CAP_SYS_ADMIN needs it
machines._filter([], absent=list(machines.LANDLOCK), namespaces=False)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_without_landlock_the_closed_folder_keeps_isolation_full(machine, hand_in, examples):
    shutil.copy(machines.__file__, machine.files / "root" / "machines.py")
    wrapper = ("/usr/bin/python3", "-c", WITHOUT_LANDLOCK)
    submission = examples["hostile.reads_the_reference_by_path"]
    ran, found = hand_in(submission, *LAYERS, wrapper=wrapper)
    assert "landlock" not in ran.out
    assert "isolation: full" in ran.out
    assert found["score"] == 3


def test_a_container_with_little_memory_grades_what_fits_and_says_so(hand_in, examples):
    only = ("q3.1", "q2.1", "q6.1", "q6.6")
    ran, found = hand_in(examples["full_marks.plain"], *only, GRADER_MEMORY_MB="768")
    assert ran.status == 0
    assert outcomes(found) == {
        "q2.1": "pending",
        "q3.1": "passed",
        "q6.1": "pending",
        "q6.6": "passed",  # a file of predictions: no worker, no torch
    }
    assert "needs a container with more memory" in found["tests"][0]["output"]
    assert "THIS GRADE IS NOT FINAL" in found["output"]


@contextlib.contextmanager
def memory_limit(megabytes: int) -> Iterator[None]:
    """Put this process into a control group of its own, below the one it is in."""
    groups = Path("/proc/self/cgroup").read_text().splitlines()
    paths = [line.split(":", 2)[2] for line in groups if line.split(":")[1] == "memory"]
    if not paths:
        pytest.skip("no control group of version 1 for memory here")
    parent = Path("/sys/fs/cgroup/memory") / paths[0].lstrip("/")
    group = parent / "grader-container-test"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(megabytes << 20))
        (group / "cgroup.procs").write_text(str(os.getpid()))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group can be made here: {error.strerror}")
    try:
        yield
    finally:
        (parent / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def test_a_real_limit_of_768_mb_is_seen_and_kept(hand_in, examples, tmp_path):
    folder = tmp_path / "eats_memory"
    shutil.copytree(examples["hostile.eats_memory"], folder)
    shutil.copy(examples["full_marks.plain"] / "text_classification.py", folder)
    with memory_limit(768):
        ran, found = hand_in(folder, *LAYERS, "q6.1")
    assert ran.status == 0, ran.out
    checks = outcomes(found)
    assert checks["q6.1"] == "pending"
    assert "this one has 768 MB" in found["tests"][-1]["output"]
    # It takes all that is left of 768 MB: less than the rubric promises, so nobody can tell.
    assert checks["q5.2"] == "pending"
    assert checks["q3.1"] == checks["q5.1"] == "passed"


def test_the_archive_sets_up_a_bare_image_and_grades(images, machine, schema, examples, tmp_path):
    """``machine`` is asked for so that the base and the wheels are there."""
    file = tmp_path / "autograder.zip"
    words = [sys.executable, "-m", "grader", "bundle", "gradescope", "-o", file]
    subprocess.run([*words, "--pip-args", PIP_ARGS, "--budget", "300"], cwd=ROOT, check=True)
    with images.container(BASE) as made, zipfile.ZipFile(file) as archive:
        root = made.files / "autograder"
        (root / "source").mkdir(parents=True)
        archive.extractall(root / "source")
        # What the platform does with the two scripts.
        shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
        (root / "run_autograder").chmod(0o755)
        ran = made.run(
            *("bash", "/autograder/source/setup.sh"), volumes=(f"{images.wheels}:{WHEELS}:ro",)
        )
        assert ran.status == 0, ran.out
        assert "ready: Homework 2, 100 points" in ran.out
        shutil.copytree(examples["full_marks.vectorised"], root / "submission")
        (root / "results").mkdir()
        ran = made.run("/autograder/run_autograder", "--only", "q3")
        found = json.loads((root / "results" / "results.json").read_text())
        schema.validate(found)
        assert (ran.status, set(outcomes(found).values())) == (0, {"passed"}), ran.out
        assert "isolation: full" in ran.out
