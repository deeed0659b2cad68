"""The digest of a hand-in takes folders of any depth, and reads none that is never staged."""

import contextlib
import os
import subprocess

import pytest

from grader.intake.contents_digest import contents_digest


@pytest.fixture
def folder(tmp_path):
    """Return a folder, which is removed as no function of Python's can."""
    made = tmp_path / "ada"
    made.mkdir()
    yield made
    subprocess.run(["rm", "-rf", str(made)], check=True)


def nested(folder, depth, text):
    """Write a file below so many folders, each inside the one before."""
    place = os.open(folder, os.O_RDONLY)
    for _level in range(depth):
        with contextlib.suppress(FileExistsError):
            os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    file = os.open("x.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY, dir_fd=place)
    os.write(file, text)
    os.close(file)
    os.close(place)


@pytest.mark.parametrize(("depth", "counts"), [(0, True), (17, True), (1200, False), (2500, False)])
def test_what_can_be_staged_counts_however_deep_the_rest_is(folder, depth, counts):
    nested(folder, depth, b"one")
    before = contents_digest(folder)
    nested(folder, depth, b"two")
    assert (contents_digest(folder) != before) is counts
    nested(folder, depth, b"one")
    assert contents_digest(folder) == before
