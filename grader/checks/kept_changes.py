"""What changes of the reference give, kept on the disk from one run and process to the next.

It takes seconds to compute and follows from the code of the reference, the cases, this program,
Python and libraries; the name of a file is a digest of all of them. With a secret seed the cases
are hidden, so a file is as private as the secret: its folder and it can be read by their owner
only, and no worker has either in its sight. What cannot be read or written is computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Sequence
from zipfile import BadZipFile

import numpy as np

from grader.assignment import digests, state
from grader.assignment.reference import SolvedCase
from grader.model import Array

FOLDER, MAX_FILES = "changes", 64
Packed = tuple[str, Array]


def digest(sources: Sequence[str], module: str, keys: str, cases: Sequence[SolvedCase]) -> str:
    """Return the digest of what changes are made by, and of what they are tried on.

    Args:
        sources: texts of the assignment's code.
        module: of the function that is changed.
        keys: the check's keys in the rubric.
        cases: what the changed functions are called with.
    """
    found = hashlib.sha256(digests.engine().encode())
    for text in (*sources, module, keys):
        found.update(f"{len(text)}:{text}".encode())
    for case in cases:
        every = {**case.arguments, **case.cotangents, **case.forward, **case.expected}
        for name, value in every.items():
            array = np.asarray(value)
            found.update(f"{case.name}.{name}: {array.dtype.str} {array.shape}".encode())
            found.update(array.tobytes())
    return found.hexdigest()


def kept(name: str) -> Packed | None:
    """Return what is kept under a digest, if anything is."""
    data = state.read(FOLDER, f"{name}.npz")
    if data is not None:
        with (
            contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),
            np.load(io.BytesIO(data), allow_pickle=False) as held,
        ):
            return held["layout"].tobytes().decode(), held["numbers"]
    return None


def keep(name: str, packed: Packed) -> None:
    """Keep something under a digest, and of older files not more than some."""
    made = io.BytesIO()
    np.savez(made, layout=np.frombuffer(packed[0].encode(), np.uint8), numbers=packed[1])
    state.write(FOLDER, f"{name}.npz", made.getvalue(), MAX_FILES)
