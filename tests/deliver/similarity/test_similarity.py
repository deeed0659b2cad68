"""Code that two submissions share is found under other names, and shown as text only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.deliver.similarity.fingerprints import GRAM, NOTICED, SourceFile
from grader.deliver.similarity.pairs import Program, SharedCode
from tests.conftest import ROOT, SUBMISSIONS

PLAIN = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text(encoding="utf-8")
OWN = """
def bubble(numbers):
    for last in range(len(numbers) - 1, 0, -1):
        for at in range(last):
            if numbers[at] > numbers[at + 1]:
                numbers[at], numbers[at + 1] = numbers[at + 1], numbers[at]
    return numbers

def fibonacci(count):
    found, pair = [], (0, 1)
    while len(found) < count:
        found.append(pair[0])
        pair = pair[1], sum(pair)
    return tuple(found)
"""
OTHER = """
class Stack:
    def __init__(self, *values):
        self.values = list(values)

    def push(self, value):
        self.values.append(value)
        return self

    def pop(self):
        try:
            return self.values.pop()
        except IndexError as error:
            raise LookupError("the stack is empty") from error
"""


def renamed(text: str) -> str:
    """Return a program under other names, with other comments, and reformatted."""
    for old, new in {"numbers": "x", "last": "b", "found": "out", "pair": "two", "at": "k"}.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text.replace("    ", "\t").replace("\n", "  # mine\n", 3)


def program(name: str, text: str, year: str = "") -> Program:
    return Program(name, (SourceFile("a.py", text),), year)


def found(*programs: Program, handed_out: str = "", least: float = 30) -> dict:
    made, _count = SharedCode(programs, [SourceFile("t.py", handed_out)]).pairs(least, 100)
    return {tuple(s.program.label for s in p.sides): [s.percent for s in p.sides] for p in made}


def similar_class(folder: Path) -> Path:
    """Write a class: a program, the same in a notebook under other names, and one with HTML."""
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}
        for text in ("%matplotlib inline", renamed(OWN), "x = '<script>alert(1)</script>'")
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    evil = f"{OWN.rstrip()}\n# <img src=x> \u202e"
    files = {"ada": ("rnn_layers.py", OWN), "ben": ("rnn_layers.ipynb", json.dumps(book)),
             "cid": ("rnn_layers.py", evil), "dan": ("rnn_layers.py", OTHER)}  # fmt: skip
    for name, (file, text) in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / file).write_text(text, encoding="utf-8")
    return folder


def test_new_names_comments_and_spaces_hide_nothing():
    assert found(program("a", OWN), program("b", renamed(OWN))) == {("a", "b"): [100, 100]}


def test_different_programs_share_nothing():
    assert found(program("a", OWN), program("b", OTHER), least=1) == {}


def test_a_part_counts_by_the_share_of_each():
    ((shares),) = found(program("a", OWN), program("b", OTHER + renamed(OWN))).values()
    assert shares[0] == 100
    assert 40 < shares[1] < 80


def test_what_the_homework_gave_to_all_does_not_count():
    assert found(program("a", PLAIN), program("b", PLAIN), handed_out=PLAIN) == {}
    shares = found(program("a", PLAIN + OWN), program("b", PLAIN + renamed(OWN)), handed_out=PLAIN)
    assert shares[("a", "b")][0] > 80


def test_what_much_of_the_class_has_does_not_count():
    few = [program(str(n), OWN) for n in range(8)]
    many = [program(str(n), OWN) for n in range(9)]
    assert len(found(*few)) == 28
    assert found(*many) == {}


def test_many_who_hand_in_one_program_are_named_though_no_pair_is_shown():
    many = [program(str(n), OWN) for n in range(9)]
    own = program("own", OTHER)
    half = program("half", OTHER.replace("Stack", "Heap") + OWN)
    before = program("before", OWN, "2025")
    compared = SharedCode([*many, own, half, before], [])
    assert compared.mostly_common() == many
    assert SharedCode(many[:8], []).mostly_common() == []


def test_the_page_and_the_terminal_name_many_who_share_one_program(run_cli, tmp_path):
    for number in range(9):
        (tmp_path / "class" / f"n{number}").mkdir(parents=True)
        (tmp_path / "class" / f"n{number}" / "rnn_layers.py").write_text(OWN)
    page = tmp_path / "page.html"
    command = ("similarity", tmp_path / "class", "--rubric", ROOT / "rubric.yaml", "--out", page)
    ran = run_cli(*command)
    assert "0 pairs of 9 submissions" in ran.out
    assert "look at 9 submissions more, named on the page" in ran.out
    assert "copied one program: n0, n1, n2, n3, n4, n5, n6, n7, n8</p>" in page.read_text()


def test_years_are_compared_with_the_class_and_not_with_each_other():
    pairs = found(program("a", OWN), program("b", OWN, "2025"), program("c", OWN, "2024"))
    assert set(pairs) == {("a", "2025/b"), ("a", "2024/c")}


def test_what_is_marked_is_what_is_shared():
    alone = "alone = {'x': [1, 2, 3], 'y': (4, 5)}\n" * 3
    made, _count = SharedCode([program("a", alone + OWN), program("b", OWN)], []).pairs(1, 5)
    (excerpt,) = made[0].sides[0].excerpts
    lines = [line for line in excerpt.lines if line is not None]
    marked = "".join(text for line in lines for text, shared in line.pieces if shared)
    assert "fibonacci" in marked
    assert "alone" not in marked
    written = (alone + OWN).split("\n")
    assert all("".join(t for t, _s in one.pieces) == written[one.number - 1] for one in lines)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["if", "for", "+", "(", ")", "[", "in"]), min_size=0, max_size=60),
       st.lists(st.sampled_from(["if", "for", "+", "(", ")", "[", "in"]),
                min_size=NOTICED, max_size=60))  # fmt: skip
def test_every_run_that_is_long_enough_has_a_fingerprint_in_common(before, run):
    a, b = (SourceFile("a.py", " ".join(words)) for words in (run, [*before, *run]))
    assert {value for value, _at in a.prints} & {value for value, _at in b.prints}
    assert len(a.hashes) == len(a.tokens) - GRAM + 1


@pytest.mark.parametrize("text", ["", "\x00", "def f(:", '"' * 3, "\\", "é" * 40, "x\r\ny" * 30])
def test_what_is_no_python_is_read_as_far_as_it_goes(text):
    file = SourceFile("a.py", text)
    assert all(file.text[one.start : one.end] for one in file.tokens)
    assert found(program("a", text), program("b", text + OWN)) == {}


def test_the_page_shows_pairs_side_by_side_and_runs_nothing(run_cli, tmp_path):
    out = tmp_path / "page.html"
    command = ("similarity", similar_class(tmp_path / "2026"), "--out", out)
    ran = run_cli(*command, "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0, ran.err
    assert "3 pairs of 4 submissions share 30 % or more" in ran.out
    page = out.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "&lt;img src=x&gt;" in page
    assert "<mark>def bubble(numbers):</mark>" in page
    assert "rnn_layers.ipynb" in page
    assert "dan" not in page


def test_an_earlier_class_is_named_by_its_folder(run_cli, tmp_path):
    here, before = similar_class(tmp_path / "2026"), similar_class(tmp_path / "2025")
    out = tmp_path / "page.html"
    command = ("similarity", here, "--earlier", before, "--out", out, "--pairs", 2)
    ran = run_cli(*command, "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0, ran.err
    assert "of 4 submissions and 4 of earlier years share" in ran.out
    assert "2025/" in out.read_text(encoding="utf-8")
    assert "2 of 13 pairs" in out.read_text(encoding="utf-8")
