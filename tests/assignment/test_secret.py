"""The file with the secret seed: made once, for its owner alone, and the same everywhere after."""

from __future__ import annotations

import os
import stat

import pytest

from grader.assignment import secret
from grader.errors import UsageError
from grader.seeds import SEED_BITS, Secret

KEY = "00112233445566778899aabbccddeeff" * 2


@pytest.fixture
def file(tmp_path):
    """A file of a secret that others cannot read."""

    def write(text, mode=0o600):
        path = tmp_path / "hw.seed"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_it_is_made_once_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    first = secret.read_or_make("hw2")
    again = secret.read_or_make("hw2")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.secret == again.secret
    assert first.path == tmp_path / "state" / "dl-grader" / "hw2.seed"
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in first.path.parent.iterdir()] == ["hw2.seed"]
    assert secret.read_or_make("hw3").secret != first.secret


def test_a_copy_gives_the_same_data_on_another_machine(tmp_path):
    made = secret.read_or_make("hw2", tmp_path / "here.seed")
    copied = tmp_path / "there.seed"
    copied.write_bytes(made.path.read_bytes())
    copied.chmod(0o600)
    there = secret.read_or_make("hw2", copied).secret
    assert there.seed_for("hw2", "q1.1") == made.secret.seed_for("hw2", "q1.1")


def test_of_two_graders_that_make_it_at_once_both_get_the_same(tmp_path):
    path = tmp_path / "hw.seed"
    made = secret.read_or_make("hw", path)
    assert secret._made(path) is False  # the slower one
    assert secret.read(path) == made.secret


def test_it_has_enough_random_bits_and_shows_none_of_them():
    made = Secret.new()
    assert len(made.key) * 8 == 256
    assert made.key.hex() not in f"{made} {made!r} {made.fingerprint}"
    assert made.fingerprint not in made.key.hex()
    seeds = {made.seed_for(a, c) for a in ("hw", "hw1") for c in ("q1.1", "1q1.1", "q1.2")}
    assert len(seeds) == 6
    assert all(seed > 2**SEED_BITS for seed in seeds)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(mode, file):
    with pytest.raises(UsageError, match=rf"mode {mode:o}\): chmod 600 "):
        secret.read(file(KEY, mode))


@pytest.mark.parametrize("text", ["\ufeff" + KEY, f"\ufeff# words\r\n{KEY}\r\n", KEY + "\n\n"])
def test_what_editors_add_to_a_file_does_not_matter(text, file):
    assert secret.read(file(text)).key.hex() == KEY


@pytest.mark.parametrize("text", ["", "# only words\n", "17", "zz" * 32, KEY[:30], KEY * 3])
def test_a_file_without_a_secret_is_refused(text, file):
    with pytest.raises(UsageError, match="holds no secret seed"):
        secret.read(file(text))


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(UsageError, match=r"cannot be kept here: .*--seed-file FILE"):
        secret.read_or_make("hw", tmp_path / "state" / "hw.seed")


def test_what_a_report_was_drawn_from_is_found_again(file):
    path = file(f"# a comment\n{KEY}\n")
    made = secret.read(path)
    assert secret.of_report("hw", secret.label(made, 3), path) == made
    assert secret.of_report("hw", secret.label(None, 3)) == 3


def test_another_secret_than_a_reports_is_named(file):
    with pytest.raises(UsageError, match=r"the report was made with .*--seed-file FILE"):
        secret.of_report("hw", secret.label(Secret.new(), 0), file(KEY))
    for nothing in (None, "", "public x"):
        with pytest.raises(UsageError, match="grade again"):
            secret.of_report("hw", nothing, file(KEY))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_secret_of_somebody_else_is_an_error_not_a_new_secret(file):
    path = file(KEY, 0o000)
    with pytest.raises(UsageError, match="cannot be read"):
        secret.read_or_make("hw", path)


def test_a_folder_that_is_closed_is_an_error_not_a_new_secret(tmp_path, monkeypatch):
    def refused(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(secret.Path, "exists", refused)
    with pytest.raises(UsageError, match=r"hw\.seed: the secret seed cannot be read: Permission"):
        secret.read_or_make("hw", tmp_path / "hw.seed")
    assert list(tmp_path.iterdir()) == []
