"""How much must a person write for one check? Count the lines of an assignment that it takes.

::

    python benchmarks/lines_to_write.py FOLDER CHECK [CHECK]...

FOLDER is an assignment (the folder of its ``rubric.yaml``), CHECK the id of one of its checks. For
each check it prints the lines of

* the check in the rubric, without the hint, which is for students;
* the reference: the check's functions, with all of the module that they use;
* the cases: their generator, likewise;
* the driver and the judge, likewise.

Blank lines, comments and docstrings are not counted. The data set of a training check is not
either: it is the homework's own matter. To compare with another version, count in a worktree of it
(``git worktree add``); the grader itself is not imported.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

NOTHING = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
)
PARTS = ("rubric", "reference", "cases", "driver", "judge")


def main() -> None:
    """Print the lines of each check that was named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("checks", nargs="+", metavar="CHECK")
    options = parser.parse_args()
    print(f"{'check':<12}{''.join(f'{part:>11}' for part in PARTS)}{'total':>9}")
    for name in options.checks:
        found = counted(options.folder, name)
        row = "".join(f"{found[part]:>11}" for part in PARTS)
        print(f"{name:<12}{row}{sum(found.values()):>9}")


def counted(folder: Path, check_id: str) -> dict[str, int]:
    """Return the lines that a check takes, by what they belong to."""
    text = (folder / "rubric.yaml").read_text(encoding="utf-8")
    question, check = _check(yaml.safe_load(text), check_id)
    module = Path(check.get("module", question["module"])).stem
    reference = folder / "reference"
    generator = check.get("cases", check.get("forward", check["function"]))
    return {
        "rubric": rubric_lines(text, check_id),
        "reference": source_lines(reference / f"{module}.py", check["function"]),
        "cases": source_lines(reference / "cases" / f"{module}.py", generator),
        "driver": _named_lines(reference / "drivers", check.get("driver")),
        "judge": _named_lines(reference / "judges", check.get("judge")),
    }


def _check(rubric: dict[str, Any], check_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for question in rubric["questions"]:
        for check in question["checks"]:
            if check["id"] == check_id:
                return question, check
    sys.exit(f"the rubric has no check {check_id!r}")


def _named_lines(folder: Path, name: str | None) -> int:
    """Return the lines of ``<file>.<function>`` in a folder; none if no name is given."""
    if name is None:
        return 0
    file, _, function = name.partition(".")
    return source_lines(folder / f"{file}.py", function)


def rubric_lines(text: str, check_id: str) -> int:
    """Return the number of lines of a check in the text of a rubric."""
    for node in _mappings(yaml.compose(text)):
        values = {key.value: value for key, value in node.value}
        if getattr(values.get("id"), "value", None) == check_id and "kind" in values:
            hints = [pair for pair in node.value if pair[0].value == "hint"]
            not_counted = {row for key, value in hints for row in _rows(key, value)}
            return sum(
                bool(row.strip()) and not row.strip().startswith("#") and number not in not_counted
                for number, row in enumerate(text.splitlines())
                if number in _rows(node, node)
            )
    raise KeyError(check_id)


def _rows(first: yaml.Node, last: yaml.Node) -> range:
    """Return the numbers of the lines from one node to another; a block ends before its end."""
    block = getattr(last, "flow_style", None) is False or getattr(last, "style", None) in ("|", ">")
    return range(first.start_mark.line, last.end_mark.line + (not block))


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _key, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def source_lines(path: Path, name: str) -> int:
    """Return the lines of a module that a function needs: it, and all that it uses of the module.

    None if there is no such file, or no such function in it.
    """
    if not path.is_file():
        return 0
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    defined = {each: node for node in tree.body for each in _names(node)}
    needed: list[ast.stmt] = []
    waiting = [name]
    while waiting:
        node = defined.get(waiting.pop())
        if node is not None and node not in needed:
            needed.append(node)
            waiting += [used.id for used in ast.walk(node) if isinstance(used, ast.Name)]
    rows = {row for node in needed for row in range(_first(node), (node.end_lineno or 0) + 1)}
    return len(rows & _written(source, tree))


def _names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (
            part.id for target in node.targets for part in ast.walk(target)
            if isinstance(part, ast.Name)
        )  # fmt: skip


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _written(source: str, tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that hold more than comments and docstrings."""
    docstrings = {
        row
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and ast.get_docstring(node) is not None
        for row in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    rows = {
        row
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NOTHING
        for row in range(token.start[0], token.end[0] + 1)
    }
    return rows - docstrings


if __name__ == "__main__":
    main()
