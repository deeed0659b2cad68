"""Whose hand-in is it: what two of a class claim belongs to nobody until a person decides."""

from __future__ import annotations

import csv
import json
import zipfile

import pytest

from grader.errors import UsageError
from grader.intake.classes import Classes, find
from grader.intake.identity import looks
from tests.intake.test_downloads import HOMEWORK, RIGHT, WRONG, laid_out, zipped

MODULES = ["rnn_layers.py"]
OTHERS = zipped({"rnn_layers.py": WRONG})
ROSTER = """\
Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (77)
    Points Possible,,,,,2
Zoe,1,s1,zoe,A,
Alice,2,s2,alice,A,
"""


def claims(folder, *arguments):
    with Classes() as classes:
        found = find(arguments or [folder], MODULES, classes)
        return [name for name, _origin in found], classes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "Alice"),
        ("alice", "ali\N{CYRILLIC SMALL LETTER ES}e"),
        ("alice", "al\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}ce"),
        ("alice", "a1ice"),
        ("alice", "alice\N{ZERO WIDTH SPACE}"),
        ("alice", "\N{FULLWIDTH LATIN SMALL LETTER A}lice"),
        ("jos\N{LATIN SMALL LETTER E WITH ACUTE}", "jose\N{COMBINING ACUTE ACCENT}"),
        ("jose", "jos\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("ada lovelace", "ada_lovelace"),
        ("ada lovelace", "ada\N{NO-BREAK SPACE} lovelace"),
        ("mary", "rnary"),
        ("wilma", "vvilma"),
        ("lukasz", "\N{LATIN SMALL LETTER L WITH STROKE}ukasz"),
        ("bjorn", "bj\N{LATIN SMALL LETTER O WITH STROKE}rn"),
        ("bob", "\N{CYRILLIC SMALL LETTER VE}o\N{CYRILLIC SMALL LETTER VE}"),
    ],
)
def test_a_name_made_to_look_like_anothers_belongs_to_nobody(one, other, tmp_path):
    assert one != other
    names = [one, other, "carol"]
    folder = laid_out(tmp_path / "class", {f"{name}/rnn_layers.py": RIGHT for name in names})
    found, classes = claims(folder)
    assert len(set(found)) == 3
    assert set(classes.contested) == {name for name in found if name != "carol"}
    for why in classes.contested.values():
        assert "2 hand-ins have this name, or one that looks like it: " in why
        assert "class/" in why


@pytest.mark.parametrize(
    ("one", "other"),
    [("s1_2", "s12"), ("anna", "hanna"), ("li", "lie"), ("team_1", "team_2"), ("ian", "lan")],
)
def test_names_that_differ_are_two_students(one, other, tmp_path):
    folder = laid_out(tmp_path / "class", {f"{n}/rnn_layers.py": RIGHT for n in (one, other)})
    assert claims(folder)[1].contested == {}
    assert looks(one) != looks(other)


def test_namesakes_with_numbers_of_the_platforms_are_two_students(tmp_path):
    files = {f"liwei_{user}_{user + 5000}_hw2.zip": HOMEWORK for user in (101, 102)}
    found, classes = claims(laid_out(tmp_path / "class", files))
    assert len(found) == 2
    assert classes.contested == {}


def test_a_display_name_that_only_looks_like_another_is_contested_despite_its_number(tmp_path):
    names = ["Zoe Zhu", "Z\N{CYRILLIC SMALL LETTER O}e Zhu"]
    files = {
        f"{name}_{number}_assignsubmission_file/rnn_layers.py": RIGHT
        for number, name in enumerate(names, 500)
    }
    assert len(claims(laid_out(tmp_path / "class", files))[1].contested) == 2


def test_nothing_is_exported_for_either_until_they_are_renamed(grade, run_cli, tmp_path):
    folder = laid_out(
        tmp_path / "class",
        {
            "a/zoe.zip": HOMEWORK,
            "b/Zoe.zip": OTHERS,
            "b/alice.zip": HOMEWORK,
        },
    )
    parts = [folder / "a" / "zoe.zip", folder / "b" / "Zoe.zip", folder / "b" / "alice.zip"]
    ran, reports = grade(*parts, only=("q3.1",))
    assert ran.status == 1
    assert set(reports) == {"zoe", "Zoe-2", "alice"}
    for name in ("zoe", "Zoe-2"):
        why = reports[name]["submission"]["contested"]
        assert "a/zoe.zip (zoe), b/Zoe.zip (Zoe-2)" in why
        assert f"contested: {name}: {why}" in ran.err
    assert "contested" not in reports["alice"]["submission"]
    points, exported = export(run_cli, tmp_path)
    assert exported.status == 1
    assert exported.err.count("not exported: ") == 2
    assert points == {"Zoe": "", "Alice": "2"}

    parts[1].rename(folder / "b" / "yan.zip")
    (tmp_path / "out" / "Zoe-2" / "report.json").unlink()
    ran, _reports = grade(parts[0], folder / "b" / "yan.zip", only=("q3.1",))
    assert ran.status == 0
    assert export(run_cli, tmp_path)[0] == {"Zoe": "2", "Alice": "2"}


def export(run_cli, tmp_path, roster=ROSTER):
    (tmp_path / "roster.csv").write_text(roster)
    ran = run_cli(
        *("export", tmp_path / "out", "--format", "canvas", "--roster", tmp_path / "roster.csv"),
        *("--out", tmp_path / "upload.csv"),
    )
    with (tmp_path / "upload.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["ID"]]
    return {row["Student"]: row["Homework 2 (77)"] for row in rows}, ran


def test_no_third_hand_in_gets_the_grade_of_a_contested_student(grade, run_cli, tmp_path):
    files = {"zoe zhu.zip": HOMEWORK, "zoe_zhu.zip": OTHERS, "zhu-zoe.zip": OTHERS}
    folder = laid_out(tmp_path / "class", {**files, "alice.zip": HOMEWORK})
    grade(folder, only=("q3.1",))
    points, exported = export(
        run_cli, tmp_path, ROSTER.replace("Zoe,1,s1,zoe", '"Zhu, Zoe",1,s1,z')
    )
    assert points == {"Zhu, Zoe": "", "Alice": "2"}
    assert exported.status == 1
    assert "not exported: zhu-zoe: matches 'Zhu, Zoe' (line 3), as does zoe_zhu" in exported.err
    assert "1 of 4 grades" in exported.out


def test_a_numbered_id_is_never_another_students_name(tmp_path):
    names = ("Zoe", "zoe", "zoe-2", "ada lovelace", "ada_lovelace")
    folder = laid_out(tmp_path / "class", {f"{name}/rnn_layers.py": RIGHT for name in names})
    with Classes() as classes:
        found = {origin.name: name for name, origin in find([folder], MODULES, classes)}
    assert found == {
        "Zoe": "Zoe", "zoe": "zoe-3", "zoe-2": "zoe-2",
        "ada lovelace": "ada_lovelace-2", "ada_lovelace": "ada_lovelace",
    }  # fmt: skip
    assert set(classes.contested) == {"Zoe", "zoe-3", "ada_lovelace", "ada_lovelace-2"}


def test_an_archive_with_a_platforms_name_is_one_students(tmp_path):
    packed = zipped({"zoe/rnn_layers.py": WRONG, "bob/rnn_layers.py": RIGHT})
    folder = laid_out(tmp_path / "class", {"hoppergrace_103_5553_hw2.zip": packed})
    for argument in (folder, folder / "hoppergrace_103_5553_hw2.zip"):
        assert claims(None, argument)[0] == ["hoppergrace_103_5553_hw2"]


def test_no_report_is_overwritten_by_a_hand_in_from_elsewhere(grade, tmp_path):
    packed = zipped({"zoe/rnn_layers.py": WRONG, "bob/rnn_layers.py": WRONG})
    files = {"alice.zip": HOMEWORK, "mallory.zip": packed, "zoe.zip": HOMEWORK}
    folder = laid_out(tmp_path / "class", files)
    _ran, before = grade(folder, only=("q3.1",))
    refused, after = grade(folder / "mallory.zip", only=("q3.1",))
    assert refused.status == 2
    assert f"zoe is the report of {folder / 'zoe.zip'}, and {folder / 'mallory.zip'}/zoe" in (
        refused.err
    )
    assert f"delete {tmp_path / 'out' / 'zoe'} first" in refused.err
    assert after == before
    assert (tmp_path / "out" / ".sources.json").stat().st_mode & 0o777 == 0o600
    again, _reports = grade(folder, only=("q3.1",))
    assert again.status == 0


def test_an_archive_among_several_is_never_a_class(tmp_path):
    inside = {"zoe/rnn_layers.py": WRONG, "bob/rnn_layers.py": RIGHT}
    folder = laid_out(
        tmp_path, {"alice.zip": HOMEWORK, "mallory.zip": zipped(inside), "zoe.zip": HOMEWORK}
    )
    archives = sorted(folder.glob("*.zip"))
    assert claims(None, *archives)[0] == ["alice", "mallory", "zoe"]
    assert claims(folder)[0] == ["alice", "mallory", "zoe"]
    assert claims(None, folder / "mallory.zip")[0] == ["bob", "zoe"]  # named as the class


def test_a_canvas_name_that_can_be_anothers_replaces_nobody(tmp_path):
    made_up = "lovelaceada_101_9999999_hw2.zip_102_5552_hw2.zip"
    files = {
        "lovelaceada_101_5551_hw2.zip": HOMEWORK, made_up: OTHERS,
        "hoppergrace_103_5553_hw2_final.zip": HOMEWORK,
    }  # fmt: skip
    found, classes = claims(laid_out(tmp_path / "class", files))
    assert len(found) == 3
    assert "lovelaceada_101_5551_hw2" in found
    (why,) = classes.contested.values()
    assert "of user 101, or of user 102 with a made-up name" in why


@pytest.mark.parametrize("title", ["hw2_1_2_final.zip", "v1.2_3_4_hw.zip", "a.zip_101_7_b.zip"])
def test_numbers_in_the_title_of_an_honest_file_do_not_matter(title, tmp_path):
    files = {f"lovelaceada_101_5551_{title}": HOMEWORK, "hopper_103_5553_x.zip": HOMEWORK}
    assert claims(laid_out(tmp_path / "class", files))[1].contested == {}


def test_a_module_beside_the_folders_of_a_class_is_named(tmp_path):
    files = {"rnn_layers.py": b"1", "alice/rnn_layers.py": RIGHT, "bob/rnn_layers.py": RIGHT}
    found, classes = claims(laid_out(tmp_path / "class", files))
    assert found == ["alice", "bob"]
    assert ["rnn_layers.py (a module beside the submissions" in n for n in classes.notes] == [True]


STRAYS = (
    ("rnn_layers.py",),
    ("rnn.py",),
    ("rnn_layers (1).py", "Rnn_layers.py", "rnn.py"),
    ("derivations.tex",),
    ("predictions_q1.txt", "rnn_layers.py"),
)


@pytest.mark.parametrize("loose", STRAYS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("in_an_archive", [False, True])
def test_stray_files_do_not_swallow_a_class(loose, packed, in_an_archive, tmp_path):
    students = ["ada", "ben"] if packed else ["ada", "ben", "cora"]
    folders = {f"{name}/rnn_layers.py": RIGHT for name in students}
    files = {"ada.zip": HOMEWORK, "ben.zip": OTHERS} if packed else folders
    files = {**files, **dict.fromkeys(loose, WRONG)}
    path = tmp_path / "class.zip"
    if in_an_archive:
        path.write_bytes(zipped(files))
    else:
        path = laid_out(tmp_path / "class", files)
    texts = ["derivations.tex", "predictions_q1.txt"]
    with Classes() as classes:
        found = find([path], ["rnn_layers.py", "rnn.py"], classes, texts)
    assert [name for name, _origin in found] == students
    (note,) = classes.notes
    for name in loose:
        what = "text" if name in texts else "module"
        assert f"{name} (a {what} beside the submissions of a class)" in note


@pytest.mark.parametrize("loose", ["rnn.py", "derivations.tex"])
def test_two_folders_and_another_module_are_one_students(loose, tmp_path):
    files = {f"{name}/rnn_layers.py": RIGHT for name in ("Recurrent", "Captioning")}
    path = laid_out(tmp_path / "dora", {**files, loose: WRONG})
    with Classes() as classes:
        found = find([path], ["rnn_layers.py", "rnn.py"], classes, ["derivations.tex"])
    assert [name for name, _origin in found] == ["dora"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_module_beside_data_sets_is_one_students(packed, tmp_path):
    """Archives of any name beside a module are a class only if they hold modules themselves."""
    data = zipped({"captions.json": b"{}"})
    files = {"rnn_layers.py": RIGHT, "coco.zip": data, "cifar10.zip": data}
    path = tmp_path / "dora.zip"
    if packed:
        path.write_bytes(zipped(files))
    else:
        path = laid_out(tmp_path / "dora", files)
    found, classes = claims(None, path)
    assert (found, classes.notes) == (["dora"], [])


def test_a_stray_module_beside_files_of_a_platform_is_named(tmp_path):
    files = {f"ada_{n}_{n + 5000}_rnn_layers.py": RIGHT for n in (101, 102)}
    found, classes = claims(laid_out(tmp_path / "class", {**files, "rnn_layers.py": WRONG}))
    assert len(found) == 2
    (note,) = classes.notes
    assert note.endswith("not graded: rnn_layers.py (a module beside the submissions of a class)")


def test_a_module_beside_copies_of_itself_is_one_students(tmp_path):
    files = {"rnn_layers.py": RIGHT, "old/rnn_layers.py": WRONG, "backup/rnn_layers.py": WRONG}
    found, classes = claims(laid_out(tmp_path / "dora", files))
    assert (found, classes.notes) == (["dora"], [])


@pytest.mark.parametrize("name", ["report.json", "Results.JSON", "index.html", "pytest.json"])
def test_no_report_folder_is_called_like_a_report(name, tmp_path):
    folder = laid_out(tmp_path / "class", {f"{name}.zip": HOMEWORK, "ada.zip": HOMEWORK})
    found, classes = claims(folder)
    assert sorted(found) == sorted(["ada", f"{name}-2"])
    assert classes.contested == {}


def test_a_folder_named_like_a_module_is_the_students_and_the_file_counts(grade, tmp_path):
    files = {"rnn_layers.py/x.txt": b"x", "rnn_layers (1).py": RIGHT}
    (tmp_path / "eve.zip").write_bytes(zipped(files))
    ran, reports = grade(tmp_path / "eve.zip", only=("q3.1",))
    assert ran.status == 0
    assert reports["eve"]["score"] == 2
    notes = json.dumps(reports["eve"])
    assert "rnn_layers.py is a folder, not a file; it was renamed to rnn_layers.py_folder" in notes


def test_a_class_unpacks_to_no_more_than_its_cap_whatever_its_archive_says(tmp_path):
    """Headers that announce less than what comes out: a zip's own count is not believed."""
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ada", "ben", "cora"):
            archive.writestr(f"{name}/rnn_layers.py", RIGHT)
            archive.writestr(f"{name}/notes.txt", bytes(400_000))
    with Classes(most_bytes=1 << 20) as classes, pytest.raises(UsageError) as refused:
        find([path], MODULES, classes)
    assert "raise the limit with --max-class-gb" in str(refused.value)
    with Classes(most_bytes=2 << 20) as classes:
        assert len(find([path], MODULES, classes)) == 3
