"""The proof that a program is pure: what it takes, and that nothing it takes keeps anything."""

from __future__ import annotations

import ast

import pytest

from grader.isolation.worker import pure
from grader.isolation.worker.pure_function import NotProvenError

LAYERS = "reference/submissions/full_marks/{}/rnn_layers.py"


@pytest.fixture
def prove(tmp_path):
    """Prove a module of the given text, beside others."""

    def proven(text: str, **others: str) -> set[str]:
        for name, other in {"layers": text, **others}.items():
            (tmp_path / f"{name}.py").write_text(other)
        trees: dict[str, ast.Module] = {}
        pure.prove(str(tmp_path), "layers", trees, {"reference"})
        return {path.rpartition("/")[2] for path in trees}

    return proven


def in_a_function(line: str) -> str:
    return f"import numpy as np\nimport math\n\ndef f(x, y=0):\n    {line}\n    return x\n"


@pytest.mark.parametrize("example", ["plain", "loop", "vectorised", "buffers_in_single_precision"])
def test_ordinary_solutions_are_proven(prove, example):
    with open(LAYERS.format(example), encoding="utf-8") as source:
        assert prove(source.read()) == {"layers.py"}


@pytest.mark.parametrize(
    "line",
    [
        "x = np.tanh(x @ x.T + 1e-8)",
        "cache = {'x': x, 'y': y}; x = cache['x']; cache.update(z=1)",
        "h = []\n    for t in range(3): h.append(x[t])\n    x = np.stack(h, axis=1)",
        "x[0] += 1; del y",
        "inner = lambda z: z + y\n    x = inner(x)",
        "x = [np.dot(a, b) for a, b in zip(x, x) if a.sum() > 0]",
        "def inner(z):\n        return z * math.sqrt(2)\n    x = inner(x)",
        "print('shape', x.shape, x.mean(), sep='; ')",
        "assert x.ndim == 2, f'shape {x.shape}'",
        "if x is None: raise ValueError('no %s' % str(x))",
        "gates = {'f': x, 'g': x}; x = gates['g']; gates['o'] = x % 2",
        "if x is None: raise ValueError('no x')",
        "with np.errstate(over='ignore'): x = np.exp(x)",
        "x = np.empty((2, 3), dtype=object)",
        "np.add.at(x, y, 1); x = np.linalg.norm(x, axis=0)",
        "sum = 0\n    for input in x: sum = sum + input\n    x = sum",
        "x = x if isinstance(x, np.ndarray) else np.array(x)",
        "first, *others = x",
        "x = np.where(x > 0, x, 0) if (n := len(x)) else x",
    ],
)
def test_plain_python_with_arrays_is_proven(prove, line):
    assert prove(in_a_function(line)) == {"layers.py"}


@pytest.mark.parametrize(
    "line",
    [
        "f.calls = 1",
        "g = f; g.calls = 1",
        "np.cache = x",
        "np.tanh.cache = x",
        "x.shape = (1,)",
        "global STATE; STATE = x",
        "x = f.__defaults__",
        "x = f.__globals__",
        "x = x.__class__",
        "x = type(x)",
        "x = id(x)",
        "x = hash('a')",
        "x = getattr(x, 'base')",
        "setattr(f, 'calls', 1)",
        "x = vars(f)",
        "x = globals()",
        "x = __builtins__",
        "x = __name__",
        "x = open('/etc/passwd')",
        "x = eval('x')",
        "exec('STATE = 1')",
        "x = input()",
        "x = memoryview(x)",
        "x = super()",
        "import os",
        "from os import path",
        "try: x = 1 / x\n    except Exception: pass",
        "with open('a') as x: pass",
        "yield x",
        "x = x.base",
        "x = x.view('u1')",
        "x = x.data",
        "x = x.ctypes.data",
        "x.setflags(write=True)",
        "x.tofile('a')",
        "x = x.dump('a')",
        "x = '{0.__class__}'.format(x)",
        "x = np.random.rand(3)",
        "np.random.seed(0)",
        "np.seterr(all='ignore')",
        "x = np.load('a.npy')",
        "np.save('a.npy', x)",
        "x = np.ndarray((2, 3))",
        "x = np.frombuffer(b'abc')",
        "x = np.memmap('a')",
        "x = np.lib.stride_tricks.as_strided(x, (9,))",
        "x = np.ctypeslib.as_array(x)",
        "x = np.linalg.linalg",
        "x = np.add(x, x, where=x > 0)",
        "x = np.add(x, x, **y)",
        "print(x, file=y)",
        "with np.errstate(call=y): x = x + 1",
        "with np.errstate(over='ignore') as x: pass",
        "x = np",
        "m = [np][0]; x = m.load",
        "x = (lambda np=0: np)()",
        "np = y; x = np.load",
        "x = math",
        "x = [open for open in [1]]; x = open('a')",
        "x = (lambda open: open)(1); x = open('a')",
        "def inner(open): return open\n    x = open('a')",
        "def inner(z, kept=[]): return kept\n    x = inner(1)",
        "def inner(z):\n        nonlocal x\n        x = z\n    inner(1)",
        "class Inner: pass",
        "x = str(f)",
        "x = repr(f)",
        "x = f'{f}'",
        "x = '%s' % f",
        "print(f'{f}')",
        "x = x.astype('V16')",
        "x = x.astype('longdouble')",
        "x = np.zeros(3, 'S8')",
        "x = np.zeros(3, dtype='f8,f8')",
        "x = np.zeros(3, dtype='m8[s]')",
        "x = kept",
        "x = [kept for kept in x]; kept.append(1); __path__ = 1; x = __path__",
        "def inner() -> np.random.seed(0): pass\n    inner()",
        "def inner(z: np.random.seed(0)): pass\n    inner(1)",
        "isinstance = y; x = isinstance(x, np.ndarray)",
        "def isinstance(a, b): return b(a)\n    x = isinstance(3, np.ndarray)",
        "x = (lambda isinstance: isinstance(3, np.ndarray))(y)",
        "x = {1, 2}",
        "del x.shape",
    ],
)
def test_what_could_keep_or_reach_something_is_not_proven(prove, line):
    with pytest.raises(NotProvenError):
        prove(in_a_function(line))


@pytest.mark.parametrize(
    "text",
    [
        "STATE = []",
        "STATE = {}",
        "import numpy as np\nEYE = np.eye(3)",
        "import numpy as np\nempty = np.empty",
        "from numpy import empty",
        "def f(x, kept=[]): return kept",
        "def f(x, *, kept={}): return kept",
        "def f(x: print('a')): return x",
        "STATE: print('a') = 1",
        "print('a')",
        "for i in range(3): pass",
        "import os",
        "from os import path",
        "import torch",
        "import numpy.random",
        "from numpy.random import rand",
        "from numpy import *",
        "from math import *",
        "from . import other",
        "import functools\n@functools.cache\ndef f(x): return x",
        "class A(list): pass",
        "class A(metaclass=type): pass",
        "class A:\n    kept = []",
        "class A:\n    kept: list = []",
        "class A:\n    def f(self): return self",
        "class A:\n    __slots__ = ('base',)\ndef f(x): return x.base",
        "class A:\n    __slots__ = ('__dict__',)",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    data: int",
        "from collections import namedtuple\nA = namedtuple('A', 'ctypes')",
        "from collections import namedtuple\ndef f(x): return namedtuple('A', x)",
        "class A:\n    __slots__ = ('n',)\ndef f(x):\n    A.n = 1",
        "class A:\n    __slots__ = ('n',)\ndef f(x):\n    x.n = 1",
        "class A:\n    __slots__ = ('n',)\ndef f(x):\n    a = A()\n    a = x\n    a.n = 1",
        "class A:\n    __slots__ = ('n',)\ndef f(x):\n    a = A()\n    for a in x: a.n = 1",
        "class A:\n    __slots__ = ('n',)\ndef f(x, A):\n    a = A()\n    a.n = 1",
        "class A:\n    __slots__ = ('n',)\ndef f(a):\n    def g():\n        a = A()\n    a.n = 1",
        "import numpy as np\nnp.tanh = abs",
        "abs = 1\ndef f(x): return abs",
        "if __name__ == '__main__':\n    pass\nelse:\n    print('a')",
        "import layers",
        "__all__ = ('f',)\ndef f(x): return x",
        "def __getattr__(name): return []",
        "import math as __builtins__",
        "__warningregistry__ = 3",
        "from numpy import dot as __file__",
        "import numpy as n\ndef isinstance(a, b): return b(a)\ndef f(x): isinstance(x, n.ndarray)",
        "from collections import namedtuple\nA = namedtuple(print('A') or 'A', 'x')",
        "from collections import namedtuple\nA = namedtuple('A', print('x') or 'x')",
        "from collections import namedtuple\nA = namedtuple('A', 'x', defaults=[[]])",
        "def f(x) -> print('a'): return x",
    ],
)
def test_a_module_that_could_keep_something_is_not_proven(prove, text):
    with pytest.raises(NotProvenError):
        prove(text)


def test_what_runs_as_a_script_only_is_not_looked_at(prove):
    assert prove("def f(x): return x\nif __name__ == '__main__':\n    open('a')") == {"layers.py"}


def test_records_may_be_made_and_filled(prove):
    text = "class Tape:\n    __slots__ = ('x', 'states')\n\ndef f(x):\n    tape = Tape()\n"
    assert prove(f"{text}    tape.x, tape.states = x, [x]\n    return tape.x\n") == {"layers.py"}


def test_the_modules_that_it_imports_are_proven_with_it(prove):
    text = "import helpers\nfrom helpers import *\n\ndef g(x): return helpers.f(x) + f(x)\n"
    assert prove(text, helpers="def f(x): return x") == {"layers.py", "helpers.py"}
    with pytest.raises(NotProvenError):
        prove(text, helpers="KEPT = []\ndef f(x): return KEPT")


def test_a_function_may_be_put_into_another_module_of_the_program(prove):
    text = "import helpers\n\ndef f(x): return x\n\nhelpers.f = f\n"
    assert prove(text, helpers="def f(x): return -x") == {"layers.py", "helpers.py"}


@pytest.mark.parametrize("value", ["[]", "open", "print('a')", "helpers"])
def test_nothing_else_may_be_put_there(prove, value):
    text = f"import helpers\n\ndef f(x): return x\n\nhelpers.f = {value}\n"
    with pytest.raises(NotProvenError):
        prove(text, helpers="def f(x): return -x")


@pytest.mark.parametrize("name", ["os", "random", "numpy", "antigravity", "reference"])
def test_a_file_that_is_called_like_a_library_proves_nothing(prove, name):
    """Python would import the library, and the proof would have read the file."""
    with pytest.raises(NotProvenError, match="another module"):
        prove(f"import {name}\ndef f(x): return {name}.system(x)", **{name: "def system(x): pass"})


def test_a_large_program_is_refused_soon(prove):
    many = "\n".join([f"import numpy as a{n}" for n in range(3000)] + ["def f(x): return x"] * 3000)
    with pytest.raises(NotProvenError, match="many names"):
        prove(many)
