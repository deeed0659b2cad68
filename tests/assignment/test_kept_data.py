"""Data sets that are kept on the disk: the very same as drawn, and never what is out of date."""

from __future__ import annotations

import os

import numpy as np
import pytest

from grader.assignment import digests, kept_data, used_files
from grader.assignment.kept_data import DataSetKey, KeptData

MADE = (
    {"images": np.arange(6, dtype=np.uint8).reshape(2, 3), "names": ["ants", "bees"]},
    {"loss": 0.1, "none": None, "nan": float("nan"), "sizes": (1, 2), "by": {3: np.float32(2.5)}},
)


@pytest.fixture
def reference(tmp_path, monkeypatch):
    """A reference folder beside a template that its code names, and a folder for state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(kept_data, "LEAST_S", 0.0)
    monkeypatch.setattr(kept_data, "STARTED", float("inf"))  # whatever is written here is older
    folder = tmp_path / "course" / "reference"
    (folder / "datasets").mkdir(parents=True)
    (folder / "datasets" / "drawn.py").write_text('FOLDER = "template"\nKEPT = True\n')
    (folder.parent / "template" / "data").mkdir(parents=True)
    (folder.parent / "template" / "data" / "train.txt").write_text("one")
    (folder.parent / "reports").mkdir()
    return folder


class Draw:
    """Draws, and counts how often."""

    def __init__(self, made=MADE):
        self.made = made
        self.count = 0

    def __call__(self):
        self.count += 1
        return self.made


def drawn(folder, draw, *names, data=None):
    return KeptData(folder).drawn(DataSetKey(("drawn",), names or (7,), data), draw)


def files(folder):
    return sorted((folder.parents[1] / "state").rglob("data-sets/*"))


def test_it_is_drawn_once_and_the_very_same_again(reference):
    draw = Draw()
    first, second = drawn(reference, draw), drawn(reference, draw)
    assert draw.count == 1
    assert first is MADE
    assert str(second) == str(MADE)
    assert second[0]["images"].dtype == np.uint8
    assert type(second[1]["by"][3]) is np.float32
    assert type(second[1]["sizes"]) is tuple
    second[0]["images"][0, 0] = 9  # as what was drawn, it can be written
    (file,) = files(reference)
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_remembered_in_a_process(reference):
    draw, kept = Draw(), KeptData(reference)
    first = DataSetKey(("drawn",), (1,))
    assert kept.drawn_once(first, draw) is kept.drawn_once(DataSetKey(("drawn",), (1,)), draw)
    kept.drawn_once(DataSetKey(("drawn",), (2,)), draw)
    kept.drawn_once(DataSetKey(("other",), (2,)), draw)
    kept.drawn_once(DataSetKey(("other",), (2,), reference), draw)
    assert draw.count == 4


@pytest.mark.parametrize(
    "changed",
    ["names", "reference", "file of it", "template", "engine", "installed", "data", "its place"],
)
def test_it_is_drawn_again_after_a_change(changed, reference, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "images.npz").write_bytes(b"1")
    draw = Draw()
    drawn(reference, draw, data=data)
    match changed:
        case "names":
            drawn(reference, draw, 8, data=data)
        case "reference":
            (reference / "datasets" / "drawn.py").write_text(
                'FOLDER = "template"\nKEPT = True\nSIZE = 2\n'
            )
        case "file of it":
            (reference / "words.txt").write_text("any kind of file")
        case "template":
            (reference.parent / "template" / "data" / "train.txt").write_text("two")
        case "engine":
            monkeypatch.setattr(digests, "engine", lambda: "another")
        case "installed":
            monkeypatch.setattr(digests, "installed", lambda: ["pillow-99.0.dist-info"])
        case "its place":
            data = data.rename(tmp_path / "elsewhere")
        case "data":
            (data / "images.npz").write_bytes(b"22")
    if changed != "names":
        drawn(reference, draw, data=data)
    assert draw.count == 2
    (reference.parent / "reports" / "report.json").write_text("{}")  # which its code does not name
    drawn(reference, draw, data=data)
    assert draw.count == 2


@pytest.mark.parametrize("damage", ["cut", "other", "empty", "open", "longer header", "exchanged"])
def test_a_damaged_file_is_not_used(damage, reference):
    draw = Draw()
    drawn(reference, draw)
    (file,) = files(reference)
    data = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(data[:-3])
        case "other":
            file.write_bytes(b"something else")
        case "empty":
            file.write_bytes(b"")
        case "open":
            file.chmod(0o644)
        case "longer header":
            file.write_bytes(data[:4] + b"\xff\xff\x00\x00" + data[8:])
        case "exchanged":
            drawn(reference, Draw(({}, {"other": 1})), 8)
            (other,) = set(files(reference)) - {file}
            file.write_bytes(other.read_bytes())
    assert str(drawn(reference, draw)) == str(MADE)
    assert draw.count == 2


@pytest.mark.parametrize(
    "value",
    [
        object(),
        "half a character: \ud800",
        type("Name", (str,), {})("x"),
        np.array([1, "a"], dtype=object),
        np.arange(6.0).reshape(2, 3).T,
        [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],
    ],
    ids=["object", "text", "subclass", "objects", "transposed", "deep"],
)
def test_what_does_not_come_back_the_same_is_not_kept(value, reference):
    draw = Draw(({"value": value}, {}))
    assert drawn(reference, draw)[0]["value"] is value
    assert drawn(reference, draw)[0]["value"] is value
    assert draw.count == 2
    assert files(reference) == []


def test_what_is_drawn_soon_is_not_kept(reference, monkeypatch):
    monkeypatch.setattr(kept_data, "LEAST_S", 1.0)
    drawn(reference, Draw())
    assert files(reference) == []


def test_what_the_code_imports_beside_the_reference_counts(reference):
    (reference / "datasets" / "drawn.py").write_text("from shared import helper\nKEPT = True\n")
    (reference.parent / "shared").mkdir()
    (reference.parent / "shared" / "helper.py").write_text("import deeper\n")
    (reference.parent / "deeper.py").write_text("SIZE = 1\n")
    draw = Draw()
    drawn(reference, draw)
    drawn(reference, draw)
    assert draw.count == 1
    (reference.parent / "deeper.py").write_text("SIZE = 2\n")
    drawn(reference, draw)
    assert draw.count == 2
    (reference.parent / "shared" / "helper.py").write_text("import deeper as known\n")
    drawn(reference, draw)
    assert draw.count == 3


def test_a_folder_of_many_files_is_not_looked_at(reference, monkeypatch):
    monkeypatch.setattr(used_files, "MAX_BESIDE", 1)
    (reference.parent / "template" / "data" / "dev.txt").write_text("two")
    drawn(reference, Draw())
    assert files(reference) == []


def test_what_drawing_raises_passes(reference):
    def draw():
        raise ValueError("no such tier")

    with pytest.raises(ValueError, match="no such tier"):
        drawn(reference, draw)


def test_without_a_place_it_is_drawn(reference, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    draw = Draw()
    drawn(reference, draw)
    drawn(reference, draw)
    assert draw.count == 2


def test_those_that_were_not_read_for_long_go_first(reference, monkeypatch):
    monkeypatch.setattr(kept_data, "MAX_FILES", 2)
    for number in range(2):
        drawn(reference, Draw(), number)
    first = min(files(reference), key=lambda path: path.stat().st_mtime_ns)
    for path in files(reference):
        os.utime(path, (1, 1) if path == first else (2, 2))
    draw = Draw()
    drawn(reference, draw, 0)  # read: it is the newest now
    drawn(reference, draw, 2)
    drawn(reference, draw, 0)
    assert draw.count == 1
    drawn(reference, draw, 1)
    assert draw.count == 2


def test_only_what_says_so_is_kept(reference):
    (reference / "datasets" / "drawn.py").write_text("KEPT = False\n# KEPT = True\n")
    draw = Draw()
    drawn(reference, draw)
    drawn(reference, draw)
    assert draw.count == 2
    assert files(reference) == []
    (reference / "datasets" / "drawn.py").write_text("KEPT = True\n")
    KeptData(reference).drawn(DataSetKey(("drawn", "other"), (7,)), draw)  # of which one does not
    assert files(reference) == []


def test_what_is_edited_while_it_is_drawn_is_not_kept(reference):
    def draw():
        (reference / "datasets" / "drawn.py").write_text("KEPT = True\nSIZE = 3\n")
        return MADE

    drawn(reference, draw)
    assert files(reference) == []


def test_what_was_edited_since_the_process_began_is_not_kept(reference, monkeypatch):
    edited = (reference / "datasets" / "drawn.py").stat().st_mtime
    monkeypatch.setattr(kept_data, "STARTED", edited - 1)  # it may have been imported before
    drawn(reference, Draw())
    assert files(reference) == []
    monkeypatch.setattr(kept_data, "STARTED", edited + 1)
    drawn(reference, Draw())
    assert len(files(reference)) == 1


def test_what_is_on_a_disk_that_is_only_read_is_found(reference, monkeypatch):
    draw = Draw()
    drawn(reference, draw)

    def refused(*_args, **_options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    drawn(reference, draw)
    assert draw.count == 1


def test_what_somebody_else_owns_is_not_used(reference, monkeypatch):
    draw = Draw()
    drawn(reference, draw)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    drawn(reference, draw)
    assert draw.count == 2


def test_odd_entries_of_the_room_keep_nothing_from_being_kept(reference, monkeypatch):
    monkeypatch.setattr(kept_data, "MAX_FILES", 2)
    room = reference.parents[1] / "state" / "dl-grader" / "data-sets"
    (room / "folder").mkdir(parents=True)
    (room / "nowhere").symlink_to("nothing")
    os.utime(room / "folder", (1, 1))
    draw = Draw()
    for number in (1, 2, 2):
        drawn(reference, draw, number)
    assert draw.count == 2


def test_the_rooms_are_closed_to_others(reference):
    place = reference.parents[1] / "state" / "dl-grader"
    (place / "data-sets").mkdir(parents=True)
    place.chmod(0o777)
    drawn(reference, Draw())
    assert [one.stat().st_mode & 0o022 for one in (place, place / "data-sets")] == [0, 0]
