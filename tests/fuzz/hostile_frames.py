"""Frames as a hostile worker may send them: damaged, lying, well formed and absurd."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from grader.isolation.wire import Encoder, pack
from grader.isolation.wire.codec import DTYPES, MAGIC, PREFIX

CALL_ID = "0123456789abcdef"  # what the worker has read in the request
BIG = [
    0, -1, 1, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**40, 2**53 + 1, 2**62, 2**63, -(2**63),
    2**64,
]  # fmt: skip
ODD_TEXTS = [
    "", "nan", "inf", "-inf", "a", "object", "O8", "float64", "bool", "str", "\0", "\n",
    "\x1b[2J", "\u202e", "\N{PILE OF POO}", "__class__", "{0.__class__}", "%s%n", "x" * 300,
    "=cmd()", "<script>", "l", "t", "d", "f", "a", "s", "T", "u", "S", "x",
]  # fmt: skip

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=8)
scalars = (
    st.none() | st.booleans() | st.integers(-3, 5) | st.sampled_from(BIG) | texts
    | st.floats() | st.sampled_from([1e308, -0.0, 5e-324])
)  # fmt: skip
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
buffer_numbers = st.integers(0, 3) | scalars
dtypes = st.sampled_from(sorted(DTYPES)) | texts
shapes = st.lists(st.integers(0, 4) | st.sampled_from(BIG), max_size=5) | scalars
empty = st.lists(st.sampled_from([0, 0, 1, 3, *BIG]), max_size=4)


def tagged(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return lists that look like encoded values."""
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda items: ["l", *items]),
        st.lists(inner, max_size=4).map(lambda items: ["t", *items]),
        st.lists(st.tuples(texts | scalars, inner).map(list) | inner, max_size=4).map(
            lambda entries: ["d", *entries]
        ),
        st.tuples(st.just("f"), texts | scalars).map(list),
        st.tuples(st.sampled_from("aT"), buffer_numbers, dtypes, shapes).map(list),
        st.tuples(st.just("a"), st.integers(0, 1), st.sampled_from(sorted(DTYPES)), empty).map(
            list
        ),
        st.tuples(st.just("s"), buffer_numbers, dtypes).map(list),
        st.tuples(st.just("u"), buffer_numbers).map(list),
        st.tuples(st.just("S"), buffer_numbers, buffer_numbers).map(list),
        st.tuples(st.just("x"), scalars, scalars).map(list),
        st.lists(inner, max_size=5),
    )


bodies = st.recursive(scalars, tagged, max_leaves=15)
buffers = st.lists(
    st.just(b"")
    | st.binary(max_size=40)
    | st.integers(0, 6).map(lambda count: bytes(8 * count))
    | st.lists(st.integers(-2, 2**31 - 1), max_size=4).map(
        lambda lengths: b"".join(n.to_bytes(4, "little", signed=True) for n in lengths)
    ),
    max_size=4,
)
deep = st.integers(1, 9000).flatmap(
    lambda depth: st.sampled_from([("[", "]"), ('{"a":', "}"), ('["l",', "]")]).map(
        lambda pair: pair[0] * depth + "1" + pair[1] * depth
    )
)

honest_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([np.zeros((2, 3)), np.float32(1.5), np.array([True, False]), "x" * 300])
    | st.sampled_from([["word"] * 9, np.zeros((0, 5))]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


def to_frame(header: str | bytes, parts: list[bytes]) -> bytes:
    """Return a frame with any text for a header, whatever it announces."""
    raw = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    return PREFIX.pack(MAGIC, len(raw)) + raw + b"".join(parts)


def lying(body: Any, parts: list[bytes], announced: Any) -> bytes:
    """Return a frame whose header announces ``announced`` as the sizes of its buffers."""
    return to_frame(json.dumps({"body": body, "buffers": announced}, ensure_ascii=False), parts)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return bytes with a few edits: a byte, a cut, an insertion, a repetition, the end missing."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        edit = draw(st.sampled_from(["byte", "cut", "insert", "repeat", "end"]))
        if edit == "byte" and data:
            data[at] = draw(st.integers(0, 255))
        elif edit == "cut":
            del data[at : at + draw(st.integers(1, 30))]
        elif edit == "insert":
            data[at:at] = draw(st.binary(max_size=8))
        elif edit == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        else:
            del data[at:]
    return bytes(data)


@st.composite
def replies(draw: st.DrawFn) -> Any:
    """Return the body of an answer: an object with the fields that the trusted side looks at."""
    body: dict[str, Any] = {"id": draw(st.just(CALL_ID) | scalars)}
    if draw(st.booleans()):
        body["result"] = draw(bodies)
    if draw(st.booleans()):
        body["mutated"] = draw(st.lists(scalars, max_size=4) | json_values)
    if draw(st.booleans()):
        body["missing_packages"] = draw(st.lists(texts, max_size=3) | json_values)
    if draw(st.integers(0, 2)) == 0:
        body["error"] = draw(json_values | errors())
    return body


@st.composite
def errors(draw: st.DrawFn) -> Any:
    """Return a reported exception, with any of its fields wrong or missing."""
    where = st.lists(st.tuples(texts, scalars, texts).map(list) | json_values, max_size=3)
    fields = {
        "type": texts, "kinds": st.lists(texts, max_size=3), "text": texts, "where": where,
        "missing_package": st.none() | texts, "undefined": st.booleans(),
    }  # fmt: skip
    error = {name: draw(good) for name, good in fields.items()}
    for name in draw(st.lists(st.sampled_from(list(fields)), max_size=2)):
        error[name] = draw(json_values)
    if draw(st.integers(0, 5)) == 0:
        del error[draw(st.sampled_from(list(fields)))]
    return error


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Return bytes that a hostile worker sends in place of an answer."""
    kind = draw(st.sampled_from(["bytes", "damaged", "lying", "sizes", "reply", "deep", "header"]))
    if kind == "bytes":
        return draw(st.binary(max_size=60) | st.binary(max_size=40).map(lambda b: MAGIC + b))
    if kind == "damaged":
        encoder = Encoder()
        body = {"id": CALL_ID, "result": encoder.encode(draw(honest_values))}
        whole = b"".join(bytes(piece) for piece in pack(body, encoder.buffers))
        return draw(damaged(whole))
    parts = draw(buffers)
    sizes: Any = [len(part) for part in parts]
    if kind == "lying":
        sizes = draw(st.lists(st.sampled_from(BIG) | scalars, max_size=4) | scalars)
    if kind == "deep":
        inner = draw(deep)
        place = draw(st.sampled_from(["result", "error", "id", "mutated", "where", "kinds"]))
        error = {"type": "E", "kinds": [], "text": "", "where": [], "missing_package": None}
        body = {"id": CALL_ID, "error": {**error, "undefined": False}, "result": 1}
        if place in ("where", "kinds"):
            body["error"][place] = ["@"] if place == "kinds" else [["@", 1, "@"]]  # type: ignore[index]
        else:
            body[place] = "@"
        if place in ("result", "mutated"):
            del body["error"]
        text = json.dumps({"body": body, "buffers": []}).replace('"@"', inner)
        return to_frame(text, [])
    if kind == "header":
        text = json.dumps({"body": draw(json_values), "buffers": draw(json_values)})
        return to_frame(text, parts)
    body = draw(replies())
    if kind == "sizes" and sizes:
        sizes[draw(st.integers(0, len(sizes) - 1))] += draw(st.integers(-9, 9))
    return lying(body, parts, sizes)
