"""Files in the wrong place or under another name: found with a note, and never guessed at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.intake.places import is_meant, near
from grader.intake.submission import find, stage
from tests.conftest import SUBMISSIONS, checks_of

RIGHT = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")
ONLY = ("q3.1",)
MODULES = ["rnn_layers.py", "text_classification.py"]


def handed_in(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def graded(grade, tmp_path):
    """Grade one submission made of these files; return the check q3.1 and the intake's notes."""

    def run(files: dict[str, str], only=ONLY) -> tuple[dict[str, Any], str]:
        ran, reports = grade(handed_in(tmp_path / "alice", files), only=only)
        assert ran.status == 0, ran.err
        assert list(reports) == ["alice"]
        check = checks_of(reports["alice"])["q3.1"]
        return check, "\n".join(reports["alice"]["submission"]["notes"])

    return run


@pytest.mark.parametrize(
    "name",
    [
        "RNN_Layers.py",
        "rnn_layers (1).py",
        "rnn_layers-2.py",
        "rnn_layers.py.txt",
        "Rnn_Layers(3).PY",
        "src/rnn_layers.py",
        "my homework/übung/rnn_layers.py",
        "hw2/code/RNN_layers.py.txt",
    ],
)
def test_a_module_under_another_name_or_elsewhere_is_found_with_a_note(name, graded):
    check, notes = graded({name: RIGHT, "text_classification.py": "x = 1\n"})
    assert (check["outcome"], check["points"]) == ("passed", check["max_points"])
    assert f"rnn_layers.py was found as {name}" in notes


@pytest.mark.parametrize("name", ["rnn_layers_final.py", "my_rnn_layers.py", "rnn_layer.py"])
def test_a_name_that_is_only_near_is_a_hint_and_never_taken(name, graded):
    check, _notes = graded({name: RIGHT})
    assert (check["reason"], check["points"]) == ("missing", 0)
    assert f"did you mean {name}? Rename it to rnn_layers.py" in check["message"]


def test_a_file_that_is_asked_for_itself_is_no_hint(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "rnn_layers.py").write_text(RIGHT)
    asked = {"rnn_layers.py": (), "rnn.py": ()}
    made = stage("one", tmp_path / "given", tmp_path / "staged", asked)
    assert made.missing("rnn.py") == "rnn.py is not in the submission (it holds rnn_layers.py)"


@pytest.mark.parametrize(
    "names",
    [
        ("a/rnn_layers.py", "b/rnn_layers.py"),
        ("RNN_layers.py", "Rnn_Layers.py"),
        ("rnn_layers (1).py", "rnn_layers (2).py"),
        ("a/rnn_layers.ipynb", "b/rnn_layers.ipynb"),
    ],
)
def test_between_different_files_nothing_is_decided_and_all_are_listed(names, graded):
    other = RIGHT.replace("np.tanh", "np.sin")
    files = dict(zip(names, (RIGHT, other), strict=True))
    check, _notes = graded({**files, "text_classification.py": ""})
    assert (check["reason"], check["points"]) == ("missing", 0)
    assert "several files could be meant" in check["message"]
    assert all(name in check["message"] for name in names)
    assert "hand in only one of them, as rnn_layers.py" in check["message"]


def test_equal_copies_in_two_folders_are_one_file(graded):
    names = ("a/rnn_layers.py", "b/rnn_layers.py")
    check, notes = graded({**dict.fromkeys(names, RIGHT), "text_classification.py": ""})
    assert check["outcome"] == "passed"
    assert "found as a/rnn_layers.py; b/rnn_layers.py was ignored" in notes


def test_the_file_nearest_to_the_top_counts_and_the_others_are_named(graded):
    old = RIGHT.replace("np.tanh", "np.sin")
    check, notes = graded({"RNN_layers.py": RIGHT, "old/rnn_layers.py": old})
    assert check["outcome"] == "passed"
    assert "found as RNN_layers.py; old/rnn_layers.py was ignored" in notes


def test_helpers_are_imported_from_the_folder_of_the_module_and_from_others(graded):
    source = f"import beside\nimport above\nfrom far.away import deep\nimport unique\n{RIGHT}"
    check, _notes = graded(
        {
            "code/rnn_layers.py": f"{source}\nassert (beside.x, above.x, unique.x) == (1, 2, 3)\n",
            "code/beside.py": "x = 1\n",
            "code/far/away.py": "deep = 1\n",
            "above.py": "x = 2\n",
            "beside.py": "x = 'the wrong one'\n",
            "tools/more/unique.py": "x = 3\n",
            "text_classification.py": "",
        }
    )
    assert (check["outcome"], check["notes"]) == ("passed", [])


def test_a_helper_that_is_there_twice_is_not_chosen_between(graded):
    files = {"a/helper.py": "x = 1\n", "b/helper.py": "x = 2\n"}
    source = RIGHT.replace("np.tanh(", "helper.x * np.tanh(")
    check, _notes = graded({"rnn_layers.py": f"import helper\n{source}", **files})
    assert check["reason"] == "import_error"
    assert "rnn_step_forward needs 'helper'" in check["message"]


def test_the_import_of_a_helper_that_is_there_twice_is_told(graded):
    files = {"a/helper.py": "x = 1\n", "b/helper.py": "x = 2\n"}
    check, _notes = graded({"rnn_layers.py": f"import helper\n{RIGHT}", **files})
    assert check["outcome"] == "passed"
    assert "several files could be meant (a/helper.py, b/helper.py)" in "\n".join(check["notes"])


def test_a_module_that_was_renamed_can_be_imported_by_the_others(graded):
    rest = "from rnn_layers import rnn_step_forward\n"
    files = {"RNN_layers.py": RIGHT, "text_classification.py": rest}
    check, _notes = graded(files)
    assert check["outcome"] == "passed"


def test_questions_in_folders_of_their_own_are_one_submission(grade, tmp_path):
    files = {"q3/rnn_layers.py": RIGHT, "q6/text_classification.py": "x = 1\n", "q3/data/x.txt": ""}
    _ran, reports = grade(handed_in(tmp_path / "alice", files), only=("q3.1", "q6.1"))
    assert list(reports) == ["alice"]
    checks = checks_of(reports["alice"])
    assert checks["q3.1"]["outcome"] == "passed"
    assert "text_classification.py has no function" in checks["q6.1"]["message"]


def test_a_text_with_other_capitals_in_a_folder_is_found(grade, tmp_path):
    text = "An explanation of many words. " * 40
    files = {"rnn_layers.py": RIGHT, "Report/Explanation.MD": text}
    _ran, reports = grade(handed_in(tmp_path / "alice", files), only=("q5.9", "q2"))
    pending = [c for c in checks_of(reports["alice"]).values() if "explanation.md" in c["message"]]
    assert [check["outcome"] for check in pending] == ["pending"] * len(pending)
    notes = "\n".join(reports["alice"]["submission"]["notes"])
    assert "explanation.md was found as Report/Explanation.MD" in notes


# ------------------------------------------------------------------- one submission or several


@pytest.mark.parametrize(
    "files",
    [
        ("code/rnn_layers.py", "data/sentences.csv"),
        ("my code/rnn_layers.py", "my_data/sentences.csv"),
        ("src/RNN_layers.py", "tests/test_it.py", "utils/helper.py"),
        ("src/rnn_layers.py", "old/rnn_layers.py"),
        ("q3/rnn_layers.py", "q6/text_classification.py"),
        ("RNN_Layers.py", "helpers/a.py", "data/x.npz"),
        ("rnn_layers.ipynb", "old/rnn_layers.py"),
        ("src/rnn_layers.py", "notebooks/demo.ipynb", "data/data.zip"),
        ("homework.ipynb", "figures/x.png"),
    ],
)
def test_the_folders_of_one_submission_are_not_a_class(files, tmp_path):
    folder = handed_in(tmp_path / "alice", dict.fromkeys(files, ""))
    assert find([folder], MODULES) == [("alice", folder)]


@pytest.mark.parametrize(
    "files",
    [
        ("alice/rnn_layers.py", "bob/rnn_layers.py"),
        ("alice/rnn_layers.py", "bob/RNN_layers (1).py"),
        ("alice/hw2/rnn_layers.py", "bob/rnn_layers.ipynb"),
        ("alice/rnn_layers.py", "bob/essay.txt"),
        ("alice/rnn_layers.py", "bob/homework.py"),
        ("alice/homework.ipynb", "bob/My Work.ipynb"),
        ("alice/rnn_layers.py", "bob/hw2/work.ipynb"),
        ("alice/rnn_layers.py", "bob/hw2.zip"),
        ("alice/text_classification.py", "alice/rnn_layers.py", "bob/hw2.tar.gz"),
    ],
)
def test_folders_of_students_are_a_class(files, tmp_path):
    folder = handed_in(tmp_path / "class", dict.fromkeys(files, ""))
    assert [identifier for identifier, _path in find([folder], MODULES)] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("name", "wanted", "meant"),
    [
        ("x.py", "x.py", True), ("X.PY", "x.py", True), ("x-1.py", "x.py", True),
        ("x (12).ipynb", "x.py", True), ("x.ipynb.txt", "x.py", True), ("x.txt", "x.py", False),
        ("x1.py", "x.py", False), ("x.pyc", "x.py", False), ("x_1.py", "x.py", False),
        ("ax.py", "x.py", False), ("x.py.py", "x.py", False), ("p-1.txt", "p.txt", True),
    ],
)  # fmt: skip
def test_what_counts_as_the_same_name(name, wanted, meant):
    assert is_meant(name, wanted) is meant


def test_a_near_name_is_of_code_or_very_close():
    assert near("rnn_layers.py", ["a/rnn_layers_v2.py", "b.py"]) == "a/rnn_layers_v2.py"
    assert near("rnn_layers.py", ["rnn_layers.png", "x.py", "layers.npz"]) is None
