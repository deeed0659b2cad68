"""A file that is written for a newer Python is named as that."""

import pytest

from grader.intake.sources import explained
from grader.isolation.worker.newer import newer_name, newer_syntax

NEW = [
    ("type Vector = list[float]", (3, 11), "3.12"),
    ("type Pair[T] = tuple[T, T]", (3, 11), "3.12"),
    ("def first[T](x: list[T]) -> T:", (3, 11), "3.12"),
    ("    async def f[T](x):", (3, 11), "3.12"),
    ("class Stack[T]:", (3, 11), "3.12"),
    ('print(f"state {", ".join(names)}")', (3, 11), "3.12"),
    ("print(f'{d['key']}')", (3, 11), "3.12"),
    (r'print(f"{"\n".join(rows)}")', (3, 11), "3.12"),
    (r"""x = f'{"\t".join(rows)}'""", (3, 11), "3.12"),
    ("except* ValueError as group:", (3, 10), "3.11"),
    ("match command:", (3, 9), "3.10"),
    ("except ValueError, TypeError:", (3, 13), "3.14"),
    ("    except np.linalg.LinAlgError, KeyError:", (3, 13), "3.14"),
    ('page = t"Hello {name}"', (3, 13), "3.14"),
]
OLD = [
    "def f(x):", "class A(B):", "x = type(y)", "type = 3", "x = f'{a} {b}'", 'x = f"{a!r:>{w}}"',
    "x = names[0]", "except ValueError:", "match = re.match(a, b)", "return x[", "print 'hello'",
    "except ValueError, e:", "except (ValueError, TypeError):",
    'x = "a" if b else "c"', "x = {'a': 1}",
]  # fmt: skip


@pytest.mark.parametrize(("line", "running", "version"), NEW)
def test_it_is_named_with_the_version_it_needs(line, running, version):
    words = newer_syntax(line.encode(), running)
    assert f"need Python {version}" in words
    assert words.endswith(f"the grader runs Python {running[0]}.{running[1]}")


@pytest.mark.parametrize(("line", "_running", "version"), NEW)
def test_a_python_that_is_new_enough_is_not_to_blame(line, _running, version):
    assert newer_syntax(line.encode(), tuple(map(int, version.split(".")))) is None


@pytest.mark.parametrize("line", OLD)
def test_an_ordinary_slip_is_not_taken_for_it(line):
    assert newer_syntax(line.encode(), (3, 8)) is None


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("typing.override", "3.12"), ("itertools.batched", "3.12"), ("warnings.deprecated", "3.13"),
        ("tomllib", "3.11"), ("typing.Self", "3.11"), ("string.templatelib", "3.14"),
    ],
)  # fmt: skip
def test_a_newer_name_of_the_standard_library_is_named_with_its_version(name, version):
    words = newer_name(name, (3, 10))
    assert words == f"needs Python {version} (the grader runs Python 3.10)"
    assert newer_name(name, (3, 14)) is None
    assert newer_name("seaborn", (3, 10)) is None


def test_the_message_looks_at_the_line_of_the_error():
    data = b"x = 1\ntype Vector = list\ny = (\n"
    assert explained("a.py", data, ("SyntaxError",), 3) is None
    assert explained("a.py", data, ("SyntaxError",), 99) is None
    assert explained("a.py", data, ("NameError",), 2) is None
