"""The wire's honest side: what is sent arrives with its exact type, dtype, shape and bits."""

from __future__ import annotations

import collections
import json
import math
import struct
import types
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.isolation.wire import (
    HEADER_CAP,
    MAX_DEPTH,
    Decoder,
    Encoder,
    Opaque,
    TensorData,
    WireError,
    pack,
    parse_header,
    parse_prefix,
)
from grader.isolation.wire.codec import (
    DTYPES,
    LONG_TEXT,
    MAX_BUFFERS,
    MAX_TEXTS,
    PACK_TEXTS_FROM,
    PREFIX,
)
from grader.isolation.wire.strict import MAX_INT

CAP = 1 << 26
FEW = settings(deadline=None, max_examples=60)
MANY = settings(deadline=None, max_examples=150)


def frame(value: Any, encoder: Encoder | None = None) -> bytes:
    encoder = encoder or Encoder()
    body = encoder.encode(value)
    return b"".join(bytes(piece) for piece in pack(body, encoder.buffers))


def received(data: bytes, **options: Any) -> Any:
    length = parse_prefix(data[: PREFIX.size])
    rest = data[PREFIX.size + length :]
    header = parse_header(data[PREFIX.size : PREFIX.size + length], CAP)
    buffers = []
    for size in header.buffer_sizes:
        buffers.append(bytearray(rest[:size]))
        rest = rest[size:]
    assert rest == b"", "the frame is longer than it announces"
    return Decoder(buffers, **options).decode(header.body)


def sent(value: Any) -> Any:
    """Return ``value`` as it arrives on the other side, as a whole frame of bytes."""
    return received(frame(value))


def sent_keeping(value: Any) -> tuple[Any, list[Any]]:
    """Like ``sent``, but what cannot travel is kept and replaced by a handle, as in a worker."""
    kept: list[Any] = []

    def keep(item: Any) -> int:
        kept.append(item)
        return len(kept) - 1

    return received(frame(value, Encoder(keep))), kept


def assert_same(got: Any, wanted: Any) -> None:
    """Equal types and bits: 0.0 is not -0.0, True is not 1, and NaN is NaN."""
    assert type(got) is type(wanted)
    if isinstance(wanted, float) and type(wanted) is float:
        if math.isnan(wanted):
            assert math.isnan(got)
        else:
            assert struct.pack("d", got) == struct.pack("d", wanted)
    elif isinstance(wanted, np.ndarray | np.generic):
        assert got.dtype.newbyteorder("<") == wanted.dtype.newbyteorder("<")
        assert got.shape == wanted.shape
        little = wanted.astype(wanted.dtype.newbyteorder("<"))
        assert got.tobytes() == little.tobytes()
    elif isinstance(wanted, TensorData):
        assert_same(got.array, wanted.array)
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other)
    elif isinstance(wanted, dict):
        assert [(type(key), key) for key in got] == [(type(key), key) for key in wanted]
        for key, item in wanted.items():
            assert_same(got[key], item)
    else:
        assert got == wanted


TEXTS = st.text(max_size=20) | st.text(min_size=LONG_TEXT - 2, max_size=LONG_TEXT + 40)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: hnp.arrays(
        st.sampled_from([np.dtype(name), np.dtype(name).newbyteorder(">")]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
NUMPY_SCALARS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: hnp.arrays(np.dtype(name), ()).map(lambda array: array[()])
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=1 - MAX_INT, max_value=MAX_INT - 1)
    | st.floats()
    | TEXTS
    | ARRAYS
    | NUMPY_SCALARS
    | ARRAYS.map(TensorData)
    | st.builds(Opaque, st.integers(0, 10**6), st.text(max_size=10))
)


def _containers(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # Unique by hash, so that a dictionary does not begin with keys that are equal (True and 1).
    keys = st.text(max_size=5) | st.integers(-(10**9), 10**9) | st.booleans()
    lists = st.lists(items, max_size=4)
    dicts = st.dictionaries(keys, items, max_size=4)
    return lists | lists.map(tuple) | dicts | st.lists(TEXTS, min_size=PACK_TEXTS_FROM, max_size=12)


VALUES = SCALARS | _containers(SCALARS | _containers(SCALARS | _containers(SCALARS)))


@MANY
@given(VALUES)
def test_any_value_arrives_as_it_was_sent(value):
    assert_same(sent(value), value)


@FEW
@given(ARRAYS)
def test_arrays_of_every_dtype_and_byte_order_keep_their_bits(array):
    assert_same(sent(array), array)


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_scalars_and_empty_and_0d_arrays_of_every_dtype_arrive(name):
    dtype = np.dtype(name)
    for array in (np.zeros((), dtype), np.ones((), dtype), np.zeros((3, 0, 2), dtype)):
        assert_same(sent(array), array)
    assert_same(sent(dtype.type(1)), dtype.type(1))


@pytest.mark.parametrize("value", [-0.0, 0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7e308])
def test_special_floats_keep_sign_and_kind_everywhere(value):
    assert_same(sent(value), value)
    assert_same(sent([value, {"x": (value,)}]), [value, {"x": (value,)}])
    assert_same(sent(np.float64(value)), np.float64(value))
    assert_same(sent(np.array([value])), np.array([value]))


@pytest.mark.parametrize("value", [0, -1, MAX_INT - 1, 1 - MAX_INT, True, False])
def test_whole_numbers_and_booleans_stay_what_they_are(value):
    assert_same(sent(value), value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(4, 6)[::2, ::-3],
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(12, dtype=">i4").reshape(3, 4),
        np.arange(12, dtype=">c16").reshape(3, 4).T,
        np.broadcast_to(np.float32(2), (3, 2)),
        np.arange(8.0)[::-1],
        np.array([True, False, True])[::-1],
        np.arange(3, dtype=">f8")[:0],
    ],
    ids=["strided", "fortran", "big-endian", "big-endian transposed", "broadcast", "reversed",
         "boolean reversed", "big-endian empty"],
)  # fmt: skip
def test_layout_of_the_sender_does_not_matter(array):
    before = array.tobytes()
    got = sent(array)
    assert_same(got, array)
    assert got.flags.c_contiguous
    assert array.tobytes() == before


def test_received_arrays_are_writable_and_their_own():
    array = np.arange(4.0)
    got = sent([array, array])
    got[0][0] = 7.0
    assert got[1][0] == 0.0
    assert array[0] == 0.0


@pytest.mark.parametrize("length", [LONG_TEXT - 1, LONG_TEXT, LONG_TEXT + 1, HEADER_CAP * 3])
@pytest.mark.parametrize("char", ["a", "é", "\N{SNOWMAN}", "\N{PILE OF POO}", "\0", '"'])
def test_texts_of_any_length_arrive(char, length):
    assert sent(char * length) == char * length


@pytest.mark.parametrize("count", [0, PACK_TEXTS_FROM - 1, PACK_TEXTS_FROM, 20_000])
def test_lists_of_texts_arrive_with_their_limits_intact(count):
    texts = [("", "a", "né", "日本語", "x\ny")[index % 5] for index in range(count)]
    assert_same(sent(texts), texts)
    assert_same(sent(tuple(texts[:9])), tuple(texts[:9]))


def test_more_texts_than_the_receiver_takes_stay_behind():
    texts = ["a"] * (MAX_TEXTS + 1)
    got, kept = sent_keeping(texts)
    assert type(got) is Opaque
    assert kept[0] is texts
    assert len(sent(texts[1:])) == MAX_TEXTS


def test_a_list_that_is_not_all_text_is_not_packed():
    value = ["a"] * PACK_TEXTS_FROM + [None]
    assert_same(sent(value), value)


@pytest.mark.parametrize(
    "make",
    [
        lambda text: text,
        lambda text: text * LONG_TEXT,
        lambda text: [text],
        lambda text: [text] * PACK_TEXTS_FROM,
        lambda text: {text: 1},
    ],
    ids=["short", "long", "in a list", "packed", "key"],
)
@pytest.mark.parametrize("half", ["\ud800", "a\udcffb"])
def test_half_a_character_arrives_as_a_question_mark(make, half):
    # A report with a lone surrogate in it could not be written as UTF-8.
    whole = "".join("?" if "\ud800" <= char <= "\udfff" else char for char in half)
    assert_same(sent(make(half)), make(whole))


@pytest.mark.parametrize(
    "value",
    [torch.arange(6.0).reshape(2, 3).T, torch.tensor(3), torch.zeros(0, 2), torch.tensor([True]),
     torch.nn.Parameter(torch.ones(2)), torch.tensor([1 + 2j]).conj().resolve_conj(),
     torch.ones(2, dtype=torch.float16), torch.ones(2, requires_grad=True) * 2],
    ids=["transposed", "0-d", "empty", "bool", "parameter", "complex", "half", "with graph"],
)  # fmt: skip
def test_tensors_arrive_as_tensor_data(value):
    got = sent({"w": value})["w"]
    assert type(got) is TensorData
    assert_same(got.array, np.ascontiguousarray(value.detach().numpy()).reshape(value.shape))


def test_tensor_data_becomes_a_tensor_where_the_receiver_wants_one():
    value = TensorData(np.arange(3.0))
    got = received(frame(value), tensor=torch.from_numpy)
    assert type(got) is torch.Tensor
    assert got.tolist() == [0, 1, 2]


def test_handles_become_what_they_stand_for():
    objects = ["zero", "one"]
    data = frame([Opaque(1, "m.Cell"), Opaque(0, "m.Cell")])
    assert received(data) == [Opaque(1, "m.Cell"), Opaque(0, "m.Cell")]
    assert received(data, opaque=lambda handle, _name: objects[handle]) == ["one", "zero"]


class _Array(np.ndarray):
    pass


class _Int(int):
    pass


class _Float(float):
    pass


class _Double(np.float64):
    pass


class _Text(str):
    __slots__ = ()


class _List(list):
    pass


class _Tensor(torch.Tensor):
    pass


CANNOT_TRAVEL = {
    "int of 64 bits": 2**63,
    "negative int of 64 bits": -(2**63),
    "int of 300 bits": 2**300,
    "ndarray subclass": np.zeros(2).view(_Array),
    "masked array": np.ma.masked_array([1.0, 2.0], [True, False]),
    "matrix subclass": np.zeros((2, 2)).view(np.recarray),
    "int subclass": _Int(3),
    "float subclass": _Float(3),
    "numpy scalar subclass": _Double(3),
    "str subclass": _Text("x"),
    "list subclass": _List([1]),
    "dict subclass": collections.OrderedDict(a=1),
    "named tuple": collections.namedtuple("Pair", "a b")(1, 2),  # noqa: PYI024
    "object array": np.array([{}, None], dtype=object),
    "text array": np.array(["ab"]),
    "structured array": np.zeros(2, dtype="i4,f4"),
    "date array": np.array(["2020-01-01"], dtype="datetime64[D]"),
    "long double array": np.zeros(2, dtype=np.longdouble),
    "numpy text": np.str_("x"),
    "numpy date": np.datetime64("2020-01-01"),
    "numpy record": np.zeros(1, dtype="i4,f4")[0],
    "long double": np.longdouble(1),
    "dict with a tuple key": {(1, 2): 3},
    "dict with a float key": {1.5: 3},
    "dict with a large key": {2**63: 3},
    "dict with a None key": {None: 3},
    "dict with a subclass key": {_Text("x"): 1},
    "set": {1},
    "bytes": b"x",
    "complex": 1j,
    "range": range(3),
    "function": len,
    "module": types,
    "bfloat16 tensor": torch.zeros(2, dtype=torch.bfloat16),
    "sparse tensor": torch.eye(2).to_sparse(),
    "tensor subclass": torch.zeros(2).as_subclass(_Tensor),
    "tensor without data": torch.zeros(2, device="meta"),
    "conjugated tensor": torch.tensor([1 + 2j]).conj(),
}


@pytest.mark.parametrize("value", CANNOT_TRAVEL.values(), ids=CANNOT_TRAVEL)
def test_what_has_no_exact_word_on_the_wire_stays_behind(value):
    got, kept = sent_keeping({"a": [value]})
    handle = got["a"][0]
    assert type(handle) is Opaque
    assert kept[handle.handle] is value, "the handle must lead to the value itself"
    name = handle.type_name.partition(" of dtype ")[0]
    assert name.endswith(type(value).__qualname__)
    with pytest.raises(WireError, match="cannot travel"):
        Encoder().encode(value)


def test_type_names_of_builtins_carry_no_module():
    handle, _kept = sent_keeping({1})
    assert handle.type_name == "set"


def test_too_many_dimensions_stay_behind():
    got, kept = sent_keeping(np.zeros((1,) * 17))
    assert type(got) is Opaque
    assert kept[0].ndim == 17
    assert_same(sent(np.zeros((1,) * 16)), np.zeros((1,) * 16))


def test_values_nested_up_to_the_limit_travel_and_deeper_ones_stay_behind():
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert sent(value) == value
    got, kept = sent_keeping([value])
    for _ in range(MAX_DEPTH):
        (got,) = got
    assert got == Opaque(0, "list")
    assert kept == [[1]]


def test_a_list_that_holds_itself_ends():
    value: list[Any] = []
    value.append(value)
    _got, kept = sent_keeping(value)
    assert kept == [value]


def test_a_header_is_as_long_as_its_cap_and_not_one_byte_longer():
    around = len(b'{"body": "", "buffers": []}')
    first, *_ = pack("x" * (HEADER_CAP - around), [])
    assert parse_prefix(bytes(first)[:8]) == HEADER_CAP
    with pytest.raises(WireError, match=f"{HEADER_CAP + 1} bytes exceeds"):
        pack("x" * (HEADER_CAP - around + 1), [])


def test_a_header_beyond_its_cap_is_refused_by_the_sender():
    with pytest.raises(WireError, match="header of"):
        frame([1.25] * HEADER_CAP)
    assert sent(["x" * LONG_TEXT] * 7) == ["x" * LONG_TEXT] * 7


def test_too_many_arrays_are_refused_by_the_sender():
    many = [np.zeros(1)] * MAX_BUFFERS
    assert len(sent(many)) == MAX_BUFFERS
    with pytest.raises(WireError, match="more than"):
        Encoder().encode([*many, np.zeros(1)])


def test_a_frame_begins_with_magic_and_the_header_length():
    data = frame([1, 2])
    assert data[:4] == b"DLG\x01"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert json.loads(data[8:]) == {"body": ["l", 1, 2], "buffers": []}


def test_pack_refuses_a_bare_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(math.nan, [])


@FEW
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_sizes_in_a_header_are_those_of_the_buffers(buffers):
    first, *rest = pack(None, list(buffers))
    header = parse_header(bytes(first)[8:], CAP)
    assert header.buffer_sizes == tuple(len(buffer) for buffer in buffers)
    assert rest == buffers
