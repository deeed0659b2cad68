"""Intake: folders and archives become plain staged files, and whatever is hostile stays outside."""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import shutil
import socket
import stat
import struct
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import BrokenError, UsageError
from grader.intake import archives, submission
from grader.intake.submission import Classes, Submission, find, safe_id, stage, stem
from tests.conftest import ROOT

MODULES = ["rnn_layers.py", "text_classification.py"]
MIB = 1 << 20
FILES = {"rnn_layers.py": b"x = 1\n", "text_classification.py": b"", "notes/readme.txt": b"hello\n"}
MANY = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FORMATS = ["folder", "zip", "tar", "tar.gz", "tgz", "tar.gz of bz2", "tar.gz of xz"]


def make_folder(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def make_zip(
    path: Path,
    members: Sequence[tuple[str | zipfile.ZipInfo, bytes]],
    method: int = zipfile.ZIP_DEFLATED,
) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # about names that appear twice
        for name, data in members:
            archive.writestr(name, data)
    return path


def tar_bytes(members: Sequence[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isreg():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def make_tar(path: Path, members: Sequence[tuple[str | tarfile.TarInfo, bytes]]) -> Path:
    data = tar_bytes(members)
    path.write_bytes(gzip.compress(data) if path.name.endswith("gz") else data)
    return path


def make(kind: str, parent: Path, files: dict[str, bytes], name: str = "alice") -> Path:
    members = list(files.items())
    if kind == "folder":
        return make_folder(parent / name, files)
    if kind == "zip":
        return make_zip(parent / f"{name}.zip", members)
    path = parent / f"{name}.{kind.partition(' ')[0]}"
    if " of " not in kind:
        return make_tar(path, members)
    pack = bz2.compress if kind.endswith("bz2") else lzma.compress
    path.write_bytes(pack(tar_bytes(members)))
    return path


@pytest.fixture
def staged(tmp_path):
    """Stage a path into a new folder; whatever it was, only plain files may be there afterwards."""
    count = 0

    def run(path: Path, modules: Sequence[str] = MODULES) -> Submission:
        nonlocal count
        count += 1
        target = tmp_path / "staging" / str(count) / "submission"
        try:
            return stage("alice", path, target, modules)
        finally:
            for parent, folders, names in os.walk(target):
                for name in [*folders, *names]:
                    mode = (Path(parent) / name).lstat().st_mode
                    assert stat.S_ISREG(mode) or stat.S_ISDIR(mode)
            assert [entry.name for entry in target.parent.iterdir()] == ["submission"]

    return run


@pytest.mark.parametrize("kind", FORMATS)
def test_files_arrive_with_their_contents(kind, tmp_path, staged):
    made = staged(make(kind, tmp_path, FILES))
    assert (made.id, made.problem, made.notes) == ("alice", None, ())
    assert made.files == tuple(sorted(FILES))
    assert {name: (made.folder / name).read_bytes() for name in made.files} == FILES


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_staged_files_can_be_read_and_not_written(kind, umask, tmp_path, staged):
    source = make(kind, tmp_path, FILES)
    if kind == "folder":
        (source / "rnn_layers.py").chmod(0o700)
        (source / "notes").chmod(0o700)
    before = os.umask(umask)
    try:
        made = staged(source)
    finally:
        os.umask(before)
    modes = {
        path.relative_to(made.folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [made.folder, *made.folder.rglob("*")]
    }
    assert modes.pop(".") == 0o755
    assert modes.pop("notes") == 0o755
    assert set(modes.values()) == {0o444}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_digest_is_that_of_names_and_contents(kind, tmp_path, staged):
    reference = hashlib.sha256()
    for name in sorted(FILES):
        reference.update(f"{name}\0{hashlib.sha256(FILES[name]).hexdigest()}\n".encode())
    assert staged(make(kind, tmp_path, FILES)).sha256 == reference.hexdigest()
    wrapped = {f"alice/hw2/{name}": data for name, data in FILES.items()}
    assert staged(make(kind, tmp_path, wrapped, "wrapped")).sha256 == reference.hexdigest()
    for change in ({"rnn_layers.py": b"x = 2\n"}, {"more.py": b""}):
        other = make(kind, tmp_path, {**FILES, **change}, f"b{len(change)}{next(iter(change))}")
        assert staged(other).sha256 != reference.hexdigest()
    renamed = {("notes/README.txt" if "/" in name else name): data for name, data in FILES.items()}
    assert staged(make(kind, tmp_path, renamed, "renamed")).sha256 != reference.hexdigest()


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_single_folder_around_the_modules_is_looked_into(kind, depth, tmp_path, staged):
    files = {"/".join(["top"] * depth + [name]): data for name, data in FILES.items()}
    made = staged(make(kind, tmp_path, files))
    assert made.files == tuple(sorted(FILES))
    assert (made.folder / "rnn_layers.py").read_bytes() == b"x = 1\n"


def test_modules_at_the_top_win_over_those_in_folders(tmp_path, staged):
    made = staged(make("zip", tmp_path, {"rnn_layers.py": b"1", "old/rnn_layers.py": b"2"}))
    assert made.files == ("old/rnn_layers.py", "rnn_layers.py")
    assert (made.folder / "rnn_layers.py").read_bytes() == b"1"


def test_the_shallowest_folder_with_modules_wins(tmp_path, staged):
    made = staged(make("zip", tmp_path, {"a/b/rnn_layers.py": b"2", "c/rnn_layers.py": b"1"}))
    assert made.files == ("rnn_layers.py",)
    assert (made.folder / "rnn_layers.py").read_bytes() == b"1"


def test_two_folders_with_modules_are_not_chosen_between(tmp_path, staged):
    made = staged(make("zip", tmp_path, {"a/rnn_layers.py": b"1", "b/rnn_layers.py": b"2"}))
    assert made.files == ("a/rnn_layers.py", "b/rnn_layers.py")
    assert made.missing("rnn_layers.py") == (
        "rnn_layers.py: several files could be meant: a/rnn_layers.py, b/rnn_layers.py: hand in "
        "only one of them, as rnn_layers.py"
    )


def test_a_folder_with_a_modules_name_is_no_module(tmp_path, staged):
    files = {"a/rnn_layers.py": b"x", "b/rnn_layers.py/x.txt": b""}
    made = staged(make("zip", tmp_path, files))
    assert made.files == ("rnn_layers.py",)


CLUTTER = {
    "__MACOSX/rnn_layers.py": b"", "__MACOSX/._rnn_layers.py": b"", ".DS_Store": b"",
    "notes/.DS_Store": b"", "._rnn_layers.py": b"", "__pycache__/rnn_layers.cpython-311.pyc": b"",
    ".git/config": b"", ".ipynb_checkpoints/rnn_layers.py": b"", ".idea/x": b"",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_clutter_is_left_out_without_a_word(kind, tmp_path, staged):
    made = staged(make(kind, tmp_path, {**FILES, **CLUTTER}))
    assert made.files == tuple(sorted(FILES))
    assert made.notes == ()


DROPPED = ["conftest.py", "Conftest.PY", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml",
           "sitecustomize.py", "usercustomize.py", "a.pth", "numpy.so",
           "rnn_layers.cpython-311-x86_64-linux-gnu.so", "x.PYD", "rnn_layers.pyc", "x.pyo",
           "deep/er/conftest.py", "deep/er/x.so"]  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_files_that_python_or_pytest_would_pick_up_are_left_out_with_a_note(kind, tmp_path, staged):
    made = staged(make(kind, tmp_path, {**FILES, **dict.fromkeys(DROPPED, b"")}))
    assert made.files == tuple(sorted(FILES))
    wanted = [f"{name} was left out: grading does not use files of this kind" for name in DROPPED]
    assert sorted(made.notes) == sorted(wanted)


@pytest.mark.parametrize("name", ["my_conftest.py", "pth", "so.py", "x.so.txt", "data.npz", ".env"])
def test_names_that_only_resemble_dropped_ones_are_kept(name, tmp_path, staged):
    assert name in staged(make("zip", tmp_path, {**FILES, name: b""})).files


OUTSIDE = [
    "../evil.py",
    "a/../../evil.py",
    "a/../evil.py",
    "/evil.py",
    "//evil.py",
    "..\\evil.py",
    "\\evil.py",
    "C:\\evil.py",
    "C:evil.py",
    "c:/evil.py",
    "a/C:/evil.py",
    "..",
    "a/..",
    ".",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_path_that_leads_outside_is_left_out_with_a_note(kind, name, tmp_path, staged):
    made = staged(make(kind, tmp_path, {name: b"evil", **FILES}))
    assert made.files == tuple(sorted(FILES))
    assert made.notes == (f"{name} was left out: its path leads out of the submission",)
    assert not list(tmp_path.rglob("evil.py"))


def test_backslashes_of_windows_archives_separate_folders(tmp_path, staged):
    made = staged(make("zip", tmp_path, {"hw2\\rnn_layers.py": b"1", "hw2\\a\\b.txt": b""}))
    assert made.files == ("a/b.txt", "rnn_layers.py")


def test_odd_but_harmless_spellings_of_a_path_are_understood(tmp_path, staged):
    made = staged(
        make("tar", tmp_path, {"./rnn_layers.py": b"", "./a//b.txt": b"", "a/./c.txt": b""})
    )
    assert made.files == ("a/b.txt", "a/c.txt", "rnn_layers.py")


@pytest.mark.parametrize(
    "name", ["ünï/日本.py", "with space.py", "-rf.py", "$(x).py", "a\nb.py", "\x1b[2J.py", "'\".py"]
)
@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_odd_names_are_only_names(kind, name, tmp_path, staged):
    made = staged(make(kind, tmp_path, {**FILES, name: b"x"}))
    assert name in made.files
    assert made.problem is None


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_a_name_that_is_no_utf8_is_left_out_and_can_be_reported(kind, tmp_path, staged):
    name = os.fsdecode(b"caf\xe9.py")
    source = make(kind, tmp_path, {**FILES, name: b"x", os.fsdecode(b"d\xff/conftest.py"): b""})
    if kind == "folder":
        (source / os.fsdecode(b"l\xff")).symlink_to("x")
    made = staged(source)
    assert made.files == tuple(sorted(FILES))
    assert any("its name is not UTF-8" in note for note in made.notes)
    # A report is UTF-8: a name with half a character in it could not be written.
    assert "\n".join([*made.files, *made.notes]).encode("utf-8")


def test_links_in_a_folder_are_left_out_with_a_note(tmp_path, staged):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "labels.npy").write_bytes(b"secret")
    source = make("folder", tmp_path, FILES)
    (source / "labels.npy").symlink_to(tmp_path / "secret" / "labels.npy")
    (source / "notes" / "up").symlink_to(tmp_path / "secret")
    (source / "loop.py").symlink_to("loop.py")
    (source / "gone.py").symlink_to("nowhere")
    made = staged(source)
    assert made.files == tuple(sorted(FILES))
    assert sorted(made.notes) == [
        f"{name} was left out: it is a link; if your work needs it, hand in what it links to"
        for name in ("gone.py", "labels.npy", "loop.py", "notes/up")
    ]


@pytest.mark.parametrize("follows_links", [True, False])
def test_a_copy_of_the_template_is_graded_with_the_guide_or_a_dangling_link_in_its_place(
    follows_links, tmp_path, staged
):
    copy = tmp_path / "far" / "copy"  # no ../docs here, as on a student's machine
    shutil.copytree(ROOT / "submissions_template", copy, symlinks=not follows_links)
    for checkpoint in copy.glob("*.npz"):
        checkpoint.unlink()  # grading knows them as supplied files, which this test does not name
    made = staged(copy)
    assert ("latex_guide.md" in made.files) == follows_links
    assert {"rnn_layers.py", "derivations.tex", "explanation.md"} <= set(made.files)
    assert made.problem is None
    link = "latex_guide.md was left out: it is a link; if your work needs it, hand in what it links"
    assert list(made.notes) == ([] if follows_links else [f"{link} to"])


def test_a_module_that_is_a_link_is_missing(tmp_path, staged):
    (tmp_path / "elsewhere.py").write_text("")
    source = make("folder", tmp_path, {"text_classification.py": b""})
    (source / "rnn_layers.py").symlink_to(tmp_path / "elsewhere.py")
    assert staged(source).files == ("text_classification.py",)


def test_a_submission_that_is_itself_a_link_is_followed(tmp_path, staged):
    make("folder", tmp_path, FILES)
    (tmp_path / "link").symlink_to("alice")
    assert staged(tmp_path / "link").files == tuple(sorted(FILES))


def test_pipes_and_sockets_in_a_folder_are_left_out_without_waiting_for_them(
    tmp_path, staged, monkeypatch
):
    source = make("folder", tmp_path, FILES)
    os.mkfifo(source / "pipe.py")
    monkeypatch.chdir(source)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        made = staged(source)
    assert made.files == tuple(sorted(FILES))
    assert sorted(note.partition(" was left out")[0] for note in made.notes) == [
        "pipe.py",
        "socket.py",
    ]


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]
)
def test_links_and_devices_in_a_zip_are_left_out_with_a_note(kind, tmp_path, staged):
    info = zipfile.ZipInfo("labels.npy")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    made = staged(make_zip(tmp_path / "a.zip", [(info, b"/etc/passwd"), *FILES.items()]))
    assert made.files == tuple(sorted(FILES))
    assert made.notes == ("labels.npy was left out: it is not a regular file",)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_left_out_with_a_note(kind, tmp_path, staged):
    info = tarfile.TarInfo("labels.npy")
    info.type, info.linkname = kind, "/etc/passwd"
    made = staged(make_tar(tmp_path / "a.tar.gz", [(info, b""), *FILES.items()]))
    assert made.files == tuple(sorted(FILES))
    assert made.notes == ("labels.npy was left out: it is not a regular file",)


def test_a_link_to_a_folder_does_not_redirect_what_comes_after_it(tmp_path, staged):
    info = tarfile.TarInfo("out")
    info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path)
    made = staged(make_tar(tmp_path / "a.tar", [(info, b""), ("out/evil.py", b"")]))
    assert not (tmp_path / "evil.py").exists()
    assert made.files == ("out/evil.py",)


@pytest.mark.parametrize("maker", [make_zip, make_tar])
def test_of_two_members_with_one_name_the_first_counts(maker, tmp_path, staged):
    path = tmp_path / ("a.zip" if maker is make_zip else "a.tar")
    made = staged(maker(path, [("rnn_layers.py", b"1"), ("rnn_layers.py", b"2")]))
    assert (made.folder / "rnn_layers.py").read_bytes() == b"1"
    assert made.notes == ("rnn_layers.py was left out: it appears twice; the first one counts",)


@pytest.mark.parametrize("maker", [make_zip, make_tar])
def test_a_file_below_a_file_costs_only_itself(maker, tmp_path, staged):
    path = tmp_path / ("a.zip" if maker is make_zip else "a.tar")
    members = [("a", b""), ("a/b.py", b""), ("a/b/c.py", b""), ("d/e.py", b""), ("d", b"")]
    made = staged(maker(path, [*members, *FILES.items()]))
    assert made.problem is None
    assert made.files == tuple(sorted([*FILES, "a", "d/e.py"]))
    assert [note.partition(" ")[0] for note in made.notes] == ["a/b.py", "a/b/c.py", "d"]
    assert str(tmp_path) not in "".join(made.notes)


def small_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "MAX_FILES", 4)
    monkeypatch.setattr(submission, "MAX_ENTRIES", 8)
    monkeypatch.setattr(submission, "MAX_FILE_BYTES", 2 * MIB)
    monkeypatch.setattr(submission, "MAX_TOTAL_BYTES", 3 * MIB)
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 8 * MIB)


def assert_refused(made: Submission, problem: str) -> None:
    assert made.problem is not None
    assert problem in made.problem
    assert "\n" not in made.problem
    assert made.files == ()
    assert list(made.folder.rglob("*")) == []
    assert made.sha256 == hashlib.sha256(b"").hexdigest()
    assert made.missing("rnn_layers.py") == made.problem


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_a_file_beyond_its_cap_is_refused_however_small_it_was_packed(
    kind, tmp_path, staged, monkeypatch
):
    small_caps(monkeypatch)
    assert staged(make(kind, tmp_path, {"x.bin": bytes(2 * MIB)}, "at")).files == ("x.bin",)
    made = staged(make(kind, tmp_path, {**FILES, "x.bin": bytes(2 * MIB + 1)}, "beyond"))
    assert_refused(made, "exceeds the limit of 2 MiB")
    assert "x.bin (2097153 bytes)" in made.problem


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_files_beyond_their_total_cap_are_refused(kind, tmp_path, staged, monkeypatch):
    small_caps(monkeypatch)
    at = {"a.bin": bytes(2 * MIB), "b.bin": bytes(MIB)}
    assert staged(make(kind, tmp_path, at, "at")).files == ("a.bin", "b.bin")
    made = staged(make(kind, tmp_path, {**at, "c.bin": b"x"}, "beyond"))
    assert_refused(made, "c.bin (1 bytes) exceeds the limit of 3 MiB")


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_too_many_files_are_refused(kind, tmp_path, staged, monkeypatch):
    small_caps(monkeypatch)
    files = {f"{index}.txt": b"" for index in range(5)}
    assert_refused(staged(make(kind, tmp_path, files)), "it holds more than 4 files")
    del files["4.txt"]
    assert len(staged(make(kind, tmp_path, files, "fewer")).files) == 4


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_too_many_entries_that_are_left_out_are_refused(kind, tmp_path, staged, monkeypatch):
    small_caps(monkeypatch)
    names = [f"__MACOSX/{index}" for index in range(9)]
    assert_refused(staged(make(kind, tmp_path, dict.fromkeys(names, b""))), "entries")


def test_a_zip_bomb_costs_neither_disk_nor_memory(tmp_path, staged):
    path = make_zip(tmp_path / "a.zip", [("bomb", bytes(submission.MAX_FILE_BYTES + MIB))])
    assert path.stat().st_size < MIB
    tracemalloc.start()
    try:
        made = staged(path)
        _current, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_refused(made, "exceeds the limit of 64 MiB")
    assert peak < 8 * MIB


def test_a_tar_member_that_is_left_out_is_not_unpacked_without_end(tmp_path, staged, monkeypatch):
    small_caps(monkeypatch)
    made = staged(make("tar.gz", tmp_path, {"__MACOSX/bomb": bytes(9 * MIB), **FILES}))
    assert_refused(made, "unpacks to more than 8 MiB")
    made = staged(make("tar.gz", tmp_path, {"__MACOSX/large": bytes(7 * MIB), **FILES}, "b"))
    assert made.files == tuple(sorted(FILES))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_header_of_any_announced_size_is_not_read_into_memory(kind, tmp_path, staged):
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 40 * MIB
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(40 * MIB)))
    tracemalloc.start()
    try:
        made = staged(path)
        _current, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_refused(made, "header of 41943040 bytes")
    assert peak < 8 * MIB


def test_a_tar_member_of_eight_exabytes_is_refused_at_once(tmp_path, staged):
    info = tarfile.TarInfo("x.bin")
    info.size = 2**62
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    assert_refused(staged(tmp_path / "a.tar"), "cannot be unpacked")
    info = tarfile.TarInfo("__MACOSX/x.bin")
    info.size = 2**62
    (tmp_path / "b.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    assert_refused(staged(tmp_path / "b.tar"), "unpacks to more than")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path, staged):
    path = make_zip(tmp_path / "a.zip", [("x.bin", bytes(1000))])
    data = path.read_bytes().replace(struct.pack("<I", 1000), struct.pack("<I", 10))
    path.write_bytes(data)
    assert_refused(staged(path), "a.zip cannot be unpacked: Bad CRC-32")


def test_a_path_nested_too_deeply_or_too_long_is_left_out_with_a_note(tmp_path, staged):
    deep, edge = "a/" * 16 + "x.py", "a/" * 15 + "x.py"
    long, wide = "b" * 256 + ".py", "/".join(["c" * 240] * 5)
    multibyte = "\N{SNOWMAN}" * 90 + ".py"
    made = staged(
        make("zip", tmp_path, {**FILES, **dict.fromkeys([deep, edge, long, wide, multibyte], b"")})
    )
    assert made.files == tuple(sorted([*FILES, edge]))
    assert len(made.notes) == 4
    assert all("it is nested too deeply or its name is too long" in note for note in made.notes)
    assert all(len(note) < 200 for note in made.notes)


def test_an_encrypted_zip_is_the_students_problem(tmp_path, staged):
    path = make("zip", tmp_path, FILES)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 1)
    path.write_bytes(data)
    assert_refused(staged(path), "alice.zip cannot be unpacked: rnn_layers.py is encrypted")


def test_a_zip_with_an_unknown_compression_is_the_students_problem(tmp_path, staged):
    path = make("zip", tmp_path, FILES)
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x01\x02") + 10] = data[8] = 97
    path.write_bytes(data)
    assert_refused(staged(path), "rnn_layers.py uses compression method 97")


@pytest.mark.parametrize(
    ("method", "name"), [(zipfile.ZIP_DEFLATED, "deflate"), (zipfile.ZIP_BZIP2, "bzip2"),
                         (zipfile.ZIP_LZMA, "lzma")],
)  # fmt: skip
def test_a_zip_with_damaged_contents_is_the_students_problem(method, name, tmp_path, staged):
    content = bytes(range(256)) * 40
    path = make_zip(tmp_path / "a.zip", [("rnn_layers.py", content)], method)
    assert (staged(path).folder / "rnn_layers.py").read_bytes() == content
    data = path.read_bytes()
    start = 30 + len("rnn_layers.py")
    for damage in (b"\xff" * 40, b"\0" * 40, b"\x07" * 40):
        path.write_bytes(data[: start + 9] + damage + data[start + 49 :])
        assert_refused(staged(path), "a.zip cannot be unpacked: ")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.gz of bz2", "tar.gz of xz"])
def test_a_truncated_archive_is_the_students_problem(kind, tmp_path, staged):
    path = make(kind, tmp_path, {**FILES, "large.bin": os.urandom(20_000)})
    path.write_bytes(path.read_bytes()[:10_000])
    assert_refused(staged(path), f"{path.name} cannot be unpacked: ")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
@pytest.mark.parametrize(
    "data", [b"", b"print('hello')\n", b"\x1f\x8b", b"\x1f\x8b\x08garbage", b"BZh9x",
             b"\xfd7zXZ\0x", b"PK\x03\x04", b"PK\x05\x06", bytes(100)],
)  # fmt: skip
def test_a_file_that_is_no_archive_is_the_students_problem(name, data, tmp_path, staged):
    (tmp_path / name).write_bytes(data)
    made = staged(tmp_path / name)
    assert_refused(made, f"{name} cannot be unpacked: ")
    assert str(tmp_path) not in made.problem
    assert len(made.problem) < 150


def test_a_zip_member_without_a_name_is_the_students_problem(tmp_path, staged):
    path = make_zip(tmp_path / "a.zip", [("x", b""), *FILES.items()])
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 28], data[at + 30] = 0, 1  # the name's one byte becomes the extra field's
    path.write_bytes(data)
    assert_refused(staged(path), "a.zip cannot be unpacked: ")


def test_an_empty_archive_holds_no_files(tmp_path, staged):
    for path in (make_zip(tmp_path / "a.zip", []), make_tar(tmp_path / "a.tar", [])):
        made = staged(path)
        assert (made.files, made.problem) == ((), None)
        message = made.missing("rnn_layers.py")
        assert message == "rnn_layers.py is not in the submission, which holds no files at all"


def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(damaged) - 1))
        edit = draw(st.sampled_from(["byte", "cut", "insert", "word"]))
        if edit == "byte":
            damaged[at] = draw(st.integers(0, 255))
        elif edit == "cut":
            del damaged[at : at + draw(st.integers(1, 30))]
        elif edit == "insert":
            damaged[at:at] = draw(st.binary(max_size=8))
        else:
            word = draw(st.sampled_from([0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1]))
            damaged[at : at + 8] = struct.pack("<Q", word)[: draw(st.sampled_from([2, 4, 8]))]
        damaged = damaged or bytearray(b"x")
    return bytes(damaged)


@MANY
@given(draw=st.data(), kind=st.sampled_from(["zip", "tar", "tar.gz"]), headers=st.booleans())
def test_any_damaged_archive_is_staged_or_the_students_problem(
    draw, kind, headers, tmp_path, staged
):
    folder = tmp_path / "made"
    folder.mkdir(exist_ok=True)
    files = {"hw/rnn_layers.py": b"x = 1\n" * 5, "hw/ü.txt": b"hello", "__MACOSX/x": b""}
    path = make(kind, folder, dict.fromkeys(files, b"") if headers else files)
    path.write_bytes(draw.draw(st.composite(lambda pick: _damaged(pick, path.read_bytes()))()))
    made = staged(path)
    assert made.problem is None or made.files == ()
    "\n".join([*made.files, *made.notes, made.problem or ""]).encode("utf-8")  # can be reported
    assert str(tmp_path) not in (made.problem or "")
    shutil.rmtree(tmp_path / "staging")


def test_a_submission_that_vanished_is_a_usage_error(tmp_path, staged):
    for name in ("a.zip", "a.tar.gz"):
        with pytest.raises(UsageError, match="vanished"):
            staged(tmp_path / name)


def test_a_folder_that_cannot_be_read_is_a_usage_error_and_not_an_empty_one(
    tmp_path, staged, monkeypatch
):
    source = make("folder", tmp_path, FILES)
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "notes":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match="notes: cannot be read: Permission denied"):
        staged(source)


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path, staged, monkeypatch):
    source = make("folder", tmp_path, FILES)
    opened = os.open

    def refuse(path, *arguments, **options):
        if str(path).endswith("rnn_layers.py"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError, match=r"rnn_layers\.py: cannot be read: Permission denied"):
        staged(source)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_a_full_disk_is_our_fault_and_not_a_damaged_archive(kind, tmp_path, staged, monkeypatch):
    source = make(kind, tmp_path, FILES)
    path_open = Path.open

    def full(path, mode="r", *arguments, **options):
        if "x" in mode:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return path_open(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(BrokenError, match=r"cannot copy .*: No space left on device"):
        staged(source)


def test_the_current_folder_has_a_name_in_messages(tmp_path, staged, monkeypatch):
    small_caps(monkeypatch)
    monkeypatch.chdir(make("folder", tmp_path, {f"{index}.py": b"" for index in range(5)}))
    assert staged(Path()).problem.startswith("alice was not unpacked: ")


def submission_with(*files: str) -> Submission:
    return Submission("a", Path(), files, "")


def test_a_missing_module_is_reported_with_what_is_there():
    message = "x.py is not in the submission (it holds "
    assert submission_with("a.py", "b.py", "c/d.py").missing("x.py") == f"{message}a.py, b.py)"
    assert (
        submission_with("c/d.py").missing("x.py")
        == f"{message}only files in folders, such as c/d.py)"
    )
    many = submission_with(*(f"{index}.py" for index in range(10)))
    assert many.missing("x.py").endswith("6.py, 7.py and 2 more)")
    eight = submission_with(*(f"{index}.py" for index in range(8)))
    assert eight.missing("x.py").endswith("6.py, 7.py)")


# ------------------------------------------------------------------------------------------ find


def found(*arguments: Path) -> list[tuple[str, str]]:
    return [(identifier, path.name) for identifier, path in find(arguments, MODULES)]


def test_a_folder_with_a_module_is_one_submission(tmp_path):
    make("folder", tmp_path, FILES)
    make("folder", tmp_path / "alice", FILES, "nested")
    assert found(tmp_path / "alice") == [("alice", "alice")]


@pytest.mark.parametrize("suffix", ["zip", "tar.gz", "tgz", "tar", "ZIP", "Tar.GZ"])
def test_an_archive_is_one_submission_named_without_its_suffix(suffix, tmp_path):
    (tmp_path / f"bob.v2.{suffix}").write_bytes(b"")
    assert found(tmp_path / f"bob.v2.{suffix}") == [("bob.v2", f"bob.v2.{suffix}")]


def test_a_folder_of_submissions_is_expanded_in_order(tmp_path):
    make("folder", tmp_path, FILES, "carol")
    make("folder", tmp_path, {"hw/rnn_layers.py": b""}, "alice")
    make("folder", tmp_path, {"nothing.txt": b""}, "dave")
    make("zip", tmp_path, FILES, "bob")
    make("folder", tmp_path, FILES, ".hidden")
    make("folder", tmp_path, FILES, "__MACOSX")
    (tmp_path / "readme.txt").write_text("")
    (tmp_path / ".DS_Store").write_text("")
    assert found(tmp_path) == [
        ("alice", "alice"), ("bob", "bob.zip"), ("carol", "carol"), ("dave", "dave")
    ]  # fmt: skip


def test_a_folder_of_archives_alone_is_expanded(tmp_path):
    make("zip", tmp_path, {}, "a")
    make("tar.gz", tmp_path, {}, "b")
    assert found(tmp_path) == [("a", "a.zip"), ("b", "b.tar.gz")]


def test_a_folder_without_any_module_is_one_submission(tmp_path):
    source = make("folder", tmp_path, {"essay.txt": b"", "data/x.txt": b""}, "eve")
    assert found(source) == [("eve", "eve")]


def test_submissions_that_all_wrap_their_modules_in_a_folder_are_found(tmp_path):
    for name in ("alice", "bob"):
        make("folder", tmp_path / "all", {"hw2/rnn_layers.py": b""}, name)
    assert found(tmp_path / "all") == [("alice", "alice"), ("bob", "bob")]


def test_one_folder_around_a_submission_is_a_folder_of_one(tmp_path):
    make("folder", tmp_path / "hw", FILES, "alice")
    assert found(tmp_path / "hw") == [("alice", "alice")]


def test_equal_names_get_numbers(tmp_path):
    for parent in ("a", "b", "c"):
        make("folder", tmp_path / parent, FILES, "alice")
    make("zip", tmp_path / "a", FILES, "Alice")
    make("zip", tmp_path / "a", FILES, "alice-2")
    paths = [tmp_path / parent / "alice" for parent in "abc"]
    paths += [tmp_path / "a" / "Alice.zip", tmp_path / "a" / "alice-2.zip"]
    identifiers = [identifier for identifier, _path in find(paths, MODULES)]
    assert identifiers == ["alice", "alice-3", "alice-4", "Alice-5", "alice-2"]
    assert len({identifier.lower() for identifier in identifiers}) == len(identifiers)


@pytest.mark.parametrize("name", ["rnn_layers.py", "rnn_layers.ipynb", "rnn_layers (1).py"])
def test_one_file_of_code_is_a_submission_that_holds_it_alone(name, tmp_path):
    text = "def f():\n    return 1\n"
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}
    book = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (tmp_path / name).write_text(book if name.endswith("ipynb") else text)
    (tmp_path / "other.py").write_text("")
    with Classes() as classes:
        ((identifier, origin),) = find([tmp_path / name], MODULES, classes)
        assert identifier == safe_id(Path(name).stem)
        assert classes.sources == {identifier: str(tmp_path / name)}
        assert classes.notes == []
    made = stage(identifier, origin, tmp_path / "staged", {"rnn_layers.py": ["f"]})
    assert made.files == (name,)
    assert "return 1" in (made.folder / made.path_of("rnn_layers.py")).read_text()


@pytest.mark.parametrize("name", ["gradebook.csv", "index.html", "Index.HTML"])
def test_a_submission_does_not_take_the_name_of_a_report(name, tmp_path):
    make("zip", tmp_path, FILES, name)
    assert [identifier for identifier, _path in find([tmp_path], MODULES)] == [f"{name}-2"]


def test_the_current_folder_has_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(make("folder", tmp_path, FILES))
    assert [identifier for identifier, _path in find([Path()], MODULES)] == ["alice"]


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere", "no such file or folder"),
                          ("nowhere.zip", "no such file or folder"),
                          ("notes.txt", "a submission must be a folder, a .zip, a .tar.gz or one"),
                          ("pipe", "cannot be read")],
)  # fmt: skip
def test_what_is_no_submission_is_a_usage_error(name, message, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / name}: {message}")):
        find([tmp_path / name], MODULES)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("alice", "alice"), ("alice smith", "alice_smith"), ("a/b\\c", "a_b_c"),
        ("..", "submission"), ("...", "submission"), ("", "submission"), ("___", "submission"),
        (".bashrc", "bashrc"),
        ("$(rm -rf x)", "rm_-rf_x"), ("<b>", "b"), ("a\nb", "a_b"), ("ünï", "ünï"),
        ("a@b.org", "a@b.org"), ("\udcff", "submission"), ("x" * 300, "x" * 100), ("a:b", "a_b"),
        ("=1+1", "1+1"),
    ],
)  # fmt: skip
def test_odd_names_become_safe_identifiers(name, identifier):
    assert safe_id(name) == identifier


@given(st.text(max_size=150) | st.text(alphabet="./\\ _-a\n:<>&\"'$\0", max_size=20))
@settings(deadline=None, max_examples=200)
def test_any_name_becomes_one_plain_component_of_a_path(name):
    identifier = safe_id(name)
    assert re.fullmatch(r"[\w@+-][\w.@+-]{0,99}", identifier)
    assert Path(identifier).name == identifier
    assert identifier.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.zip", "a"),
        ("a.tar.gz", "a"),
        ("a.b.TGZ", "a.b"),
        ("a.gz", "a.gz"),
        ("zip", "zip"),
        ("a", "a"),
    ],
)
def test_only_archive_suffixes_are_taken_off(name, expected):
    assert stem(Path(name)) == expected
