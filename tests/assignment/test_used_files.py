"""Which files of a reference a check uses: never fewer than it really opens."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import socket
import subprocess
import sys

import pytest

from grader.assignment.rubric import load_rubric
from grader.assignment.used_files import UsedFiles, files_of, imported_names, used_beside
from grader.checks import KINDS
from tests.checks.toy import make
from tests.conftest import ROOT

# Runs one check of the shipped rubric on a submission, and prints which files of the reference the
# grading process has opened for it.
RUN = """
import json, sys, pathlib
opened = set()
root = pathlib.Path("reference").resolve()
def note(event, arguments):
    if event in ("open", "exec", "import") and arguments and isinstance(arguments[0], str):
        path = pathlib.Path(arguments[0])
        if root in path.parents and "submissions" not in path.parts:
            opened.add(path)
from grader.assignment.kept_data import KeptData
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.run.session import Session
from grader.run.workers import ForkServers
rubric = load_rubric(pathlib.Path("rubric.yaml"), KINDS, run_reference=False)
for name in [name for name in sys.modules if name.startswith("_assignment_")]:
    del sys.modules[name]
sys.dont_write_bytecode = True
KeptData._digest = lambda self: ""  # which reads all files, to know whether any has changed
sys.addaudithook(note)
(question, check), = [(q, c) for q in rubric.questions for c in q.checks if c.id == sys.argv[1]]
with ForkServers() as servers:
    staged = servers.stage("own", pathlib.Path(sys.argv[2]).resolve(), rubric)
    session = Session(rubric, Assignment(rubric.reference), staged, servers, Settings())
    session.run(question, check)
plain = [str(path).replace("__pycache__/", "").split(".cpython")[0] for path in opened]
files = {pathlib.Path(path).with_suffix(".py") for path in plain}
print(json.dumps(sorted(str(path.relative_to(root)) for path in files)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "submission"),
    [
        ("q3.1", "full_marks/plain"),
        ("q3.4", "wrong/rnn_backward_forgets_time_order"),
        ("q5.5", "full_marks/plain"),
        ("q6.1", "full_marks/plain"),
        ("q2.1", "full_marks/plain"),
        ("q1.1", "full_marks/plain"),
    ],
)
def test_a_check_opens_no_file_that_does_not_count_for_it(check, submission):
    folder = ROOT / "reference" / "submissions" / submission
    assert folder.is_dir()
    ran = subprocess.run(
        [sys.executable, "-c", RUN, check, str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    opened = set(json.loads(ran.stdout.splitlines()[-1]))
    assert opened, ran.stderr
    rubric = load_rubric(ROOT / "rubric.yaml", KINDS, run_reference=False)
    ((question, spec),) = [(q, c) for q in rubric.questions for c in q.checks if c.id == check]
    used = UsedFiles(rubric)
    count = {str(path.relative_to(rubric.reference)) for path in used.counted(question, spec)}
    assert opened <= count
    assert len(count) < sum(1 for _path in rubric.reference.rglob("*.py"))


CHECKS = """
      - {id: q1.1, title: line, points: 2, kind: values, function: Line, driver: lines.line,
         cases: line, shares: {values: 0.75, edge_cases: 0.25}, outputs: {value: 0.5, slope: 0.5}}
      - {id: q1.2, title: doubled, points: 2, kind: forward, function: doubled, returns: [y]}
"""


@pytest.fixture
def used(tmp_path):
    """Make the toy assignment with a driver of its own, and return which files its checks use."""
    rubric_path = make(tmp_path, CHECKS)
    folder = tmp_path / "reference"
    text = (folder / "drivers" / "toy.py").read_text()
    (folder / "drivers" / "lines.py").write_text(
        f"if True:\n    from ..shared import (\n        helpers as h,\n    )\n{text}"
    )
    (folder / "shared").mkdir()
    (folder / "shared" / "__init__.py").write_text("")
    (folder / "shared" / "helpers.py").write_text("import os, \\\n    drawing\n")
    (folder / "drawing.py").write_text("")
    (folder / "stray.py").write_text("")
    (folder / "weights.npz").write_bytes(b"weights")
    (folder / "submissions" / "wrong").mkdir(parents=True)
    (folder / "submissions" / "wrong" / "toy.py").write_text("")

    def digests():
        rubric = load_rubric(rubric_path, KINDS, run_reference=False)
        files = UsedFiles(rubric)
        (question,) = rubric.questions
        return [files.digest(question, check) for check in question.checks]

    return folder, digests


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("toy.py", [True, True]),
        ("cases/toy.py", [True, True]),
        ("drivers/lines.py", [True, False]),
        ("shared/helpers.py", [True, False]),  # imported by the driver
        ("drawing.py", [True, False]),  # imported by what it imports
        ("shared/__init__.py", [True, True]),
        ("stray.py", [True, True]),
        ("weights.npz", [True, True]),
        ("submissions/wrong/toy.py", [False, False]),
    ],
)
def test_a_change_of_a_file_counts_for_those_who_use_it(file, changed, used):
    folder, digests = used
    before = digests()
    with (folder / file).open("ab") as target:
        target.write(b"\n# changed\n")
    assert [a != b for a, b in zip(before, digests(), strict=True)] == changed
    assert digests() == digests()


def test_a_file_that_comes_or_goes_counts(used):
    folder, digests = used
    before = digests()
    (folder / "more.npz").write_bytes(b"")
    assert all(a != b for a, b in zip(before, digests(), strict=True))
    (folder / "more.npz").unlink()
    assert digests() == before


IMPORTS = [
    "import drawing",
    "import os, drawing as d",
    "from . import (  # (all of it)\n    other, drawing)",
    "if True: from .drawing import x",
    "try:\n    import drawing\nexcept ImportError: pass",
    "a = 1; import drawing",
    "def f():\n    with a:\n        from .. import drawing",
    "class A:\n    import drawing",
    "match 1:\n    case 1:\n        import drawing",
    "import importlib\nimportlib.import_module('.draw' + 'ing', __package__)",
    "exec(open('drawing.py').read())",
    "__import__('drawing')",
]


@pytest.mark.parametrize("statement", IMPORTS)
def test_every_way_to_import_counts(statement, used):
    folder, digests = used
    (folder / "shared" / "helpers.py").write_text(statement + "\n")
    before = digests()
    (folder / "drawing.py").write_text("x = 2\n")
    after = digests()
    assert before[0] != after[0]


def test_what_a_package_imports_counts_for_all(used):
    folder, digests = used
    (folder / "shared" / "__init__.py").write_text("from .helpers import drawing\n")
    before = digests()
    (folder / "drawing.py").write_text("x = 2\n")
    assert all(a != b for a, b in zip(before, digests(), strict=True))


def test_only_the_examples_of_the_assignment_are_left_out(used):
    folder, digests = used
    (folder / "tables" / "submissions").mkdir(parents=True)
    before = digests()
    (folder / "tables" / "submissions" / "known.txt").write_text("2")
    assert all(a != b for a, b in zip(before, digests(), strict=True))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (b"import helper as known", "helper"),
        (b"x = 1; import helper", "helper"),
        (b"if x: import helper", "helper"),
        (b"from .helper \\\n  import one", "helper"),
        (b"from .a import (  # one)\n  helper, # (\n  other)", "helper"),
        (b"from . import(one, helper)", "helper"),
        ("import \ufb01lters".encode(), "filters"),
        ("from \uff48\uff45lper import f".encode(), "helper"),
        ("# -*- coding: latin-1 -*-\nimport caf\xe9".encode("latin-1"), "caf\xe9"),
        (b"# coding: utf-7\nimport +AGg-elper", "helper"),
    ],
)
def test_an_import_is_found_however_it_is_written(source, name):
    ast.parse(source)  # it is Python
    assert name in imported_names(source)


@pytest.fixture
def course(tmp_path):
    """A reference whose code is ``reference/made.py``, and a writer of files beside it."""
    (tmp_path / "reference").mkdir()

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_py", ".py").replace(
                "_json", ".json"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "reference"

    return write


@pytest.mark.parametrize(
    "code",
    [
        "import helper",
        "import importlib; importlib.import_module('helper')",
        "import importlib; importlib.import_module('helper.part')",
        "TOP / 'conf.json'",
        "open('../conf.json')",
        "open('./conf.json')",
        "str(TOP) + '/conf.json'",
        "import reads",
    ],
)
def test_what_is_used_beside_the_reference_is_found(code, course):
    reference = course(reference__made_py=f"{code}\n")
    course(helper_py="X = 1\n", conf_json="{}", reads_py="open('conf.json')\n", other_json="{}")
    found = {path.name for path in used_beside(reference)}
    assert "helper.py" in found or "conf.json" in found
    assert "other.json" not in found
    if code == "import reads":
        assert found == {"reads.py", "conf.json"}


def test_a_folder_that_is_linked_counts_with_its_files(course, tmp_path):
    reference = course(reference__made_py="TOP / 'data'\n", far__train_json="{}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "more").symlink_to(tmp_path / "far")
    (tmp_path / "data" / "back").symlink_to(tmp_path / "data")
    assert [path.name for path in used_beside(reference)] == ["train.json"]


def test_the_data_of_the_homework_are_too_large_to_be_read(course, tmp_path):
    reference = course(reference__made_py="TOP / 'data'\n", data__train_json="")
    with (tmp_path / "data" / "train.json").open("wb") as file:
        file.truncate(1 << 36)
    with pytest.raises(ValueError, match="too many"):
        used_beside(reference)


def test_what_is_no_file_is_none_of_the_reference(course):
    reference = course(reference__made_py="X = 1\n", reference__inner__deep_py="Y = 1\n")
    (reference / ".#made.py").symlink_to("root@host.1234:99")  # an editor's lock
    (reference / "loop").symlink_to(reference)
    os.mkfifo(reference / "pipe")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
        one.bind(str(reference / "socket"))
    assert [path.name for path in files_of(reference)] == ["deep.py", "made.py"]
