"""Imports as courses write them work in whatever folders the files were handed in."""
# ruff: noqa: E501 - one program a line

import pytest

ACT = "def double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return -x\n"
USE = "\ndef f(x):\n    return double(x)\n"
TOP = "from cs231n.act import double"


def module(first):
    return first + USE


STATEMENTS = [
    TOP,
    "from .act import double",
    "from act import double",
    "from cs231n.act import *",
    "from . import act\ndouble = act.double",
    "from . import act as a\ndouble = a.double",
    "from cs231n import act\ndouble = act.double",
    "import cs231n.act\ndouble = cs231n.act.double",
    "import cs231n.act as a\ndouble = a.double",
    "if True:\n    from .act import double",
    "if True:\n    from cs231n.act import double",
    "with open(__file__):\n    from .act import double",
    "class A:\n    from .act import double\ndouble = A.double",
    "try:\n    from .act import double\nexcept ImportError:\n    from cs231n.act import double",
    "try:\n    from cs231n.act import double\nexcept ImportError:\n    double = None",
    "for _ in range(2):\n    from cs231n.act import double",
    "def double(x):\n    from .act import double as g\n    return g(x)",
    "def double(x):\n    from cs231n.act import double as g\n    return g(x)",
    "def double(x):\n    import cs231n.act as a\n    return a.double(x)",
    "def double(x):\n    from . import act\n    return act.double(x)",
    "from ..act import double",
    "from hw.deep.er.act import double",
    "import importlib\ndouble = importlib.import_module('cs231n.act').double",
]


@pytest.mark.parametrize("first", STATEMENTS)
@pytest.mark.parametrize("folder", ["", "q3/", "cs231n/", "src/hw/"])
def test_a_neighbor_is_found_wherever_the_statement_stands(opened, first, folder):
    if "importlib" in first:  # nobody can see this import before it runs
        first = f"import cs231n.act\n{first}"
    worker = opened(
        {f"{folder}module.py": module(first), f"{folder}act.py": ACT}, f"{folder}module"
    )
    assert worker.loaded.missing_packages == ()
    assert worker.call("f", (4,), ()).value == 8


LAYOUTS = {
    "the supplied file twice": {"act.py": ACT, "q/act.py": ACT, "q/module.py": TOP},
    "the nearer one": {"q/act.py": ACT, "other/act.py": WRONG, "q/module.py": TOP},
    "nearer than at the top": {"act.py": WRONG, "q/act.py": ACT, "q/module.py": TOP},
    "one folder up": {"act.py": ACT, "q/module.py": TOP},
    "up, with dots": {"act.py": ACT, "q/module.py": "from ..act import double"},
    "more dots than folders": {"act.py": ACT, "q/module.py": "from ....act import double"},
    "beside, in a package": {
        "utils/__init__.py": "", "utils/act.py": ACT, "q/module.py": "from ..utils.act import double",
    },
    "beside, without __init__": {
        "utils/act.py": ACT, "q/module.py": "from ..utils.act import double",
    },
    "a stripped package": {
        "utils/__init__.py": "", "utils/act.py": ACT, "q/module.py": "from hw2.utils.act import double",
    },
    "a stripped package without __init__": {
        "utils/act.py": ACT, "q/module.py": "from hw2.utils.act import double",
    },
    "a package that imports itself": {
        "nn/__init__.py": "from .act import *\nfrom cs231n.nn.act import double as d",
        "nn/act.py": ACT, "q/module.py": "from cs231n.nn import double",
    },
    "the name in the package itself": {
        "__init__.py": ACT, "module.py": "from . import double",
    },
    "a package that must not run": {
        "__init__.py": "raise RuntimeError('run setup.py build_ext')", "act.py": ACT,
        "module.py": "from . import act\nfrom .act import double",
    },
    "the longer path": {
        "a/act.py": WRONG, "b/act.py": ACT, "q/module.py": "from hw2.b.act import double",
    },
    "a helper in its own folder": {
        "lib/helper.py": "from .act import double", "lib/act.py": ACT, "act.py": WRONG,
        "module.py": "from lib.helper import double",
    },
    "in a circle": {
        "act.py": f"from cs231n.module import f as later\n{ACT}", "module.py": TOP,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_file_that_is_meant_is_found(opened, name):
    files = dict(LAYOUTS[name])
    path = next(file for file in files if file.endswith("module.py"))
    files[path] = module(files[path])
    worker = opened(files, path.removesuffix(".py"))
    assert worker.call("f", (4,), ()).value == 8


def test_a_module_has_one_identity_under_both_names(opened):
    worker = opened(
        {
            "act.py": "class A:\n    pass\n",
            "module.py": "from act import A\nfrom cs231n.act import A as B\ndef f():\n"
            "    from .act import A as C\n    return A is B, A is C\n",
        }
    )
    assert worker.call("f", (), ()).value == (True, True)


def test_two_equally_near_files_are_not_guessed_between(opened):
    files = {"a/act.py": ACT, "b/act.py": WRONG, "module.py": module(TOP)}
    error = opened(files).call("f", (1,), ()).error
    assert error.missing_package == "cs231n"


def test_an_absent_library_is_not_taken_for_the_course(opened):
    files = {
        "layers.py": ACT,
        "module.py": "from nolib.layers import Dense\ndef f():\n    Dense(3)\n",
    }
    worker = opened(files)
    assert worker.call("f", (), ()).error.missing_package == "nolib"
