"""What platforms let download, and archives of whole classes: one report per student, by name."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zipfile
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from grader.intake import canvas
from grader.intake.classes import Classes
from grader.intake.downloads import Collected, Student
from grader.intake.submission import find, stage
from tests.conftest import SUBMISSIONS, checks_of

RIGHT = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_bytes()
WRONG = RIGHT.replace(b"np.tanh", b"np.sin")
MODULES = ["rnn_layers.py", "text_classification.py"]
ONLY = ("q3.1",)


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(stream.getvalue())


HOMEWORK = zipped({"hw2/rnn_layers.py": RIGHT, "__MACOSX/hw2/._rnn_layers.py": b"x"})
CANVAS = {
    "lovelaceada_101_5551_hw2.zip": HOMEWORK,
    "turingalan_LATE_102_5552_rnn_layers-1.py": RIGHT,
    "turingalan_LATE_102_5553_explanation.md": b"words",
    "hoppergrace_103_5560_hw2-1.zip": HOMEWORK,
    "hoppergrace_103_5554_hw2.zip": zipped({"rnn_layers.py": WRONG}),
    "anon_AbC12_5557_rnn_layers.ipynb": b"{}",
    "noethere_104_text.html": b"<p>see my mail</p>",
}
MOODLE = {
    "Ada Lovelace_101_assignsubmission_file/hw2.zip": HOMEWORK,
    "Ada Lovelace_101_assignsubmission_onlinetext/onlinetext.html": b"<p>hello</p>",
    "Grace <b>Höpper_103_assignsubmission_file_/rnn_layers.py": RIGHT,
    "Alan_Mathison Turing_102_assignsubmission_file/RNN_layers.py": RIGHT,
}
MOODLE_FLAT = {
    "Ada Lovelace_101_assignsubmission_file_rnn_layers.py": RIGHT,
    "Ada Lovelace_101_assignsubmission_file_explanation.md": b"words",
    "=1+1_102_assignsubmission_file_hw2.zip": HOMEWORK,
}
METADATA = b"""submission_9001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0101'
    :email: ada@example.org
  :created_at: 2026-03-01 10:00:00.000000000 Z
  :score: 3.0
submission_9002:
  :submitters:
  - :name: Alan Turing
    :sid: 102
    :email: alan@example.org
  - :name: "Gr\\e[2Jace"
    :sid:
    :email: grace@example.org
  :created_at: 2026-03-01 10:00:00.000000000 Z
submission_9003:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0101'
    :email: ada@example.org
  :created_at: 2026-03-02 09:00:00.000000000 Z
"""
GRADESCOPE = {
    "assignment_77_export/submission_metadata.yml": METADATA,
    "assignment_77_export/submission_9001/rnn_layers.py": WRONG,
    "assignment_77_export/submission_9002/hw2.zip": HOMEWORK,
    "assignment_77_export/submission_9003/rnn_layers.py": RIGHT,
}


def laid_out(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def students(reports: dict) -> dict[str, dict]:
    return {name: made["submission"].get("student", {}) for name, made in reports.items()}


@pytest.fixture(params=["folder", "zip", "tar"])
def download(request, tmp_path):
    """Lay out what was downloaded: as it came, or unpacked."""

    def make(files: dict[str, bytes]) -> Path:
        if request.param == "folder":
            return laid_out(tmp_path / "class", files)
        path = tmp_path / ("submissions.zip" if request.param == "zip" else "class.tar.gz")
        path.write_bytes(zipped(files) if request.param == "zip" else tarred(files))
        return path

    return make


def validate(reports: dict) -> None:
    text = (resources.files("grader.reports") / "report.schema.json").read_text()
    for made in reports.values():
        jsonschema.Draft202012Validator(json.loads(text)).validate(made)


def test_canvas(download, grade, tmp_path):
    ran, reports = grade(download(CANVAS), only=ONLY)
    assert ran.status == 0, ran.err
    validate(reports)
    assert students(reports) == {
        "lovelaceada_101_5551_hw2": {"name": "lovelaceada", "id": "101", "late": False},
        "turingalan_LATE_102_5553_files": {"name": "turingalan", "id": "102", "late": True},
        "hoppergrace_103_5560_hw2-1": {"name": "hoppergrace", "id": "103", "late": False},
        "anon_AbC12_5557_rnn_layers": {"id": "anon_AbC12", "late": False},
        "noethere_104_text": {"name": "noethere", "id": "104", "late": False},
    }
    passed = {name for name, made in reports.items() if made["score"] == made["max_score"]}
    assert {name[:4] for name in passed} == {"love", "turi", "hopp"}
    grace = reports["hoppergrace_103_5560_hw2-1"]["submission"]
    assert "earlier attempts were ignored: hoppergrace_103_5554_hw2.zip" in grace["notes"]
    assert reports["turingalan_LATE_102_5553_files"]["submission"]["files"] == [
        "explanation.md",
        "rnn_layers-1.py",
    ]
    rows = list(
        csv.reader(
            io.StringIO((tmp_path / "out" / "gradebook.csv").read_text(encoding="utf-8-sig"))
        )
    )
    assert rows[0][:5] == ["submission", "status", "score", "max_score", "student"]
    assert [row[4] for row in rows[1:]] == [
        "",
        "hoppergrace",
        "lovelaceada",
        "noethere",
        "turingalan",
    ]


def test_moodle(download, grade, tmp_path):
    ran, reports = grade(download(MOODLE), only=ONLY)
    assert ran.status == 0, ran.err
    validate(reports)
    assert students(reports) == {
        "Ada_Lovelace_101_assignsubmission_file": {"name": "Ada Lovelace", "id": "101"},
        "Grace_b_Höpper_103_assignsubmission_file": {"name": "Grace <b>Höpper", "id": "103"},
        "Alan_Mathison_Turing_102_assignsubmission_file": {
            "name": "Alan_Mathison Turing", "id": "102",
        },
    }  # fmt: skip
    assert {made["score"] for made in reports.values()} == {made_max(reports)}
    pages = [page.read_text() for page in (tmp_path / "out").rglob("*.html")]
    assert not any("<b>Höpper" in page for page in pages)
    assert any("Grace &lt;b&gt;Höpper, 103" in page for page in pages)


def made_max(reports: dict) -> float:
    return next(iter(reports.values()))["max_score"]


def test_moodle_without_folders(download, grade, tmp_path):
    ran, reports = grade(download(MOODLE_FLAT), only=ONLY)
    assert ran.status == 0, ran.err
    assert set(reports) == {
        "Ada_Lovelace_101_assignsubmission_file",
        "1+1_102_assignsubmission_file",
    }
    assert {made["score"] for made in reports.values()} == {made_max(reports)}
    text = (tmp_path / "out" / "gradebook.csv").read_text(encoding="utf-8-sig")
    assert ",'=1+1," in text


def test_gradescope(download, grade):
    ran, reports = grade(download(GRADESCOPE), only=ONLY)
    assert ran.status == 0, ran.err
    validate(reports)
    assert students(reports) == {
        "submission_9003": {"name": "Ada Lovelace", "id": "0101", "email": "ada@example.org"},
        "submission_9002": {
            "name": "Alan Turing, Gr\\x1b[2Jace",
            "id": "102",
            "email": "alan@example.org, grace@example.org",
        },
    }
    assert {made["score"] for made in reports.values()} == {made_max(reports)}
    notes = reports["submission_9003"]["submission"]["notes"]
    assert "earlier attempts were ignored: submission_9001" in notes
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    "data", [b"a: [", b"- 1", b"\xff\xfe\x00", b"submission_9001: 3", b"", b"a: &a [*a, *a]",
             b"submission_9001:\n  :submitters:\n  - 3\n  - {:name: [1]}\n"],
)  # fmt: skip
def test_damaged_metadata_costs_names_only(data, tmp_path):
    files = {"submission_metadata.yml": data, "submission_9001/rnn_layers.py": RIGHT}
    ((identifier, origin),) = find([laid_out(tmp_path / "export", files)], MODULES)
    assert identifier == "submission_9001"
    made = stage(identifier, origin, tmp_path / "staged", MODULES)
    assert made.files == ("rnn_layers.py",)


CLASSES = {
    "archives alone": {"alice.zip": HOMEWORK, "bob.zip": HOMEWORK, ".DS_Store": b""},
    "archives in a folder": {
        "hw2/alice.zip": HOMEWORK,
        "hw2/bob.tar.gz": tarred({"rnn_layers.py": RIGHT}),
    },
    "archives in folders": {"alice/hw2.zip": HOMEWORK, "bob/hw2.zip": HOMEWORK},
}  # fmt: skip


@pytest.mark.parametrize("files", CLASSES.values(), ids=CLASSES)
def test_an_archive_of_archives_is_a_class(files, grade, tmp_path):
    (tmp_path / "class.zip").write_bytes(zipped(files))
    ran, reports = grade(tmp_path / "class.zip", only=ONLY)
    assert ran.status == 0, ran.err
    assert set(reports) == {"alice", "bob"}
    assert {made["score"] for made in reports.values()} == {made_max(reports)}


SINGLE = {
    "an archive in an archive": {"hw2.zip": HOMEWORK},
    "with a text": {"Abgabe/hw2.zip": HOMEWORK, "Abgabe/explanation.md": b"words"},
    "twice": {"a.zip": zipped({"b.zip": HOMEWORK})},
    "the same twice": {"alice.py": RIGHT, "x/rnn_layers.py": RIGHT, "data.zip": HOMEWORK},
}


@pytest.mark.parametrize("files", SINGLE.values(), ids=SINGLE)
def test_an_archive_within_a_submission_is_unpacked_with_a_note(files, grade, tmp_path):
    (tmp_path / "alice.zip").write_bytes(zipped(files))
    ran, reports = grade(tmp_path / "alice.zip", only=ONLY)
    assert ran.status == 0, ran.err
    assert reports["alice"]["score"] == made_max(reports)
    notes = "\n".join(reports["alice"]["submission"]["notes"])
    assert (", was unpacked" in notes) is ("alice.py" not in files)


def test_a_student_who_hands_in_several_archives_is_told_what_to_do(grade, tmp_path):
    inner = {"v1.zip": HOMEWORK, "v2.zip": zipped({"rnn_layers.py": WRONG})}
    folder = laid_out(tmp_path / "class", {"alice.zip": zipped(inner), "bob.zip": HOMEWORK})
    ran, reports = grade(folder, only=ONLY)
    assert ran.status == 0
    (check,) = checks_of(reports["alice"]).values()
    assert check["reason"] == "missing"
    assert "alice.zip holds archives and no code: v1.zip, v2.zip" in check["message"]
    assert "to grade a whole class, pass its archive to grader grade" in check["message"]
    assert reports["bob"]["score"] == made_max(reports)


def test_a_damaged_archive_within_an_archive_is_the_students_problem(tmp_path):
    path = tmp_path / "alice.zip"
    path.write_bytes(zipped({"hw2.zip": HOMEWORK[:100]}))
    made = stage("alice", path, tmp_path / "staged", MODULES)
    assert made.files == ()
    assert "hw2.zip cannot be unpacked" in (made.problem or "")


def test_archives_within_archives_are_not_unpacked_without_end(tmp_path):
    data = RIGHT
    for level in range(8):
        data = zipped({f"{level}.zip" if level else "rnn_layers.py": data})
    (tmp_path / "alice.zip").write_bytes(data)
    made = stage("alice", tmp_path / "alice.zip", tmp_path / "staged", MODULES)
    assert made.files == ("4.zip",)


def test_what_was_unpacked_for_a_class_is_removed(tmp_path):
    (tmp_path / "class.zip").write_bytes(zipped(CLASSES["archives alone"]))
    with Classes() as classes:
        found = find([tmp_path / "class.zip"], MODULES, classes)
        places = [path for _id, path in found if isinstance(path, Path)]
        assert [path.name for path in places] == ["alice.zip", "bob.zip"]
        assert all(path.is_file() for path in places)
    assert not any(path.exists() for path in places)


def test_a_damaged_class_is_one_submission_that_says_so(grade, tmp_path):
    (tmp_path / "class.zip").write_bytes(zipped(CLASSES["archives alone"])[:60])
    _ran, reports = grade(tmp_path / "class.zip", only=ONLY)
    (check,) = checks_of(reports["class"]).values()
    assert "class.zip cannot be unpacked" in check["message"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("lovelaceada_101_5551_hw2.zip", ("lovelaceada", None, "101", "5551", "hw2.zip")),
        ("o_neil_LATE_7_8_a_9_b.py", ("o_neil", "LATE", "7", "8", "a_9_b.py")),
        ("anon_x9Z_8_a.py", ("", None, "anon_x9Z", "8", "a.py")),
        ("LATE_anon_x9Z_8_a.py", ("", "LATE", "anon_x9Z", "8", "a.py")),
        ("李雷_101_5551_a b (2).py", ("李雷", None, "101", "5551", "a b (2).py")),
    ],
)
def test_names_of_canvas(name, found):
    way, *_others = canvas.readings(name)
    late = "LATE" if way.late else None
    assert (way.name, late, way.user, way.file, way.title) == found


@pytest.mark.parametrize("name", ["rnn_layers.py", "hw2.zip", "q_3_layers.py", "a_1.zip"])
def test_names_that_are_not_of_canvas(name):
    assert canvas.readings(name) == ()


def test_one_file_that_looks_like_canvas_does_not_make_a_class(tmp_path):
    files = {"week_3_4_notes.py": b"", "rnn_layers.py": RIGHT, "a.txt": b""}
    folder = laid_out(tmp_path / "alice", files)
    assert find([folder], MODULES) == [("alice", folder)]


def test_a_student_is_told_by_what_is_known():
    assert Student("A", "", "", late=False).plain() == {"name": "A", "late": False}
    assert Collected("a", ()).student is None


def test_an_export_without_submissions_is_a_usage_error(grade, tmp_path):
    folder = laid_out(tmp_path / "export", {"submission_metadata.yml": METADATA})
    ran, _reports = grade(folder, only=ONLY)
    assert ran.status == 2
    assert "no submissions found" in ran.err


def test_a_student_cannot_pass_for_a_class(tmp_path):
    files = {"submission_metadata.yml": METADATA, "submission_9001/rnn_layers.py": RIGHT}
    path = tmp_path / "alice.zip"
    path.write_bytes(zipped({"rnn_layers.py": RIGHT, **files}))
    with Classes() as classes:
        assert find([path], MODULES, classes) == [("alice", path)]
    folder = laid_out(tmp_path / "class", {"bob.zip": zipped(files), "eve.zip": HOMEWORK})
    with Classes() as classes:
        assert [identifier for identifier, _path in find([folder], MODULES, classes)] == [
            "bob",
            "eve",
        ]
