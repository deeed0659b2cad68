"""What a worker unpacks is what was handed in, as far as grading reads it."""

import os
from pathlib import Path

import pytest

from grader.errors import BrokenError
from grader.frontends.cluster import packing
from grader.intake.contents_digest import contents_digest
from grader.intake.downloads import Collected, HandedInFile, Student
from grader.intake.submission import stage
from grader.job import Submitted
from grader.lateness import Lateness
from grader.model import LateSpec
from grader.reports.frame import Frame, GroupReport, LateReport, MemberReport
from grader.reports.report import Report
from tests import made_reports

WANTED = frozenset(["q1.1"])


def sent(origin, tmp_path, **more):
    """Return a submission as the worker has it."""
    packed = packing.pack(Submitted("ada", origin, WANTED, **more), tmp_path / "out")
    return packing.unpack(packed, tmp_path / "there", tmp_path / "worker")


def filled(folder):
    """Fill a folder with all that a student may hand in."""
    for name in ("a.py", "inner/b.py", "inner/deeper/c.txt", ".hidden", "ä ö.py"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    (folder / "empty").mkdir()
    (folder / "nothing").write_bytes(b"")
    (folder / "link").symlink_to("a.py")
    (folder / "dangling").symlink_to("/nowhere/at/all")
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"not\xffutf8.py")).write_bytes(b"\xff")
    return folder


def test_a_folder_arrives_as_it_was(tmp_path):
    folder = filled(tmp_path / "ada")
    there = sent(folder, tmp_path)
    assert there.wanted == WANTED
    assert there.path.name == "ada"
    assert contents_digest(there.path) == contents_digest(folder)
    notes = [
        stage("ada", origin, tmp_path / f"staged{number}", ["a.py"]).notes
        for number, origin in enumerate((folder, there.path))
    ]
    assert notes[0] == notes[1] != ()


def test_a_link_to_a_folder_and_a_platforms_files_arrive_as_they_were(tmp_path):
    filled(tmp_path / "real")
    (tmp_path / "late").symlink_to(tmp_path / "real")
    (tmp_path / "ada_77_rnn.py").write_text("x = 1")
    parts = (
        HandedInFile(tmp_path / "ada_77_rnn.py", "rnn.py"),
        HandedInFile(tmp_path / "late", ""),
    )
    origin = Collected("ada", parts, Student("Ada", "77"), ("a note",), "a doubt")
    there = sent(origin, tmp_path).path
    assert contents_digest(there) == contents_digest(origin)
    assert [part.path.name for part in there.parts] == ["ada_77_rnn.py", "late"]
    assert (there.student, there.notes, there.doubt) == (
        Student("Ada", "77"),
        ("a note",),
        "a doubt",
    )


def test_what_grading_does_not_read_is_not_sent(tmp_path):
    folder = tmp_path / "ada"
    for name in (".git/objects/big", "env/lib/python3/site-packages/torch/big", "kept.bin"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100_000)
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(packing.MAX_FILE_BYTES + 1)
    packed = packing.pack(Submitted("ada", folder, WANTED), tmp_path)
    assert 100_000 <= packing.packed_bytes(packed) < 110_000
    there = packing.unpack(packed, tmp_path / "there", tmp_path / "worker").path
    assert (there / "huge.bin").stat().st_size == packing.MAX_FILE_BYTES + 1
    problems = [
        (made.problem, made.notes)
        for number, origin in enumerate((folder, there))
        for made in [stage("ada", origin, tmp_path / f"staged{number}", ["a.py"])]
    ]
    assert problems[0] == problems[1]
    assert "huge.bin" in str(problems[0][0])


def test_what_is_too_large_to_be_sent_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "MAX_PACKED", 3 * packing.MIB)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "data.bin").write_bytes(bytes(4 * packing.MIB))
    with pytest.raises(BrokenError, match="it holds 4 MiB, and at most 3 MiB are sent to a dask"):
        packing.pack(Submitted("ada", tmp_path / "ada", WANTED), tmp_path)


def test_what_vanished_is_one_sentence(tmp_path):
    with pytest.raises(BrokenError, match=r"gone: cannot be read: No such file"):
        packing.pack(Submitted("ada", tmp_path / "gone", WANTED), tmp_path)


def test_what_the_files_do_not_tell_travels(tmp_path):
    (tmp_path / "ada").mkdir()
    late = LateReport.of_lateness(LateSpec(per_day=0.1), Lateness(2))
    group = GroupReport(name="T", members=(MemberReport(name="Ada"), MemberReport(login="b")))
    frame = Frame(late=late, group=group)
    assert sent(tmp_path / "ada", tmp_path, frame=frame).frame == frame
    assert sent(tmp_path / "ada", tmp_path / "again").frame == Frame()


def test_an_earlier_report_travels_with_its_pictures(tmp_path):
    picture = {
        "kind": "pictures",
        "title": "t",
        "items": [{"caption": "c", "file": "figures/a.png"}],
    }
    made = made_reports.report_of(made_reports.check("q1.1", "passed", 1.0, 1.0, figures=[picture]))
    path = tmp_path / "out" / "ada" / "figures" / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a picture")
    (tmp_path / "ada").mkdir()
    there = sent(tmp_path / "ada", tmp_path, earlier=Report.model_validate(made))
    assert there.earlier == Report.model_validate(made)
    assert Path(tmp_path, "worker", "ada", "figures", "a.png").read_bytes() == b"a picture"
