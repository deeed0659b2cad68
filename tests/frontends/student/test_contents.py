"""What a bundle holds, and what it must not hold: looked for by content, in every file of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import UsageError
from grader.frontends import wheel
from grader.frontends.student import bundle
from grader.frontends.student.record import public_seed
from grader.seeds import seed_for
from tests.conftest import HIDDEN, ROOT, SUBMISSIONS
from tests.frontends.student.conftest import Unpacked

MIN_LINE = 30  # characters: shorter lines of code are anybody's
MIN_BYTES = 32  # of an array: four numbers are no accident
ZIP = b"PK\x03\x04"


def unpacked_bytes(name: str, data: bytes):
    """Yield every file in an archive, and in the archives in it, whatever its name."""
    if not data.startswith(ZIP):
        yield name, data
        return
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for entry in file.namelist():
            yield from unpacked_bytes(f"{name}/{entry}", file.read(entry))


@pytest.fixture(scope="session")
def contents(archive):
    return dict(unpacked_bytes("bundle", archive))


@pytest.fixture(scope="session")
def own_lines(contents):
    """Lines of the reference that neither the template nor the engine nor a shipped driver has."""
    places = [ROOT / "submissions_template", ROOT / "grader", ROOT / "latexgrad"]
    allowed = [path for place in places for path in place.rglob("*.py")]
    drivers = [name.rpartition("/")[2] for name in contents if "/recorded/drivers/" in name]
    allowed += [ROOT / "reference" / "drivers" / name for name in drivers]
    known = {line.strip() for path in allowed for line in path.read_text().splitlines()}
    found = set()
    for path in (ROOT / "reference").rglob("*.py"):
        found |= {line.strip() for line in path.read_text().splitlines()}
    return {line for line in found - known if len(line) >= MIN_LINE}


def test_everything_a_student_needs_is_there(contents):
    names = {name.removeprefix("bundle/dl-hw2/") for name in contents}
    for path in (ROOT / "submissions_template").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".npz":
            name = path.relative_to(ROOT / "submissions_template").as_posix()
            assert contents[f"bundle/dl-hw2/{name}"] == path.read_bytes()
    assert {"README.md", "recorded/checks.json", "recorded/drivers/style_pieces.py"} <= names
    assert any(name.endswith(".whl/grader/frontends/student/look.py") for name in names)
    readme = contents["bundle/dl-hw2/README.md"].decode()
    assert len(readme.splitlines()) < 60
    assert max(map(len, readme.splitlines())) <= 100


def test_no_line_of_the_reference_is_in_it(contents, own_lines):
    assert len(own_lines) > 1000  # the search is worth something
    for name, data in contents.items():
        lines = {line.strip() for line in data.decode(errors="replace").splitlines()}
        assert not lines & own_lines, name


def test_it_would_be_found_if_a_line_were_there(contents, own_lines):
    line = max(own_lines, key=len)
    hidden = wheel_with(f"x = 1\n    {line}\n".encode())
    found = [
        name
        for name, data in unpacked_bytes("outer", hidden)
        if {text.strip() for text in data.decode().splitlines()} & own_lines
    ]
    assert found == ["outer/inner.bin/notes"]
    assert contents


def wheel_with(data: bytes) -> bytes:
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notes", data)
    with zipfile.ZipFile(outer, "w") as file:
        file.writestr("inner.bin", inner.getvalue())
    return outer.getvalue()


def test_no_seed_that_is_graded_with_is_in_it(contents, rubric):
    checks = [check for question in rubric.questions for check in question.checks]
    seeds = {rubric.seed, *(seed_for(rubric.assignment, c.id, rubric.seed) for c in checks)}
    seeds |= {check.seed for check in checks if hasattr(check, "seed")}
    assert len(seeds) > len(checks)
    words = re.compile("|".join(rf"(?<![\d.]){seed}(?!\d)" for seed in seeds))
    for name, data in contents.items():
        text = data.decode("latin-1") if name.endswith(".npy") else data.decode(errors="replace")
        if not name.endswith((".npy", "/LICENSE")):  # its year happens to be a seed
            assert not words.search(text), (name, words.search(text))
        for seed in seeds:
            if seed > 2**24:  # a small number is in any array
                assert seed.to_bytes(8, "little") not in data, name


def test_nothing_that_is_graded_with_is_recorded(contents, rubric):
    """Neither inputs nor outputs of the cases of the rubric's seed; those of the public one are."""
    assignment, hidden, public = Assignment(rubric.reference), [], []
    for question in rubric.questions:
        for check in question.checks:
            if check.kind != "forward":
                continue
            module = question.of(check).module
            for seed, found in ((rubric.seed, hidden), (public_seed(rubric.assignment), public)):
                drawn = seed_for(rubric.assignment, check.id, seed)
                cases = assignment.solved(
                    module, check.function, check.returns, check.opaque, drawn
                )
                for case in cases:
                    found += [*case.arguments.values(), *case.expected.values()]

    def recorded(arrays):
        everything = b"".join(contents.values())
        told = [a.tobytes() for a in arrays if a.dtype.kind == "f" and a.nbytes >= MIN_BYTES]
        assert len(told) > 100
        return [data in everything for data in told]

    assert all(recorded(public))
    assert not any(recorded(hidden))


def test_no_withheld_label_is_in_it(contents, rubric):
    assignment = Assignment(rubric.reference)
    checks = [c for q in rubric.questions for c in q.checks if c.kind == "predictions"]
    for check in checks[:1]:
        labels = np.asarray(
            assignment.dataset(check.dataset, "mini", None, check.seed).withheld[check.labels]
        )
        digits = [str(int(label)) for label in labels]
        written = ["".join(digits), "\n".join(digits), ", ".join(digits), ",".join(digits)]
        written += [" ".join(digits)]
        raw = [labels.astype(kind).tobytes() for kind in ("u1", "<i4", "<i8", "<f4", "<f8", "?")]
        raw += [np.packbits(labels.astype(bool)).tobytes()]
        for name, data in contents.items():
            joined = re.sub(rb",\s*", b",", data)
            assert not any(text.encode() in data for text in written), name
            assert ",".join(digits).encode() not in joined, name
            assert not any(one in data for one in raw), name


def test_sentences_that_are_tested_on_are_not_in_it(contents, rubric):
    assignment = Assignment(rubric.reference)
    (check,) = [c for q in rubric.questions for c in q.checks if c.id == "q6.1"]
    seed = seed_for(rubric.assignment, check.id, rubric.seed)
    data = assignment.dataset("sentences", "mini", None, seed)
    texts = [text for text in data.inputs["test_sentences"] if len(text) >= 60]
    assert len(texts) > 100
    everything = b"\n".join(contents.values())
    assert not [text for text in texts if text.encode() in everything]


def test_answers_beside_drivers_and_instructors_files_are_not_in_it(contents):
    everything = b"\n".join(contents.values())
    assert b"def _right_gram" not in everything  # drivers/style_layers.py
    assert b"captioning_sample" not in everything
    # What `grader new` writes is everybody's, and comes with the engine.
    names = " ".join(name for name in contents if "/grader/author/starter/" not in name)
    for word in ("reference/", "tests/", "rubric.yaml", "cases/", "judges", "submissions/"):
        assert word not in names


def plain_requirements(contents) -> set[str]:
    """Return the packages that the wheel in a bundle requires without any extra."""
    text = next(data for name, data in contents.items() if name.endswith("/METADATA")).decode()
    needs = [Requirement(line[15:]) for line in text.splitlines() if line.startswith("Requires-D")]
    plain = {"extra": ""}
    return {need.name for need in needs if need.marker is None or need.marker.evaluate(plain)}


def test_the_wheel_is_the_ordinary_one(contents, pristine):
    (packed,) = pristine.home.glob("*.whl")
    assert packed.name == wheel.name()
    assert packed.read_bytes() == wheel.build()
    assert (pristine.wheel / "grader" / "isolation" / "worker" / "plain.py").is_file()


def test_the_wheel_requires_what_checking_needs_and_no_more(contents):
    assert plain_requirements(contents) == {
        *("numpy", "pyyaml", "click", "rich", "pydantic", "lark", "autograd")
    }


NOT_AT_HOME = """
import importlib.machinery, sys

found = importlib.machinery.PathFinder.find_spec
absent = {absent!r}
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.split(".")[0] in absent else found(name, *rest))
"""


def test_nothing_else_is_needed_for_what_needs_numpy_only(pristine, contents, tmp_path):
    """Hides every package that is neither required by the wheel nor needed by those that are."""
    allowed, waiting = set(), list(plain_requirements(contents))
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in allowed:
            continue
        allowed.add(name)
        needs = map(Requirement, metadata.requires(name) or ())
        waiting += [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]
    absent = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not allowed & {canonicalize_name(owner) for owner in owners}
        and module not in ("grader", "latexgrad")
    }
    assert {"torch", "pytest", "jinja2", "h5py", "matplotlib", "PIL"} <= absent
    home = tmp_path / "home"
    shutil.copytree(pristine.home, home)
    for name in ("rnn_layers.py", "derivations.tex"):
        shutil.copy(SUBMISSIONS / "full_marks" / "plain" / name, home)
    ran = Unpacked(home, pristine.wheel).check("q3", site=NOT_AT_HOME.format(absent=absent))
    assert (ran.status, ran.err) == (0, ""), ran.out
    assert "6 of 6 checks passed" in ran.out


def test_the_page_says_what_else_to_install(contents):
    page = contents["bundle/dl-hw2/README.md"].decode()
    assert "To check q2, install torch and matplotlib as well" in page


def test_the_wheel_can_be_installed_without_a_network(pristine, tmp_path):
    (packed,) = pristine.home.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    options = ["--disable-pip-version-check", "--target", str(tmp_path / "site")]
    ran = subprocess.run([*command, *options, str(packed)], check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    installed = Unpacked(pristine.home, tmp_path / "site")
    assert installed.check("q77").status == 2
    assert (tmp_path / "site" / "bin" / "grader").is_file()


def test_the_same_assignment_gives_the_same_bytes(archive, rubric):
    assert bundle.build(rubric, ROOT / "submissions_template") == archive


def test_recorded_arrays_can_be_opened_by_anybody(pristine):
    with np.load(pristine.home / "recorded" / "q3.1.npz", allow_pickle=False) as arrays:
        assert arrays["0 N=3 D=4 H=5/arguments/x"].shape == (3, 4)
        assert arrays["0 N=3 D=4 H=5/expected/next_h"].shape == (3, 5)


def test_the_rubrics_seed_is_refused(rubric):
    with pytest.raises(UsageError, match=r"--seed 20261: this is the rubric's"):
        bundle.build(rubric, ROOT / "submissions_template", rubric.seed)


def test_another_seed_records_other_cases(run_cli, tmp_path, pristine):
    out = tmp_path / "hw.zip"
    ran = run_cli("bundle", "student", "-o", out, "--rubric", ROOT / "rubric.yaml", "--seed", 5)
    assert ran.status == 0, ran.err
    assert "it holds no reference and no hidden seed" in ran.out
    with zipfile.ZipFile(out) as file:
        data = file.read("dl-hw2/recorded/q3.1.npz")
    assert data != (pristine.home / "recorded" / "q3.1.npz").read_bytes()


def test_hidden_checks_leave_no_trace(small_assignment, tmp_path):
    rubric = load_rubric(small_assignment(HIDDEN), KINDS)
    template = tmp_path / "template"
    template.mkdir()
    (template / "rnn_layers.py").write_text("# yours\n")
    made = dict(unpacked_bytes("bundle", bundle.build(rubric, template)))
    ours = [data for name, data in made.items() if ".whl/" not in name]
    for word in (b"q1.2", b"secret", b"temporal_fc_forward", b"think of the bias"):
        assert not [data for data in ours if word in data]
    assert any(b"q1.1" in data for data in ours)


def test_a_template_with_a_name_that_is_taken_is_refused(rubric, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md: the bundle uses this name itself"):
        bundle.build(rubric, tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        bundle.build(rubric, tmp_path / "missing")


def test_the_guide_that_the_template_names_is_in_it(pristine):
    template = (pristine.home / "derivations.tex").read_text(encoding="utf-8")
    assert "latex_guide.md" in template
    guide = (pristine.home / "latex_guide.md").read_bytes()
    assert guide == (ROOT / "docs" / "derivations.md").read_bytes()


def test_a_template_that_leads_to_the_answers_is_refused(rubric, tmp_path):
    template = tmp_path / "template"
    template.mkdir()
    (template / "rnn_layers.py").symlink_to(ROOT / "reference" / "rnn_layers.py")
    with pytest.raises(UsageError, match=r"rnn_layers\.py: links into reference/"):
        bundle.build(rubric, template)
