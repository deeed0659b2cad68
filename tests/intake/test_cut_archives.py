"""Archives that are cut, and those of all programs that people pack with."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from grader.intake.submission import Submission, stage

SOURCE = b"def f(x):\n    return x\n"
LONGER = b"# padding\n" * 3000
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


@pytest.fixture
def staged(tmp_path):
    def run(name: str, data: bytes) -> Submission:
        path = tmp_path / name
        path.write_bytes(data)
        target = tmp_path / f"{name}-staged"
        if target.exists():
            target.chmod(0o755)
            shutil.rmtree(target)
        return stage("ada", path, target, ["rnn_layers.py"])

    return run


class Packer:
    """Writes a zip archive as a program does: by its headers, field for field."""

    def __init__(
        self,
        made_by: int,
        needed: int,
        flags: int = 0,
        *,
        local_extra: bytes = b"",
        central_extra: bytes = b"",
        descriptor: str = "",
        start: bytes = b"",
        comment: bytes = b"",
        attributes: int = 0,
    ) -> None:
        self._versions = made_by, needed
        self._flags = flags
        self._extras = local_extra, central_extra
        self._descriptor = descriptor
        self._start = start
        self._comment = comment
        self._attributes = attributes

    def pack(self, files: dict[str, bytes]) -> bytes:
        made = bytearray(self._start)
        listed = bytearray()
        made_by, needed = self._versions
        local_extra, central_extra = self._extras
        for name, data in files.items():
            compressor = zlib.compressobj(wbits=-15)
            packed = compressor.compress(data) + compressor.flush()
            method = 8
            if not data:
                packed, method = b"", 0
            crc, sizes = zlib.crc32(data), (len(packed), len(data))
            told = (0, 0, 0) if self._descriptor else (crc, *sizes)
            title = name.encode()
            about = (needed, self._flags, method, 0x6C20, 0x5A77)
            offset = len(made)
            lengths = (len(title), len(local_extra))
            made += LOCAL.pack(b"PK\3\4", *about, *told, *lengths) + title + local_extra + packed
            if self._descriptor:
                made += b"PK\7\x08" if self._descriptor == "signed" else b""
                made += struct.pack("<3L", crc, *sizes)
            lengths = (len(title), len(central_extra), 0)
            rest = (*lengths, 0, 0, self._attributes, offset)
            listed += CENTRAL.pack(b"PK\1\2", made_by, *about, crc, *sizes, *rest)
            listed += title + central_extra
        count = len(files)
        end = END.pack(b"PK\5\6", 0, 0, count, count, len(listed), len(made), len(self._comment))
        return bytes(made + listed + end + self._comment)


UX = struct.pack("<HHLLHH", 0x5855, 12, 1700000000, 1700000000, 501, 20)
UX_CENTRAL = struct.pack("<HHLL", 0x5855, 8, 1700000000, 1700000000)
UT = struct.pack("<HHBLL", 0x5455, 9, 3, 1700000000, 1700000000)
UT_CENTRAL = struct.pack("<HHBL", 0x5455, 5, 3, 1700000000)
OWNER = struct.pack("<HHBBLBL", 0x7875, 11, 1, 4, 501, 4, 20)
NTFS = struct.pack("<HHLHHQQQ", 0x000A, 32, 0, 1, 24, *(133444736000000000,) * 3)
PACKERS = {
    # Archive Utility (ditto): sizes behind the data, its own clutter beside it
    "macOS": Packer(0x0315, 20, 8, local_extra=UX, central_extra=UX_CENTRAL,
                    descriptor="signed", attributes=0o100644 << 16),
    "Windows Explorer": Packer(20, 20, 0, attributes=0x20),
    "Windows Explorer, names in UTF-8": Packer(20, 20, 0x800, attributes=0x20),
    "7-Zip": Packer(63, 20, 0, central_extra=NTFS, attributes=0x20),
    "Info-ZIP": Packer(0x031E, 20, 2, local_extra=UT + OWNER, central_extra=UT_CENTRAL + OWNER,
                       attributes=0o100644 << 16),
    "a server that streams": Packer(0x0314, 20, 0x808, descriptor="signed"),
    "descriptors without a signature": Packer(0x0314, 20, 8, descriptor="bare"),
    "WinZip, one volume of several": Packer(20, 20, 0, start=b"PK00"),
    "PKZIP, one volume of several": Packer(20, 20, 0, start=b"PK\7\x08"),
    "a comment": Packer(20, 20, 0, comment=b"PK homework 2, by Ada"),
}  # fmt: skip
HANDED = {
    "hw2/": b"",
    "hw2/rnn_layers.py": SOURCE,
    "__MACOSX/hw2/._rnn_layers.py": b"\0\5\x16\7",
    "hw2/notes.txt": b"",
}


@pytest.mark.parametrize("packer", PACKERS.values(), ids=PACKERS)
def test_what_programs_pack_is_read(packer, staged):
    data = packer.pack(HANDED)
    made = staged("a.zip", data)
    assert (made.problem, made.files) == (None, ("notes.txt", "rnn_layers.py"))
    assert (made.folder / "rnn_layers.py").read_bytes() == SOURCE


class Stream(io.RawIOBase):
    """A file that can be written only, as a pipe is."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += data
        return len(data)


def test_what_python_packs_is_read(staged):
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rnn_layers.py", SOURCE)
    assert staged("a.zip", bytes(stream.data)).files == ("rnn_layers.py",)
    large = io.BytesIO()
    with (
        zipfile.ZipFile(large, "w") as archive,
        archive.open("rnn_layers.py", "w", force_zip64=True) as file,
    ):
        file.write(SOURCE)
    assert staged("b.zip", large.getvalue()).files == ("rnn_layers.py",)
    with zipfile.ZipFile(large, "a") as archive:
        archive.writestr("more.txt", b"x")
    assert staged("c.zip", large.getvalue()).files == ("more.txt", "rnn_layers.py")


def test_what_has_the_long_end_of_zip64_is_read(staged):
    data = Packer(45, 45).pack(HANDED)
    end = END.unpack(data[-END.size :])
    body = data[: -END.size]
    count, size, offset = end[4], end[5], end[6]
    long = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body), 1)
    short = END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    made = staged("a.zip", body + long + locator + short)
    assert (made.problem, made.files) == (None, ("notes.txt", "rnn_layers.py"))
    made = staged("b.zip", b"x" + body + long + locator + short)
    assert "there are 1 bytes before its first file" in (made.problem or "")


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP is not installed")
@pytest.mark.parametrize("options", [(), ("-0",), ("-fz",), ("-fd",), ("-9", "-D")])
def test_what_info_zip_packs_is_read(options, staged, tmp_path):
    (tmp_path / "rnn_layers.py").write_bytes(SOURCE)
    (tmp_path / "more.txt").write_bytes(b"x")
    for names in (["rnn_layers.py"], ["more.txt"]):  # the second time it adds to the archive
        subprocess.run(["zip", "-q", *options, "i.zip", *names], cwd=tmp_path, check=True)
    data = (tmp_path / "i.zip").read_bytes()
    assert staged("a.zip", data).files == ("more.txt", "rnn_layers.py")
    subprocess.run(["zip", "-q", "-d", "i.zip", "rnn_layers.py"], cwd=tmp_path, check=True)
    assert staged("b.zip", (tmp_path / "i.zip").read_bytes()).files == ("more.txt",)


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def test_a_zip_that_is_cut_is_not_read_as_the_last_zip_stored_in_it(staged):
    inner = zip_of({"rnn_layers.py": SOURCE})
    whole = zip_of({"first.py": LONGER, "old.zip": inner, "rnn_layers.py": LONGER})
    behind = whole.index(inner) + len(inner)
    for cut in (behind, behind + 1, behind + 200, behind + len(LONGER)):
        with zipfile.ZipFile(io.BytesIO(whole[:cut])) as archive:
            assert archive.namelist() == ["rnn_layers.py"]  # what would be graded
        made = staged("a.zip", whole[:cut])
        assert made.files == ()
        assert "bytes before its first file, so its end is cut off" in (made.problem or "")
        assert "make a new, ordinary .zip and hand that in" in made.missing("rnn_layers.py")
    assert staged("a.zip", whole).problem is None


def test_a_zip_that_is_cut_behind_an_empty_zip_is_refused(staged):
    whole = zip_of({"rnn_layers.py": SOURCE, "empty.zip": zip_of({}), "more.py": LONGER})
    cut = whole.index(zip_of({})) + len(zip_of({}))
    assert "its end is cut off" in (staged("a.zip", whole[:cut]).problem or "")


def test_a_program_that_unpacks_itself_is_refused(staged):
    made = staged("a.zip", b"MZ" + bytes(4000) + zip_of({"rnn_layers.py": SOURCE}))
    assert "there are 4002 bytes before its first file" in (made.problem or "")


def test_a_zip_that_is_cut_anywhere_is_refused(staged):
    whole = zip_of({f"{n}/rnn_layers.py": SOURCE * (n + 1) for n in range(5)}, 8)
    for cut in range(len(whole)):
        made = staged("a.zip", whole[:cut])
        assert made.problem is not None, cut
        assert made.files == ()


def tar_of(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


FILES = {"rnn_layers.py": SOURCE, "b.txt": b"b" * 600, "c.txt": b"", "d.py": LONGER}


def end_of(data: bytes) -> int:
    """Return where the blocks of zeros begin that end a tar archive."""
    return -(-len(data.rstrip(b"\0")) // 512) * 512


def test_a_tar_that_is_cut_between_its_files_is_refused(staged):
    whole = tar_of(FILES)
    for cut in range(0, end_of(whole), 512):
        made = staged("a.tar", whole[:cut])
        assert made.files == (), cut
        assert "a.tar cannot be unpacked: " in (made.problem or "")
    assert staged("a.tar", whole[: end_of(whole) + 512]).problem is None  # as some programs end


def test_a_cut_tar_gz_is_refused_with_one_message(staged):
    whole = gzip.compress(tar_of(FILES))
    for cut in range(0, len(whole), 7):
        made = staged("a.tar.gz", whole[:cut])
        assert made.files == (), cut
        assert "\n" not in (made.problem or "")
        assert "a.tar.gz cannot be unpacked: " in made.missing("rnn_layers.py")


def test_a_tar_gz_of_a_cut_tar_is_refused_with_the_remedy(staged):
    made = staged("a.tar.gz", gzip.compress(tar_of(FILES)[:1024]))
    assert "it does not end like an archive" in (made.problem or "")
    assert "pack it again and upload the new archive" in (made.problem or "")


def test_a_tar_with_a_damaged_header_is_not_read_up_to_there(staged):
    whole = bytearray(tar_of(FILES))
    whole[1024:1030] = b"damage"  # of the second file; tarfile takes it for the end
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        assert archive.getnames() == ["rnn_layers.py"]
    assert "cut off or damaged" in (staged("a.tar", bytes(whole)).problem or "")


def test_a_tar_with_a_hole_of_zeros_is_not_read_up_to_there(staged):
    whole = bytearray(tar_of(FILES))
    whole[1024:2048] = bytes(1024)
    assert "it continues after its end mark" in (staged("a.tar", bytes(whole)).problem or "")


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar")
@pytest.mark.parametrize("options", ["cf", "czf", "cjf", "cJf"])
@pytest.mark.parametrize("form", ["gnu", "ustar", "posix", "v7"])
def test_what_tar_packs_is_read(options, form, staged, tmp_path):
    folder = tmp_path / "hw"
    folder.mkdir()
    (folder / "rnn_layers.py").write_bytes(SOURCE)
    (folder / "übung.txt").write_text("x")
    command = ["tar", f"--format={form}", f"-{options}", "t.tar.gz", "hw"]
    subprocess.run(command, cwd=tmp_path, check=True)
    made = staged("a.tar.gz", Path(tmp_path / "t.tar.gz").read_bytes())
    assert (made.problem, made.files) == (None, ("rnn_layers.py", "übung.txt"))
