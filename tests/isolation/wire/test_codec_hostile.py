"""The wire's hostile side: whatever a worker sends, only ``WireError`` comes out, and nothing large
is allocated because it was announced.
"""

from __future__ import annotations

import json
import math
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.isolation.wire import (
    HEADER_CAP,
    MAX_DEPTH,
    Decoder,
    Header,
    Opaque,
    TensorData,
    WireError,
    parse_header,
    parse_prefix,
)
from grader.isolation.wire.codec import DTYPES, MAGIC, MAX_BUFFERS, MAX_TEXTS, PREFIX
from grader.isolation.wire.strict import MAX_INT

MIB = 1 << 20
MANY = settings(deadline=None, max_examples=200)
SMALL_MEMORY = 2 * MIB  # what a refusal may allocate


def decode(body: Any, *buffers: bytes) -> Any:
    return Decoder([bytearray(buffer) for buffer in buffers]).decode(body)


def header(body: Any = None, buffers: Any = ()) -> bytes:
    return json.dumps({"body": body, "buffers": list(buffers)}).encode()


@MANY
@given(st.binary(max_size=12) | st.binary(max_size=6).map(lambda tail: MAGIC + tail))
def test_any_bytes_as_prefix_give_a_length_below_the_cap_or_a_wire_error(data):
    try:
        length = parse_prefix(data)
    except WireError:
        return
    assert data == PREFIX.pack(MAGIC, length)
    assert 0 <= length <= HEADER_CAP


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack("<4sI", MAGIC, HEADER_CAP + 1), "exceeds"),
        (struct.pack("<4sI", MAGIC, 2**32 - 1), "exceeds"),
        (struct.pack("<4sI", b"DLG\x02", 2), "magic"),
        (struct.pack("<4sI", b"HTTP", 2), "magic"),
        (b"", "8 bytes"),
        (MAGIC, "8 bytes"),
        (struct.pack("<4sI", MAGIC, 2) + b"\0", "8 bytes"),
    ],
)
def test_a_wrong_prefix_is_refused(data, message):
    with pytest.raises(WireError, match=message):
        parse_prefix(data)


def test_the_longest_allowed_header_is_announced_without_complaint():
    assert parse_prefix(struct.pack("<4sI", MAGIC, HEADER_CAP)) == HEADER_CAP


SNIPPETS = [b'{"body":', b'"buffers":[', b"]", b"}", b"NaN", b"1e999", b"-", b"\\ud800", b"[" * 50,
            b'{"a":1,"a":1}', b"9" * 30, b"\xff\xfe", b"\0", b" ", b","]  # fmt: skip


@st.composite
def _damaged_headers(draw: st.DrawFn) -> bytes:
    data = bytearray(header(["l", ["a", 0, "float64", [2]], 1.5, "x", {"k": None}], [16]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.sampled_from(SNIPPETS) | st.binary(max_size=3))
        data[at : at + draw(st.integers(0, 3))] = piece
    return bytes(data)


@MANY
@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode) | _damaged_headers())
def test_any_bytes_as_header_are_parsed_strictly_or_a_wire_error(data):
    try:
        parsed = parse_header(data, MIB)
    except WireError:
        return
    assert type(parsed) is Header
    assert sum(parsed.buffer_sizes) <= MIB
    assert all(type(size) is int and size >= 0 for size in parsed.buffer_sizes)


@pytest.mark.parametrize(
    "data",
    [
        b'{"body":1,"buffers":[],"body":2}',
        b'{"body":{"a":1,"a":1},"buffers":[]}',
        b'{"body":NaN,"buffers":[]}',
        b'{"body":Infinity,"buffers":[]}',
        b'{"body":-Infinity,"buffers":[]}',
        b'{"body":1e999,"buffers":[]}',
        b'{"body":[-1e999],"buffers":[]}',
        b'{"body":9223372036854775809,"buffers":[]}',
        b'{"body":-9223372036854775809,"buffers":[]}',
        b'{"body":' + b"9" * 5000 + b',"buffers":[]}',
        b'{"body":' + b"[" * 100_000 + b"]" * 100_000 + b',"buffers":[]}',
        b'{"body":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b',"buffers":[]}',
        b'{"body":"\\ud800","buffers":[]}',
        b'{"body":{"\\udcff":1},"buffers":[]}',
        b'{"body":"\xff","buffers":[]}',
        '{"body":1,"buffers":[]}'.encode("utf-16"),
        '{"body":1,"buffers":[]}'.encode("utf-32-le"),
        b'\xef\xbb\xbf{"body":1,"buffers":[]}',
        b'{"body":1,"buffers":[]} x',
        b'{"body":1,"buffers":[]',
        b'{"body":1}',
        b'{"buffers":[]}',
        b'{"body":1,"buffers":[],"more":1}',
        b'{"body":1,"buffers":{}}',
        b'{"body":1,"buffers":null}',
        b'{"body":1,"buffers":"[]"}',
        b'{"body":1,"buffers":[-1]}',
        b'{"body":1,"buffers":[1.0]}',
        b'{"body":1,"buffers":[true]}',
        b'{"body":1,"buffers":["1"]}',
        b'{"body":1,"buffers":[[1]]}',
        b'["body","buffers"]',
        b"null",
        b"",
        header(1, [0] * (MAX_BUFFERS + 1)),
        header(1, [MIB, 1]),
        header(1, [MAX_INT]),
        header(1, [MAX_INT] * 100),
    ],
    ids=lambda data: data[:40].decode("latin-1").replace("\0", "."),
)
def test_a_malformed_header_is_refused(data):
    with pytest.raises(WireError):
        parse_header(data, MIB)


def test_buffers_up_to_the_cap_are_accepted_and_not_one_byte_more():
    assert parse_header(header(1, [MIB - 1, 1]), MIB).buffer_sizes == (MIB - 1, 1)
    with pytest.raises(WireError, match=f"{MIB + 1} bytes exceeds the limit of {MIB}"):
        parse_header(header(1, [MIB, 1]), MIB)


def test_integers_up_to_the_cap_are_accepted():
    assert parse_header(header([MAX_INT - 1, 1 - MAX_INT]), 0).body == [MAX_INT - 1, 1 - MAX_INT]


def test_announcing_huge_sizes_allocates_nothing():
    frames = [header(1, [2**62]), header(1, [2**62] * MAX_BUFFERS)]
    bodies = [
        ["a", 0, "float64", [2**31, 2**31]],
        ["a", 0, "float64", [2**62]],
        ["a", 0, "float64", [2**62, 0]],
        ["a", 0, "complex128", [2**62] * 16],
        ["a", 0, "bool", [2**62]],
        ["T", 0, "float32", [2**40]],
        ["a", 1, "float64", [2**62, 0]],
        ["a", 1, "int8", [2**62, 2**62, 0]],
        ["S", 2, 3],
    ]
    huge_length = struct.pack("<i", 2**31 - 1)
    tracemalloc.start()
    try:
        for data in frames:
            with pytest.raises(WireError):
                parse_header(data, 64 * MIB)
        for body in bodies:
            with pytest.raises(WireError):
                decode(body, b"\0" * 8, b"", huge_length, b"ab")
        _current, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < SMALL_MEMORY


def test_a_list_of_a_great_many_texts_is_refused_before_they_are_made():
    # Every four bytes of lengths would become an object of at least fifty.
    lengths, data = bytes(4 * (MAX_TEXTS + 1)), b""
    buffers = [bytearray(lengths), bytearray(data)]
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="texts"):
            Decoder(buffers).decode(["S", 0, 1])
        _current, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < SMALL_MEMORY


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 20)
    | st.sampled_from([2**31, 2**62, MAX_INT, -MAX_INT])
    | st.floats(allow_nan=False)
    | st.sampled_from(["l", "t", "d", "f", "a", "s", "T", "u", "S", "x", "nan", "inf", "ab", ""])
    | st.sampled_from(sorted(DTYPES))
    | st.sampled_from(["object", "O", "V8", "float128", "<f8", "str", "datetime64"])
)
INDEX = st.integers(-1, 3) | LEAVES
SHAPE = st.lists(st.integers(-1, 4) | LEAVES, max_size=4) | LEAVES
NAMES = st.sampled_from(sorted(DTYPES)) | LEAVES


def _compound(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.lists(items, min_size=2, max_size=2) | items, max_size=3)
    return (
        st.lists(items, max_size=4)
        | st.dictionaries(st.text(max_size=3), items, max_size=3)
        | st.tuples(st.sampled_from(["l", "t", "f", "u", "S", "x", "d"]), items, items).map(list)
        | st.tuples(st.sampled_from("lt"), items).map(list)
        | st.tuples(st.sampled_from("fu"), items).map(list)
        | pairs.map(lambda found: ["d", *found])
        | st.tuples(st.sampled_from("aT"), INDEX, NAMES, SHAPE).map(list)
        | st.tuples(st.just("s"), INDEX, NAMES).map(list)
    )


BODIES = st.recursive(LEAVES, _compound, max_leaves=12)
BUFFERS = st.lists(st.binary(max_size=40) | st.sampled_from([b"\0" * 8, b"\1\0\0\0"]), max_size=4)


def assert_wellformed(value: Any, depth: int = 0) -> None:
    assert depth <= MAX_DEPTH + 1
    kind = type(value)
    if kind in (list, tuple):
        for item in value:
            assert_wellformed(item, depth + 1)
    elif kind is dict:
        for key, item in value.items():
            assert type(key) in (str, int, bool)
            assert_wellformed(item, depth + 1)
    elif kind is np.ndarray or isinstance(value, np.generic):
        assert value.dtype.name in DTYPES
    elif kind is TensorData:
        assert_wellformed(value.array)
    elif kind is Opaque:
        assert type(value.handle) is int
        assert type(value.type_name) is str
    elif kind is str:
        value.encode("utf-8")
    else:
        assert value is None or kind in (bool, int, float)


@MANY
@given(BODIES, BUFFERS)
def test_any_body_with_any_buffers_is_a_value_or_a_wire_error(body, buffers):
    try:
        value = decode(body, *buffers)
    except WireError:
        return
    assert_wellformed(value)


@MANY
@given(BODIES | BODIES.map(lambda body: ["l", body, "\ud800"]), BUFFERS)
def test_any_whole_frame_is_a_value_or_a_wire_error(body, buffers):
    try:
        parsed = parse_header(header(body, [len(buffer) for buffer in buffers]), MIB)
        value = decode(parsed.body, *buffers)
    except WireError:
        return
    assert_wellformed(value)


EIGHT = b"\0" * 8
MALFORMED = {
    "no such buffer": (["a", 1, "float64", [1]], EIGHT),
    "negative buffer": (["a", -1, "float64", [1]], EIGHT),
    "boolean buffer": (["a", False, "float64", [1]], EIGHT),
    "float buffer": (["a", 0.0, "float64", [1]], EIGHT),
    "text buffer": (["a", "0", "float64", [1]], EIGHT),
    "buffer used twice": (["l", ["a", 0, "float64", [1]], ["a", 0, "float64", [1]]], EIGHT),
    "text from a used buffer": (["l", ["u", 0], ["u", 0]], EIGHT),
    "lengths and bytes in one buffer": (["S", 0, 0], EIGHT),
    "shape larger than the bytes": (["a", 0, "float64", [2]], EIGHT),
    "shape smaller than the bytes": (["a", 0, "float32", [1]], EIGHT),
    "0-d shape for two numbers": (["a", 0, "float32", []], EIGHT),
    "negative size": (["a", 0, "float64", [-1]], EIGHT),
    "two negative sizes": (["a", 0, "float64", [-1, -1]], EIGHT),
    "float size": (["a", 0, "float64", [1.0]], EIGHT),
    "boolean size": (["a", 0, "float64", [True]], EIGHT),
    "text size": (["a", 0, "float64", ["1"]], EIGHT),
    "shape is a number": (["a", 0, "float64", 1], EIGHT),
    "shape is text": (["a", 0, "float64", ""], EIGHT),
    "17 dimensions": (["a", 0, "float64", [1] * 17], EIGHT),
    "zero times more than an index": (["a", 0, "float64", [0, MAX_INT]], b""),
    "object dtype": (["a", 0, "object", [1]], EIGHT),
    "object dtype letter": (["a", 0, "O", [1]], EIGHT),
    "void dtype": (["a", 0, "V8", [1]], EIGHT),
    "dtype with byte order": (["a", 0, ">f8", [1]], EIGHT),
    "text dtype": (["a", 0, "<U2", [1]], EIGHT),
    "date dtype": (["a", 0, "datetime64", [1]], EIGHT),
    "structured dtype": (["a", 0, "i4,i4", [1]], EIGHT),
    "dtype is a list": (["a", 0, ["float64"], [1]], EIGHT),
    "dtype is a number": (["a", 0, 8, [1]], EIGHT),
    "bool of 2": (["a", 0, "bool", [3]], b"\0\2\1"),
    "bool of 255 in the middle": (["a", 0, "bool", [3]], b"\1\xff\0"),
    "scalar bool of 2": (["s", 0, "bool"], b"\2"),
    "tensor bool of 2": (["T", 0, "bool", [1]], b"\2"),
    "scalar of two numbers": (["s", 0, "float32"], EIGHT),
    "scalar with a shape": (["s", 0, "float64", []], EIGHT),
    "array without a shape": (["a", 0, "float64"], EIGHT),
    "array with more": (["a", 0, "float64", [1], 1], EIGHT),
    "array without anything": (["a"], EIGHT),
    "float word": (["f", "NaN"],),
    "float number": (["f", 1.5],),
    "float list": (["f", ["nan"]],),
    "float object": (["f", {}],),
    "float of nothing": (["f"],),
    "infinite number": (math.inf,),
    "number that is none": (math.nan,),
    "dict key is a list": (["d", [["a"], 1]],),
    "dict key is null": (["d", [None, 1]],),
    "dict key is a float": (["d", [1.0, 1]],),
    "dict key is an object": (["d", [{}, 1]],),
    "dict key twice": (["d", ["a", 1], ["a", 2]],),
    "dict keys that are equal": (["d", [True, 1], [1, 2]],),
    "dict entry of one": (["d", ["a"]],),
    "dict entry of three": (["d", ["a", 1, 2]],),
    "dict entry is text": (["d", "ab"],),
    "dict entry is an object": (["d", {"a": 1, "b": 2}],),
    "dict entry is null": (["d", None],),
    "tag is a list": ([["l"], 1],),
    "tag is an object": ([{}, 1],),
    "tag is null": ([None],),
    "tag is a number": ([1, 2],),
    "unknown tag": (["pickle", 0], EIGHT),
    "private name as a tag": (["_list", 0], EIGHT),
    "empty list": ([],),
    "object": ({"a": 1},),
    "text without a buffer": (["u"],),
    "text of two buffers": (["u", 0, 1], EIGHT, EIGHT),
    "texts with a negative length": (["S", 0, 1], struct.pack("<2i", -1, 3), b"ab"),
    "texts longer than their bytes": (["S", 0, 1], struct.pack("<2i", 1, 2), b"ab"),
    "texts shorter than their bytes": (["S", 0, 1], struct.pack("<i", 1), b"ab"),
    "texts whose lengths overflow": (["S", 0, 1], struct.pack("<3i", 2**31 - 1, 2**31 - 1, 2), b""),
    "texts with broken lengths": (["S", 0, 1], b"\1\0\0", b"a"),
    "texts without bytes": (["S", 0], EIGHT),
    "handle is text": (["x", "1", "m.C"],),
    "handle is a boolean": (["x", True, "m.C"],),
    "handle is a float": (["x", 1.0, "m.C"],),
    "handle without a type": (["x", 1],),
    "handle's type is a list": (["x", 1, ["m.C"]],),
    "bytes": (b"x",),
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_value_is_refused(frame):
    body, *buffers = frame
    with pytest.raises(WireError):
        decode(body, *buffers)
    with pytest.raises(WireError):  # and wherever it stands
        decode(["l", ["d", ["k", ["t", body]]]], *buffers)


def test_values_nested_beyond_the_limit_are_refused():
    body: Any = 1
    for _ in range(MAX_DEPTH):
        body = ["l", body]
    assert decode(body) is not None
    with pytest.raises(WireError, match="nested"):
        decode(["l", body])
    for _ in range(5000):
        body = ["l", body]
    with pytest.raises(WireError, match="nested"):
        decode(body)


def test_bytes_that_are_no_utf8_become_replacement_characters():
    wrong = "\N{REPLACEMENT CHARACTER}"
    assert decode(["u", 0], b"a\xffb") == f"a{wrong}b"
    assert decode(["S", 0, 1], struct.pack("<2i", 1, 1), b"\xc3\xa9") == [wrong, wrong]


def test_error_messages_are_short_whatever_was_sent():
    with pytest.raises(WireError) as caught:
        decode(["x" * 60_000, 1])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("shape", [[2**40, 0], [0, 2**27], [2**20] * 8 + [0], [0, 2**60]])
def test_an_empty_array_may_not_announce_an_axis_of_terabytes(shape):
    # A sum along its empty axis would have as many entries as the other axes say.
    with pytest.raises(WireError, match="announces too many"):
        decode(["a", 0, "float64", shape], b"")


@pytest.mark.parametrize("shape", [[0], [0, 5], [1000, 0, 1000]])
def test_an_empty_array_of_a_usual_shape_arrives(shape):
    assert decode(["a", 0, "float64", shape], b"").shape == tuple(shape)
