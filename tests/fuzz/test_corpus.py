"""The corpus: small hostile files, one idea each, and what must come of each of them.

Named by their idea; made by ``tests/fuzz/seeds.py``, which explains each. What the fuzzer finds is
added there. Archives run under the real caps here, and under a cap on the memory of the process.
"""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

import pytest

from grader.intake import submission
from grader.intake.submission import stage
from tests.fuzz import seeds
from tests.fuzz.guard import CORPUS, MIB, at_most, within
from tests.fuzz.hostile_rubrics import ROOT
from tests.fuzz.test_archives import MODULES, assert_harmless
from tests.fuzz.test_predictions import judged
from tests.fuzz.test_rubrics import try_to_load
from tests.fuzz.test_wire import CALL_ID, MEMORY, asked, hostile_worker


def files(folder: str) -> list[Path]:
    found = sorted((CORPUS / folder).iterdir())
    assert found
    return found


def test_the_corpus_is_what_its_seeds_make():
    kept = {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file()}
    assert kept == set(seeds.corpus())
    for name, seed in seeds.corpus().items():
        assert (CORPUS / name).read_bytes() == seed.data, name
        assert len(seed.data) < 128 * 1024, name


@pytest.mark.parametrize("path", files("archives"), ids=lambda path: path.name)
def test_an_archive_of_the_corpus(path, tmp_path):
    name = f"alice{''.join(path.suffixes)}"
    shutil.copy(path, tmp_path / name)
    with within(10), at_most(256 * MIB):
        made = stage("alice", tmp_path / name, tmp_path / "staged", MODULES)
    assert_harmless(made, tmp_path, submission.MAX_FILES, submission.MAX_TOTAL_BYTES)
    told = "\n".join([made.problem or "", *made.notes])
    assert re.search(seeds.corpus()[f"archives/{path.name}"].told, told), told


@pytest.mark.parametrize("path", files("wire"), ids=lambda path: path.name)
def test_a_frame_of_the_corpus(path, monkeypatch):
    monkeypatch.setattr(secrets, "token_hex", lambda _count: CALL_ID)
    with within(10), at_most(MEMORY), hostile_worker(path.read_bytes()) as worker:
        outcome = asked(worker)
    assert re.search(seeds.corpus()[f"wire/{path.name}"].told, outcome), outcome


@pytest.mark.parametrize("path", files("rubrics"), ids=lambda path: path.name)
def test_a_rubric_of_the_corpus(path, tmp_path):
    for name in ("reference", "submissions_template"):
        (tmp_path / name).symlink_to(ROOT / name)
    copy = tmp_path / "rubric.yaml"
    copy.write_bytes(path.read_bytes())
    assert try_to_load(copy, 100) == seeds.corpus()[f"rubrics/{path.name}"].told


@pytest.mark.parametrize("path", files("predictions"), ids=lambda path: path.name)
def test_a_file_of_predictions_of_the_corpus(path):
    assert judged(path.read_bytes()) == seeds.corpus()[f"predictions/{path.name}"].told
