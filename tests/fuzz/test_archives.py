"""Whatever is handed in, staging it returns: soon, within its caps, and with plain files only."""

from __future__ import annotations

import functools
import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import archives, submission
from grader.intake.submission import Submission, stage
from tests.fuzz.guard import MIB, at_most, count, fuzzing, within
from tests.fuzz.hostile_archives import tars, zips

MODULES = ["rnn_layers.py"]
SMALL = {
    submission: {"MAX_FILES": 8, "MAX_ENTRIES": 16, "MAX_FILE_BYTES": 65_536,
                 "MAX_TOTAL_BYTES": 131_072},
    archives: {"MAX_UNPACKED_BYTES": MIB, "MAX_READ_BYTES": 65_536, "MAX_HEADER_BYTES": 262_144,
               "MAX_DECODER_BYTES": 16 * MIB},
}  # fmt: skip
SECONDS, MEMORY = 5, 96 * MIB
MAX_NOTE = 400


def assert_harmless(made: Submission, folder: Path, most_files: int, most_bytes: int) -> None:
    """Check what staging left below ``folder``, and that it can be told to a person."""
    total = files = 0
    for parent, folders, names in os.walk(folder / "staged"):
        for name in [*folders, *names]:
            found = (Path(parent) / name).lstat()
            assert stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
            if stat.S_ISREG(found.st_mode):
                assert found.st_nlink == 1
                assert stat.S_IMODE(found.st_mode) == 0o444
                total += found.st_size
                files += 1
    assert total <= most_bytes
    assert files <= most_files
    assert len(list(folder.iterdir())) == 2
    if made.problem is not None:
        assert made.files == ()
        assert files == 0
    assert len(made.notes) <= submission.MAX_NOTES + 1
    for text in (*made.notes, made.problem or "", made.missing("not_there.py")):
        assert text.isprintable()
        assert len(text) <= MAX_NOTE + 8 * archives.MAX_SHOWN
        assert str(folder) not in text
    "\n".join(made.files).encode("utf-8")


@functools.cache
def _scratch() -> Path:
    # Memory, where there is some: thousands of folders are made and removed.
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    import atexit
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=base))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def try_to_stage(data: bytes, name: str) -> str:
    """Stage an archive under small caps; return what came of it."""
    folder = _scratch() / "one"
    folder.mkdir()
    (folder / name).write_bytes(data)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for module, caps in SMALL.items():
                for cap, value in caps.items():
                    patch.setattr(module, cap, value)
            with within(SECONDS), at_most(MEMORY):
                made = stage("alice", folder / name, folder / "staged", MODULES)
        assert_harmless(made, folder, 8, 131_072)
        return "staged" if made.problem is None else "refused"
    finally:
        shutil.rmtree(folder)


@fuzzing(short=150, long=5_000)
@given(data=zips())
def test_any_zip_is_staged_or_refused(data):
    count("archives: zip", try_to_stage(data, "a.zip"))


@fuzzing(short=150, long=5_000)
@given(data=tars())
def test_any_tar_is_staged_or_refused(data):
    count("archives: tar", try_to_stage(data, "a.tar.gz"))


@fuzzing(short=30, long=800)
@given(data=zips() | tars(), name=st.sampled_from(["a.zip", "a.tar", "a.tgz"]))
def test_an_archive_under_a_wrong_name_is_staged_or_refused(data, name):
    count("archives: wrong name", try_to_stage(data, name))
