"""A submission's folder holds what its modules import from above theirs."""

from pathlib import Path

import pytest

from grader.intake.notebook import code_cells, module_of
from grader.intake.submission import stage
from tests.intake.test_notebooks import book

CASES = [
    ("src/hw2/layers", "from ..utils.act import tanh", "src/hw2/utils/act.py", "src/hw2"),
    ("src/hw2/layers", "from hw2.utils.act import tanh", "src/hw2/utils/act.py", "src/hw2"),
    ("src/hw2/layers", "if x:\n    from ..utils import act", "src/hw2/utils/act.py", "src/hw2"),
    ("src/hw2/layers", "from .. import act", "src/hw2/act.py", "src/hw2"),
    ("src/hw2/layers", "from ... import act", "src/act.py", "src"),
    ("src/hw2/layers", "import utils.act", "src/utils/act.py", "src"),
    ("src/hw2/layers", "import act", "src/act.py", "src"),
    ("src/hw2/layers", "import src.act", "src/act.py", "src"),
    ("cs231n/classifiers", "from cs231n.act import *", "cs231n/act.py", "cs231n"),
    ("cs231n/classifiers", "from ..act import *", "cs231n/act.py", "cs231n"),
    ("cs231n", "from cs231n.nn.act import tanh", "cs231n/nn/act.py", "cs231n"),
    ("cs231n", "from cs231n.act import tanh", "cs231n/act.py", "cs231n"),
    ("cs231n", "json.load(open('cs231n/config.json'))", "cs231n/config.json", "."),
    ("hw2", "json.load(open('config.json'))", "hw2/config.json", "hw2"),
    ("hw2", "import numpy as np", "setup.py", "hw2"),
    ("hw2", "import numpy as np", "old/act.py", "hw2"),
    ("hw2", "from .act import tanh", "hw2/act.py", "hw2"),
    ("hw2", "from ...... import act", "act.py", "."),
]


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


@pytest.mark.parametrize(("place", "statement", "other", "home"), CASES)
def test_the_folder_is_as_high_as_the_imports_need(tmp_path, place, statement, other, home):
    files = {f"{place}/rnn_layers.py": statement, other: "tanh = 1\n", "README.md": "x"}
    handed_in = put(tmp_path / "in", files)
    made = stage("s", handed_in, tmp_path / "out", {"rnn_layers.py": ["f"]})
    assert made.folder.relative_to(tmp_path / "out").as_posix() == home
    assert (made.folder / made.path_of("rnn_layers.py")).read_text() == statement


RUNS = [
    ("%run act.py", "from act import *  # %run act.py"),
    ("%run act", "from act import *  # %run act"),
    ("%run act.ipynb", "from act import *  # %run act.ipynb"),
    ("%run ./act.py", "from act import *  # %run ./act.py"),
    ("%run ../lib/act.py --fast", "from lib.act import *  # %run ../lib/act.py --fast"),
    ("%run -i act.py", "from act import *  # %run -i act.py"),
    ("%run -t -i 'act.py'", "from act import *  # %run -t -i 'act.py'"),
    ('%run "act.py"', 'from act import *  # %run "act.py"'),
    ("%run", "pass  # %run"),
    ("%runner act.py", "pass  # %runner act.py"),
    ("%load act.py", "pass  # %load act.py"),
    ("!python act.py", "pass  # !python act.py"),
]


@pytest.mark.parametrize(("magic", "python"), RUNS)
def test_running_a_file_brings_its_names(magic, python):
    assert code_cells(book(magic), "a.ipynb") == [python]


@pytest.mark.parametrize("magic", ["%run 'my act.py'", "%run 01-act.py", "%run class.py"])
def test_running_a_file_with_any_name_compiles(magic):
    (cell,) = code_cells(book(magic), "a.ipynb")
    compile(cell, "cell", "exec")
    assert "__import__(" in cell


def test_running_a_file_in_a_block_compiles():
    (cell,) = code_cells(book("def setup():\n    %run act.py\n    return 1"), "a.ipynb")
    compile(cell, "cell", "exec")
    assert "__import__(" in cell


def test_other_notebooks_become_modules_that_can_be_imported(tmp_path):
    files: dict[str, str | bytes] = {
        "rnn_layers.py": "from act import f\n", "act.ipynb": book("def f(): pass"),
        "both.ipynb": book("x = 1"), "both.py": "x = 2\n", "broken.ipynb": b"{",
        "rnn.ipynb": book("y = 1"),
    }  # fmt: skip
    handed_in = put(tmp_path / "in", files)
    asked = {"rnn_layers.py": ["g"], "rnn.py": ["sample"]}
    made = stage("s", handed_in, tmp_path / "out", asked)
    assert (made.folder / "act.py").read_text() == module_of(book("def f(): pass"), "act.ipynb")
    assert (made.folder / "both.py").read_text() == "x = 2\n"
    assert not (made.folder / "broken.py").exists()
    assert "act.py" not in made.files
