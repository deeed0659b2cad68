"""An exception that student code raised, as its worker reports it."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.isolation.wire import WireError

MAX_FRAMES_SHOWN = 8
CELL = re.compile(r", cell [0-9]{1,4}$")  # grader/isolation/worker/cells.py


@dataclass(frozen=True)
class StudentError:
    """An exception raised by student code, as reported by the worker, which may forge it.

    ``where`` are the student's own frames (file, line, function), innermost last, and ``lines``
    the texts of these lines. ``by_driver`` says that the driver raised it, even if student code
    called the driver.
    """

    type: str
    kinds: tuple[str, ...]
    text: str
    where: tuple[tuple[str, int, str], ...]
    missing_package: str | None
    undefined: bool
    by_driver: bool = False
    lines: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, value: Any) -> StudentError:
        """Check the types of a reported exception; raises ``WireError``."""
        try:
            later = ("by_driver", "lines")
            fields = {name: value[name] for name in cls.__annotations__ if name not in later}
            fields["by_driver"] = value.get("by_driver") is True
            fields["lines"] = tuple(listed_texts(value.get("lines", [])))
            where = tuple((file, line or 0, name) for file, line, name in fields["where"])
            fields["kinds"] = tuple(fields["kinds"])
        except (AttributeError, TypeError, KeyError, ValueError):
            raise WireError("a reported exception is malformed") from None
        texts = [fields["type"], fields["text"], *fields["kinds"]]
        texts += [text for file, _line, name in where for text in (file, name)]
        lines = [line for _file, line, _name in where]
        if any(type(text) is not str for text in texts) or any(type(n) is not int for n in lines):
            raise WireError("a reported exception is malformed")
        if type(fields["missing_package"]) not in (str, type(None)):
            raise WireError("a reported exception is malformed")
        fields["undefined"] = fields["undefined"] is True
        fields["lines"] = fields["lines"][-MAX_FRAMES_SHOWN:]
        return cls(**{**fields, "where": where[-MAX_FRAMES_SHOWN:]})

    def without_words(
        self,
        packages: Collection[str] = (),
        places: Mapping[str, int] | None = None,
        *,
        named: bool = False,
    ) -> StudentError:
        """Return the error without anything that student code can choose freely.

        Only the name of Python's own exception, the given packages, and where it was raised remain.

        Args:
            packages: names that may be shown.
            places: how many lines each file that was handed in has. A line that is in none of
                them is left out, and of the others the innermost remains.
            named: whether names of files may be shown.
        """
        missing = self.missing_package
        missing = missing if missing is None or missing in packages else ""
        known = tuple(kind for kind in self.kinds if hasattr(builtins, kind))
        where = tuple((file, line, "") for file, line, _function in self.where)
        if places is not None:
            where = tuple(one for one in where if 0 < one[1] <= places.get(one[0], 0))[-1:]
        if not named:
            where = tuple((_nameless(file), line, "") for file, line, _function in where)
        return replace(
            *(self,), type=known[0] if known else "Exception", kinds=known, text="", where=where,
            lines=(), missing_package=missing,
        )  # fmt: skip


def _nameless(file: str) -> str:
    """Return a file without its name; for a notebook, the cell number remains."""
    cell = CELL.search(file)
    return f"your file{cell.group()}" if cell else "your file"


def listed_texts(value: Any) -> list[str]:
    """Check the types of a list of texts; raises ``WireError``."""
    if type(value) is not list or any(type(text) is not str for text in value):
        raise WireError("a list of texts is malformed")
    return value
