"""Classes as people pack them: strange names, clutter of systems, archives in archives."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.archives import shown
from grader.intake.classes import Classes, find
from tests.intake.test_classes import packed
from tests.intake.test_downloads import HOMEWORK, RIGHT, WRONG, laid_out, zipped
from tests.intake.test_wrapped_classes import MODULES, TEXTS

APART = unicodedata.normalize("NFD", "Zoë Å")
STUDENTS = st.from_regex(r"[b-df-hj-np-tv-z]{3,8}", fullmatch=True)  # no word for a part
ABC = ("ada", "ben", "cora")


def of(*students: str, where: str = "hw", data: bytes = RIGHT) -> dict[str, bytes]:
    return {f"{where}/{who}/rnn_layers.py": data for who in students}


def section(number: int) -> bytes:
    return zipped({f"{who}{number}/rnn_layers.py": RIGHT for who in ABC})


STRANGE = {
    "other alphabets": (of("Łukasz Żółć", "李 雷", "Ñandú"), {"Łukasz_Żółć", "李_雷", "Ñandú"}),
    "letters and accents apart": (of(APART, "ben"), {"Zoë_Å", "ben"}),
    "one name in two cases": (of("Ada", "ada"), {"Ada", "ada-2"}),
    "one name after cleaning": (of("ada lee", "ada_lee", "ada;lee"),
                                {"ada_lee", "ada_lee-2", "ada_lee-3"}),
    "resource forks": ({**of("a", "b"), "__MACOSX/hw/a/._rnn_layers.py": b"", "hw/._a": b"",
                        "hw/a/._rnn_layers.py": b"", "hw/.DS_Store": b"", ".DS_Store": b""},
                       {"a", "b"}),
    "forks of archives": ({**{f"hw/{who}.zip": HOMEWORK for who in ABC},
                           **{f"hw/._{who}.zip": b"0" for who in ABC},
                           **{f"__MACOSX/hw/._{who}.zip": b"0" for who in ABC}}, {*ABC}),
    "clutter of Windows": ({**of(*ABC), "hw/desktop.ini": b"", "Thumbs.db": b""}, {*ABC}),
    "an empty folder": ({**of("ada", "ben"), "hw/cora/.keep": b""}, {*ABC}),
    "only a picture": ({**of("ada", "ben"), "hw/cora/scan.jpg": b"x"}, {*ABC}),
    "another name of the file": ({**of("ada", "ben"), "hw/cora/mine.py": b""}, {*ABC}),
    "archives and folders": ({**of("ada"), "hw/ben.zip": HOMEWORK, "hw/cora/x.zip": HOMEWORK},
                             {*ABC}),
    "broken archives beside": ({**of("ada"), "hw/ben.zip": b"PK", "hw/cora.tar.gz": b""}, {*ABC}),
    "late archives": ({"hw/ada.zip": HOMEWORK, "hw/hw2 late/ben.zip": HOMEWORK,
                       "hw/hw2 late/cora.zip": HOMEWORK}, {*ABC}),
    "archives beside folders of archives": (
        {"hw/ada.zip": HOMEWORK, "hw/Dr Smith/ben.zip": HOMEWORK, "hw/Dr Smith/cora.rar": b"Rar!"},
        {*ABC}),
    "late archives, two folders": (
        {f"hw/{when}/{who}{when[:2]}.zip": HOMEWORK for when in ("late", "on time") for who in ABC},
        {f"{who}{when}" for when in ("la", "on") for who in ABC}),
    "one late archive": ({"hw/ada.zip": HOMEWORK, "hw/ben.zip": HOMEWORK,
                          "hw/late submissions/cora.zip": HOMEWORK}, {*ABC}),
    "late folders": ({**of("ada", "ben"), **of("cora", "dan", where="hw/late")}, {*ABC, "dan"}),
    "late folders beside archives": (
        {"hw/ada.zip": HOMEWORK, **of("ben", "cora", where="hw/resubmissions")}, {*ABC}),
    "archives of one student": (
        {"hw/ada.zip": HOMEWORK, "hw/ben/ben_v1.zip": HOMEWORK, "hw/ben/ben_v2.zip": HOMEWORK,
         "hw/cora/code.zip": HOMEWORK, "hw/cora/text.zip": HOMEWORK}, {*ABC}),
    "the archive of the class": ({"hw/class.zip": zipped(of(*ABC))}, {*ABC}),
    "the same in archives": ({"a/b.zip": zipped({"c/d.zip": zipped(of(*ABC))})}, {*ABC}),
    "archives of sections": ({"section 1.zip": section(1), "section 2.zip": section(2)},
                             {f"{who}{n}" for who in ABC for n in (1, 2)}),
    "the same in a folder": ({"x/Sec-A.zip": section(1), "x/Sec-B.zip": section(2)},
                             {f"{who}{n}" for who in ABC for n in (1, 2)}),
    "years and sections": ({f"{year}/{part}/u{year}{part}{n}/rnn_layers.py": RIGHT
                            for year in (2025, 2026) for part in "xy" for n in "12"},
                           {f"u{year}{part}{n}" for year in (2025, 2026) for part in "xy"
                            for n in "12"}),
    "a section of one": ({**of("ada", "ben", where="section 1"), **of("cora", where="section 2")},
                         {*ABC}),
    "namesakes in sections": ({**of("ada", "ben", where="class 1"), **of("ada", where="class 2")},
                              {"ada", "ada-2", "ben"}),
    "a namesake in groups": ({**of(*ABC, where="red"), **of("ada", "dan", "eve", where="blue")},
                             {*ABC, "ada-2", "dan", "eve"}),
}  # fmt: skip
ONE = {
    "a homework in an archive": {"x/hw2.zip": zipped({"hw/rnn_layers.py": RIGHT})},
    "a broken one": {"x/hw2.zip": b"PK\3\4xxx"},
    "a broken one in an archive": {"x/hw2.zip": zipped({"x.zip": b"PK"})},
    "an old copy": {"x/mine/rnn_layers.py": RIGHT, "x/old.zip": HOMEWORK},
    "parts": {"x/code.zip": HOMEWORK, "x/data.zip": HOMEWORK, "x/q3/rnn_layers.py": RIGHT},
    "versions of all": {f"{who}/{version}/rnn_layers.py": WRONG for who in ("slow", "quick")
                        for version in ("try_it", "use_it")},
}  # fmt: skip


def names(tmp_path, files, kind):
    with Classes() as classes:
        path = laid_out(tmp_path / "class", files) if kind == "folder" else packed(
            tmp_path, files, kind)  # fmt: skip
        return [name for name, _origin in find([path], MODULES, classes, TEXTS)]


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize(("files", "students"), STRANGE.values(), ids=STRANGE)
def test_nobody_of_a_class_vanishes(files, students, kind, tmp_path):
    found = names(tmp_path, files, kind)
    assert len(found) == len(students)
    assert {name.casefold() for name in found} == {name.casefold() for name in students}


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("case", ONE)
def test_what_one_student_packed_stays_together(case, kind, tmp_path):
    expected = 2 if case == "versions of all" else 1
    assert len(names(tmp_path, ONE[case], kind)) == expected


def test_a_folder_with_nothing_in_it_is_a_student_who_handed_in_nothing(tmp_path):
    folder = laid_out(tmp_path / "class", of("ada", "ben", where="x/y"))
    (folder / "x" / "y" / "cora").mkdir()
    assert [name for name, _origin in find([folder], MODULES)] == [*ABC]


def _pipe(path):
    os.mkfifo(path)


def _link(path):
    path.symlink_to("/nowhere/at all")


def _loop(path):
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [_pipe, _link, _loop])
@pytest.mark.parametrize("name", ["cora", "cora.zip", "hw2.tar.gz", "late\n", "cora_1_2_hw2.zip"])
@pytest.mark.parametrize("where", ["", "x/y/"])
def test_what_is_neither_file_nor_folder_is_named_and_costs_nobody(where, name, make, tmp_path):
    folder = laid_out(tmp_path / "class", of("ada", "ben", where=f"{where}.").copy())
    make(folder / where / name)
    with Classes() as classes:
        found = [identifier for identifier, _origin in find([folder], MODULES, classes, TEXTS)]
        (note,) = classes.notes
    assert found == ["ada", "ben"]
    assert note.count("\n") == 0
    assert note.startswith(f"{folder}: not graded: {shown(name)} (")
    assert note.endswith(
        "(neither a file nor a folder)" if make is _pipe else "(a link to nothing)"
    )


def test_the_command_names_what_it_does_not_grade(grade, tmp_path):
    folder = laid_out(tmp_path / "class", of("ada", "ben", where="."))
    _pipe(folder / "cora")
    ran, reports = grade(folder, only=("q3.1",))
    assert set(reports) == {"ada", "ben"}
    assert "note: " in ran.err
    assert "not graded: cora (neither a file nor a folder)" in ran.err


@settings(deadline=None, max_examples=60)
@given(
    wrappers=st.lists(st.sampled_from(["hw2", "export", "all of them", "x", "2026"]), max_size=5),
    students=st.sets(STUDENTS, min_size=3, max_size=6),
    kind=st.sampled_from(["rnn_layers.py", "derivations.tex", "hw.zip", "deep/er/rnn_layers.py"]),
)  # fmt: skip
def test_a_class_in_any_folders(wrappers, students, kind, tmp_path_factory):
    data = HOMEWORK if kind.endswith(".zip") else RIGHT
    files = {"/".join([*wrappers, who, kind]): data for who in students}
    found = names(tmp_path_factory.mktemp("any"), files, "folder")
    assert sorted(found) == sorted(students)
