"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
from pathlib import Path

import pytest

from grader.errors import BrokenError
from grader.reports.files import write_json, write_text
from grader.reports.written import write_reports
from tests.made_reports import report, typed


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_text_is_written_as_it_is_into_a_folder_that_is_made(tmp_path):
    path = tmp_path / "a" / "b" / "report.json"
    write_text(path, "é\r\n\N{SNOWMAN}\n")
    assert path.read_bytes() == "é\r\n\N{SNOWMAN}\n".encode()
    assert names(path.parent) == ["report.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old and longer")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["report.json"]


def test_a_reader_of_the_old_file_keeps_reading_the_old_file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"


@pytest.mark.parametrize("step", ["fsync", "fchmod", "write"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(step, tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")

    def fail(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "write":
        fdopen = os.fdopen

        def opened(*arguments, **options):
            file = fdopen(*arguments, **options)
            file.write = fail
            return file

        monkeypatch.setattr(os, "fdopen", opened)
    else:
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(BrokenError, match=r"report\.json cannot be written: No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.json"]


def test_a_failing_rename_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")

    def fail(_self, _target):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BrokenError, match="Permission denied"):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.json"]


@pytest.mark.parametrize("old", [None, "old"])
def test_the_file_is_flushed_before_it_takes_its_place(old, tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    if old is not None:
        path.write_text(old)
    done = []
    for module, name in ((os, "fsync"), (os, "link"), (Path, "replace")):
        original = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, _o=original, _n=name, **k: (done.append(_n), _o(*a, **k))[1]
        )
    write_text(path, "new")
    assert done == ["fsync", "link"] + (["replace"] if old is not None else [])
    assert path.read_text() == "new"


def test_only_the_authority_is_flushed_and_comes_last(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append(sorted(os.listdir(tmp_path))))
    write_reports(tmp_path, typed(report("a")), {"tests": []})
    assert flushed == [["pytest.json", "report.html", "results.json"]]
    assert (tmp_path / "report.json").is_file()


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("moment", ["write", "fsync", "link", "after the link"])
def test_a_writer_that_is_killed_leaves_no_half_of_a_file(old, moment, tmp_path):
    path = tmp_path / "report.json"
    if old is not None:
        path.write_text(old)
    child = os.fork()
    if child == 0:
        name = {"write": "fdopen", "fsync": "fsync"}.get(moment, "link")
        original = getattr(os, name)

        def killed(*arguments, **options):
            if moment == "after the link":
                original(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(os, name, killed)
        write_text(path, "new and longer")
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    left = {entry.name: entry.read_text() for entry in tmp_path.iterdir()}
    whole = left.pop("report.json", None)
    if moment == "after the link":
        assert whole == ("new and longer" if old is None else "old")
        assert set(left.values()) <= {"new and longer"}
        assert all(name.startswith(".unfinished-") for name in left)
    else:
        assert (whole, left) == (old, {})


def test_a_file_system_without_unnamed_files_gets_a_name_that_nobody_reads(tmp_path, monkeypatch):
    opened, names_seen = os.open, []

    def refuses(path, flags, *rest, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return opened(path, flags, *rest, **options)

    fsync = os.fsync
    monkeypatch.setattr(os, "open", refuses)
    monkeypatch.setattr(os, "fsync", lambda fd: (names_seen.extend(names(tmp_path)), fsync(fd)))
    write_text(tmp_path / "report.json", "new")
    assert len(names_seen) == 1
    assert names_seen[0].startswith(".unfinished-")
    assert names(tmp_path) == ["report.json"]
    assert (tmp_path / "report.json").read_text() == "new"


def test_a_folder_that_cannot_be_made_is_our_fault(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokenError, match="cannot be written"):
        write_text(tmp_path / "file" / "report.json", "x")


def test_a_folder_in_the_files_place_is_our_fault(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(BrokenError, match=r"report\.json cannot be written"):
        write_text(tmp_path / "report.json", "x")
    assert names(tmp_path) == ["report.json"]


def test_a_folder_that_cannot_be_written_to_is_our_fault(tmp_path, monkeypatch):
    opened = os.open

    def refuses(path, flags, *rest, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(BrokenError, match=r"report\.json cannot be written: Permission denied"):
        write_text(tmp_path / "report.json", "x")


def test_json_is_strict_and_ends_with_a_line(tmp_path):
    path = tmp_path / "report.json"
    write_json(path, {"a": [1, 2.5, None, "é"]})
    assert json.loads(path.read_bytes()) == {"a": [1, 2.5, None, "é"]}
    assert path.read_text().endswith("}\n")
    assert "é" in path.read_text()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, float("nan"))
    assert names(tmp_path) == ["report.json"]
