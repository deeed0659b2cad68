"""Texts are found wherever they lie in a submission; which of several is read is never a secret."""

from __future__ import annotations

import pytest

from grader.frontends.gradescope.run import _submission
from grader.frontends.student.staged import StudentFolder
from grader.frontends.student.watch import meant
from grader.intake.submission import find, stage
from tests.conftest import SUBMISSIONS, checks_of
from tests.intake.test_downloads import laid_out, zipped

CODE = b"x = 1\n"
MODULES = {"rnn_layers.py": (), "rnn.py": ()}
TEXTS = ["derivations.tex", "derivations.md", "explanation.md", "predictions_q1.txt"]
OURS, OTHER, LEFT = b"$ours$", b"$other$", b"TODO\nTODO\n"
FOUND = {
    "beside": ["rnn/rnn_layers.py", "derivations/derivations.tex"],
    "at the top": ["src/rnn_layers.py", "derivations.tex"],
    "at the top, code deep": ["hw/src/nn/rnn_layers.py", "hw/derivations.tex"],
    "deep beside": ["code/rnn_layers.py", "text/latex/final/derivations.tex"],
    "in the folder of the module": ["a/rnn_layers.py", "a/derivations.tex"],
    "under it": ["a/rnn_layers.py", "a/tex/derivations.tex"],
    "a copy": ["code/rnn_layers.py", "text/Derivations (1).tex"],
    "other capitals": ["code/rnn_layers.py", "Text/DERIVATIONS.TEX"],
    "two modules": ["q3/rnn_layers.py", "q5/rnn.py", "text/derivations.tex"],
    "no module at all": ["text/derivations.tex"],
    "a space in its folder": ["my code/rnn_layers.py", "my text/derivations.tex"],
}
# For each the first text counts and the note names the rest.
CHOSEN = {
    "the nearest": ["src/derivations.tex", "derivations.tex"],
    "not one beside": ["derivations.tex", "other/derivations.tex"],
    "no backup within": ["derivations.tex", "src/backup/derivations.tex"],
    "no old one": ["text/deep/derivations.tex", "old/derivations.tex"],
    "no copy": ["derivations.tex", "src/derivations (1).tex"],
    "no draft": ["text/derivations.tex", "src/draft 2/derivations.tex"],
    "no copies of folders": ["text/derivations.tex", "text copy/derivations.tex"],
}


def staged(tmp_path, files, kind="folder"):
    if kind == "zip":
        (tmp_path / "ada.zip").write_bytes(zipped(files))
        return stage("ada", tmp_path / "ada.zip", tmp_path / "staged", MODULES, others=TEXTS)
    return stage("ada", laid_out(tmp_path / "ada", files), tmp_path / "staged", MODULES,
                 others=TEXTS)  # fmt: skip


def read(made, name="derivations.tex"):
    return (made.folder / made.path_of(name)).read_bytes()


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("names", FOUND.values(), ids=FOUND)
def test_a_text_is_found_in_any_folder(names, kind, tmp_path):
    made = staged(tmp_path, {**dict.fromkeys(names, CODE), names[-1]: OURS}, kind)
    assert read(made) == OURS
    assert made.places.obstacles == {}
    if names[-1] != "a/derivations.tex":
        (note,) = [note for note in made.notes if note.startswith("derivations.tex was found")]
        assert names[-1].removeprefix("a/") in note or "at the top" in note


@pytest.mark.parametrize("names", CHOSEN.values(), ids=CHOSEN)
def test_of_several_texts_the_nearest_counts_and_the_others_are_named(names, tmp_path):
    first, *rest = names
    made = staged(tmp_path, {"src/rnn_layers.py": CODE, first: OURS, **dict.fromkeys(rest, OTHER)})
    assert read(made) == OURS
    (note,) = [note for note in made.notes if "ignored" in note]
    assert all(name.removeprefix("src/") in note for name in rest)


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("src/derivations.tex", "derivations.tex"),
        ("src/derivations.tex", "text/derivations.tex"),
        ("derivations.tex", "far/away/derivations.tex"),
        ("src/derivations.tex", "text/derivations (2).tex"),
        ("homework/derivations.tex", "src/deep/derivations.tex"),
    ],
)
def test_the_untouched_template_comes_last(template, answer, tmp_path):
    made = staged(tmp_path, {"src/rnn_layers.py": CODE, template: LEFT, answer: OURS})
    assert read(made) == OURS
    assert any(template.removeprefix("src/") in note and "ignored" in note for note in made.notes)


@pytest.mark.parametrize(
    "names",
    [
        ("text/derivations.tex", "tex/derivations.tex"),
        ("a/b/derivations.tex", "b/a/derivations.tex"),
        ("old/derivations.tex", "backup/derivations.tex"),
        ("src/x/derivations.tex", "derivations/derivations.tex", "src/y/derivations.tex"),
        ("src/derivations (1).tex", "src/derivations (2).tex"),
    ],
)
def test_between_texts_that_are_equally_near_nothing_is_decided(names, tmp_path):
    files = {name: b"$%d$" % number for number, name in enumerate(names)}
    made = staged(tmp_path, {"src/rnn_layers.py": CODE, **files})
    reason, message = made.places.obstacles["derivations.tex"]
    assert (reason, message in made.notes) == ("missing", True)
    least = 2 if len(names) == 2 else 1  # what is farther away may be left out
    assert sum(name.removeprefix("src/") in message for name in names) >= least


def test_equal_copies_are_one_text(tmp_path):
    names = ["text/derivations.tex", "tex/derivations.tex"]
    made = staged(tmp_path, {"src/rnn_layers.py": CODE, **dict.fromkeys(names, OURS)})
    assert (read(made), made.places.obstacles) == (OURS, {})


def test_a_backup_does_not_count_before_the_same_text_with_another_suffix(tmp_path):
    files = {"rnn_layers.py": CODE, "old/derivations.tex": OTHER, "derivations.md": OURS}
    made = staged(tmp_path, files)
    told = "old/derivations.tex was not read as derivations.tex because derivations.md is there"
    assert told in made.notes
    assert "derivations.tex" in made.places.obstacles
    assert read(made, "derivations.md") == OURS


def test_every_text_is_found_on_its_own(tmp_path):
    files = {"part1/rnn_layers.py": CODE, "part2/derivations.tex": OURS,
             "part3/explanation.md": b"words", "out/predictions_q1.txt": b"1"}  # fmt: skip
    made = staged(tmp_path, files)
    assert read(made) == OURS
    assert read(made, "explanation.md") == b"words"
    assert read(made, "predictions_q1.txt") == b"1"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["rnn/rnn_layers.py", "text/notes.tex"], "rnn/rnn_layers.py, text/notes.tex"),
        (["README.md", "rnn/rnn_layers.py"], "README.md, rnn/rnn_layers.py"),
        (["rnn/rnn_layers.py", "rnn/util.py", "my/proof.pdf"], "my/proof.pdf"),
        (["rnn_layers.py", "text/notes.tex"], "rnn_layers.py"),
        (["a/x/rnn_layers.py", "a/y.txt"], "a/y.txt, a/x/rnn_layers.py"),
    ],
)
def test_what_is_missing_is_said_with_all_that_was_handed_in(names, told, tmp_path):
    made = staged(tmp_path, dict.fromkeys(names, CODE))
    message = made.missing("derivations.tex")
    assert message.startswith("derivations.tex is not in the submission (it holds ")
    assert told in message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("text/derivation.tex", "did you mean text/derivation.tex? Rename it to derivations.tex"),
        ("text/derivations_final.tex", "did you mean text/derivations_final.tex?"),
        ("text/derivations.pdf", "text/derivations.pdf is a document"),
        ("text/derivations.docx", "text/derivations.docx is a document"),
        ("my text.rar", "my text.rar cannot be unpacked"),
    ],
)
def test_hints_are_about_files_in_all_folders(name, hint, tmp_path):
    made = staged(tmp_path, {"rnn/rnn_layers.py": CODE, name: OURS})
    assert hint in made.missing("derivations.tex")


def test_a_text_outside_the_folder_of_the_module_counts_for_the_digest(tmp_path):
    digests = set()
    for number, text in enumerate((OURS, OTHER)):
        files = {"rnn/rnn_layers.py": CODE, "text/derivations.tex": text}
        folder = tmp_path / str(number)
        folder.mkdir()
        digests.add(staged(folder, files).sha256)
    assert len(digests) == 2


@pytest.mark.parametrize("names", FOUND.values(), ids=FOUND)
def test_a_text_is_found_at_home_and_watched(names, tmp_path):
    home = laid_out(tmp_path / "home", {**dict.fromkeys(names, CODE), names[-1]: OURS})
    with StudentFolder(home, MODULES, TEXTS) as here:
        assert read(here.submission) == OURS
        assert names[-1] in {here.named(file) for file in meant(here, "derivations.tex")}


@pytest.mark.parametrize("text", [*TEXTS, "writeup.pdf"])
def test_a_text_beside_the_only_folder_is_never_left_behind(text, tmp_path):
    folder = laid_out(tmp_path / "ada", {text: OURS, "mine/rnn_layers.py": CODE})
    assert [origin for _name, origin in find([folder], [*MODULES], texts=TEXTS)] == [folder]


def test_gradescope_reads_a_text_beside_the_only_folder(rubric, tmp_path):
    folder = laid_out(tmp_path / "submission", {
        "derivations.tex": OURS, "mine/rnn_layers.py": CODE,
    })  # fmt: skip
    assert _submission(folder, rubric) == folder


@pytest.mark.parametrize("text", ["derivations/derivations.tex", "derivations.tex"])
def test_a_right_derivation_in_another_folder_has_its_points(text, grade, tmp_path):
    plain = SUBMISSIONS / "full_marks" / "plain"
    files = {"rnn/rnn_layers.py": (plain / "rnn_layers.py").read_bytes(),
             text: (plain / "derivations.tex").read_bytes()}  # fmt: skip
    ran, reports = grade(laid_out(tmp_path / "ada", files), only=("q3.1", "q3.5"))
    assert ran.status == 0, ran.err
    checks = checks_of(reports["ada"])
    assert {name: checks[name]["outcome"] for name in ("q3.1", "q3.5")} == {
        "q3.1": "passed", "q3.5": "passed",
    }  # fmt: skip
