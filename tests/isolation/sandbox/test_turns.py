"""A worker of a program that is proven pure, which does one check after another."""

from __future__ import annotations

import numpy as np
import pytest

from grader.errors import AskAgainError
from grader.isolation.sandbox.calls import FunctionCall
from grader.isolation.wire import Encoder, Opaque, pack
from tests.isolation.sandbox.conftest import STEM_LIMITS, made

PURE = """
import numpy as np

def add(x, y):
    return x + y, [x, y]

def taken(kept):
    return kept[0] * 2.0

def overflows(x):
    return np.exp(x * 1e4)

def says(x):
    print("said", x)
    return x

def loops(x):
    while True:
        x = x + 1

def empty_shape(x):
    return np.empty(x.shape)

def empty(x):
    return np.empty(x.shape), np.empty_like(x), np.empty(4, dtype=int), np.empty(3, dtype=bool)
"""
X = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def turn(stem_server):
    """Open a worker of a program, as a check that asks all at once does."""

    def opened(text=PURE, *, in_turns=True, folder=None):
        if folder is None:
            folder = made(stem_server)
            (folder / "module.py").write_text(text)
        worker = stem_server.spawn(folder, STEM_LIMITS, 7, "module", 3, in_turns=in_turns)
        worker.load("module")
        worker.folder = folder
        return worker

    yield opened
    stem_server.leave()


def pid(worker):
    return worker._reap.args[0]


def test_checks_of_a_pure_program_share_a_worker(turn):
    first = turn()
    first.close()
    second = turn(folder=first.folder)
    assert pid(second) == pid(first)
    np.testing.assert_array_equal(second.call("add", (X, X), ()).value[0], X + X)


def test_a_check_that_asks_case_by_case_has_a_worker_of_its_own(turn):
    first = turn()
    first.close()
    used = {pid(first)}
    for _ in range(2):
        with turn(folder=first.folder, in_turns=False) as own:
            used.add(pid(own))
    assert len(used) == 3
    assert pid(turn(folder=first.folder)) == pid(first)


def test_a_program_that_is_not_pure_has_a_fork_for_each_check(turn):
    text = f"{PURE}\nSTATE = []\n\ndef remember():\n    STATE.append(1)\n    return len(STATE)\n"
    first = turn(text)
    assert first.call("remember", (), ()).value == 1
    first.close()
    second = turn(folder=first.folder)
    assert second.call("remember", (), ()).value == 1
    assert pid(second) != pid(first)
    second.close()


def test_another_submission_has_another_worker(turn):
    first = turn()
    first.close()
    assert pid(turn()) != pid(first)
    assert first._closed


def test_handles_are_counted_afresh_and_those_of_another_check_are_gone(turn):
    first = turn()
    kept = first.call("add", (X, X), (1,)).value[1]
    assert kept.handle == 0
    first.close()
    second = turn(folder=first.folder)
    assert second.call("add", (X, X), (1,)).value[1].handle == 0
    second.close()
    third = turn(folder=first.folder)
    assert pid(third) == pid(first)
    with pytest.raises(AskAgainError):
        third.call("taken", (kept,), ())


def test_what_a_check_prints_is_its_own_and_a_warning_comes_in_each(turn):
    first = turn()
    first.call("says", (1,), ())
    first.call("overflows", (X,), ())
    first.close()
    printed = bytes(first.output)
    second = turn(folder=first.folder)
    second.call("overflows", (X,), ())
    second.close()
    assert pid(second) == pid(first)
    assert printed == b"said 1\n" + second.output
    assert second.output.count(b"RuntimeWarning") == 1


def test_what_is_printed_while_it_is_mute_is_dropped_until_the_next_check(turn):
    printed = []
    first = turn()
    for _ in range(2):
        worker = turn(folder=first.folder)
        worker.call("says", (1,), ())
        worker.mute()
        worker.call("says", (2,), ())
        worker.mute()
        worker.call("says", (3,), ())
        worker.close()
        printed.append(bytes(worker.output))
    assert pid(worker) == pid(first)
    assert printed == [b"said 1\n"] * 2


def test_a_worker_tells_how_long_two_calls_took_and_nothing_of_them_is_heard(turn):
    text = """
def first(x, times):
    print("first")
    for _ in range(times):
        x = x + 1
    return x, [x, times]

def second(dy, kept):
    print("second")
    for _ in range(10_000 * kept[1]):
        dy = dy + kept[0]
    return dy

def changes(x, kept=None):
    x += 1
    return x, [x, 0]
"""
    worker = turn(text)
    made, kept = FunctionCall("first", (X, 3), (1,)), FunctionCall("second", (X,))
    seconds = worker.times(made, kept).value
    assert [type(one) for one in seconds] == [float, float]
    assert seconds[1] > seconds[0] > 0
    changes = FunctionCall("changes", (X,), (1,))  # of which an ordinary call tells
    assert worker.times(made, changes).value is worker.times(changes, kept).value is None
    assert worker.call("first", (X, 1), (1,)).value[0] == pytest.approx(X + 1)
    with pytest.raises(AskAgainError):
        worker.times(made, FunctionCall("second", (X, X)))
    worker.close()
    assert bytes(worker.output) == b"first\n"


def test_what_numpy_warns_of_in_its_own_files_comes_in_each_check(turn):
    text = f"{PURE}\n\ndef mean(x):\n    return np.mean(x[:0])\n"
    first = turn(text)
    printed = []
    for _ in range(3):
        worker = turn(folder=first.folder)
        worker.call("mean", (X,), ())
        worker.close()
        printed.append(bytes(worker.output))
    assert pid(worker) == pid(first)
    assert printed[0] == printed[1] == printed[2]
    assert b"Mean of empty slice" in printed[0]


def test_what_the_import_says_stands_in_each_check(turn):
    text = f"{PURE}\n\ndef is_three(x):\n    return x is 3\n"
    printed = []
    first = turn(text)
    for _ in range(2):
        worker = turn(folder=first.folder)
        worker.call("add", (X, X), ())
        worker.close()
        printed.append(bytes(worker.output))
    assert pid(worker) == pid(first)
    assert printed[0] == printed[1]
    assert printed[0].count(b"SyntaxWarning") == 1


def test_a_check_that_does_not_end_takes_no_other_along(turn):
    first = turn()
    first.call_ahead([FunctionCall("loops", (X,), ())])
    with pytest.raises(AskAgainError):
        first.call("loops", (X,), ())
    first.close()
    second = turn(folder=first.folder)
    assert pid(second) != pid(first)
    np.testing.assert_array_equal(second.call("add", (X, X), ()).value[0], X + X)
    second.close()


def test_a_check_that_leaves_before_it_is_answered_ends_the_worker(turn):
    first = turn()
    first.call_ahead([FunctionCall("add", (X, X), ())])
    first.close()
    second = turn(folder=first.folder)
    assert pid(second) != pid(first)
    second.close()


def test_nothing_that_changes_the_module_is_asked_of_it(turn):
    worker = turn()
    for ask in (
        lambda: worker.drive("d", "def run(module): module.x = 1", "run", "add", {}),
        lambda: worker.repair("add", [], []),
    ):
        with pytest.raises(AskAgainError):
            ask()
    np.testing.assert_array_equal(worker.call("add", (X, X), ()).value[0], X + X)


ANSWERED = """
import numpy as np
from other import half

def step(x, scale=2.0):
    return x * scale, [x]

def half_step(x):
    return half(x)

def steps(x, times=3):
    def one(y):
        return step(y)[0]
    for _ in range(times):
        x = one(x)
    return x
"""
OTHER = "def half(x):\n    return x / 2\n"


def wanted(function, module="", outputs=1, opaque=()):
    made = {"module": module, "function": function, "outputs": outputs, "opaque": list(opaque)}
    return {**made, "reader": ""}


def answering(*values):
    """Return what answers every call with these values."""

    def answer(_asked, _buffers, _deadline):
        encoder = Encoder()
        body = encoder.encode({"outputs": list(values), "known": {}})
        return pack(body, encoder.buffers)

    return answer


@pytest.fixture
def program(stem_server):
    folder = made(stem_server)
    (folder / "module.py").write_text(ANSWERED)
    (folder / "other.py").write_text(OTHER)
    (folder / "later.py").write_text("def late(x):\n    return x\n")
    return folder


def test_functions_are_answered_in_one_check_only(turn, program):
    first = turn(folder=program)
    assert first.call("steps", (X,), ()).value == pytest.approx(8 * X)
    first.close()
    for _ in range(2):
        second = turn(folder=program)
        functions = [wanted("step", outputs=2, opaque=[1]), wanted("half", "other")]
        second.have_answered(functions[:1], answering(X + 1.0, Opaque(0, "cache")))
        assert second.call("steps", (X,), ()).value == pytest.approx(X + 1)
        assert second.call("half_step", (X,), ()).value == pytest.approx(X / 2)
        second.close()
        third = turn(folder=program)
        third.have_answered(functions[1:], answering(X - 1.0))
        assert third.call("half_step", (X,), ()).value == pytest.approx(X - 1)
        assert third.call("steps", (X,), ()).value == pytest.approx(8 * X)
        third.close()
        fourth = turn(folder=program)
        assert fourth.call("steps", (X,), ()).value == pytest.approx(8 * X)
        assert fourth.call("step", (X,), ()).value[0] == pytest.approx(2 * X)
        assert fourth.call("half_step", (X,), ()).value == pytest.approx(X / 2)
        assert pid(first) == pid(second) == pid(third) == pid(fourth)
        fourth.close()


def test_a_function_with_two_names_is_taken_back(turn, program):
    (program / "module.py").write_text("from other import half as one, half as two\n")
    first = turn(folder=program)
    first.have_answered([wanted("one"), wanted("two")], answering(X + 1.0))
    assert first.call("two", (X,), ()).value == pytest.approx(X + 1)
    first.close()
    second = turn(folder=program)
    assert pid(first) == pid(second)
    assert second.call("one", (X,), ()).value == pytest.approx(X / 2)


def test_a_function_that_is_not_there_is_missing_again_in_the_next_check(turn, program):
    (program / "module.py").write_text("def own(x):\n    return x\n")
    first = turn(folder=program)
    first.have_answered([wanted("gone")], answering(X))
    assert first.call("gone", (X,), ()).value == pytest.approx(X)
    first.close()
    second = turn(folder=program)
    assert pid(first) == pid(second)
    with pytest.raises(AskAgainError):
        second.call("gone", (X,), ())


def test_what_is_refused_or_asked_of_a_module_that_was_not_imported_is_asked_again(turn, program):
    worker = turn(folder=program)
    with pytest.raises(AskAgainError):
        worker.have_answered([wanted("late", "later")], answering(X))

    def refusing(_asked, _buffers, _deadline):
        return pack({"refused": "cannot be computed"}, [])

    worker.have_answered([wanted("step", outputs=2)], refusing)
    with pytest.raises(AskAgainError):
        worker.call("steps", (X,), ())


def test_in_the_next_check_nothing_is_answered_for_a_worker_that_asks(turn, program):
    first = turn(folder=program)
    first.have_answered([wanted("step", outputs=2)], answering(X, X))
    first.close()
    second = turn(folder=program)
    assert pid(first) == pid(second)
    assert second._answer is None


def test_memory_that_is_not_written_holds_nothing_of_another_check(turn):
    one, two, three, four = turn().call("empty", (X,), ()).value
    for odd in (one, two, three):
        assert len(set(odd.reshape(-1).tolist())) == odd.size
        assert (odd != 0).all()
        assert (odd > 0).any()
        assert (odd < 0).any()
    assert set(four.tolist()) == {True, False}


@pytest.mark.parametrize(
    ("line", "decides"),
    [
        ("return x", True),
        ("return np.zeros_like(x)", True),
        ("return np.empty_like(x)", False),
        ("return np.\uff45mpty(3)", False),
        ("return np.pad(x, 1, mode='em' 'pty')", False),
    ],
)
def test_where_memory_is_not_written_values_are_the_luck_of_a_worker(line, decides, turn):
    text = f"{PURE}\n\ndef more(x):\n    {line}\n"
    assert "empty" in PURE
    text = text.replace("empty", "zeros") if "empty" not in line else text
    worker = turn(text)
    assert worker.waits_for_a_turn
    assert worker.decides is decides


def test_an_ordinary_worker_has_numpys_own(turn):
    odd = turn().call("empty_shape", (X,), ()).value
    worker = turn(f"{PURE}\nSTATE = []\n")
    assert not (worker.call("empty_shape", (X,), ()).value == odd).all()
    worker.close()


FORGED = """
import sys

frame = sys._getframe()
while frame is not None:
    if frame.f_code.co_name == "_load" and "pack" in frame.f_globals:
        names = frame.f_globals
        names["pack"] = lambda body, buffers, old=names["pack"]: old(
            {**body, "pure": True, "alone": False, "result": True}, buffers
        )
    frame = frame.f_back
SEEN = []

def remember():
    SEEN.append(1)
    return len(SEEN)
"""


def test_a_program_cannot_say_that_it_is_pure(turn):
    first = turn(FORGED)
    first.close()
    second = turn(folder=first.folder)
    assert pid(second) != pid(first)
    second.close()


def test_nothing_is_loaded_in_place_of_what_was_proven(turn, stem_server):
    """The grader's own names are found in another way than those of the submission."""
    folder = made(stem_server)
    (folder / "q3").mkdir(mode=0o755)
    (folder / "q3" / "reference.py").write_text("def remember():\n    return 1\n")
    text = "import reference\n\ndef remember():\n    return reference.remember()\n"
    (folder / "module.py").write_text(text)
    kept = "KEPT = []\n\ndef remember():\n    KEPT.append(1)\n    return len(KEPT)\n"
    (folder / "reference.py").write_text(kept)
    seen = []
    for _ in range(2):
        worker = turn(folder=folder)
        seen.append(worker.call("remember", (), ()).value)
        worker.close()
    assert seen == [1, 1]


@pytest.mark.parametrize(
    "text",
    ["    elif x: pass\n" * 12000, "    return " + "-" * 100_000 + "x\n"],
    ids=["many branches", "many signs"],
)
def test_a_text_that_breaks_the_proof_costs_nothing(turn, stem_server, text):
    folder = made(stem_server)
    (folder / "helpers.py").write_text(f"def g(x):\n    if x: pass\n{text}")
    (folder / "module.py").write_text(f"import helpers\n{PURE}")
    worker = turn(folder=folder)
    np.testing.assert_array_equal(worker.call("add", (X, X), ()).value[0], X + X)
    worker.close()


def test_what_a_check_leaves_in_circles_is_gone_in_the_next(turn):
    text = "import numpy as np\n\ndef f(x):\n    y = np.ones(12_000_000)\n\n"
    text += "    def g():\n        return g, y\n\n    return g()[1][0] + x\n"
    first = turn(text)
    for _ in range(9):
        first.close()
        again = turn(folder=first.folder)
        assert again.call("f", (X,), ()).error is None
    assert pid(again) == pid(first)


@pytest.mark.parametrize(
    "name", ["array", "copy", "heapq", "json", "random", "statistics", "string", "threading"]
)
def test_a_module_of_ones_own_is_found_whatever_the_grader_has_loaded(name, turn, stem_server):
    folder = made(stem_server)
    (folder / f"{name}.py").write_text("def of_mine(x):\n    return x + 1\n")
    text = f"import numpy as np\nimport {name}\n\ndef f(x):\n    return {name}.of_mine(x)\n"
    (folder / "module.py").write_text(text)
    for _ in range(2):
        worker = turn(folder=folder)
        reply = worker.call("f", (X,), ())
        assert reply.error is None, reply.error
        np.testing.assert_array_equal(reply.value, X + 1)
        worker.close()
