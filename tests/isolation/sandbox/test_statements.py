"""Demonstrations below the functions cost nothing; what was defined stays, and is explained."""
# ruff: noqa: E501 - one program a line

import time

import pytest

from grader.errors import WorkerLost

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
    "import itertools\nx = sorted(itertools.permutations(range(11)))",
    "import time\ndef f(x=time.sleep(600)): pass",
    "import time\ndef f(*, x=[time.sleep(600)]): pass",
    "import time\ndef slow(f): time.sleep(600)\n@slow\ndef g(): pass",
    "import time\nclass A:\n    time.sleep(600)",
    "import time\nclass A:\n    @property\n    def __del__(self): pass\n    x = [A_ for A_ in iter(int, 1)]",
    "import time\nfor _ in range(10 ** 7):\n    try: time.sleep(0.01)\n    except: pass",
    "import time\nfor _ in range(10 ** 7):\n    try: time.sleep(10)\n    except: print('interrupted')",
    "import time\ndef run():\n    while True:\n        try:\n            while True: time.sleep(0.01)\n        except BaseException: continue\nrun()",
    "def f():\n    try:\n        while True: pass\n    finally:\n        while True: pass\nf()",
]
# One call into C that no signal interrupts, and what ends the process: another worker starts.
DEADLY = {
    "sum(range(10 ** 10))": "",
    "import numpy as np\nnp.linalg.svd(np.random.rand(2500, 2500))": "",
    "import re\nre.match('(a+)+$', 'a' * 40 + 'b')": "",
    "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass": "",
    "import os\nos._exit(0)": "the process exited with status 0",
    "import os\nos._exit(3)": "the process exited with status 3",
    "import os\nos.kill(os.getpid(), 9)": "the process was killed by signal 9",
    "import os\nif True:\n    os.abort()": "the process was killed by signal 6",
    "import ctypes\nctypes.string_at(0)": "the process crashed (segmentation fault; very deep",
    "import os\ndef end(f): os._exit(1)\n@end\ndef g(): pass": "the process exited with status 1",
    "open('big', 'wb').truncate(8 << 20)\nimport numpy as np\n"
    "np.memmap('big', mode='r+')[:] = 1": "the process crashed (bus error): a file that is mapped",
}


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


@pytest.mark.parametrize("text", DEADLY)
@pytest.mark.parametrize("above", [True, False])
def test_what_ends_a_worker_is_left_out_of_the_next(opened, text, above):
    worker = opened(f"{text}\n{RIGHT}" if above else f"{RIGHT}{text}\n")
    assert worker.loaded.error is None
    assert worker.call("right", (1,), ()).value == 2
    ((file, line, _text, why),) = worker.loaded.skipped
    assert file == "module.py"
    assert line > 1 or not text.startswith("import")
    assert why.startswith(DEADLY[text])
    assert bool(why) == bool(DEADLY[text])


def test_a_statement_in_another_file_is_left_out_alone(opened):
    worker = opened(
        {
            "helper.py": "import os\ndef double(x):\n    return 2 * x\nos._exit(0); y = 5\n",
            "module.py": "from helper import double, y\ndef f(x):\n    return double(x) + y\n",
        }
    )
    assert worker.loaded.skipped[0][:3] == ("helper.py", 4, "os._exit(0)")
    assert worker.call("f", (2,), ()).value == 9


def test_a_module_that_ends_every_worker_is_given_up_with_its_line(opened):
    with pytest.raises(WorkerLost, match=r"exited with status 0 .* \(module.py, line 5\)") as lost:
        opened("import os\n" + "os._exit(0)\n" * 6)
    assert lost.value.reason == "crashed"


def test_a_death_in_a_function_stays_one(opened):
    worker = opened("import os\ndef f():\n    os._exit(0)\n")
    with pytest.raises(WorkerLost, match="exited with status 0 before it returned a value"):
        worker.call("f", (), ())


PRINTS = [
    "for i in range(20000): print('epoch', i, 'loss', 0.12345)",
    "print('x' * 3_000_000)",
    "import os\nos.write(1, b'x' * 60_000); os.write(2, b'x' * 60_000)",
    "import sys\nsys.stderr.write('x' * 200_000)",
    "import traceback\nfor i in range(500):\n    try: 1 / 0\n    except Exception: traceback.print_exc()",
    "import logging\nfor i in range(2000): logging.warning('step %d of many, and more words', i)",
    "while True: print('endless')",
]


@pytest.mark.parametrize("text", PRINTS)
def test_printing_much_while_loading_costs_nothing(opened, text):
    worker = opened(f"{text}\n{RIGHT}def much():\n    print('x' * 30_000)\n    return 1\n")
    assert worker.loaded.cut
    assert worker.call("right", (1,), ()).value == 2
    assert worker.call("much", (), ()).value == 1


def test_printing_much_in_a_function_does(opened):
    worker = opened("print('x')\ndef f():\n    print('x' * 300_000)\n    return 1\n")
    assert not worker.loaded.cut
    with pytest.raises(WorkerLost, match="printed more than 64 KiB"):
        worker.call("f", (), ())


def test_quick_statements_add_up(opened):
    started = time.monotonic()
    worker = opened("import time\n" + "time.sleep(0.9)\n" * 30 + RIGHT)
    assert worker.call("right", (1,), ()).value == 2
    assert len(worker.loaded.skipped) == 20  # as many as are told; some four have run
    assert time.monotonic() - started < 8


def test_a_late_signal_does_nothing(opened):
    """Interrupts arrive while a large value is removed, long after the statement."""
    source = "".join(f"a{i} = [str(n) for n in range(900_000 * {i})]\n" for i in range(1, 7))
    source += "b = sorted(map(str, range(7_000_000)))\n"
    worker = opened(f"{source}{RIGHT}")
    assert worker.loaded.error is None
    assert worker.call("right", (1,), ()).value == 2


def test_no_path_of_ours_is_shown(opened):
    worker = opened(
        {
            "module.py": "import os\ndef f():\n    open(os.path.abspath('none.txt'))\n"
            "def g():\n    open(os.path.realpath('big.bin'), 'r+b')\n",
            "big.bin": "y" * 3_000_000,
        }
    )
    assert worker.call("f", (), ()).error.text.endswith("'none.txt'")
    assert worker.call("g", (), ()).error.text.endswith("'big.bin'")


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
