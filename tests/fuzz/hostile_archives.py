"""Archives as a hostile student may pack them: every field of every header can be a lie."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.hostile_frames import damaged

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
ODD_NAMES = [
    "rnn_layers.py", "hw/rnn_layers.py", "../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil",
    "", ".", "/", "..", "a/", "a", "a/b", "a/b/c", "conftest.py", "x.pth", "x.so", ".git/config",
    "__MACOSX/._x", "new\nline.py", "tab\t.py", "\x1b[2J.py", "\u202egnp.py", "=cmd()", "a\0b",
    "x" * 255, "x" * 256, "d/" * 15 + "f", "d/" * 40 + "f", "\ud800.py", "\N{PILE OF POO}.py",
    "con", "nul.txt", " ", "  /  ", "~root", "$(id)", "rnn_layers.py/x", "a:b", "<b>.py",
]  # fmt: skip
SIZES = [
    0, 1, 511, 512, 513, 2**16, 2**31, 2**32 - 1, 2**33, 2**62, 2**63, -1, -512, -1024, -(2**40),
]  # fmt: skip
MODES = [
    0o100644, 0o120777, 0o060644, 0o020644, 0o010644, 0o140644, 0o040755, 0o104777, 0, 0o177777,
]  # fmt: skip
METHODS = [
    0, 8, 12, 14, 0, 8, 12, 14, 1, 9, 93, 95, 97, 99, 65535,
]  # fmt: skip
TYPES = [*b"0000\0123456S7xgLKVMNDXA\xff "]

names = st.sampled_from(ODD_NAMES) | st.text(max_size=12)
contents = (
    st.binary(max_size=60)
    | st.sampled_from([1000, 70_000, 200_000, 3_000_000]).map(bytes)
    | st.integers(1, 400).map(lambda count: b"0\n" * count)
)


def raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def packed(method: int, data: bytes) -> bytes:
    """Return the contents of a zip member, packed by a method (those not known leave it)."""
    if method == zipfile.ZIP_DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(data) + packer.flush()
    if method == zipfile.ZIP_BZIP2:
        return bz2.compress(data)
    if method == zipfile.ZIP_LZMA:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("x", data)
        return stream.getvalue()[31 : 31 + archive.getinfo("x").compress_size]
    return data


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """Return a zip archive with true and false fields."""
    number = st.integers(0, 9)
    out, directory = bytearray(), bytearray()
    members = draw(st.lists(st.tuples(names, contents), max_size=5))
    for name, data in members:
        method, honest = draw(st.sampled_from(METHODS)), draw(number) > 1
        body = packed(method, data)
        flags = 0x800 if honest else draw(st.sampled_from([0, 1, 8, 0x800, 0x801, 0x40, 0xFFFF]))
        crc = zlib.crc32(data) if honest else draw(st.sampled_from([0, zlib.crc32(data)]))
        size = len(data) if honest else draw(st.sampled_from(SIZES)) & 0xFFFFFFFF
        stored = len(body) if draw(number) else draw(st.sampled_from(SIZES)) & 0xFFFFFFFF
        extra = b"" if honest else draw(extras())
        encoded = raw(name)[:60_000]
        place = len(out) if draw(number) else draw(st.sampled_from(SIZES)) & 0xFFFFFFFF
        attributes = (draw(st.sampled_from(MODES)) << 16) & 0xFFFFFFFF
        common = (20, flags, method, 0, 33, crc, stored, size, len(encoded), len(extra))
        out += LOCAL.pack(b"PK\x03\x04", *common) + encoded + extra + body
        directory += CENTRAL.pack(b"PK\x01\x02", 0x314, *common, 0, 0, 0, attributes, place)
        directory += encoded + extra
    count = len(members) if draw(number) else draw(st.sampled_from([0, 1, 65535]))
    length = len(directory) if draw(number) else draw(st.sampled_from(SIZES)) & 0xFFFFFFFF
    start = len(out) if draw(number) else draw(st.sampled_from(SIZES)) & 0xFFFFFFFF
    comment = draw(st.sampled_from([b"", b"", b"x" * 100, b"PK\x05\x06" + b"\xff" * 30]))
    end = END.pack(b"PK\x05\x06", 0, 0, count, count, length, start, len(comment)) + comment
    whole = bytes(out + directory + end)
    return draw(damaged(whole)) if draw(st.booleans()) else whole


@st.composite
def extras(draw: st.DrawFn) -> bytes:
    """Return extra fields of a zip entry: 64-bit sizes, other names, their ends missing."""
    kind = draw(st.sampled_from([1, 0x7075, 0x5455, 0xFFFF]))
    data = draw(st.binary(max_size=30) | st.sampled_from(SIZES).map(_eight))
    length = len(data) if draw(st.booleans()) else draw(st.sampled_from([0, 3, 65535]))
    return struct.pack("<2H", kind, length) + data


def _eight(number: int) -> bytes:
    return struct.pack("<Q", number & (2**64 - 1)) * 2


def tar_header(
    name: str | bytes,
    size: int,
    kind: int = ord("0"),
    link: bytes = b"",
    magic: bytes = b"ustar  \0",
) -> bytes:
    """Return the 512 bytes of a tar header with a right checksum and whatever is wanted else."""
    encoded = name if isinstance(name, bytes) else raw(name)
    if 0 <= size < 8**11:
        number = b"%011o\0" % size
    else:
        number = (b"\xff" if size < 0 else b"\x80") + (size & (2**88 - 1)).to_bytes(11, "big")
    fields = (
        encoded[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number
        + b"00000000000\0" + b" " * 8 + bytes([kind]) + link[:100].ljust(100, b"\0") + magic
    )  # fmt: skip
    header = bytearray(fields.ljust(512, b"\0")[:512])
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def pax(records: dict[str, str | bytes], *, kind: bytes = b"x", size: int | None = None) -> bytes:
    """Return a pax header with these records."""
    body = b""
    for key, value in records.items():
        record = b" " + raw(key) + b"=" + (raw(value) if isinstance(value, str) else value) + b"\n"
        length = len(record)
        while length != len(record) + len(str(length)):
            length = len(record) + len(str(length))
        body += str(length).encode() + record
    return tar_header("pax", len(body) if size is None else size, kind[0]) + padded(body)


PAX_KEYS = [
    "path", "linkpath", "size", "mtime", "uid", "hdrcharset", "comment", "GNU.sparse.major",
    "GNU.sparse.minor", "GNU.sparse.realsize", "GNU.sparse.size", "GNU.sparse.map",
    "GNU.sparse.numblocks", "GNU.sparse.offset", "GNU.sparse.numbytes", "GNU.sparse.name", "",
    "a=b", "x" * 300,
]  # fmt: skip
PAX_VALUES = [
    "", "0", "1", "-1", "512", "-512", "9" * 30, "1e9", "nan", "inf", "0,5,10,5", "0,0,0",
    "BINARY", "utf-8", "../evil", "/evil", "a\nb", "\0", "x" * 300, "1_0", "\u0661",
]  # fmt: skip


@st.composite
def members(draw: st.DrawFn) -> bytes:
    """Return one member of a tar archive, with what stands in front of it."""
    before = b""
    kind = draw(st.sampled_from(["plain"] * 4 + ["pax", "global", "long", "sparse", "chain"]))
    if kind in ("pax", "global"):
        keys = st.sampled_from(PAX_KEYS)
        records = draw(st.dictionaries(keys, st.sampled_from(PAX_VALUES) | names, max_size=4))
        size = None if draw(st.integers(0, 4)) else draw(st.sampled_from(SIZES))
        before = pax(records, kind=b"x" if kind == "pax" else b"g", size=size)
    elif kind == "long":
        name = raw(draw(names)) + b"\0"
        size = len(name) if draw(st.integers(0, 4)) else draw(st.sampled_from(SIZES))
        before = tar_header("././@LongLink", size, draw(st.sampled_from(b"LK"))) + padded(name)
    elif kind == "chain":
        before = pax({"a": "b"}) * draw(st.integers(2, 1200))
    elif kind == "sparse":
        before = pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"})
    data = draw(contents)
    size = len(data) if draw(st.integers(0, 3)) else draw(st.sampled_from(SIZES))
    header = tar_header(
        *(draw(names), size, draw(st.sampled_from(TYPES))),
        link=raw(draw(st.sampled_from(["", "/etc/passwd", "..", "rnn_layers.py", "x"]))),
        magic=draw(st.sampled_from([b"ustar  \0", b"ustar\x0000", b"\0" * 8])),
    )
    return before + header + padded(data)


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    """Return a tar archive, packed in one way or another, and damaged before or after."""
    whole = b"".join(draw(st.lists(members(), max_size=5)))
    whole += bytes(draw(st.sampled_from([0, 512, 1024, 10_240])))
    if draw(st.integers(0, 2)) == 0:
        whole = draw(damaged(whole))
    pack: Callable[[bytes], bytes] = draw(
        st.sampled_from([bytes, _gzip, bz2.compress, lzma.compress, _twice])
    )
    whole = pack(whole)
    return draw(damaged(whole)) if draw(st.integers(0, 3)) == 0 else whole


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


def _twice(data: bytes) -> bytes:
    """Pack as two streams, one after the other, as parallel packers do."""
    half = len(data) // 2
    return lzma.compress(data[:half]) + bytes(8) + lzma.compress(data[half:])


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    return tar_header(name, 0, kind[0], raw(target))


def whole_tar(*pieces: Any) -> bytes:
    return b"".join(pieces) + bytes(1024)
