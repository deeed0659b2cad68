"""What people hand in by mistake: each is told in one line, with what to hand in instead."""

from __future__ import annotations

import io
import json
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from grader.intake.classes import Classes, find
from grader.intake.places import Places, locate
from grader.intake.submission import MAX_ENTRIES, stage
from grader.intake.wanted import unreadable
from tests.conftest import checks_of
from tests.intake.test_downloads import MODULES, RIGHT, WRONG, laid_out, tarred, zipped

RAR = b"Rar!\x1a\x07\x01\x00" + bytes(range(200))
SEVEN = b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(range(200))
DOCX = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"})


def staged(path: Path, tmp_path: Path):
    return stage("ada", path, tmp_path / "staged" / path.name / "s", ["rnn_layers.py"])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"hw2.rar": RAR}, "hw2.rar cannot be unpacked: hand in rnn_layers.py itself or a .zip"),
        ({"hw2.7z": SEVEN}, "hw2.7z cannot be unpacked: hand in rnn_layers.py itself or a .zip"),
        ({"rnn_layers.docx": DOCX}, "rnn_layers.docx is a document, not Python: hand in"),
        ({"rnn_layers.py.docx": DOCX}, "as rnn_layers.py, saved as plain text"),
        ({"RNN_Layers.PDF": b"%PDF-1.7"}, "RNN_Layers.PDF is a document, not Python"),
        ({"rnn_layers.py.lnk": b"L\0"}, "is a link to a file on your computer"),
        ({"rnn_layers.py - Shortcut.lnk": b"L\0"}, "hand in rnn_layers.py itself"),
        ({"rnn_layers - Verknüpfung.lnk": b"L\0"}, "is a link to a file on your computer"),
        ({"other.docx": DOCX}, "other.docx cannot be read: hand in the program as rnn_layers.py"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_named_with_what_to_hand_in(files, words, tmp_path):
    made = staged(laid_out(tmp_path / "ada", files), tmp_path)
    message = made.missing("rnn_layers.py")
    assert message.startswith("rnn_layers.py is not in the submission (it holds ")
    assert words in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DOCX, "rnn_layers.py is a zip archive or a Word document, not a Python program"),
        (b"{\\rtf1\\ansi import numpy}", "is a document in Rich Text Format"),
        (b"%PDF-1.4\n", "is a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "is a Word document"),
        (b"\x1f\x8b\x08\0", "is a compressed file (gzip)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a picture"),
        (b"L\0\0\0\x01\x14\x02\0\0\0", "is a shortcut, not the file that it points to"),
    ],
)
def test_a_document_under_the_name_of_the_module_is_told(data, words, tmp_path):
    made = staged(laid_out(tmp_path / "ada", {"rnn_layers.py": data}), tmp_path)
    failed = unreadable(made, "rnn_layers.py")
    assert failed is not None
    assert failed.reason == "import_error"
    assert words in failed.message
    assert "hand in the program itself, saved as plain text" in failed.message


@pytest.mark.parametrize(("data", "kind"), [(RAR, "RAR"), (SEVEN, "7z")])
@pytest.mark.parametrize("name", ["hw2.zip", "hw2.tar.gz"])
def test_an_archive_of_another_kind_under_a_known_name_is_told(data, kind, name, tmp_path):
    (tmp_path / name).write_bytes(data)
    made = staged(tmp_path / name, tmp_path)
    expected = f"{name} cannot be unpacked: it is a {kind} archive: hand in the files themselves"
    assert made.missing("rnn_layers.py").startswith(expected)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar.gz", zipped({"rnn_layers.py": RIGHT})),
        ("a.zip", tarred({"rnn_layers.py": RIGHT})),
        ("a.tar.xz", tarred({"rnn_layers.py": RIGHT})),
        ("a.tar", tarred({"PK.txt": b"", "rnn_layers.py": RIGHT})),
    ],
)
def test_an_archive_is_read_by_what_it_is_and_not_by_its_name(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    made = staged(tmp_path / name, tmp_path)
    assert made.problem is None
    assert "rnn_layers.py" in made.files
    with Classes() as classes:
        assert find([tmp_path / name], MODULES, classes) == [("a", tmp_path / name)]


def test_a_page_saved_as_an_archive_is_told_with_the_remedy(tmp_path):
    (tmp_path / "hw2.zip").write_bytes(b"<!DOCTYPE html><html><title>Log in</title></html>")
    message = staged(tmp_path / "hw2.zip", tmp_path).missing("rnn_layers.py")
    assert message.endswith("it is cut off or damaged: pack it again and upload the new archive")


def test_nobody_of_a_class_vanishes_who_hands_in_another_kind_of_archive(grade, tmp_path):
    files = {"ada.zip": zipped({"rnn_layers.py": RIGHT}), "bob.rar": RAR, "carol.7z": SEVEN}
    folder = laid_out(tmp_path / "class", files)
    _ran, reports = grade(folder, only=("q3.1",))
    assert set(reports) == {"ada", "bob", "carol"}
    for name in ("bob", "carol"):
        (check,) = checks_of(reports[name]).values()
        assert (check["reason"], check["points"]) == ("missing", 0)
        assert "cannot be unpacked: hand in rnn_layers.py itself" in check["message"]
    (tmp_path / "class.zip").write_bytes(zipped(files))
    with Classes() as classes:
        found = find([tmp_path / "class.zip"], MODULES, classes)
    assert [name for name, _origin in found] == ["ada", "bob", "carol"]


PACKAGES = [
    f"{top}/package_{number % 90}/module_{number}.py"
    for number in range(10_000)
    for top in (".venv/lib/python3.11/site-packages", "env/Lib/site-packages", "node_modules")
]


def with_packages(kind: str, folder: Path) -> Path:
    """Make a submission with 30,000 files of installed packages."""
    made = folder / f"ada{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(made, "w") as archive:
            for name in PACKAGES:
                archive.writestr(name, b"x = 1\n")
            archive.writestr("rnn_layers.py", RIGHT)
    elif kind == ".tar.gz":
        with tarfile.open(made, "w:gz", compresslevel=1) as archive:
            for name in [*PACKAGES, "rnn_layers.py"]:
                info = tarfile.TarInfo(name)
                info.size = len(RIGHT) if name.endswith("layers.py") else 0
                archive.addfile(info, io.BytesIO(RIGHT[: info.size]))
    else:
        for name in PACKAGES:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).touch()
        laid_out(made, {"rnn_layers.py": RIGHT})
    return made


@pytest.mark.parametrize("kind", [".zip", ".tar.gz", ""])
def test_thirty_thousand_installed_files_are_left_out_with_a_note(kind, tmp_path):
    path = with_packages(kind, tmp_path)
    started = time.process_time()
    with Classes() as classes:
        assert find([path], MODULES, classes) == [("ada", path)]
    made = staged(path, tmp_path)
    assert time.process_time() - started < 20  # 3 s on the machine this was written on
    assert (made.problem, made.files) == (None, ("rnn_layers.py",))
    why = "was left out: grading does not use installed packages"
    kept = {note.partition(" ")[0] for note in made.notes if note.endswith(why)}
    site = "env/Lib/site-packages"
    assert kept == {".venv/lib", site, "node_modules"}
    assert len(PACKAGES) < MAX_ENTRIES


def test_environments_beside_work_do_not_make_a_class(tmp_path):
    files = {"env/pyvenv.cfg": b"", "env/own.py": b"", "node_modules/x.py": b"", "venv/y.py": b""}
    folder = laid_out(tmp_path / "ada", {**files, "work/rnn_layers.py": RIGHT})
    assert find([folder], MODULES) == [("work", folder / "work")]
    folder = laid_out(tmp_path / "bob", {**files, "venv/rnn_layers.py": RIGHT})
    assert find([folder], MODULES) == [("bob", folder)]
    assert staged(folder, tmp_path).path_of("rnn_layers.py") == "rnn_layers.py"


def test_work_in_the_folder_of_an_environment_counts(tmp_path):
    files = {
        "venv/pyvenv.cfg": b"",
        "venv/rnn_layers.py": RIGHT,
        "venv/Scripts/activate.py": b"",
        "venv/lib/site-packages/rnn_layers.py": WRONG,
        "bin/own.py": b"1",
    }
    (tmp_path / "ada.zip").write_bytes(zipped(files))
    for path in (laid_out(tmp_path / "ada", files), tmp_path / "ada.zip"):
        made = staged(path, tmp_path)
        assert (made.folder / "rnn_layers.py").read_bytes() == RIGHT


def test_an_environment_of_any_name_is_left_out_of_a_folder(tmp_path):
    names = ["my env/pyvenv.cfg", "my env/bin/a.py", "my env/Lib/b.py", "lib/own.py"]
    files = {"rnn_layers.py": RIGHT, **dict.fromkeys(names, b"")}
    made = staged(laid_out(tmp_path / "ada", files), tmp_path)
    assert made.files == ("lib/own.py", "my env/pyvenv.cfg", "rnn_layers.py")


def test_names_of_any_letters_and_lengths_are_graded_under_names_of_their_own(grade, tmp_path):
    long = "é" * 125  # 250 bytes
    files = {
        f"{long}.zip": zipped({"rnn_layers.py": RIGHT}),
        f"{long[:-1]}e.zip": zipped({"rnn_layers.py": RIGHT}),
        "\N{GRINNING FACE}.zip": zipped({f"{long}/rnn_layers.py": RIGHT}),
        "\N{PILE OF POO} 2.zip": zipped({"\N{GRINNING FACE}/rnn_layers (1).py": RIGHT}),
        "李 雷.tar.gz": tarred({"作业/rnn_layers.py": RIGHT}),
        " =cmd() .zip": zipped({"rnn_layers.py": RIGHT}),
    }
    ran, reports = grade(laid_out(tmp_path / "class", files), only=("q3.1",))
    # The first two differ behind what a folder's name may hold.
    assert ran.status == 1, ran.err
    assert ran.err.count("contested: ") == 2
    assert len(reports) == len(files)
    assert {made["score"] for made in reports.values()} == {2.0}


def test_two_notebooks_that_both_may_be_meant_are_listed(tmp_path):
    def book(source: str) -> bytes:
        return json.dumps({"cells": [{"cell_type": "code", "source": source}]}).encode()

    files = {"hw2.ipynb": book("def f(): 1"), "hw2 copy.ipynb": book("def f(): 2")}
    path = laid_out(tmp_path / "ada", files)
    made = stage("ada", path, tmp_path / "staged", {"rnn_layers.py": {"f"}})
    failed = unreadable(made, "rnn_layers.py")
    assert failed is not None
    assert "several files could be meant: hw2 copy.ipynb, hw2.ipynb" in failed.message


@pytest.mark.parametrize("data", [zipped({}), zipped({"hw/": b"", "__MACOSX/x": b"1"})])
def test_an_empty_archive_is_told_to_be_empty(data, tmp_path):
    (tmp_path / "ada.zip").write_bytes(data)
    made = staged(tmp_path / "ada.zip", tmp_path)
    assert made.missing("rnn_layers.py").endswith("which holds no files at all")


def test_a_read_only_folder_can_be_handed_in(grade, tmp_path):
    folder = laid_out(tmp_path / "ada", {"rnn_layers.py": RIGHT})
    (folder / "rnn_layers.py").chmod(0o444)
    folder.chmod(0o555)
    try:
        ran, reports = grade(folder, only=("q3.1",))
    finally:
        folder.chmod(0o755)
    assert (ran.status, reports["ada"]["score"]) == (0, 2.0)


def test_other_capitals_are_found_where_capitals_make_no_difference(tmp_path):
    # There a file is opened under any capitals, but imported under its own only.
    (tmp_path / "RNN_Layers.PY").write_bytes(RIGHT)
    (tmp_path / "rnn_layers.py").hardlink_to(tmp_path / "RNN_Layers.PY")
    notes: list[str] = []
    made = Places()
    locate(tmp_path, ["RNN_Layers.PY"], {"rnn_layers.py": []}, made, notes.append)
    found = made.found
    assert found["rnn_layers.py"].source == "RNN_Layers.PY"
    assert (tmp_path / "rnn_layers.py").read_bytes() == RIGHT
    assert notes == ["rnn_layers.py was found as RNN_Layers.PY"]


@pytest.mark.parametrize("name", ["rnn_layers.ipynb", "hw2.ipynb"])
def test_a_notebook_beside_the_template_is_noted_with_the_remedy(name, tmp_path):
    cell = {"cell_type": "code", "source": "def rnn_step_forward(): pass"}
    files = {"rnn_layers.py": RIGHT, name: json.dumps({"cells": [cell]}).encode()}
    path = laid_out(tmp_path / "ada", files)
    made = stage("ada", path, tmp_path / "staged", {"rnn_layers.py": {"rnn_step_forward"}})
    told = f"{name} was not read because rnn_layers.py is there; to hand in the notebook instead, "
    assert made.notes == (f"{told}leave out rnn_layers.py",)
