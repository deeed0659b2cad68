"""Reads archives that students pack, whatever their headers claim.

Python's own modules know the formats but trust the archive: a header of a few bytes can announce
terabytes, point backwards so that reading never ends, or unfold into lists that fill the memory.
Here every size is checked before it is read, and a tar archive is read forward only.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import IO, Any, Protocol, cast

from grader.readers.texts import printable

MIB = 1024 * 1024
MAX_UNPACKED_BYTES = 1024 * MIB  # of a tar archive, with all that is left out
MAX_READ_BYTES = 4 * MIB  # at once; no honest header is longer
CONTENTS_BYTES = 160  # of a zip archive's table for each entry, with a name of usual length
MAX_HEADER_BYTES = 8 * MIB  # of all headers of a tar archive, beyond what each may have:
HEADER_BYTES = 1536  # of a member whose name is not in ASCII, or long
MAX_PAX_BYTES = 1 * MIB  # of one extended header; attributes of files on a Mac are the longest
# ``tarfile`` looks for numbers in it in a time that grows with the square of their length
# (CVE-2024-6232).
LONG_NUMBER = re.compile(rb"[0-9]{100}")
PAX_TYPES = b"xgX"  # of a header block whose content is an extended header
TYPE_AT = 156  # in a header block
MAX_DECODER_BYTES = 128 * MIB  # of memory to decompress xz; its highest level needs 65 MiB
MAX_PADDING_BYTES = 64 * 1024  # read at once after the end; it has 10 KiB at most
MAX_SHOWN = 80  # characters of a file's name in a message
ENCRYPTED = 1  # a flag of a zip archive's entry
SPANNED = (b"PK00PK", b"PK\x07\x08PK")  # a mark before the first entry (APPNOTE.TXT, 8.5.4)
LZMA_PROPERTIES = struct.Struct("<HHBI")  # of a zip member: version, size, lc-lp-pb, dictionary
# How damaged archives fail. RuntimeError: an unknown version, or headers within headers;
# LookupError: a member without a name; struct.error: an extra field that is cut off.
DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(RuntimeError, ValueError, OverflowError, LookupError, struct.error),
)


class TooMuchError(Exception):
    """A submission exceeds a cap."""


class Decompressor(Protocol):
    """What ``bz2`` and ``lzma`` call a decompressor."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before anything can be returned."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return at most ``max_length`` bytes."""


class Readable(Protocol):
    """An open file that is only read and closed."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""

    def close(self) -> None:
        """Give the file back."""


Entry = tuple[str, int, Readable]  # name, announced size, content
LeaveOut = Callable[[str, str], None]  # notes that a file is left out, and why


def shown(name: str) -> str:
    """Return a file's name for a message."""
    return printable(name, MAX_SHOWN)


def zip_entries(path: Path, max_entries: int, leave_out: LeaveOut) -> Generator[Entry, None, None]:
    """Yield the regular files of a zip archive.

    Raises:
        TooMuchError: it lists more than ``max_entries``, or exceeds another cap.
        Exception: one of ``DAMAGED``.
    """
    most = max(MIB, max_entries * CONTENTS_BYTES)
    with _Measured(io.FileIO(path), most) as file, zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > max_entries:
            raise TooMuchError(f"it lists {len(archive.infolist())} entries")
        _begins_at_its_start(file, archive)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                leave_out(info.filename, "it is not a regular file")
                continue
            if info.flag_bits & ENCRYPTED:
                raise zipfile.BadZipFile(
                    f"{shown(info.filename)} is encrypted: remove the password"
                )
            yield info.filename, info.file_size, _member(archive, info)


def _begins_at_its_start(file: io.BufferedReader, archive: zipfile.ZipFile) -> None:
    """Refuse a zip archive with anything before its first entry.

    If an archive was cut off, ``zipfile`` reads the last archive stored inside it, if there is one,
    as if that were all. Apart from these, only self-extracting programs look like this.

    Raises:
        zipfile.BadZipFile: something comes before it.
    """
    first = min([info.header_offset for info in archive.infolist()], default=archive.start_dir)
    file.seek(0)
    mark = 4 if file.read(6) in SPANNED else 0
    if first != mark:
        raise zipfile.BadZipFile(
            f"there are {first} bytes before its first file, so its end is cut off or it is a "
            "self-extracting program: make a new, ordinary .zip and hand that in"
        )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Readable:
    """Open a member of a zip archive.

    ``zipfile`` bounds what it unpacks at once only for deflate: 34 bytes of bzip2 expand to 46 MB.
    Members packed with bzip2 or LZMA are opened as if they were stored, and unpacked here.
    """
    if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return archive.open(info)
    if info.compress_type not in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        raise zipfile.BadZipFile(
            f"{shown(info.filename)} uses compression method {info.compress_type}, which is not "
            "supported: use the usual one, deflate"
        )
    packed = copy.copy(info)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, info.compress_size
    packed.CRC = cast("int", None)  # of the unpacked bytes; zipfile then checks none
    content = archive.open(packed)
    if info.compress_type == zipfile.ZIP_BZIP2:
        return _Unfolded(content, bz2.BZ2Decompressor, info.CRC)
    return _Unfolded(content, lambda: _zip_lzma(content), info.CRC)


def _zip_lzma(content: Readable) -> Decompressor:
    """Return a decoder by the properties in front of a zip member (APPNOTE.TXT, 5.8.8)."""
    _version, size, packing, dictionary = LZMA_PROPERTIES.unpack(content.read(LZMA_PROPERTIES.size))
    if size != LZMA_PROPERTIES.size - 4 or dictionary > MAX_DECODER_BYTES:
        raise zipfile.BadZipFile("a file in it uses LZMA compression with unusual properties")
    rest, lc = divmod(packing, 9)
    pb, lp = divmod(rest, 5)
    filters = [
        {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb},
    ]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


class _Measured(io.BufferedReader):
    """A zip archive's file. Its table may announce any length; at most ``most`` bytes are read."""

    def __init__(self, raw: io.FileIO, most: int) -> None:
        super().__init__(raw)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = MAX_READ_BYTES + 1 if size is None or size < 0 else size
        if wanted > max(self._most, MAX_READ_BYTES + 1):
            raise TooMuchError(f"its table of contents has {wanted} bytes")
        return super().read(wanted)


def tar_entries(path: Path, max_entries: int, leave_out: LeaveOut) -> Generator[Entry, None, None]:
    """Yield the regular files of a tar archive with any compression.

    Raises:
        TooMuchError: it lists more than ``max_entries``, or exceeds another cap.
        Exception: one of ``DAMAGED``.
    """
    source = _Forwards(path)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r:") as archive:
            listed = 0
            while (member := source.next_of(archive)) is not None:
                listed += 1
                archive.members = []  # type: ignore[attr-defined] # tarfile would keep them all
                if listed > max_entries:
                    raise TooMuchError(f"it lists more than {max_entries} entries")
                if member.isdir():
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    leave_out(member.name, "it is not a regular file")
                    continue
                yield member.name, member.size, content
            source.expect_end()
    finally:
        source.close()


class _Forwards:
    """A decompressed tar archive that is read from its start to its end, once.

    A header may claim any size, even a negative one. Reading never goes back: an archive whose
    members point backward would be unpacked again for each of them.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        start = self._file.read(6)
        self._file.seek(0)
        decoders: tuple[tuple[bytes, Callable[[Any], Readable]], ...] = (
            (b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", _xz),
        )  # fmt: skip
        self._unpacked: Readable = self._file
        for magic, decoder in decoders:
            if start.startswith(magic):
                self._unpacked = decoder(self._file)
        self._position = 0
        self._in_headers = True
        self._header_bytes = 0
        self._pax_follows = False
        self._last = b""

    def next_of(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        """Return the next member; the bytes read for it count as headers."""
        self._in_headers = True
        self._header_bytes -= HEADER_BYTES
        member = archive.next()
        self._in_headers = False
        return member

    def expect_end(self) -> None:
        """Make sure that the archive ends where ``tarfile`` found no further member.

        ``tarfile`` also takes a cut-off or damaged header for the end of the archive.

        Raises:
            tarfile.ReadError: there is no end mark, or something follows it.
        """
        remedy = "it is cut off or damaged: pack it again and upload the new archive"
        if len(self._last) != tarfile.BLOCKSIZE or self._last.strip(b"\0"):
            raise tarfile.ReadError(f"it does not end like an archive: {remedy}")
        while data := self._read(MAX_PADDING_BYTES):
            self._bounded(self._position)
            if data.strip(b"\0"):
                raise tarfile.ReadError(f"it continues after its end mark: {remedy}")

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        if position < self._position:
            raise tarfile.ReadError("a header points backward")
        self._bounded(position)
        while self._position < position:
            if not self._read(min(MIB, position - self._position)):
                break
        return self._position

    def read(self, size: int) -> bytes:
        if size < 0:
            raise tarfile.ReadError("a header has a negative size")
        if size > MAX_READ_BYTES:
            raise TooMuchError(f"it has a header of {size} bytes")
        self._bounded(self._position + size)
        parts = []
        while size > 0 and (part := self._read(size)):
            parts.append(part)
            size -= len(part)
            if self._in_headers:
                self._header_bytes += len(part)
                self._last = part
        if self._header_bytes > MAX_HEADER_BYTES:
            raise TooMuchError(f"it has headers of more than {MAX_HEADER_BYTES // MIB} MiB")
        data = b"".join(parts)
        if self._in_headers:
            self._check_pax(data)
        return data

    def _check_pax(self, data: bytes) -> None:
        """Refuse the content of an extended header that ``tarfile`` would read for ever."""
        if self._pax_follows:
            self._pax_follows = False
            if len(data) > MAX_PAX_BYTES:
                raise TooMuchError(f"it has a header of {len(data)} bytes")
            if LONG_NUMBER.search(data):
                raise tarfile.ReadError("an extended header holds a number of 100 digits or more")
        elif len(data) == tarfile.BLOCKSIZE:
            self._pax_follows = data[TYPE_AT] in PAX_TYPES

    def close(self) -> None:
        self._unpacked.close()
        self._file.close()

    def _bounded(self, position: int) -> None:
        if position > MAX_UNPACKED_BYTES:
            raise TooMuchError(f"it unpacks to more than {MAX_UNPACKED_BYTES // MIB} MiB")

    def _read(self, size: int) -> bytes:
        data = self._unpacked.read(size)
        self._position += len(data)
        return data


def _xz(file: IO[bytes]) -> Readable:
    """Open an xz file; ``lzma.open`` would take as much memory as the file announces."""
    return _Unfolded(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_DECODER_BYTES))


class _Unfolded:
    """What a file decompresses to, never more at once than requested.

    Args:
        packed: the compressed bytes.
        new: makes a decoder; called when the first byte is needed.
        crc: the checksum of all the output. Without it, streams may follow each other, and each
            must be complete.
    """

    def __init__(
        self, packed: Readable, new: Callable[[], Decompressor], crc: int | None = None
    ) -> None:
        self._packed = packed
        self._new = new
        self._decoder: Decompressor | None = None
        self._crc = crc
        self._sum = 0

    def read(self, size: int, /) -> bytes:
        if self._decoder is None:
            self._decoder = self._new()
        data, fed = b"", b""
        while not data and size > 0:
            if self._decoder.eof:
                fed = self._following()
                if not fed:
                    return self._end()
                self._decoder = self._new()
            elif self._decoder.needs_input and not (fed := self._packed.read(MIB)):
                if self._crc is None:
                    raise EOFError("it ends too early")
                return self._end()  # no end mark, which LZMA may omit
            data = self._decoder.decompress(fed, size)
            fed = b""
        self._sum = zlib.crc32(data, self._sum)
        return data

    def _following(self) -> bytes:
        """Return the beginning of the stream that follows, after padding of zeros."""
        if self._crc is not None or self._decoder is None:
            return b""
        fed = self._decoder.unused_data.lstrip(b"\0")
        while not fed:
            if not (more := self._packed.read(MIB)):
                return b""
            fed = more.lstrip(b"\0")
        return fed

    def _end(self) -> bytes:
        if self._crc is not None and self._sum != self._crc:
            raise zipfile.BadZipFile("a file in it has the wrong checksum")
        return b""

    def close(self) -> None:
        self._packed.close()
