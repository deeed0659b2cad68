"""YAML with positions: the right data, the right lines, and every trap of YAML 1.1 named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.readers import yaml_source
from grader.readers.yaml_source import LOOKS_LIKE_A_NUMBER, MAX_INT, MAX_SHOWN, Source, literal
from tests.conftest import ROOT

# One file is written again and again: each example replaces it.
MANY = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def told(source):
    """Return the lines and the words of a document's problems."""
    return [(problem.line, problem.words) for problem in source.problems]


@pytest.fixture
def read(tmp_path: Path):
    path = tmp_path / "a.yaml"

    def read_text(text: str | bytes) -> Source:
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return yaml_source.read(path)

    return read_text


DOCUMENT = """\
# comment
a: 1
b:
  - x
  - y: [1,
        2]
    z: |
      text
      more
c: {d: 1.5, e: null}
"""


def test_data_and_the_line_of_every_path(read):
    source = read(DOCUMENT)
    assert told(source) == []
    assert source.data == {
        "a": 1,
        "b": ["x", {"y": [1, 2], "z": "text\nmore\n"}],
        "c": {"d": 1.5, "e": None},
    }
    assert source.lines[()] == 2
    lines = {
        ("a",): 2, ("b",): 3, ("b", 0): 4, ("b", 1): 5, ("b", 1, "y"): 5, ("b", 1, "y", 0): 5,
        ("b", 1, "y", 1): 6, ("b", 1, "z"): 7, ("c",): 10, ("c", "d"): 10, ("c", "e"): 10,
    }  # fmt: skip
    assert {path: source.line(path) for path in lines} == lines


def test_a_path_that_is_not_there_has_the_line_of_what_is_around_it(read):
    source = read(DOCUMENT)
    assert source.line(("b", 1, "missing", "deeper")) == 5
    assert source.line(("b", 7)) == 3
    assert source.line(("missing",)) == 2
    assert Source("a.yaml").line(("anything",)) == 1


def test_line_numbers_survive_windows_line_ends_and_a_byte_order_mark(read):
    source = read(b"\xef\xbb\xbf" + DOCUMENT.replace("\n", "\r\n").encode())
    assert told(source) == []
    assert source.line(("b", 1, "z")) == 7


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        ("1e-3", 1e-3, "'1e-3' is text in YAML 1.1; write 1.0e-3"),
        ("1E5", 1e5, "'1E5' is text in YAML 1.1; write 1.0e+5"),
        ("1.5e3", 1500.0, "'1.5e3' is text in YAML 1.1; write 1.5e+3"),
        ("1.e3", 1000.0, "'1.e3' is text in YAML 1.1; write 1.0e+3"),
        ("-2e2", -200.0, "'-2e2' is text in YAML 1.1; write -2.0e+2"),
        ("08", 8.0, "'08' is text in YAML 1.1; write 08.0"),
        ("no", False, "'no' is false in YAML 1.1; write false or 'no'"),
        ("Yes", True, "'Yes' is true in YAML 1.1; write true or 'Yes'"),
        ("off", False, "'off' is false in YAML 1.1; write false or 'off'"),
        ("ON", True, "'ON' is true in YAML 1.1; write true or 'ON'"),
        ("010", 8, "'010' is 8 in YAML 1.1; write 8 or '010'"),
        ("-010", -8, "'-010' is -8 in YAML 1.1; write -8 or '-010'"),
        ("1:30", 90, "'1:30' is 90 in YAML 1.1; write 90 or '1:30'"),
        ("1:30.5", 90.5, "'1:30.5' is 90.5 in YAML 1.1; write 90.5 or '1:30.5'"),
        ("2024-02-30", "2024-02-30", "'2024-02-30' cannot be read: day is out of range for month"),
        ("=", "=", "'=' cannot be read: could not determine a constructor"),
        ("!x y", "y", "'y' cannot be read: could not determine a constructor for the tag '!x'"),
        ("!!python/name:os.system x", "x", "'x' cannot be read: could not determine a constructor"),
        ("!!int ''", "", "'' cannot be read as tag:yaml.org,2002:int"),
        ("!!float ''", "", "'' cannot be read as tag:yaml.org,2002:float"),
        ("!!float x", "x", "'x' cannot be read: could not convert string to float"),
        ("!!bool x", "x", "'x' cannot be read as tag:yaml.org,2002:bool"),
        ("!!timestamp x", "x", "'x' cannot be read as tag:yaml.org,2002:timestamp"),
        ("!!set {x}", {"x": None}, "unknown tag 'tag:yaml.org,2002:set'"),
        ("!!omap [x: 1]", [{"x": 1}], "unknown tag 'tag:yaml.org,2002:omap'"),
        ("!!python/tuple [1]", [1], "unknown tag 'tag:yaml.org,2002:python/tuple'"),
        (str(MAX_INT), str(MAX_INT), f"the number '{MAX_INT}' is too large"),
        (str(-MAX_INT), str(-MAX_INT), f"the number '{-MAX_INT}' is too large"),
    ],
)
def test_what_yaml_reads_otherwise_than_people_is_a_problem(read, text, value, problem):
    source = read(f"x: 1\nkey: {text}\n")
    assert source.data["key"] == value
    assert type(source.data["key"]) is type(value)
    ((line, message),) = told(source)
    assert line == 2
    assert message.startswith(f"key: {problem}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0e-3", 1e-3), ("1.0e+5", 1e5), ("-1.5", -1.5), ("0", 0), ("12", 12), ("1_000", 1000),
        ("0x10", 16), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        (".inf", math.inf), ("'no'", "no"), ('"1e-3"', "1e-3"), ("'010'", "010"), ("nope", "nope"),
        ("1.2.3", "1.2.3"), ("q1.1", "q1.1"), ("e5", "e5"), ("2024-02-20", "2024-02-20"),
        ("2024-02-20 10:20:30", "2024-02-20 10:20:30"), ("!!int '5'", 5),
        (str(MAX_INT - 1), MAX_INT - 1), ("a:b", "a:b"), ("!!binary aGk=", "aGk="),
        ("> \n  no\n", "no\n"),
    ],
)  # fmt: skip
def test_what_means_what_it_says_is_no_problem(read, text, value):
    source = read(f"key: {text}\n")
    assert told(source) == []
    assert source.data == {"key": value}
    assert type(source.data["key"]) is type(value)


def test_keys_are_words_whatever_they_look_like(read):
    source = read("1: a\nno: b\n1e-3: c\n~: d\n")
    assert source.data == {"1": "a", "no": "b", "1e-3": "c", "~": "d"}
    assert told(source) == []


def test_a_key_twice_is_a_problem_in_its_second_line_and_the_first_counts(read):
    source = read("a:\n  b: 1\n  c: 2\n  b: {d: 3}\nb: 5\n'a': 6\n")
    assert source.data == {"a": {"b": 1, "c": 2}, "b": 5}
    assert told(source) == [
        (4, "a: key 'b' appears twice (first in line 2)"),
        (6, "key 'a' appears twice (first in line 1)"),
    ]


def test_a_key_that_is_no_word_is_a_problem(read):
    source = read("? [a, b]\n: c\n? {d: e}\n: f\ng: 1\n")
    assert source.data == {"g": 1}
    assert told(source) == [(1, "a key must be a word"), (3, "a key must be a word")]


def test_all_problems_of_a_file_are_reported(read):
    source = read("a: no\nb: 1e-3\na: 1\nc: !x y\n")
    assert [line for line, _message in told(source)] == [1, 2, 3, 4]


def test_an_anchor_gives_the_same_value_again(read):
    source = read("a: &x {b: [1, 2]}\nc: *x\n")
    assert source.data == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert told(source) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1, 2\nb: 3\n", 2),
        ("a: 1\nb: 'open\n", 3),
        ("a: 1\n b: 2\n", 2),
        ("a: b: c\n", 1),
        ("a: *nowhere\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\n\tb: 2\n", 2),
        ("a: %x\n", 1),
        ("a: @x\n", 1),
        ("a: 1\nb: \x07\n", 1),  # PyYAML knows no line for characters that it refuses
    ],
)
def test_a_file_that_is_no_yaml_has_one_problem_in_one_line(read, text, line):
    source = read(text)
    assert source.data is None
    ((found, message),) = told(source)
    assert found == line
    assert message.startswith("is not YAML: ")
    assert "\n" not in message


def test_a_byte_that_is_no_utf8_is_named_with_its_line(read):
    source = read(b"a: 1\nb: caf\xe9\n")
    assert source.data is None
    assert told(source) == [(2, "byte 0xe9 is not UTF-8 text")]


def test_anchors_that_multiply_end_soon(read):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    source = read("\n".join(lines))
    assert source.data is None
    assert len(source.lines) <= yaml_source.MAX_NODES + 100
    assert "anchors" in told(source)[0][1]


def test_a_value_within_itself_ends(read):
    assert "anchors" in told(read("a: &a {b: *a}"))[0][1]


@pytest.mark.parametrize(("depth", "fine"), [(51, True), (52, False), (5_000, False)])
def test_nesting_is_bounded(read, depth, fine):
    source = read("[" * depth + "]" * depth)
    assert (told(source) == []) is fine


def test_a_huge_file_is_not_parsed(read, monkeypatch):
    monkeypatch.setattr(yaml_source, "MAX_BYTES", 10)
    assert told(read("a: 1234567")) == []
    source = read("a: 12345678")
    assert source.data is None
    assert told(source) == [(1, "is 11 bytes long; at most 10 are read")]


def test_a_file_that_is_not_there_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        yaml_source.read(tmp_path / "nowhere.yaml")


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12
).filter(lambda text: not LOOKS_LIKE_A_NUMBER.match(text))
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - MAX_INT, MAX_INT - 1)
    | st.floats(allow_nan=False)
    | WORDS
    | st.sampled_from(["no", "010", "1:30", "~", "", "2024-02-30", "<<", "=", "!x", "*a"]),
    lambda items: st.lists(items, max_size=4) | st.dictionaries(WORDS, items, max_size=4),
    max_leaves=15,
)


@MANY
@given(tree=TREES, flow=st.sampled_from([True, False, None]))
def test_whatever_a_yaml_writer_writes_is_read_back_without_a_problem(read, tree, flow):
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow)
    source = read(text)
    assert told(source) == []
    assert source.data == tree


@MANY
@given(text=st.from_regex(LOOKS_LIKE_A_NUMBER, fullmatch=True))
def test_the_proposed_spelling_of_a_number_is_read_as_that_number(read, text):
    source = read(f"key: {text}\n")
    for _line, message in told(source):
        if "is text in YAML 1.1; write " in message:
            proposed = message.rpartition(" ")[2]
            again = read(f"key: {proposed}\n")
            assert told(again) == []
            assert again.data["key"] == float(text)
    assert isinstance(source.data["key"], int | float) or "too large" in told(source)[-1][1]


@MANY
@given(
    text=st.text(alphabet="ab:-[]{}&*!|>?%@`#'\"\n\t 01.,~<=\\\u2028", max_size=30)
    | st.text(max_size=15)
)
def test_any_text_is_data_or_a_problem_with_a_line(read, text):
    source = read(text)
    for line, message in told(source):
        assert 1 <= line <= text.count("\n") + text.count("\r") + text.count("\u2028") + 3
        assert "\n" not in message


def test_long_values_are_shortened_in_messages():
    assert literal("x") == "'x'"
    long: Any = literal("x" * 1000)
    assert len(long) == MAX_SHOWN + 3
    assert long.endswith("x...")


@pytest.mark.parametrize("text", ['a: "\\ud800"', '"\\udfff": 1', '[["x\\ud83d"]]'])
def test_half_of_a_character_is_a_problem_and_does_not_stay(read, text):
    source = read(text)
    ((line, problem),) = told(source)
    assert line == 1
    assert "holds half of a character" in problem
    repr(source.data).encode("utf-8")
    assert "\\ud" not in repr(source.data)


def nodes(text, loader):
    """Return all that is used of the nodes of a document; None if it is refused."""

    def told(node):
        if node is None:
            return None
        value = node.value
        if isinstance(node, yaml.ScalarNode):
            value = (value, node.style or "")
        elif isinstance(node, yaml.SequenceNode):
            value = [told(one) for one in value]
        else:
            value = [(told(key), told(one)) for key, one in value]
        return type(node).__name__, node.tag, value, node.start_mark.line

    try:
        return told(yaml.compose(text, Loader=loader))
    except yaml.YAMLError:
        return None


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
class TestLibyaml:
    """The fast parser is asked only where it makes the same of a text."""

    LINES = (ROOT / "rubric.yaml").read_text("utf-8").splitlines(keepends=True)
    PIECES = (
        '"', "'", "{", "}", "[", "]", "] [", ": ", ":", "- ", "-", "?", "? ", "(?", "#", " #",
        "&a ", "*a", "!", "!.", "!=", "(?!", "!!int ", "%", "---", "...", "\n",
        "  ", "|", "|-\n", ">+2\n", "|-#",
        "\\", "\\x41", "~", "=", "<<: ", "é", "\u2019 ", "\n\n", '"\\\n"', "'a\n\n b'", "{a?}",
    )  # fmt: skip

    def test_it_reads_the_rubrics_of_this_repository(self):
        for path in (ROOT / "rubric.yaml", *ROOT.glob("examples/*/rubric.yaml")):
            assert yaml_source._is_usual(path.read_text("utf-8"))

    @settings(deadline=None, max_examples=400)
    @given(st.data())
    def test_what_it_accepts_it_reads_as_pyyaml_does(self, data):
        first = data.draw(st.integers(0, len(self.LINES) - 1))
        text = "".join(self.LINES[first : first + data.draw(st.integers(1, 12))])
        for _edit in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(text)))
            text = text[:at] + data.draw(st.sampled_from(self.PIECES)) + text[at:]
        if yaml_source._is_usual(text) and (found := nodes(text, yaml.CSafeLoader)) is not None:
            assert found == nodes(text, yaml.SafeLoader)

    @pytest.mark.parametrize(
        "text",
        [
            "a: {b?c: 1}\n", "k: {!.x, b: 1}\n", "k: [!=, a]\n",
            "---", "!\n", "|-#\n #|-\n", "a: [b\n  ?c]\n", "a: \x85b\n",
            "a: " + "b" * 600 + "\n", "a: " + "[" * 200 + "]" * 200 + "\n" * 2 + "b: [\n]\n",
        ],
    )  # fmt: skip
    def test_other_texts_are_read_slowly(self, text):
        assert not yaml_source._is_usual(text)

    def test_nothing_nests_deeply_enough_to_end_the_process(self):
        assert not yaml_source._is_usual("[]" * 2000 + "\n")
        assert not yaml_source._is_usual("- " * 400 + "\n")

    def test_a_refusal_is_in_the_same_words_as_without_it(self, read, monkeypatch):
        texts = ("a: 1\n b: 2\n", 'a: "b\n', "a: *b\n", "a: [1, 2\n", "a: b: c\n", "a:\n\t- 1\n")
        fast = [told(read(text)) for text in texts]
        monkeypatch.setattr(yaml_source, "_is_usual", lambda _text: False)
        assert [told(read(text)) for text in texts] == fast
        assert all(fast)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a: "\\U00110000"\n', "is not YAML: "),
        ("a: " + "1:" * 198 + "1.5\n", "cannot be read: "),
        ("a: " + "1:" * 100_000 + "1\n", "is too large"),
        ("a: 1" + "0" * 1000 + ".5\n", "is too large"),
    ],
    ids=["escape", "overflow", "parts", "digits"],
)
def test_what_python_cannot_make_is_a_problem(read, text, problem, fast, monkeypatch):
    if not fast:
        monkeypatch.setattr(yaml_source, "_is_usual", lambda _text: False)
    ((line, said),) = told(read(text))
    assert line == 1
    assert problem in said
    assert len(said) < 200
