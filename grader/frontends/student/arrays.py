"""Values as an ``.npz`` file, which anybody can open, beside JSON. Nothing in it is a pickle.

In JSON, anything but a list, text, finite number, truth value or null is an object with one key:
``{"array": name}``, ``{"scalar": name}`` (both in the ``.npz``), ``{"tuple": [...]}``,
``{"dict": [[key, value], ...]}`` and ``{"float": "nan"}``.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from grader.errors import UsageError
from grader.model import Array

REMEDY = "unpack the homework's archive again"
PLAIN = (bool, int, str, type(None))


class Writer:
    """Turns values into JSON and named arrays."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def encode(self, value: Any, name: str) -> Any:
        """Return the JSON for ``value``; the names of its arrays begin with ``name``.

        Raises:
            TypeError: it is of another type than builtins and arrays of numbers.
        """
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind in (list, tuple):
            items = [self.encode(item, f"{name}/{i}") for i, item in enumerate(value)]
            return items if kind is list else {"tuple": items}
        if isinstance(value, Mapping):
            entries = [[key, self.encode(item, f"{name}/{key}")] for key, item in value.items()]
            return {"dict": entries}
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
            self.arrays[name] = np.asarray(value)
            return {"array" if isinstance(value, np.ndarray) else "scalar": name}
        raise TypeError(f"{name} is of type {kind.__name__}")

    def npz(self) -> bytes:
        """Return the arrays as an ``.npz`` file, the same bytes for the same arrays."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in self.arrays.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, array, allow_pickle=False)
                entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content.getvalue())
        return buffer.getvalue()


class Reader:
    """Turns JSON and the arrays of a file back into values; arrays are read-only.

    Raises:
        UsageError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with np.load(path, allow_pickle=False) as archive:
                self._arrays: dict[str, Array] = dict(archive.items())
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise damaged(path, error) from None
        for array in self._arrays.values():
            array.setflags(write=False)

    def decode(self, value: Any) -> Any:
        """Return the value that was encoded; raises ``UsageError`` if that is impossible."""
        try:
            return self._decode(value)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise damaged(self._path, error) from None

    def _decode(self, value: Any) -> Any:
        if type(value) is list:
            return [self._decode(item) for item in value]
        if type(value) is not dict:
            return value
        ((tag, content),) = value.items()
        decoded: dict[str, Any] = {
            "array": lambda: self._arrays[content],
            "scalar": lambda: self._arrays[content][()],
            "tuple": lambda: tuple(self._decode(item) for item in content),
            "dict": lambda: {key: self._decode(item) for key, item in content},
            "float": lambda: float(content),
        }
        return decoded[tag]()


def damaged(path: Path, error: Exception) -> UsageError:
    """Return the message for a recorded file that cannot be read."""
    why = "is missing" if isinstance(error, FileNotFoundError) else "is damaged"
    return UsageError(f"{path.parent.name}/{path.name} {why}: {REMEDY}")


def digest(*values: Any) -> str:
    """Return a digest of values that are made of builtins and arrays."""
    state = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, np.ndarray | np.generic):
            state.update(f"array {value.dtype.str} {value.shape}\n".encode())
            state.update(value.tobytes())
        elif isinstance(value, Mapping):
            state.update(f"dict {len(value)}\n".encode())
            for key, item in value.items():
                add(key)
                add(item)
        elif isinstance(value, list | tuple):
            state.update(f"{type(value).__name__} {len(value)}\n".encode())
            for item in value:
                add(item)
        else:
            state.update(f"{type(value).__name__} {value!r}\n".encode())

    add(values)
    return state.hexdigest()
