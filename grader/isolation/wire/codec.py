"""Values to frames and back, strictly.

A frame is ``PREFIX | header | buffer 0 | buffer 1 | ...``. The prefix holds a magic number with a
version byte and the header's length; the header is JSON ``{"body": ..., "buffers": [nbytes, ...]}``
and at most 64 KiB; buffers are the raw bytes of arrays and long texts. Everything announced is
checked against a cap before anything of that size is allocated. Only builtins, numpy arrays and
scalars, and torch tensors (as arrays) travel: exact types, never subclasses, never pickles.

In the body, plain JSON scalars stand for themselves and every other value is a tagged list:

========================  =====================================================
``["l", ...]``            list
``["t", ...]``            tuple
``["d", [k, v], ...]``    dict with str, int or bool keys
``["f", "nan"]``          a float that JSON has no word for: nan, inf, -inf
``["a", i, dtype, shape]``  numpy array in buffer i (C order)
``["s", i, dtype]``       numpy scalar in buffer i
``["T", i, dtype, shape]``  torch tensor in buffer i
``["u", i]``              long text in buffer i, UTF-8
``["S", i, j]``           list of texts: int32 lengths in buffer i, UTF-8 bytes in buffer j
``["x", n, type]``        opaque object number n that stays in the worker
========================  =====================================================
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from . import strict
from .values import Opaque, TensorData, TooMuchAnnouncedError, WireError

MAGIC = b"DLG\x01"  # the last byte is the version of this format
PREFIX = struct.Struct("<4sI")
HEADER_CAP = 64 * 1024  # a header is names, shapes and scalars; anything longer belongs in a buffer
MAX_INTERNED = 256  # characters of a text that is made the same object as its equals
MAX_DEPTH = 16  # deeper than any value a check exchanges, far below Python's recursion limit
MAX_BUFFERS = 1024  # a large network's state dictionary has a few hundred tensors
MAX_NDIM = 16
MAX_EMPTY_BYTES = 64 * 1024 * 1024  # what an array without entries would hold without its zeros
LONG_TEXT = 256  # longer texts travel as buffers, to leave the header for structure
PACK_TEXTS_FROM = 8  # lists of at least this many texts are packed into two buffers
MAX_TEXTS = 1_000_000  # a vocabulary of word vectors has 400,000; each text costs 50 bytes and more
DTYPES = frozenset(
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    + ["float16", "float32", "float64", "complex64", "complex128"]
)

BY_NAME = {name: np.dtype(name) for name in DTYPES}
USUAL = {np.dtype(name): (name, np.dtype(name).newbyteorder("<")) for name in sorted(DTYPES)}
Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Header:
    """A parsed header: the body still encoded, and the sizes of the buffers that follow it."""

    body: Any
    buffer_sizes: tuple[int, ...]


def pack(body: Any, buffers: list[Buffer]) -> list[Buffer]:
    """Return the pieces of one frame, ready to be sent one after the other.

    Raises:
        WireError: the header would exceed ``HEADER_CAP``.
    """
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    text = json.dumps({"body": body, "buffers": sizes}, allow_nan=False, ensure_ascii=False)
    header = text.encode("utf-8", "replace")  # half a character becomes a question mark
    if len(header) > HEADER_CAP:
        raise WireError(f"a header of {len(header)} bytes exceeds {HEADER_CAP}")
    return [PREFIX.pack(MAGIC, len(header)) + header, *buffers]


def parse_prefix(data: bytes) -> int:
    """Return the header's length announced by the 8 bytes of a prefix."""
    if len(data) != PREFIX.size:
        raise WireError(f"a prefix has {PREFIX.size} bytes, not {len(data)}")
    magic, length = PREFIX.unpack(data)
    if magic != MAGIC:
        raise WireError("a frame does not begin with the magic number")
    if length > HEADER_CAP:
        raise WireError(f"a header of {length} bytes exceeds {HEADER_CAP}")
    return int(length)


def parse_header(data: bytes, max_bytes: int) -> Header:
    """Parse a header strictly; ``max_bytes`` caps the sum of the buffers it announces."""
    try:
        text = data.decode("utf-8")
        header = strict.loads(text)
        if "\\u" in text:
            # An escaped half of a character would reach a report, which could not be written then.
            json.dumps(header, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise WireError(f"a header is not strict JSON: {type(error).__name__}") from None
    if type(header) is not dict or set(header) != {"body", "buffers"}:
        raise WireError("a header must have exactly the keys body and buffers")
    sizes = header["buffers"]
    if type(sizes) is not list or len(sizes) > MAX_BUFFERS:
        raise WireError("a header's buffers must be a list of at most 1024 sizes")
    for size in sizes:
        if type(size) is not int or size < 0:
            raise WireError("a buffer's size must be an integer of at least 0")
    if sum(sizes) > max_bytes:
        raise TooMuchAnnouncedError(sum(sizes), max_bytes)
    return Header(header["body"], tuple(sizes))


class Encoder:
    """Turns values into a body and buffers.

    ``opaque`` is called with each value that cannot travel and returns its handle; without it
    such a value is a ``WireError``.
    """

    def __init__(self, opaque: Callable[[Any], int] | None = None) -> None:
        self.buffers: list[Buffer] = []
        self._opaque = opaque

    def encode(self, value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one line per type
        """Return the body for ``value``; its buffers are appended to ``self.buffers``."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if abs(value) < strict.MAX_INT else self.encode_opaque(value)
        if kind is float:
            return value if math.isfinite(value) else ["f", str(value)]
        if kind is str:
            return self._encode_text(value)
        if kind in (list, tuple, dict):
            return self._encode_container(value, depth)
        if kind is Opaque:
            return ["x", value.handle, value.type_name]
        return self._encode_array(value)

    def encode_opaque(self, value: Any) -> Any:
        """Encode ``value`` as a handle, whatever its type."""
        if self._opaque is None:
            raise WireError(f"a value of type {type(value).__name__} cannot travel")
        name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        if type(value) is np.ndarray:
            name += f" of dtype {value.dtype}"
        return ["x", self._opaque(value), name[:LONG_TEXT]]

    def _add(self, buffer: Buffer) -> int:
        if len(self.buffers) >= MAX_BUFFERS:
            raise WireError(f"more than {MAX_BUFFERS} arrays in one value")
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def _encode_text(self, text: str) -> Any:
        if len(text) <= LONG_TEXT:
            return text.encode("utf-8", "replace").decode()
        return ["u", self._add(text.encode("utf-8", "replace"))]

    def _encode_texts(self, texts: list[str]) -> Any:
        if len(texts) > MAX_TEXTS:
            return self.encode_opaque(texts)
        encoded = [text.encode("utf-8", "replace") for text in texts]
        lengths = np.array([len(text) for text in encoded], dtype="<i4")
        return ["S", self._add(lengths.tobytes()), self._add(b"".join(encoded))]

    def _encode_container(self, value: Any, depth: int) -> Any:
        """Encode a list, a tuple or a dict; values nested too deeply stay in the worker."""
        if depth >= MAX_DEPTH:
            return self.encode_opaque(value)
        if type(value) is dict:
            if not all(_is_key(key) for key in value):
                return self.encode_opaque(value)
            return ["d", *([k, self.encode(v, depth + 1)] for k, v in value.items())]
        is_list = type(value) is list
        if is_list and len(value) >= PACK_TEXTS_FROM and all(type(item) is str for item in value):
            return self._encode_texts(value)
        return ["l" if is_list else "t", *(self.encode(item, depth + 1) for item in value)]

    def _encode_array(self, value: Any) -> Any:
        """Encode an array, a numpy scalar or a tensor; everything else stays in the worker."""
        tag, array = _tagged_array(value)
        name, dtype = name_of(array.dtype) if array is not None else ("", None)
        if array is None or name not in DTYPES or array.ndim > MAX_NDIM:
            return self.encode_opaque(value)
        plain = np.ascontiguousarray(array, dtype=dtype)
        index = self._add(plain.reshape(-1).view(np.uint8).data if plain.size else b"")
        head = [tag, index, name]
        return head if tag == "s" else [*head, list(array.shape)]


def name_of(dtype: Any) -> tuple[str, Any]:
    """Return the name of a dtype, and the same in little-endian order, for the usual ones fast."""
    return USUAL.get(dtype) or (dtype.name, dtype.newbyteorder("<"))


def _is_key(key: Any) -> bool:
    return type(key) in (str, bool) or (type(key) is int and abs(key) < strict.MAX_INT)


def _tagged_array(value: Any) -> tuple[str, np.ndarray[Any, Any] | None]:
    """Return the tag and the array of a value that is one; None for any other value."""
    kind = type(value)
    if kind is np.ndarray:
        return "a", value
    if kind is TensorData:
        return "T", value.array
    if kind.__module__ == "numpy" and isinstance(value, np.generic):
        return "s", np.asarray(value)
    return "T", _tensor_as_array(value)


def _tensor_as_array(value: Any) -> np.ndarray[Any, Any] | None:
    torch = sys.modules.get("torch")
    if torch is None or type(value) not in (torch.Tensor, torch.nn.Parameter):
        return None
    try:
        return np.asarray(value.detach().cpu().contiguous().numpy())
    except (RuntimeError, TypeError):  # sparse, quantized, bfloat16: no array equals them
        return None


class Decoder:
    """Turns a header and its buffers back into values, trusting nothing.

    ``opaque`` maps a handle to what takes its place (the worker's object; by default ``Opaque``),
    ``tensor`` an array to a tensor (by default ``TensorData``). With ``ordinary`` values are as a
    program of its own would have made them: text is interned, arrays own their memory. The limit
    for texts is one for each list, or with ``counts_all_texts`` for all lists together.
    """

    def __init__(
        self,
        buffers: list[bytearray],
        opaque: Callable[[int, str], Any] = Opaque,
        tensor: Callable[[np.ndarray[Any, Any]], Any] = TensorData,
        *,
        ordinary: bool = False,
        counts_all_texts: bool = False,
    ) -> None:
        self._buffers: list[bytearray | None] = list(buffers)
        self._ordinary = ordinary
        self._counts_all_texts = counts_all_texts
        self._text_count = 0
        self._opaque = opaque
        self._tensor = tensor
        self._by_tag: dict[str, Callable[[list[Any], int], Any]] = {
            "l": self._list, "t": self._tuple, "d": self._dict, "f": self._float,
            "a": self._array, "s": self._scalar, "T": self._torch, "u": self._text,
            "S": self._texts, "x": self._handle,
        }  # fmt: skip

    def decode(self, body: Any, depth: int = 0) -> Any:
        """Return the value that ``body`` stands for; raises ``WireError``."""
        if depth > MAX_DEPTH:
            raise WireError(f"a value is nested more than {MAX_DEPTH} deep")
        if type(body) is str:
            return self._string(body)
        if body is None or type(body) in (bool, int):
            return body
        if type(body) is float:
            if not math.isfinite(body):
                raise WireError("a plain number overflows")
            return body
        if type(body) is not list or not body or type(body[0]) is not str:
            raise WireError("a value is neither a scalar nor a tagged list")
        tag, *rest = body
        decode = self._by_tag.get(tag)
        if decode is None:
            raise WireError("a value has an unknown tag")
        try:
            return decode(rest, depth)
        except WireError:
            raise
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise WireError(
                f"a value tagged {tag!r} is malformed: {type(error).__name__}"
            ) from None

    def _string(self, text: str) -> str:
        """Return a text, as the same object for the same text: ``cell_type is "lstm"`` then works.

        A notebook's own literals are the same object; it is bad style, but not a mistake that
        shows there.
        """
        return sys.intern(text) if self._ordinary and len(text) <= MAX_INTERNED else text

    def _take(self, index: Any) -> bytearray:
        if type(index) is not int or not 0 <= index < len(self._buffers):
            raise WireError("a value names a buffer that is not there")
        buffer, self._buffers[index] = self._buffers[index], None
        if buffer is None:
            raise WireError("a buffer is used twice")
        return buffer

    def _list(self, rest: list[Any], depth: int) -> list[Any]:
        return [self.decode(item, depth + 1) for item in rest]

    def _tuple(self, rest: list[Any], depth: int) -> tuple[Any, ...]:
        return tuple(self._list(rest, depth))

    def _dict(self, rest: list[Any], depth: int) -> dict[Any, Any]:
        result = {}
        for entry in rest:
            if type(entry) is not list or len(entry) != 2:  # noqa: PLR2004
                raise WireError("a dictionary's entry is not a pair")
            key, item = entry
            if type(key) not in (str, int, bool):
                raise WireError("a dictionary key is neither text nor a whole number")
            if key in result:
                raise WireError("a dictionary key is used twice")
            own = self._string(key) if type(key) is str else key
            result[own] = self.decode(item, depth + 1)
        return result

    def _float(self, rest: list[Any], _depth: int) -> float:
        (word,) = rest
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[word]

    def _array(self, rest: list[Any], _depth: int) -> np.ndarray[Any, Any]:
        index, dtype_name, shape = rest
        if dtype_name not in DTYPES:
            raise WireError("an array's dtype is not allowed")
        if type(shape) is not list or len(shape) > MAX_NDIM:
            raise WireError("an array's shape is not a list of at most 16 sizes")
        for size in shape:
            if type(size) is not int or size < 0:
                raise WireError("an array's shape holds something other than sizes")
        buffer = self._take(index)
        dtype = BY_NAME[dtype_name]
        if math.prod(shape) * dtype.itemsize != len(buffer):
            raise WireError("an array's shape does not match its bytes")
        if not buffer and math.prod(filter(None, shape)) * dtype.itemsize > MAX_EMPTY_BYTES:
            # A sum along the empty axis of shape (2**40, 0) takes eight terabytes.
            raise WireError("an array without entries announces too many")
        if dtype_name == "bool" and buffer.strip(b"\x00\x01"):
            # Bytes other than 0 and 1 in a bool array are undefined behavior in numpy.
            raise WireError("a boolean array holds bytes other than 0 and 1")
        array = np.frombuffer(buffer, dtype=dtype).reshape(shape)
        return array.copy() if self._ordinary else array

    def _scalar(self, rest: list[Any], depth: int) -> Any:
        index, dtype_name = rest
        return self._array([index, dtype_name, []], depth)[()]

    def _torch(self, rest: list[Any], depth: int) -> Any:
        return self._tensor(self._array(rest, depth))

    def _text(self, rest: list[Any], _depth: int) -> str:
        (index,) = rest
        return self._take(index).decode("utf-8", "replace")

    def _texts(self, rest: list[Any], _depth: int) -> list[str]:
        lengths_index, bytes_index = rest
        lengths = np.frombuffer(self._take(lengths_index), dtype="<i4")
        data = self._take(bytes_index)
        self._text_count += lengths.size
        count = self._text_count if self._counts_all_texts else lengths.size
        if count > MAX_TEXTS:
            raise WireError(f"{count} texts in lists exceed {MAX_TEXTS}")
        if (lengths < 0).any() or int(lengths.sum(dtype=np.int64)) != len(data):
            raise WireError("a list of texts does not match its bytes")
        ends = np.cumsum(lengths, dtype=np.int64).tolist()
        return [
            self._string(data[start:end].decode("utf-8", "replace"))
            for start, end in pairwise([0, *ends])
        ]

    def _handle(self, rest: list[Any], _depth: int) -> Any:
        handle, type_name = rest
        if type(handle) is not int or type(type_name) is not str:
            raise WireError("a handle is not a number with a type name")
        return self._opaque(handle, type_name)
