"""Notebooks in place of modules: their functions are graded, and errors name the cell."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.intake.notebook import NotebookError, code_cells, module_of
from tests.conftest import SUBMISSIONS, checks_of

RIGHT = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")
HEAD, *FUNCTIONS = RIGHT.split("\n\n\n")
NAMES = ("q3.1", "q3.2")


def book(*cells: str, version: int = 4, **about: Any) -> bytes:
    """Make a notebook; a cell that begins with # Markdown is one."""
    made = [
        {
            "cell_type": "markdown" if source.startswith("# Markdown") else "code",
            "metadata": {},
            "outputs": [{"output_type": "stream", "text": ["rnn_layers = 1\n"]}],
            "source" if version > 3 else "input": source.splitlines(keepends=True),
        }
        for source in cells
    ]
    inside = {"cells": made} if version > 3 else {"worksheets": [{"cells": made}]}
    return json.dumps({"nbformat": version, "metadata": {}, **about, **inside}).encode()


def whole(*more: str) -> list[str]:
    return ["# Markdown *text*", HEAD, *more, *FUNCTIONS]


@pytest.fixture
def graded(grade, tmp_path):
    """Grade a submission of these files; return its report and its checks."""

    def run(files: dict[str, bytes], only=NAMES, options=()) -> tuple[dict, dict]:
        folder = tmp_path / "alice"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        ran, reports = grade(folder, only=only, options=options)
        assert ran.status == 0, ran.err
        return reports["alice"], checks_of(reports["alice"])

    return run


DEMO = """%matplotlib inline
!pip install seaborn
%load_ext autoreload
files = !ls
import seaborn as sns
import matplotlib.pyplot as plt
data = np.load("missing.npz")
plt.plot(data)
display(data)
rnn_step_forward?"""


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("name", ["rnn_layers.ipynb", "hw2/RNN_layers (1).ipynb", "my work.ipynb"])
def test_a_notebook_full_of_demonstrations_earns_what_its_functions_do(name, version, graded):
    cells = whole(DEMO, "%%bash\nrm -rf /\n", "%%time\ny = 1\n", "1 / 0", "get_ipython()", "exit()")
    report, checks = graded({name: book(*cells, version=version)})
    assert {check["outcome"] for check in checks.values()} == {"passed"}
    notes = "\n".join(report["submission"]["notes"])
    assert f"{Path(name).name} was read as rnn_layers.py" in notes
    assert report["submission"]["files"] == [Path(name).name]


def test_cells_that_check_the_homework_count_and_are_no_reason_for_a_note(graded):
    head, first, *rest = whole()
    cells = [head, f"import grader\n{first}", *rest]
    index = next(i for i, cell in enumerate(cells) if "def rnn_step_forward" in cell)
    cells[index] = f"%%grader q3.1\n{cells[index]}"
    _report, checks = graded({"rnn_layers.ipynb": book(*cells, 'grader.check("q3.1")')})
    assert {check["outcome"] for check in checks.values()} == {"passed"}
    assert [check["notes"] for check in checks.values()] == [[], []]


def test_a_notebook_under_the_name_of_a_module_is_read_as_one(graded):
    report, checks = graded({"rnn_layers.py": book(*whole())})
    assert {check["outcome"] for check in checks.values()} == {"passed"}
    assert "is a notebook with a module's name" in "\n".join(report["submission"]["notes"])


def failing(old: str, new: str) -> bytes:
    cells = whole("x = 1")
    changed = [cell.replace(old, new) for cell in cells]
    assert changed != cells
    return book(*changed)


def test_errors_name_the_cell_and_the_line_in_it(graded):
    body = "def rnn_step_forward(x, prev_h, Wx, Wh, b):\n    y = 1\n    return undefined_name\n"
    _report, checks = graded({"rnn_layers.ipynb": book(*whole(), body)}, only=("q3.1",))
    place = f"(rnn_layers.ipynb, cell {len(FUNCTIONS) + 2}, line 3, in rnn_step_forward: "
    assert checks["q3.1"]["reason"] == "exception"
    assert place in checks["q3.1"]["message"]
    assert "undefined_name" in checks["q3.1"]["message"]


def test_a_definition_that_fails_is_reported_with_its_cell(graded):
    cells = whole()
    index = next(i for i, cell in enumerate(cells) if "def rnn_step_forward" in cell)
    cells[index] = f"print('begin')\n{cells[index].replace('b):', 'b=nowhere):', 1)}"
    _report, checks = graded({"rnn_layers.ipynb": book(*cells)}, only=("q3.1", "q5.1"))
    assert (
        f"(rnn_layers.ipynb, cell {index}, line 2, in <module>: `def " in checks["q3.1"]["message"]
    )
    assert "name 'nowhere' is not defined" in checks["q3.1"]["message"]
    assert checks["q5.1"]["outcome"] == "passed"


def test_a_cell_with_a_syntax_error_costs_its_own_functions_only(graded):
    cells = whole()
    index = next(i for i, cell in enumerate(cells) if "def rnn_step_forward" in cell)
    cells[index] += "\n    return (\n"
    _report, checks = graded({"rnn_layers.ipynb": book(*cells)}, only=("q3.1", "q5.1"))
    assert "SyntaxError" in checks["q3.1"]["message"]
    assert f"rnn_layers.ipynb, cell {index}, line" in checks["q3.1"]["message"]
    assert checks["q5.1"]["outcome"] == "passed"


def test_a_global_that_a_failed_cell_would_have_defined_is_explained(graded):
    cells = whole("weights = np.load('weights.npz')")
    body = "def rnn_step_forward(x, prev_h, Wx, Wh, b):\n    return weights\n"
    _report, checks = graded({"rnn_layers.ipynb": book(*cells, body)}, only=("q3.1",))
    message = checks["q3.1"]["message"]
    assert "name 'weights' is not defined" in message
    assert "rnn_layers.ipynb, cell 2 would define it, but raised FileNotFoundError" in message


def test_a_function_that_is_nowhere_is_missing_in_the_notebook(graded):
    _report, checks = graded({"rnn_layers.ipynb": book("x = 1")}, only=("q3.1",))
    assert checks["q3.1"]["reason"] == "missing"
    assert checks["q3.1"]["message"] == "rnn_layers.ipynb has no function rnn_step_forward"


def test_a_cell_that_trains_too_long_costs_nothing(graded):
    cells = whole("while True:\n    pass")
    _report, checks = graded({"rnn_layers.ipynb": book(*cells)}, only=("q3.1",))
    assert checks["q3.1"]["outcome"] == "passed"
    assert any("took too long" in note for note in checks["q3.1"]["notes"])


def test_other_modules_import_from_a_notebook(graded):
    use = b"from rnn_layers import rnn_step_forward\ndef bag_of_words():\n    pass\n"
    files = {"work.ipynb": book(*whole()), "text_classification.py": use}
    _report, checks = graded(files, only=("q3.1",))
    assert checks["q3.1"]["outcome"] == "passed"


def test_a_module_beside_a_notebook_counts_with_a_note(graded):
    files = {"rnn_layers.py": RIGHT.encode(), "rnn_layers.ipynb": book("x = 1")}
    report, checks = graded(files, only=("q3.1",))
    assert checks["q3.1"]["outcome"] == "passed"
    assert "rnn_layers.ipynb was not read" in "\n".join(report["submission"]["notes"])


def test_two_notebooks_that_define_the_functions_are_listed(graded):
    files = {"one.ipynb": book(*whole()), "two.ipynb": book(*whole("x = 1"))}
    _report, checks = graded(files, only=("q3.1",))
    assert checks["q3.1"]["reason"] == "missing"
    assert "several files could be meant: one.ipynb, two.ipynb" in checks["q3.1"]["message"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b'{"cells": [}', "line 1: not a notebook: its JSON is damaged"),
        (b"[1, 2]", "holds no cells"),
        (b"{}", "holds no cells"),
        (b'{"cells": 3}', "has no list of cells"),
        (b"\xff\xfe\x00", "its text is not UTF-8"),
        (b"[" * 100_000, "its JSON is damaged"),
        (b"[" + b"1," * 4_100_000 + b"1]", "too large to read: clear its outputs"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "cell 1: its source is not text"),
        (book("x", metadata={"language_info": {"name": "R"}}), "is a notebook in r"),
        (b"9" * 5000, "is not a notebook"),
    ],
    ids=["empty", "cut", "list", "nothing", "number", "binary", "deep", "huge", "text", "R", "9"],
)
def test_what_is_no_notebook_gets_one_message(data, message):
    with pytest.raises(NotebookError, match=message) as caught:
        module_of(data, "x.ipynb")
    assert str(caught.value).startswith("x.ipynb")
    assert "\n" not in str(caught.value)


def test_a_damaged_notebook_is_told_to_the_student(graded):
    _report, checks = graded({"rnn_layers.ipynb": b'{"cells": [\n\n}'}, only=("q3.1",))
    assert checks["q3.1"]["reason"] == "import_error"
    assert "rnn_layers.ipynb, line 3: not a notebook" in checks["q3.1"]["message"]


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%time x = 1", "x = 1"),
        ("if y:\n    !ls\nz = 1", "if y:\n    pass  # !ls\nz = 1"),
        ("!ls \\\n  -la\nx = 1", "pass  # !ls \\\n# -la\nx = 1"),
        ("x = (a\n% b)", "x = (a\n% b)"),
        ("s = '''\n%mat\n!ls\n'''\n%mat", "s = '''\n%mat\n!ls\n'''\npass  # %mat"),
        ("x = a \\\n% b", "x = a \\\n% b"),
        ("# don't (\n!ls", "# don't (\npass  # !ls"),
        ("s = 'it\\'s ('\n?s", "s = 'it\\'s ('\npass  # ?s"),
        ("s = '''\n# ('''\n!ls", "s = '''\n# ('''\npass  # !ls"),
        ("x = y % z", "x = y % z"),
        ("x != y", "x != y"),
        ("a, b = !ls", "pass  # a, b = !ls"),
        ("pip install torch", "pass  # pip install torch"),
        ("cd drive/My", "pass  # cd drive/My"),
        ("cd = 3", "cd = 3"),
        ("%%capture out\nx = 1", "# %%capture out\nx = 1"),
        ("%%writefile a.py\nx = 1", "# %%writefile a.py\nx = 1"),
        ("%%html\n<b>", "# %%html\n# <b>"),
        ("\n%%sh\nls", "# \n# %%sh\n# ls"),
        ("x = 1\r\n!ls\ry = 2", "x = 1\npass  # !ls\ny = 2"),
    ],
)  # fmt: skip
def test_magics_become_comments_on_their_lines(source, python):
    assert code_cells(book(source), "x.ipynb") == [python]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["cells", "cell_type", "source", "input", "worksheets", "metadata",
                         "kernelspec", "language", "code"]), inner | st.just("code"), max_size=3),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30))
def test_any_json_is_a_notebook_or_a_message(data):
    try:
        told = module_of(data, "x.ipynb").partition("{")[0]
    except NotebookError as error:
        told = str(error)
    assert told == "# cells: " or (told.startswith("x.ipynb") and "\n" not in told)


@pytest.mark.parametrize(
    "source", [" " * 500_000 + "x", "x\n\n" * 200_000, "a, " * 300_000, "'" * 500_001]
)
def test_converting_takes_time_in_proportion(source):
    started = time.process_time()  # other processes may keep this one waiting
    module_of(book(source), "x.ipynb")
    assert time.process_time() - started < 5


def test_more_code_than_a_person_writes_is_refused():
    with pytest.raises(NotebookError, match="more than 2000000 characters of code"):
        module_of(book("x" * 2_000_001), "x.ipynb")


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(alphabet="ab'\"#\\()%!? =\n\t", max_size=40), max_size=5))
def test_cells_keep_their_number_of_lines(sources):
    cells = code_cells(book(*sources), "x.ipynb")
    assert [cell.count("\n") for cell in cells] == [source.count("\n") for source in sources]
    header, _, rest = module_of(book(*sources), "x.ipynb").partition("\n")
    starts = json.loads(header.removeprefix("# cells: "))["starts"]
    lines = [header, *rest.split("\n")]
    for start, cell in zip(starts, cells, strict=True):
        assert "\n".join(lines[start - 1 :]).startswith(cell)
        assert lines[start - 2].startswith("# cell ")
