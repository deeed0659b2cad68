"""The process that answers calls of a student's functions, asked as a worker asks."""

import os
import time
from itertools import accumulate, pairwise

import numpy as np
import pytest

from grader.assignment.reference import Assignment
from grader.checks import answers as answers_module
from grader.checks import remembered
from grader.checks.answers import Answers
from grader.isolation.wire import Decoder, Encoder, Opaque, WireError, parse_header, parse_prefix
from grader.isolation.wire.codec import PREFIX
from grader.model import Signature
from tests.conftest import ROOT

STEP = Signature("rnn_layers.py", "rnn_step_forward", 2, (1,), "rnn_step_backward")
BACK = Signature("rnn_layers.py", "rnn_step_backward", 5)
RNG = np.random.default_rng(4)
GIVEN = [RNG.normal(size=shape) for shape in ((3, 4), (3, 2), (4, 2), (2, 2), (2,))]


@pytest.fixture
def answers():
    with Answers(Assignment(ROOT / "reference"), "rnn_layers.py", [STEP, BACK]) as found:
        yield found


def asked(answers, name, arguments, names=(), within_s=10.0):
    """Ask, and return what the worker would read."""
    encoder = Encoder()
    body = {"ask": name, "arguments": encoder.encode(list(arguments)), "names": list(names)}
    buffers = [bytearray(buffer) for buffer in encoder.buffers]
    frame = b"".join(answers(body, buffers, time.monotonic() + within_s))
    end = PREFIX.size + parse_prefix(frame[: PREFIX.size])
    header = parse_header(frame[PREFIX.size : end], 1 << 30)
    ends = [end + size for size in accumulate(header.buffer_sizes)]
    assert [end, *ends][-1] == len(frame)
    pieces = [frame[a:b] for a, b in pairwise([end, *ends])]
    return Decoder([bytearray(piece) for piece in pieces]).decode(header.body)


def test_a_call_is_answered_with_right_values_and_a_handle(answers):
    found = asked(answers, "rnn_step_forward", GIVEN)
    x, h, wx, wh, b = GIVEN
    next_h, cache = found["outputs"]
    np.testing.assert_allclose(next_h, np.tanh(x @ wx + h @ wh + b))
    assert type(cache) is Opaque
    assert found["known"] == {}
    back = asked(answers, "rnn_step_backward", [np.ones((3, 2)), cache])
    np.testing.assert_allclose(back["outputs"][4], (1 - next_h**2).sum(axis=0))
    assert answers.asked == {"rnn_step_forward", "rnn_step_backward"}


def test_what_students_keep_is_known_by_name(answers):
    known = asked(answers, "rnn_step_forward", GIVEN, ["act", "next_h", "whatever"])["known"]
    assert sorted(known) == ["act", "next_h"]
    np.testing.assert_allclose(np.tanh(known["act"]), known["next_h"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        GIVEN[:4],
        [*GIVEN[:4], GIVEN[0]],
        [GIVEN[0].T, *GIVEN[1:]],
        [None, *GIVEN[1:]],
        ["text", *GIVEN[1:]],
        [Opaque(7, "cache"), *GIVEN[1:]],
        [{"x": 1}, *GIVEN[1:]],
    ],
)
def test_what_cannot_be_computed_is_refused(arguments, answers):
    words = asked(answers, "rnn_step_forward", arguments)["refused"]
    assert words.startswith("rnn_step_forward cannot be computed from these arguments")
    assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)


def test_a_call_that_needs_too_much_memory_harms_nobody(answers):
    n = 40_000
    wide = [np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((1, n)), np.zeros((1, n)), np.zeros(n)]
    assert "cannot be computed" in asked(answers, "rnn_step_forward", wide)["refused"]
    assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)


def test_a_call_that_takes_too_long_is_ended(answers):
    n = 3000
    slow = [np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n)), np.zeros(n)]
    words = asked(answers, "rnn_step_forward", slow, within_s=0.05)["refused"]
    assert words == "rnn_step_forward: this call takes too much time or memory"
    assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)


def test_old_caches_are_dropped_when_there_are_too_many(answers, monkeypatch):
    monkeypatch.setattr("grader.checks.answers.KEPT_BYTES", 4 * sum(v.nbytes for v in GIVEN))
    kept = [
        asked(answers, "rnn_step_forward", [(1 + number) * value for value in GIVEN])["outputs"][1]
        for number in range(11)
    ]
    first, last = kept[0], kept[-1]
    assert "refused" in asked(answers, "rnn_step_backward", [np.ones((3, 2)), first])
    assert "outputs" in asked(answers, "rnn_step_backward", [np.ones((3, 2)), last])


@pytest.mark.parametrize("name", ["lstm_step_forward", "open", "", None, ["rnn_step_forward"], 3])
def test_other_functions_are_not_answered(name, answers):
    with pytest.raises(WireError):
        answers({"ask": name, "arguments": ["l"], "names": []}, [], time.monotonic() + 1)
    assert answers.asked == set()


@pytest.mark.parametrize("names", [None, 3, [["a"]], ["act"] * 10_000, {"act": 1}])
@pytest.mark.parametrize("arguments", [None, ["l", ["a", 0, "float64", [9]]], ["zz"], 3])
def test_a_malformed_question_is_refused_and_the_next_is_answered(names, arguments, answers):
    body = {"ask": "rnn_step_forward", "arguments": arguments, "names": names}
    assert answers(body, [], time.monotonic() + 5)
    assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)


def test_the_process_ends_with_the_check(answers):
    asked(answers, "rnn_step_forward", GIVEN)
    pid = answers._child._pid
    os.kill(pid, 0)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# ------------------------------------------------------------------- what is remembered ---


@pytest.fixture
def assignment():
    return Assignment(ROOT / "reference")


def opened(assignment):
    return Answers(assignment, "rnn_layers.py", [STEP, BACK])


def test_what_was_asked_before_is_answered_without_a_process(assignment):
    with opened(assignment) as first:
        next_h, cache = asked(first, "rnn_step_forward", GIVEN, ["act"])["outputs"]
        back = asked(first, "rnn_step_backward", [np.ones((3, 2)), cache])["outputs"]
    with opened(assignment) as second:
        again = asked(second, "rnn_step_forward", GIVEN, ["act"])
        np.testing.assert_array_equal(again["outputs"][0], next_h)
        np.testing.assert_allclose(np.tanh(again["known"]["act"]), next_h)
        found = asked(second, "rnn_step_backward", [np.ones((3, 2)), again["outputs"][1]])
        for one, other in zip(found["outputs"], back, strict=True):
            np.testing.assert_array_equal(one, other)
        assert second._child._pid is None
        assert second.asked == {"rnn_step_forward", "rnn_step_backward"}


def test_a_cache_of_a_remembered_call_is_made_when_it_is_needed(assignment):
    other = [2 * value for value in GIVEN]
    with opened(assignment) as first:
        for given in (GIVEN, other):
            asked(first, "rnn_step_forward", given)
    with opened(assignment) as second:
        caches = [asked(second, "rnn_step_forward", g)["outputs"][1] for g in (GIVEN, other)]
        assert caches[0].handle != caches[1].handle
        for given, cache in zip((GIVEN, other), caches, strict=True):
            x, h, wx, wh, b = given
            slope = 1 - np.tanh(x @ wx + h @ wh + b) ** 2
            for factor in (3.0, 5.0):
                found = asked(second, "rnn_step_backward", [factor * np.ones((3, 2)), cache])
                np.testing.assert_allclose(found["outputs"][4], factor * slope.sum(axis=0))


def test_a_cache_that_a_child_took_along_is_made_again(assignment):
    with opened(assignment) as answers:
        cache = asked(answers, "rnn_step_forward", GIVEN)["outputs"][1]
        n = 40_000
        wide = [np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((1, n)), np.zeros((1, n)), np.zeros(n)]
        assert "refused" in asked(answers, "rnn_step_forward", wide)
        answers._child.close()
        answers._calls.child_ended()
        assert "outputs" in asked(answers, "rnn_step_backward", [np.ones((3, 2)), cache])


@pytest.mark.parametrize("change", ["shape", "dtype", "value", "names", "function", "cache"])
def test_only_the_very_same_call_has_the_same_answer(change, assignment):
    square = [RNG.normal(size=(2, 2)) for _ in range(4)] + [np.zeros(2)]
    with opened(assignment) as answers:
        caches = [
            asked(answers, "rnn_step_forward", given)["outputs"][1] for given in (GIVEN, square)
        ]
        asked(answers, "rnn_step_backward", [np.ones((2, 2)), caches[1]])
    with opened(assignment) as answers:
        if change == "shape":
            other = [GIVEN[0][:, :, None], *GIVEN[1:]]
            assert "refused" in asked(answers, "rnn_step_forward", other)
        elif change == "dtype":
            other = [GIVEN[0].view(np.int64), *GIVEN[1:]]
            found = asked(answers, "rnn_step_forward", other)["outputs"][0]
            assert not np.allclose(found, asked(answers, "rnn_step_forward", GIVEN)["outputs"][0])
        elif change == "value":
            other = [np.nextafter(GIVEN[0], 9), *GIVEN[1:]]
            asked(answers, "rnn_step_forward", other)
        elif change == "names":
            assert asked(answers, "rnn_step_forward", GIVEN, ["act"])["known"] != {}
        elif change == "function":
            assert "refused" in asked(answers, "rnn_step_backward", GIVEN)
        else:
            first, _second = (
                asked(answers, "rnn_step_forward", given)["outputs"][1]
                for given in ([2 * value for value in square], square)
            )
            found = asked(answers, "rnn_step_backward", [np.ones((2, 2)), first])["outputs"][4]
            x, h, wx, wh, _b = (2 * value for value in square)
            np.testing.assert_allclose(found, (1 - np.tanh(x @ wx + h @ wh) ** 2).sum(axis=0))
        assert answers._child._pid is not None


def test_nothing_is_remembered_of_a_process_in_which_something_went_wrong(assignment):
    with opened(assignment) as answers:
        assert "refused" in asked(answers, "rnn_step_forward", [])
        asked(answers, "rnn_step_forward", GIVEN)
    with opened(assignment) as answers:
        assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)
        assert answers._child._pid is not None


def test_what_was_not_used_for_long_is_forgotten(assignment, monkeypatch):
    monkeypatch.setattr(remembered, "KEPT_BYTES", 4 * remembered.ENTRY_BYTES)
    calls = [[(1 + number) * value for value in GIVEN] for number in range(6)]
    with opened(assignment) as answers:
        for given in calls:
            asked(answers, "rnn_step_forward", given)
    kept = remembered.of(assignment)
    assert 1 <= len(kept._entries) <= 4
    assert kept._bytes <= remembered.KEPT_BYTES
    with opened(assignment) as answers:
        asked(answers, "rnn_step_forward", calls[-1])
        assert answers._child._pid is None
        asked(answers, "rnn_step_forward", calls[0])
        assert answers._child._pid is not None


def test_the_frame_of_an_answer_is_made_once_for_each_first_handle(assignment, monkeypatch):
    made = []
    frame_of = answers_module._frame
    monkeypatch.setattr(answers_module, "_frame", lambda one: made.append(one) or frame_of(one))
    for number in range(3):
        with opened(assignment) as answers:
            one = asked(answers, "rnn_step_forward", GIVEN)
            two = asked(answers, "rnn_step_forward", GIVEN)
        assert [one["outputs"][1].handle, two["outputs"][1].handle] == [0, 1]
        assert len(made) == 2, number
        np.testing.assert_array_equal(one["outputs"][0], two["outputs"][0])
    kept = remembered.of(assignment)
    (entry,) = kept._entries.values()
    assert sorted(entry.frames) == [0, 1]
    assert kept._bytes == entry.size > sum(map(len, entry.frames.values()))
    with opened(assignment) as answers:
        for _ in range(remembered.MAX_FRAMES + 2):
            asked(answers, "rnn_step_forward", GIVEN)
    assert len(entry.frames) == remembered.MAX_FRAMES


def test_a_large_answer_is_not_remembered(assignment, monkeypatch):
    monkeypatch.setattr(remembered, "MAX_BYTES", remembered.ENTRY_BYTES)
    with opened(assignment) as answers:
        asked(answers, "rnn_step_forward", GIVEN)
    assert remembered.of(assignment)._bytes == 0


USED_UP = """
def forward(x):
    return 2 * x, [3 * x]


def backward(dout, cache):
    found = dout * cache[0]
    cache[0] = 0 * cache[0]
    return found
"""


def test_what_comes_of_a_cache_that_was_used_before_is_not_remembered(tmp_path):
    (tmp_path / "toy.py").write_text(USED_UP, encoding="utf-8")
    assignment = Assignment(tmp_path)
    functions = [
        Signature("toy.py", "forward", 2, (1,), "backward"),
        Signature("toy.py", "backward", 1),
    ]
    x, slope = np.arange(4.0), np.ones(4)
    with Answers(assignment, "toy.py", functions) as answers:
        cache = asked(answers, "forward", [x])["outputs"][1]
        asked(answers, "backward", [5 * slope, cache])
        assert not asked(answers, "backward", [slope, cache])["outputs"][0].any()
    with Answers(assignment, "toy.py", functions) as answers:  # of another submission
        cache = asked(answers, "forward", [x])["outputs"][1]
        found = asked(answers, "backward", [slope, cache])["outputs"][0]
        np.testing.assert_array_equal(found, 3 * x)


@pytest.mark.parametrize("place", ["names", "arguments"])
def test_a_question_of_any_depth_is_refused(place, answers):
    deep = ["l"]
    for _ in range(20_000):
        deep = ["l", deep]
    body = {"ask": "rnn_step_forward", "arguments": Encoder().encode(GIVEN[:0]), "names": []}
    assert b"refused" in answers({**body, place: deep}, [], time.monotonic() + 5)[0]
    assert "outputs" in asked(answers, "rnn_step_forward", GIVEN)


def test_the_structure_of_questions_counts_as_what_is_kept(answers, monkeypatch):
    rows = [[number + 0.5] for number in range(1000)]
    most = 4 * remembered.OBJECTS_PER_BYTE * len(str(Encoder().encode(rows)))
    monkeypatch.setattr(answers._calls, "_most_bytes", most)
    for _ in range(20):
        one = np.zeros((1, 1))
        assert "outputs" in asked(answers, "rnn_step_forward", [rows, one, one, one, one[0]])
    kept = answers._calls._calls.values()
    assert 1 < len(kept) < 5
    assert all(call.size > 5000 for call in kept)
