"""YAML with positions: the data, the place of each value, and every trap of YAML 1.1 as a problem.

PyYAML keeps the last of two equal keys, reads ``1e-3`` as text and ``no`` as False, and forgets the
place of each value. Here the node graph is walked once, which gives the data *and* the line of each
value, and each of these traps becomes a problem of its own.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from grader.readers.problems import Problems

# The key of a mapping or the index of a sequence, from the top of the document.
YamlPath = tuple[str | int, ...]
LOOKS_LIKE_A_NUMBER = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$", re.ASCII)
YAML_11_BOOLEANS = frozenset(["yes", "no", "on", "off", "y", "n"])
MAX_BYTES = 4 * 1024 * 1024  # a rubric is tens of kilobytes; anchors could blow up anything larger
MAX_NODES = 200_000
MAX_DEPTH = 50
MAX_INT = 2**63  # nothing in a rubric is larger, and Python refuses to print very large ones
MAX_SHOWN = 60  # characters of a wrong value in a message
OTHER_BASES = re.compile(r"^[-+]?0[0-7_]+$|:")  # octal, and hours and minutes
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_NUMBER = 400  # characters
NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
COLLECTION_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
# libyaml is twenty times as fast as PyYAML. Its recursion has no limit, and it reads rare texts
# otherwise: it gets short lines without tags, markers, and question marks beside brackets.
SHORT_LINES = re.compile("(?:[ -~\xa1-\u1fff\u2010-\u2027\u2030-\ud7ff]{0,500}\n)+")
RARE = re.compile(r"(?<!\(\?)!|^(?:---|\.\.\.|%)|[|>][-+\d]*#|^(?=.*[\[{]).*\?", re.MULTILINE)
MAX_BRACKETS = 1000


@dataclass
class Source:
    """A parsed document: ``data``, the line of every path, and what was wrong with it."""

    file: str
    data: Any = None
    lines: dict[YamlPath, int] = field(default_factory=dict)
    problems: Problems = field(init=False)

    def __post_init__(self) -> None:
        self.problems = Problems(self.file)

    def line(self, path: YamlPath) -> int:
        """Return the line of ``path`` or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(path: Path) -> Source:
    """Parse a file. Problems are collected, not raised; raises ``OSError`` if it cannot be read."""
    source = Source(str(path))
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        source.problems.add(1, f"is {len(raw)} bytes long; at most {MAX_BYTES} are read")
        return source
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        source.problems.add(1, "is UTF-16 text; save it as UTF-8")
        return source
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        source.problems.add(line, f"byte 0x{raw[error.start]:02x} is not UTF-8 text")
        return source
    try:
        node = _composed(text)
        if node is None:
            source.problems.add(1, "is empty")
        else:
            source.data = _Builder(source).build(node, (), 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(part) for part in (error.context, error.problem) if part)
        if mark is not None and "\t" in (text.splitlines()[mark.line : mark.line + 1] or [""])[0]:
            problem = "there is a tab; use spaces for indentation and before values"
        source.problems.add(mark.line + 1 if mark else 1, f"is not YAML: {problem}")
    except yaml.YAMLError as error:
        source.problems.add(1, f"is not YAML: {' '.join(str(error).split())}")
    except ValueError as error:  # an escape beyond the last character, such as \U00110000
        source.problems.add(1, f"is not YAML: {error}")
    except RecursionError:
        source.problems.add(1, "is nested too deeply")
    return source


def _composed(text: str) -> yaml.Node | None:
    """Return the nodes of a document. What is refused is refused in PyYAML's words.

    Raises:
        yaml.YAMLError, ValueError: it is not YAML.
    """
    if yaml.__with_libyaml__ and _is_usual(text):
        with contextlib.suppress(yaml.YAMLError, ValueError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _is_usual(text: str) -> bool:
    """Say whether libyaml makes the same of a text as PyYAML."""
    if SHORT_LINES.fullmatch(text) is None or RARE.search(text) is not None:
        return False
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        return False
    lines = text.splitlines()
    return all(line.count("[") == line.count("]") for line in lines) and all(
        line.count("{") == line.count("}") for line in lines
    )


class _Builder:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes = 0
        self._scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node, path: YamlPath, depth: int) -> Any:
        line = node.start_mark.line + 1
        self._source.lines.setdefault(path, line)
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise yaml.YAMLError("too many or too deeply nested values (do anchors repeat?)")
        if not isinstance(node, yaml.ScalarNode) and node.tag not in COLLECTION_TAGS:
            self._problem(line, path, f"unknown tag {node.tag!r}")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(n, (*path, i), depth + 1) for i, n in enumerate(node.value)]
        return self._scalar(node, path, line)

    def _mapping(self, node: yaml.MappingNode, path: YamlPath, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(line, path, "a key must be a word")
                continue
            key = self._whole(key_node.value, path, line)
            if key in result:
                first = self._source.lines[(*path, key)]
                self._problem(line, path, f"key {key!r} appears twice (first in line {first})")
                continue
            self._source.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key), depth + 1)
        return result

    def _scalar(self, node: yaml.Node, path: YamlPath, line: int) -> Any:
        text = str(node.value)
        if len(text) > MAX_NUMBER and node.tag in NUMBER_TAGS:  # 1:30:15 takes quadratic time
            self._problem(line, path, f"the number {literal(text)} is too large")
            return text
        try:
            value = self._scalars.construct_object(node)
        except yaml.MarkedYAMLError as error:
            self._problem(line, path, f"{literal(text)} cannot be read: {error.problem}")
            return text
        except (ValueError, OverflowError, LookupError, AttributeError) as error:
            # The last two are how PyYAML fails at an explicit tag, such as `!!bool maybe`.
            own = isinstance(error, ValueError | OverflowError)
            why = f": {error}" if own else f" as {node.tag}"
            self._problem(line, path, f"{literal(text)} cannot be read{why}")
            return text
        if not getattr(node, "style", None):  # libyaml says "" of what is not quoted
            value = self._plain(text, value, path, line)
        if type(value) is int and abs(value) >= MAX_INT:
            self._problem(line, path, f"the number {literal(text)} is too large")
            return text
        if not isinstance(value, str | int | float | bool | None):
            # A date, a time or bytes: rubrics have none of these.
            return text
        return self._whole(value, path, line) if isinstance(value, str) else value

    def _whole(self, text: str, path: YamlPath, line: int) -> str:
        """Return ``text``; halves of characters, which only an escape can bring, are reported."""
        if SURROGATE.search(text):
            self._problem(line, path, f"{literal(text)} holds half of a character")
        return SURROGATE.sub("?", text)

    def _plain(self, text: str, value: Any, path: YamlPath, line: int) -> Any:
        """Report what YAML 1.1 makes of an unquoted ``text``, where that is not what it says."""
        better = None
        if isinstance(value, str) and LOOKS_LIKE_A_NUMBER.match(text):
            self._problem(line, path, f"{text!r} is text in YAML 1.1; write {as_float(text)}")
            return float(text)
        if isinstance(value, bool) and text.lower() in YAML_11_BOOLEANS:
            better = "true" if value else "false"
        elif type(value) in (int, float) and OTHER_BASES.search(text):
            better = str(value)
        if better is not None:
            self._problem(
                line, path, f"{text!r} is {better} in YAML 1.1; write {better} or '{text}'"
            )
        return value

    def _problem(self, line: int, path: YamlPath, message: str) -> None:
        where = str(path[-1]) if path and isinstance(path[-1], str) else ""
        self._source.problems.add(line, message, where)


def literal(value: Any) -> str:
    """Return a value as it appears in a message: quoted, and not at any length."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def as_float(text: str) -> str:
    """Return the spelling of a number that YAML 1.1 reads as one: 1e-3 becomes 1.0e-3."""
    mantissa, _, exponent = text.lower().partition("e")
    mantissa = re.sub(r"^([-+]?)\.", r"\g<1>0.", mantissa)  # -.5 is text as well, and .5 is not
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    mantissa = f"{mantissa}0" if mantissa.endswith(".") else mantissa
    if not exponent:
        return mantissa
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"
