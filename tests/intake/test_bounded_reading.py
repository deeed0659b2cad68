"""Small files that would keep the reader busy for hours, or fill its memory, are refused."""

from __future__ import annotations

import gzip
import io
import resource
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from grader.intake import downloads
from grader.intake.submission import stage
from grader.readers import yaml_records

TIMEOUT_S = 60  # ends the process; what is tested takes milliseconds
MEMORY = 1 << 30  # of address space
READER = """
import sys
from pathlib import Path
from grader.intake.archives import DAMAGED, TooMuchError, tar_entries
try:
    print([name for name, _size, _content in tar_entries(Path(sys.argv[1]), 100, print)])
except (TooMuchError, *DAMAGED) as error:
    print("refused:", error)
"""


def pax_block(kind: bytes, content: bytes) -> bytes:
    """Return an extended header of this kind, as tarfile would write it around any content."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = kind, len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + padding


def member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def read(archive: bytes, path: Path) -> str:
    """Return what a process with limits says of a tar archive."""
    path.write_bytes(gzip.compress(archive))
    command = [sys.executable, "-c", READER, str(path)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, preexec_fn=limited, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE])
@pytest.mark.parametrize("length", [100, 512, 100_000, 3_000_000])
def test_a_number_without_end_in_an_extended_header(kind, length, tmp_path):
    archive = pax_block(kind, b"1" * length) + member("a.py", b"x") + bytes(10_240)
    assert "refused: " in read(archive, tmp_path / "a.tar.gz")


def test_a_number_without_end_in_a_record_of_a_later_member(tmp_path):
    record = b"comment=" + b"7" * 90_000 + b"\n"
    record = b"%d %s" % (len(record) + 6, record)
    archive = member("a.py", b"x") + pax_block(tarfile.XHDTYPE, record) + member("b.py", b"x")
    assert "refused: an extended header holds a number" in read(
        archive + bytes(10_240), tmp_path / "a.tar.gz"
    )


def test_extended_headers_of_honest_archives_are_read(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a folder/" * 30 + "größe.py")
        info.pax_headers = {"mtime": "1700000000.123456789", "comment": "a" * 40_000}
        info.size = 512  # a block of content may begin with anything
        archive.addfile(info, io.BytesIO(b"x" * 512))
        archive.addfile(tarfile.TarInfo("b.py"), io.BytesIO())
    assert "größe.py" in read(stream.getvalue(), tmp_path / "a.tar.gz")


def test_digits_in_a_file_are_content_and_no_header(tmp_path):
    content = b"x" * 156 + b"x" + b"1" * 355  # in a header, the letter would announce another one
    archive = member("a.txt", content + b"1" * 5000) + member("b.py", b"1" * 600) + bytes(10_240)
    assert read(archive, tmp_path / "a.tar.gz") == "['a.txt', 'b.py']\n"


def nested_aliases(levels: int) -> bytes:
    """Return YAML whose last value stands for 9 to the power of ``levels`` texts."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        items = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{items}]")
    lines.append(f"zoe:\n  :submitters:\n  - :name: *a{levels - 1}\n    :email: zoe@x.org\n")
    return "\n".join(lines).encode()


@pytest.mark.parametrize("levels", [2, 9, 30])
def test_an_alias_is_refused_at_once(levels):
    with pytest.raises(yaml.YAMLError, match="alias"):
        yaml_records.records(nested_aliases(levels))


def test_metadata_with_aliases_costs_names_only(tmp_path):
    (tmp_path / "submission_metadata.yml").write_bytes(nested_aliases(40))
    (tmp_path / "zoe").mkdir()
    (made,) = downloads.collected(tmp_path, sorted(tmp_path.iterdir()))
    assert made.identifier == "zoe"
    assert made.student is None
    assert "cannot be read: students' names are unknown" in made.notes[0]


def test_deep_nesting_is_refused():
    with pytest.raises(yaml.YAMLError, match="deep"):
        yaml_records.records(b"a: " + b"[" * 400 + b"]" * 400)


def test_records_are_texts():
    raw = b"s1:\n  :sid: 0101\n  :at: 2026-03-01 10:00\n  :no: ~\n  :no2:\n"
    raw += b"  :text: '~'\n  :l: [1, a]\n"
    record = {":sid": "0101", ":at": "2026-03-01 10:00", ":no": None, ":no2": None}
    assert yaml_records.records(raw) == {"s1": {**record, ":text": "~", ":l": ["1", "a"]}}
    assert yaml_records.records(b"") is None
    assert yaml_records.records(b"? [a]\n: 1\nb: 2") == {"b": "2"}


def test_an_archive_with_such_a_header_is_refused_as_a_submission(tmp_path):
    path = tmp_path / "hw.tar.gz"
    path.write_bytes(gzip.compress(pax_block(tarfile.XHDTYPE, b"1" * 5000) + bytes(10_240)))
    made = stage("ada", path, tmp_path / "staged", ["rnn_layers.py"])
    assert made.files == ()
    assert "number of 100 digits" in made.problem
