"""Data sets that take long to draw, kept on the disk from one run and process to the next.

Only what says so itself: ``KEPT = True`` in a file of ``datasets/`` says that what it draws follows
from the arguments, the files of the reference folder, those beside it that its code names, the data
folder, and what is installed. The name of a kept file is a digest of all of them. Nothing else
counts: neither the environment nor the clock, nor other files.

With a secret seed the data are hidden, so a file is as private as the secret: its owner alone may
read it, and no worker has it in its sight. What cannot be read or written is drawn again. Of data
in a folder the names, sizes and times count.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from grader.assignment import digests, state
from grader.assignment.used_files import files_of, used_beside
from grader.errors import GraderError
from grader.isolation.wire import Decoder, Encoder, WireError, pack, parse_header, parse_prefix
from grader.isolation.wire.codec import PREFIX

ROOM, MAX_FILES = "data-sets", 64
REMEMBERED = 48  # in a process: every check draws its own, and may change it
MAX_BYTES = 32 << 20  # of a data set
LEAST_S = 0.2  # one that is drawn sooner is not kept
STARTED = time.time()  # a file that was changed after it may not be the one that is at work
MAY_BE_KEPT = re.compile(rb"^KEPT = True\b", re.MULTILINE)
Contents = dict[str, Any]
Drawn = tuple[Contents, Contents]  # what workers get, and what they do not


@dataclass(frozen=True)
class DataSetKey:
    """What a data set follows from, besides the assignment's code.

    ``modules`` are those of ``datasets/`` that draw it, ``data`` is the folder of the data, and
    ``names`` are all else.
    """

    modules: tuple[str, ...]
    names: tuple[object, ...]
    data: Path | None = None


class KeptData:
    """What the code of one reference folder has drawn."""

    def __init__(self, reference: Path) -> None:
        self._reference = reference
        self._made: dict[DataSetKey, Drawn] = {}

    def drawn_once(self, what: DataSetKey, draw: Callable[[], Drawn]) -> Drawn:
        """Return the same as ``drawn``, and remember it in this process."""
        if what not in self._made:
            while len(self._made) >= REMEMBERED:
                self._made.pop(next(iter(self._made)))
            self._made[what] = self.drawn(what, draw)
        return self._made[what]

    def drawn(self, what: DataSetKey, draw: Callable[[], Drawn]) -> Drawn:
        """Return what is kept, or what ``draw`` returns, which is kept from now on, if it may be.

        What ``draw`` raises passes.
        """
        name = self._name(what) if all(map(self._may_keep, what.modules)) else ""
        found = state.read(ROOM, name) if name else None
        if found is not None:
            try:
                return _decoded(found)
            except WireError:
                pass  # damaged
        started = time.process_time()
        made = draw()
        took = time.process_time() - started
        # Neither the code nor the data folder has changed meanwhile.
        if name and took >= LEAST_S and self._is_unchanged() and self._name(what) == name:
            encoded = _encoded(made)
            if encoded is not None:
                state.write(ROOM, name, encoded, MAX_FILES)
        return made

    def _may_keep(self, module: str) -> bool:
        try:
            source = (self._reference / "datasets" / f"{module}.py").read_bytes()
        except OSError:
            return False
        return MAY_BE_KEPT.search(source) is not None

    def _name(self, what: DataSetKey) -> str:
        if not self._code:
            return ""
        data = what.data
        place = str(data.resolve()) if data is not None else ""
        whole = [*what.modules, *what.names]
        return digests.digest([self._code, whole, place, digests.listing(data)])

    def _is_unchanged(self) -> bool:
        """Say whether the code that has drawn is the one whose digest was taken."""
        try:
            times = [path.stat().st_mtime for path in self._files()]
        except (OSError, GraderError, ValueError):
            return False
        return max(times, default=0.0) < STARTED and self._digest() == self._code

    @cached_property
    def _code(self) -> str:
        return self._digest()

    def _digest(self) -> str:
        """Return that of what draws; nothing if that cannot be found out, or is too much."""
        try:
            contents = [
                (str(path.relative_to(self._top)), digests.content(path)) for path in self._files()
            ]
            return digests.digest([digests.engine(), digests.installed(), contents])
        except (OSError, GraderError, ValueError):
            return ""

    def _files(self) -> list[Path]:
        return [*files_of(self._reference), *used_beside(self._reference)]

    @property
    def _top(self) -> Path:
        return self._reference.parent


def _encoded(made: Drawn) -> bytes | None:
    """Return a data set as bytes, if they give the very same again."""
    try:
        encoder = Encoder()
        pieces = pack(encoder.encode(list(made)), encoder.buffers)
        data = b"".join(pieces)
        same = len(data) <= MAX_BYTES and _is_same(_decoded(data), made)
    except WireError:
        return None
    return data if same else None


def _decoded(data: bytes) -> Drawn:
    """Return the data set that bytes give; raises ``WireError``."""
    length = parse_prefix(data[: PREFIX.size])
    at = PREFIX.size + length
    header = parse_header(data[PREFIX.size : at], MAX_BYTES)
    buffers = []
    for size in header.buffer_sizes:
        buffers.append(bytearray(data[at : at + size]))
        at += size
        if len(buffers[-1]) != size:
            raise WireError("the file is cut short")
    match Decoder(buffers).decode(header.body):
        case [dict(inputs), dict(withheld)]:
            return inputs, withheld
    raise WireError("the file holds something else")


def _is_same(one: Any, other: Any) -> bool:
    """Say whether two values have the same types and contents all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(
            type(mine) is type(theirs) and _is_same(one[mine], other[theirs])
            for mine, theirs in zip(one, other, strict=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, np.ndarray | np.generic):
        mine, theirs = np.asarray(one), np.asarray(other)
        same = (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
        # In another order, what is computed from them would be rounded otherwise.
        same = same and mine.flags.c_contiguous == theirs.flags.c_contiguous
        return same and mine.tobytes() == theirs.tobytes()
    return bool(one == other or one != one)  # noqa: PLR0124 - a number that is none
