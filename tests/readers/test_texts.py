"""Text from outside, made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.readers.texts import clean, clipped, printable, quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ü 日本", "plain ü 日本"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202e\u2028\u2029", r"\u202e\u2028\u2029"),
        ("\ud800", r"\ud800"),
        ("\0\t", r"\x00\t"),
        ("x" * 11, "x" * 10 + "..."),
    ],
)
def test_a_text_becomes_one_printable_line(text, expected):
    assert printable(text, 10 if len(text) > 10 and text[0] == "x" else 60) == expected


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet=st.characters(), max_size=40), st.integers(0, 50))
def test_any_text_becomes_one_printable_line_of_bounded_length(text, most):
    line = printable(text, most)
    assert line.isprintable()
    assert len(line) <= 10 * most + 3
    line.encode("utf-8")


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_cleaning_keeps_lines_and_leaves_no_control_character(text):
    cleaned = clean(text)
    assert cleaned.count("\n") == text.count("\n")
    assert all(c == "\n" or unicodedata.category(c)[0] != "C" for c in cleaned)
    assert len(cleaned.splitlines()) == len(text.split("\n")) - text.endswith("\n") or not text
    assert clean(cleaned) == cleaned


def test_cleaning_replaces_what_moves_the_cursor_or_turns_the_writing_and_nothing_else():
    for code in range(0x110000):
        char = chr(code)
        hidden = unicodedata.category(char).startswith(("C", "Zl", "Zp")) and char != "\n"
        wanted = "\N{REPLACEMENT CHARACTER}" if hidden else char
        assert clean(char) == wanted
        assert clean(f"a {char}\n{char}b") == f"a {wanted}\n{wanted}b"


def test_a_text_is_cut_only_if_it_is_too_long_and_keeps_its_lines():
    assert clipped("a\nb", 3) == "a\nb"
    assert clipped("a\nbc", 3) == "a\nb [...]"
    assert quoted("a\nb") == r"'a\nb'"
