"""What is said of a function that is not there, or of which another definition counts."""
# ruff: noqa: E501 - one program a line

import json

import pytest

F = "def my_forward(x):\n    return x\n"
STUB = "def my_forward(x):\n    pass\n"


def notebook(*cells):
    """Make the module of a notebook, as intake does."""
    text, starts, line = "", [], 2
    for number, cell in enumerate(cells, 1):
        text += f"# cell {number}\n{cell}\n"
        starts.append(line + 1)
        line += 2 + cell.count("\n")
    return f"# cells: {json.dumps({'notebook': 'rnn.ipynb', 'starts': starts})}\n{text}"


INSTEAD = [
    ("def my_foward(x): pass", "line 1 defines my_foward"),
    ("def myForward(x): pass", "line 1 defines myForward"),
    ("def MyForward(x): pass", "line 1 defines MyForward"),
    ("def forward_my(x): pass", "line 1 defines forward_my"),
    ("def my_backward(x): pass\ndef my_step_forward(x): pass", ""),
    ("class A:\n    def my_forward(self): pass", "line 2 defines it inside the class A"),
    ("class A:\n    def my_foward(self): pass", "line 2 defines my_foward inside the class A"),
    ("def main():\n    def my_forward(x): pass", "line 2 defines it inside the function main"),
    (
        f"if __name__ == '__main__':\n    {F.splitlines()[0]} pass",
        "line 2 defines it under `if __name__ == '__main__':`, which does not run when the file is graded",
    ),
    ("import os\nif os.sep == '!':\n    def my_forward(x): pass",
     "line 3 defines it under `if os.sep == '!':`, which did not run"),
    (f"{F}my_forward = 3", "my_forward is a value of type int, not a function (line 3)"),
    (f"{F}my_forward = my_forward(None)", "my_forward is a value of type NoneType, not a function (line 3)"),
    (f"{F}my_forward: list = []", "my_forward is a value of type list, not a function (line 3)"),
    (f"{F}x = 1\ndel my_forward", "line 1 defines it, but line 4 deletes it"),
    (notebook("x = 1", "\ndef my_foward(x): pass"), "cell 2, line 2 defines my_foward"),
    (notebook("class A:\n    def my_forward(x): pass"), "cell 1, line 2 defines it inside the class A"),
    (notebook(F, "del my_forward"), "cell 1, line 1 defines it, but cell 2, line 1 deletes it"),
    (notebook(F, "y = 1\nmy_forward = 2"), "my_forward is a value of type int, not a function (cell 2, line 2)"),
    ("x = 1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), INSTEAD)
def test_it_says_where_the_function_is_or_what_became_of_it(opened, text, words):
    error = opened(text).call("my_forward", (1,), ()).error
    assert error.undefined
    assert error.text == words


LAST = "and Python uses the last one only"
HIDDEN = [
    (F + STUB, f"my_forward is defined twice (lines 1, 3), {LAST}"),
    (F + STUB + STUB, f"my_forward is defined 3 times (lines 1, 3, 5), {LAST}"),
    (notebook(F, STUB), f"my_forward is defined twice (cell 1, line 1; cell 2, line 1), {LAST}"),
    (f"def wrong(f):\n    raise ValueError\n{F}@wrong\n{STUB}",
     "my_forward is defined twice (lines 3, 6); the last one failed and was left out, so the one of line 3 counts"),
    (f"import functools\n{F}@functools.lru_cache\n{STUB}", f"my_forward is defined twice (lines 2, 5), {LAST}"),
    (f"{F}from template import *", "my_forward is defined in line 1, but `from template import *` in line 3 replaces it"),
    (f"{F}from template import my_forward",
     "my_forward is defined in line 1, but `from template import my_forward` in line 3 replaces it"),
    (notebook(F, "from template import *"),
     "my_forward is defined in cell 1, line 1, but `from template import *` in cell 2, line 1 replaces it"),
    (f"from template import *\n{F}", None),
    (f"if True:\n    {F.splitlines()[0]} return x\nelse:\n    {F.splitlines()[0]} pass", None),
    (f"class A:\n    {F.splitlines()[0]} return x\n{F}", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), HIDDEN)
def test_it_says_which_definition_counts(opened, text, words):
    worker = opened({"module.py": text, "template.py": STUB})
    assert worker.call("my_forward", (1,), ()).error is None
    assert dict(worker.loaded.twice).get("my_forward") == words


def test_names_may_have_letters_of_any_language(opened):
    worker = opened(f"{F}def \u03c3(x):\n    return x\ndef \u03c3(x):\n    pass\n")
    assert dict(worker.loaded.twice) == {"\u03c3": f"\u03c3 is defined twice (lines 3, 5), {LAST}"}


def test_it_says_which_other_file_defines_the_function(opened):
    files = {"module.py": "x = 1\n", "lib/steps.py": f"import os\n{F}", "a.py": "my_forward = 1\n"}
    error = opened(files).call("my_forward", (1,), ()).error
    assert error.text == "lib/steps.py defines it, but is not imported"


def test_a_function_under_a_condition_on_an_absent_package_names_the_package(opened):
    worker = opened(f"import nowhere\nif nowhere.__version__ >= '1':\n    {F.splitlines()[0]} pass")
    assert worker.call("my_forward", (1,), ()).error.missing_package == "nowhere"
