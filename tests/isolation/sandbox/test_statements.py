"""Demonstrations below the functions cost nothing; what was defined stays, and is explained."""
# ruff: noqa: E501 - one program a line

import time

import pytest

RIGHT = "def right(x):\n    return x + 1\n"

LEFT_OVER = [
    "assert right(1) == 3, 'my own test'",
    "exit()",
    "raise SystemExit(1)",
    "import sys\nsys.exit('bye')",
    "quit(3)",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "x = undefined_name",
    "input('press enter')",
    "open('not/here.txt')",
    "1 / 0",
    "raise KeyboardInterrupt",
    "class Broken:\n    x = 1 / 0",
    "while True:\n    pass",
    "import time\ntime.sleep(600)",
    "while True:\n    try:\n        right(1)\n    except Exception:\n        pass",
    "import torch\nwhile True:\n    torch.ones(200, 200) @ torch.ones(200, 200)",
    "for i in range(10 ** 12):\n    last = i",
    "def rec(n): return rec(n + 1)\nrec(0)",
    "import os\nos.chdir('/nowhere')",
    "raise type('Own', (BaseException,), {})",
]


@pytest.mark.parametrize("text", LEFT_OVER)
@pytest.mark.parametrize("above", [True, False])
def test_it_costs_nothing_and_is_reported(opened, text, above):
    started = time.monotonic()
    source = f"{text}\n{RIGHT}" if above and "right" not in text else f"{RIGHT}{text}\n"
    worker = opened(source)
    assert worker.loaded.error is None
    assert worker.call("right", (1,), ()).value == 2
    assert worker.loaded.skipped
    assert time.monotonic() - started < 8


def test_the_report_has_line_text_and_exception(opened):
    worker = opened(f"import math\n{RIGHT}\nassert right(1) == 3, 'my test'\n")
    assert worker.loaded.skipped == (
        ("module.py", 5, "assert right(1) == 3, 'my test'", "AssertionError: my test"),
    )


def test_many_slow_statements_have_a_budget_together(opened):
    started = time.monotonic()
    worker = opened("import time\n" + "time.sleep(60)\n" * 12 + RIGHT)
    assert worker.call("right", (1,), ()).value == 2
    assert len(worker.loaded.skipped) == 12
    assert time.monotonic() - started < 8


def test_what_a_skipped_statement_would_have_made_is_explained(opened):
    worker = opened(
        "table = open('not_here.txt').read()\nwhile True:\n    weights = 1\n"
        "def f(x):\n    return table\n"
    )
    error = worker.call("f", (1,), ()).error
    assert error.type == "NameError"
    assert "would define it, but raised FileNotFoundError" in error.text


def test_a_slow_helper_does_not_take_the_module_with_it(opened):
    worker = opened(
        {
            "helper.py": "import time\ndef double(x):\n    return 2 * x\ntime.sleep(60)\n",
            "module.py": "from helper import double\ndef f(x):\n    return double(x)\n",
        }
    )
    assert worker.call("f", (2,), ()).value == 4


LAYOUTS = [
    ({"module.py": "from .layers import *\ndef f(x): return g(x)"}, "module"),
    ({"module.py": "from .layers import g as h\ndef f(x): return h(x)"}, "module"),
    ({"module.py": "from . import layers\ndef f(x): return layers.g(x)"}, "module"),
    ({"module.py": "from ..hw2.layers import g\ndef f(x): return g(x)"}, "module"),
    ({"module.py": "from cs231n.layers import *\ndef f(x): return g(x)"}, "module"),
    ({"module.py": "import cs231n.layers as L\ndef f(x): return L.g(x)"}, "module"),
    ({"module.py": "from assignment.code.layers import g\ndef f(x): return g(x)"}, "module"),
    ({"hw/module.py": "from .layers import g\ndef f(x): return g(x)"}, "hw/module"),
    ({"hw/module.py": "from hw.layers import g\ndef f(x): return g(x)", "hw/__init__.py": ""},
     "hw/module"),
    ({"a/b/module.py": "from layers import g\ndef f(x): return g(x)"}, "a/b/module"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "module"), LAYOUTS)
def test_modules_import_each_other_as_in_courses(opened, files, module):
    (name,) = [name for name in files if name.endswith("module.py")]
    place = name.rpartition("/")[0]
    layers = f"{place}/layers.py".lstrip("/")
    worker = opened({**files, layers: "def g(x):\n    return x + 1\n"}, module)
    assert worker.call("f", (1,), ()).value == 2, worker.loaded


def test_one_module_under_two_names_is_one_module(opened):
    worker = opened(
        {
            "layers.py": "STATE = []\n",
            "module.py": "import layers\nfrom cs231n import layers as other\n"
            "import cs231n.layers\ndef f():\n"
            "    return layers.STATE is other.STATE is cs231n.layers.STATE\n",
        }
    )
    assert worker.call("f", (), ()).value is True


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "def outer():\n    def f(x):\n        return x\n",
            "line 2 defines it inside the function outer",
        ),
        (
            "class A:\n    def f(self, x):\n        return x\n",
            "line 2 defines it inside the class A",
        ),
        ("def rnn_step_foward(x):\n    return x\n", "line 1 defines rnn_step_foward"),
        ("def something(x):\n    return x\n", ""),
    ],
)
def test_a_function_that_is_not_there_is_looked_for(opened, text, hint):
    wanted = "rnn_step_forward" if "foward" in text else "f"
    error = opened(text).call(wanted, (1,), ()).error
    assert error.undefined
    assert error.text == hint


def test_a_function_that_is_defined_twice_is_named_with_its_lines(opened):
    worker = opened("def f(x):\n    return 1\n\ndef f(x):\n    return 2\n")
    assert worker.loaded.twice == (
        ("f", "f is defined twice (lines 1, 4), and Python uses the last one only"),
    )
    assert worker.call("f", (0,), ()).value == 2


def test_texts_are_the_same_objects_as_literals(opened):
    worker = opened(
        "def f(cell, words, by):\n"
        "    return cell is 'lstm', words[1] is 'great film', list(by)[0] is 'h0'\n"
    )
    value = worker.call("f", ("lstm", ["a", "great film"], {"h0": 1}), ()).value
    assert value[0] is True
    assert value[2] is True


def test_arrays_arrive_as_a_test_of_ones_own_would_make_them(opened):
    import numpy as np

    worker = opened(
        "def f(x):\n    x.resize((6,), refcheck=False)\n    x[0] = 3\n"
        "    return [bool(x.flags[k]) for k in ('C_CONTIGUOUS', 'WRITEABLE', 'ALIGNED', 'OWNDATA')]\n"
    )
    value = worker.call("f", (np.zeros((3, 2))[:, ::-1],), ()).value
    assert value == [True, True, True, True]
