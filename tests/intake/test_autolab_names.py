"""Downloads of Autolab: the address is the student, and the newest version counts."""

from __future__ import annotations

import pytest

from grader.intake.submission import find, stage
from tests.intake.test_downloads import MODULES, RIGHT, WRONG, laid_out, zipped


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("ada@example.edu_1_handin.zip", "ada@example.edu"),
        ("ada@example.edu_12_rnn_layers.py", "ada@example.edu"),
        ("ada_love_lace@example.edu_3_rnn_layers.py", "ada_love_lace@example.edu"),
        ("ada_7_8@example.edu_3_rnn_layers.py", "ada_7_8@example.edu"),
        ("ada.lovelace+ml@cs.example.edu_3_hw_2_final.zip", "ada.lovelace+ml@cs.example.edu"),
        ("Ada@Example.EDU_3_hw2.zip", "Ada@Example.EDU"),
        ("a1@b-c.example.org_1_1_2_x.py", "a1@b-c.example.org"),
        ("d'arcy@example.edu_2_hw2.zip", "d'arcy@example.edu"),
        ("ada@example.edu_3_hw2.tar", "ada@example.edu"),
        ("李雷@example.edu_3_hw2.zip", "李雷@example.edu"),
        ("ada@example_3_hw2.zip", None),
        ("ada@example.edu_hw2.zip", None),
        ("ada@example.edu_3_", None),
        ("example.edu_3_hw2.zip", None),
    ],
)
def test_names_of_autolab(name, email, tmp_path):
    (tmp_path / name).write_bytes(zipped({"rnn_layers.py": RIGHT}))
    if not name.endswith(".zip"):
        (tmp_path / "other.zip").write_bytes(b"")
    ((_identifier, origin), *_rest) = find(sorted(tmp_path.glob("*@*")) or [tmp_path], MODULES) if (
        name.endswith(".zip")) else find([tmp_path], MODULES)  # fmt: skip
    student = getattr(origin, "student", None)
    assert (student.plain() if student else {}) == ({"email": email} if email else {})


def test_the_newest_version_counts_whatever_the_capitals_of_the_address(tmp_path):
    files = {
        "ada@example.edu_9_rnn_layers.py": WRONG,
        "Ada@example.edu_10_rnn_layers.py": RIGHT,
        "bob@example.edu_2_handin.zip": zipped({"hw2/rnn_layers.py": RIGHT}),
    }
    found = find([laid_out(tmp_path / "class", files)], MODULES)
    made = [stage(name, origin, tmp_path / name, MODULES) for name, origin in found]
    assert [(one.folder / "rnn_layers.py").read_bytes() for one in made] == [RIGHT, RIGHT]
    assert [one.student.email for one in made if one.student] == [
        "Ada@example.edu", "bob@example.edu",
    ]  # fmt: skip
    told = "earlier attempts were ignored: ada@example.edu_9_rnn_layers.py"
    assert [told in one.notes for one in made] == [True, False]
