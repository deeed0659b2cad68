"""The count of rooms, arrows and circles finds what is wrong with a structure."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

TOOL = ROOT / "benchmarks" / "structure.py"
SOUND = {
    "grader/__init__.py": "",
    "grader/model.py": "class Question:\n    pass\n",
    "grader/checks/__init__.py": "",
    "grader/checks/forward.py": "from grader.model import Question\n",
    "grader/run/__init__.py": "",
    "grader/run/session.py": "from grader import model\nfrom grader.checks import forward\n",
    "grader/run/batch.py": "from grader.run.session import model\n",
    "latexgrad/__init__.py": "",
    "latexgrad/nodes.py": "class Node:\n    pass\n",
    "latexgrad/parser.py": "from latexgrad import nodes\n",
    "grader/starter/layers.py": "class Question:\n    pass\n",  # data: no package
}


@pytest.fixture
def counted(tmp_path):
    """Count the structure of files given by path; return the exit status and the lines."""

    def run(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, TOOL, tmp_path], capture_output=True, text=True, check=True
        )
        return ran.stdout.splitlines()[1:]

    return run


def test_a_sound_structure_is_counted(counted):
    assert counted(SOUND) == [
        "rooms         4",
        "arrows        3",
        "circles       0",
        "classes       2",
        "shared names  0",
        "modules       10",
        "long modules  0",
    ]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        (
            "grader/model.py",
            "from grader.run import session\n",
            ["circles       1", "  grader.checks, grader.model, grader.run"],
        ),
        (
            "latexgrad/nodes.py",
            "class Question:\n    pass\n",
            ["shared names  1", "  Question: grader/model.py, latexgrad/nodes.py"],
        ),
        (
            "grader/run/batch.py",
            "x = 1\n" * 401,
            ["long modules  1", "  grader/run/batch.py: 401 lines"],
        ),
    ],
)
def test_what_is_wrong_with_a_structure_is_named(counted, name, text, lines):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        counted(SOUND | {name: text})
    assert "\n".join(lines) in failed.value.stdout


def test_the_engine_has_no_circle_no_shared_name_and_no_long_module():
    ran = subprocess.run([sys.executable, TOOL, ROOT], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
