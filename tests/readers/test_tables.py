"""CSV as spreadsheets write it, and what is told about tables that are none."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.readers import tables
from grader.readers.tables import cell
from grader.readers.texts import did_you_mean, plain


def read(tmp_path, data):
    path = tmp_path / "t.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return tables.read(path)


def cells(table):
    return [list(row.cells.values()) for row in table.rows]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "a;b\r\n1;2\r\n",
        "a\tb\r1\t2\r",
        "\ufeffa,b\n1,2",
        "sep=;\na;b\n1;2\n",
        '"sep=;"\r\na;b\r\n1;2\r\n',
        "\n,,\n a , b ,,\n\n1,2,,\n;;\n".replace(";;", ",,"),
    ],
    ids=["plain", "excel", "old mac", "mark", "named", "named in quotes", "empty rows and columns"],
)
def test_every_dialect_gives_the_same_table(text, tmp_path):
    table = read(tmp_path, text)
    assert list(table.problems) == []
    assert table.columns == ["a", "b"]
    assert cells(table) == [["1", "2"]]


def test_a_row_has_the_line_where_it_begins(tmp_path):
    table = read(tmp_path, 'a,b\n1,"two\nlines"\n\n3,4\n')
    assert [row.line for row in table.rows] == [2, 5]


def test_columns_are_found_whatever_their_case(tmp_path):
    table = read(tmp_path, "SIS  Login ID,Grade\nx,1\n")
    assert table.column("grade") == "Grade"
    assert table.column("nothing", "sis login id") == "SIS  Login ID"
    assert table.column("nothing") is None


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "is empty"),
        (b"\r\n,,,\r\n", 1, "is empty"),
        (b"a,b\n1,\xe9\n", 2, "byte 0xe9 is not UTF-8 text; save the table as"),
        ("a,b\n".encode("utf-16"), 1, "is not UTF-8 text"),
        (b"a,b\n\0,2\n", 2, "NUL byte"),
        (b'a,b\n1,2\n3,"never closed\n', 3, "is not CSV"),
        (b'a,b\n"x"y,2\n', 2, "is not CSV"),
        (b"a,b\nalice,1,5\n", 2, "has 3 cells, but the header has 2"),
        (b"a,b\n1," + b"x" * (tables.MAX_CELL + 1), 2, "is not CSV"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(data, line, words, tmp_path):
    (problem,) = read(tmp_path, data).problems
    assert problem.line == line
    assert words in problem.text
    assert str(problem).startswith(f"{tmp_path / 't.csv'}:{line}: ")


@pytest.mark.parametrize(
    ("asked", "problems"), [("b", 0), ("nothing", 0), ("a", 1), ("A", 1), ("a (column 4)", 1)]
)
def test_only_a_column_that_is_asked_for_must_be_there_once(asked, problems, tmp_path):
    table = read(tmp_path, b"\na,b,A ,a\n1,2,3,4\n")
    assert not list(table.problems)
    assert [table.heading(column) for column in table.columns] == ["a", "b", "A", "a"]
    assert list(table.rows[0].cells.values()) == ["1", "2", "3", "4"]
    table.column(asked)
    table.column(asked)
    assert len(table.problems) == problems
    assert all(str(p).endswith("t.csv:2: the column 'a' appears twice") or
               str(p).endswith("the column 'a (column 4)' appears twice")
               for p in table.problems)  # fmt: skip


def test_a_table_of_a_gigabyte_is_not_read(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.truncate(2**30)
    (problem,) = tables.read(path).problems
    assert "at most" in problem.text


def test_a_missing_table_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"t\.csv: cannot be read: No such file"):
        tables.read(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("1.5", 1.5), ("1,5", 1.5), (" +2. ", 2), (",5", 0.5), ("-1", -1), ("007", 7)],
)
def test_numbers_may_have_a_decimal_comma(text, value):
    assert tables.number(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "1.000,5", "1e3", "nan", "inf", "1 5", "½", "٣", "--1", ".", "1/2", "1_000"]
)
def test_what_is_no_number_is_none(text):
    assert tables.number(text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (1.25, "1.25"),
        (123.4567, "123.46"),
        (0.125, "0.13"),
        (2.675, "2.68"),
        (1.005, "1.01"),
        (0.0049, "0"),
        (100.0, "100"),
        (99.999, "100"),
        (1e-9, "0"),
        (-1e-9, "0"),
        (1e7, "10000000"),
    ],
)
def test_plain_numbers_have_a_point_and_no_exponent(value, text):
    assert plain(value) == text


@settings(deadline=None)
@given(st.text(max_size=12) | st.text(" \n\uff1d=+-@'a", max_size=5))
def test_a_quoted_formula_comes_back(text):
    if not text.startswith("'"):
        assert tables.unquoted(cell(text)) == text


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text("ab,;\"'\n\t é=", max_size=5), min_size=2, max_size=2), max_size=4)
)
def test_what_is_written_is_read_again(rows):
    text = tables.as_csv([["name", "text"], *rows])
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == rows


def test_a_similar_name_is_suggested():
    assert did_you_mean("Alcie", ["bob", "alice"]) == " (did you mean 'alice'?)"
    assert did_you_mean("zzz", ["bob", "alice"]) == ""
