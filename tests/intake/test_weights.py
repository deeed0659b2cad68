"""Files that can hold trained weights are noted, and nothing else follows."""

import pytest

from grader.intake.submission import stage
from grader.intake.weights import LEAST_BYTES


def staged(tmp_path, files, supplied=()):
    folder = tmp_path / "handed_in"
    folder.mkdir()
    (folder / "rnn.py").write_text("x = 1\n")
    for name, size in files.items():
        (folder / name).write_bytes(b"\0" * size)
    given = []
    for name in supplied:
        path = tmp_path / name
        path.write_bytes(b"\0")
        given.append(path)
    return " ".join(stage("one", folder, tmp_path / "staged", ["rnn.py"], given).notes)


@pytest.mark.parametrize("name", ["model.pt", "weights.NPZ", "best.pkl", "net.safetensors"])
def test_a_file_that_can_hold_weights_is_noted(tmp_path, name):
    notes = staged(tmp_path, {name: LEAST_BYTES})
    assert f"{name} (4 KiB) may hold weights that were trained before" in notes


def test_many_are_counted(tmp_path):
    notes = staged(tmp_path, {f"{i}.pt": 5000 for i in range(8)})
    assert "and 3 more may hold weights" in notes


def test_small_files_texts_and_supplied_files_are_not(tmp_path):
    files = {"model.pt": LEAST_BYTES - 1, "notes.txt": 9000, "net.npz": 9000}
    assert "weights" not in staged(tmp_path, files, ["net.npz"])
