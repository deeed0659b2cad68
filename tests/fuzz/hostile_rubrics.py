"""Rubrics as tired authors, merge conflicts and bad editors leave them."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
ODD_KEYS = [
    "", "id", "points", "kind", "titel", "rtoll", "<<", "=", "no", "1e-3", "~", "x" * 300, "a\nb",
    "\x1b[2J", "\u202e", "\ud800", "\N{PILE OF POO}", "{x}", "%s", "__class__", "function",
    "module", "shares", "gradients", "supplied", "properties", "thresholds",
]  # fmt: skip
ODD_SCALARS = [
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 0.0, -0.0, 0.5,
    1e308, 1e-320, float("nan"), float("inf"), -float("inf"), "", " ", "x", "no", "1e-3", "0x10",
    "1:30", "a\nb", "\0", "\ud800", "\u2028", "\u202e", "\x1b[31m", "../..", "/etc", "reference",
    "x" * 300, "x" * 5000, "a.b", ".", "..", "rnn_layers.py", "rnn_step_forward", "np",
    "annotations", "__class__", "__doc__", "mini", "q3.1", "transfer_learning.train_model",
    "forward", "gradient", "values", "training", "property", "image", "predictions", "written",
    "insects", "sentences",
]  # fmt: skip
SPLICES = [
    "&a ", "*a", "<<: *a", "!!python/object:os.system ", "!!binary x", "!!int x", "!x ", "---\n",
    "...\n", "%YAML 9\n", "{", "}", "[", "]", ": ", "- ", "? ", "|\n", ">-\n", "'", '"', "#",
    "\t", "\0", "\ufeff", "\u2028", "\x85", "\N{PILE OF POO}", "\\", "\n", "\r", "\n ",
    "<<<<<<< HEAD\n", "=======\n", "@", "`", "[" * 60, "{a: " * 60, "0" * 400, "1e999",
    "2026-01-01", "\x7f", "\x1b",
]  # fmt: skip

values = st.recursive(
    st.sampled_from(ODD_SCALARS) | st.text(max_size=6) | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(ODD_KEYS) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@functools.cache
def sources() -> tuple[str, ...]:
    """Return the texts to begin with: pieces of the shipped rubric, and every known mistake."""
    shipped = yaml.safe_load((ROOT / "rubric.yaml").read_text(encoding="utf-8"))
    pieces = []
    for question in shipped["questions"]:
        piece = {**shipped, "questions": [question], "points": question["points"]}
        pieces.append(yaml.safe_dump(piece, sort_keys=False, width=100))
    rejects = sorted((ROOT / "tests" / "assignment" / "rejects").glob("*.yaml"))
    # As often the one as the other: from a rubric that is refused already little can be learned.
    return (*pieces * 10, *(path.read_text(encoding="utf-8") for path in rejects))


@functools.cache
def trees() -> tuple[Any, ...]:
    """Return those of the sources that a plain YAML reader understands, as data.

    Anchors are left to the splices: data that holds itself many times over has too many places.
    """
    found = []
    for text in sources():
        if "&" in text:
            continue
        try:
            found.append(yaml.safe_load(text))
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError):
            continue
    return tuple(tree for tree in found if isinstance(tree, dict))


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything in a tree, itself left out."""
    items: list[tuple[Any, Any]] = []
    if isinstance(tree, dict):
        items = list(tree.items())
    elif isinstance(tree, list):
        items = list(enumerate(tree))
    below = [place for key, item in items for place in _places(item, (*path, key))]
    return [(*path, key) for key, _item in items] + below


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


GENTLE: dict[str, st.SearchStrategy[Any]] = {
    "title": st.text(max_size=20) | st.sampled_from(["=1+1", "a\nb", "\x1b[2J", "x" * 3000]),
    "hint": st.text(max_size=20),
    "visibility": st.sampled_from(["visible", "hidden", "after_due_date", "after_published"]),
    "extra_credit": st.booleans(),
    "timeout_s": st.sampled_from([5e-324, 1.0, 1e308, 10**18]),
    "memory_mb": st.sampled_from([16, 2**62]),
    "rtol": st.sampled_from([0, 5e-324, 1e308]),
    "seed": st.sampled_from([0, 2**63 - 1]),
}


def _edit_gently(draw: st.DrawFn, parent: Any) -> None:
    """Give a question or a check another value that is allowed, however absurd."""
    if isinstance(parent, dict) and "id" in parent:
        key = draw(st.sampled_from(sorted(GENTLE)))
        if key in parent or "kind" in parent:
            parent[key] = draw(GENTLE[key])


def _edit_roughly(draw: st.DrawFn, parent: Any, key: Any, elsewhere: Any) -> None:
    """Do to one node of a tree what nobody means to do."""
    edit = draw(st.sampled_from(["drop", "retype", "retype", "rename", "move", "bury", "add"]))
    if edit == "drop":
        del parent[key]
    elif edit == "retype":
        parent[key] = draw(values)
    elif edit == "move":
        parent[key] = copy.deepcopy(elsewhere)
    elif edit == "bury":
        wrap = draw(st.sampled_from([lambda item: [item], lambda item: {"x": item}]))
        for _level in range(draw(st.sampled_from([1, 3, 60]))):
            parent[key] = wrap(parent[key])
    elif isinstance(parent, dict):
        name = draw(st.sampled_from(ODD_KEYS) | st.text(max_size=5))
        parent[name] = parent.pop(key) if edit == "rename" else draw(values)


@st.composite
def mutated_trees(draw: st.DrawFn) -> str:
    """Return a rubric with nodes dropped, retyped, renamed, moved, buried, or only absurd."""
    tree = copy.deepcopy(draw(st.sampled_from(trees())))
    gently = draw(st.booleans())
    for _ in range(draw(st.integers(1, 4))):
        places = _places(tree)
        if not places:
            break
        place = draw(st.sampled_from(places))
        parent = _at(tree, place[:-1])
        if gently:
            _edit_gently(draw, parent)
        else:
            _edit_roughly(draw, parent, place[-1], _at(tree, draw(st.sampled_from(places))))
    try:
        return yaml.safe_dump(tree, sort_keys=False, allow_unicode=draw(st.booleans()), width=100)
    except (ValueError, RecursionError, TypeError):  # halves of characters, or keys that do not mix
        return repr(tree)


@st.composite
def spliced_texts(draw: st.DrawFn) -> str:
    """Return a rubric with lines repeated, moved and lost, and with pieces of YAML put in."""
    lines = draw(st.sampled_from(sources())).splitlines()
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        edit = draw(
            st.sampled_from(["splice", "splice", "repeat", "lose", "indent", "swap", "value"])
        )
        piece = draw(st.sampled_from(SPLICES) | st.text(max_size=4))
        if edit == "splice":
            place = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:place] + piece + lines[at][place:]
        elif edit == "repeat":
            lines.insert(at, lines[at])
        elif edit == "lose" and len(lines) > 1:
            del lines[at]
        elif edit == "indent":
            lines[at] = " " * draw(st.integers(0, 9)) + lines[at].lstrip()
        elif edit == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            word = draw(st.sampled_from(ODD_SCALARS))
            lines[at] = (
                f"{lines[at].partition(': ')[0]}: {word if isinstance(word, str) else repr(word)}"
            )
    return "\n".join(lines) + "\n"


rubrics = mutated_trees() | spliced_texts()
