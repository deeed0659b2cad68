"""A case that went wrong as files: its inputs, the values, and a script that needs no grader."""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from grader.checks.drivers import READY
from grader.checks.numerics import as_array
from grader.checks.watched import CallMade, Compared
from grader.errors import BrokenError
from grader.intake.names import REPLAYED
from grader.intake.submission import Submission
from grader.isolation.wire import Opaque, TensorData
from grader.model import Array
from grader.reports.files import write_bytes, write_text

INPUTS, VALUES, SCRIPT = REPLAYED
HANDED_IN = "submission"
MAX_INLINE = 60  # characters of a text that stands in the script


@dataclass
class _Inputs:
    """Turns values into Python expressions, and keeps their arrays."""

    arrays: dict[str, Array] = field(default_factory=dict)
    uses_torch: bool = False

    def expression(self, value: Any, name: str) -> str:
        """Return Python that gives ``value``; its arrays are kept under names like ``name``."""
        if isinstance(value, Mapping):
            items = [f"{k!r}: {self.expression(v, f'{name}.{k}')}" for k, v in value.items()]
            return f"{{{', '.join(items)}}}"
        if isinstance(value, list | tuple):
            items = [self.expression(item, f"{name}.{n}") for n, item in enumerate(value)]
            text = ", ".join(items)
            return f"[{text}]" if isinstance(value, list) else f"({text}{',' * (len(items) == 1)})"
        if type(value) is float and not math.isfinite(value):
            return f"float({str(value)!r})"
        if value is None or type(value) in (bool, int, float, str, bytes):
            return repr(value)
        return self._array(value, name)

    def _array(self, value: Any, name: str) -> str:
        is_torch = hasattr(value, "detach")
        array = value.detach().cpu().numpy() if is_torch else as_array(value)
        if array is None:
            raise BrokenError(f"the input {name} is of type {type(value).__name__}")
        self.arrays[name] = array
        if is_torch or type(value) is TensorData:
            self.uses_torch = True
            return f"torch.from_numpy(inputs[{name!r}])"
        return f"inputs[{name!r}]{'' if isinstance(value, np.ndarray) else '[()]'}"


def write(out: Path, shown: Compared, module: str, submission: Submission, check: str) -> None:
    """Write a case that was compared.

    Args:
        out: the folder; files of the same names in it are replaced.
        shown: the value that was compared, with the calls that gave it.
        module: the file that the check is about.
        submission: what was handed in, staged.
        check: the check's id.

    Raises:
        UnwritableError: the folder cannot be written.
        BrokenError: an input is of a type that no file can hold.
    """
    handed_in = out / HANDED_IN
    try:
        shutil.rmtree(handed_in, ignore_errors=True)
        shutil.copytree(submission.folder, handed_in)
        for path in (handed_in, *handed_in.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    except (OSError, shutil.Error) as error:
        raise BrokenError(f"{handed_in} cannot be written: {error}") from None
    inputs = _Inputs()
    lines = _calls(shown, inputs)
    for call in shown.calls:
        if call.driver is not None:
            write_text(out / _driver_file(call), call.driver[1])
    write_bytes(out / INPUTS, _npz(inputs.arrays))
    values = _values(shown)
    write_bytes(out / VALUES, _npz({n: v for n, v in values.items() if v is not None}))
    place = PurePosixPath(submission.path_of(module))
    text = "\n".join([*_top(shown, place, check, inputs), *lines, *_end(shown, values)])
    write_text(out / SCRIPT, f"{text}\n")


def _values(shown: Compared) -> dict[str, Array | None]:
    """Return what was expected and what was given; of all outputs if they were judged together."""
    expected = shown.case.expected
    if not _is_whole(shown):
        return {
            "expected": expected.get(shown.comparison.name),
            "given": as_array(shown.given),
        }
    given = {f"given.{name}": as_array(shown.given.get(name)) for name in expected}
    return {**{f"expected.{name}": value for name, value in expected.items()}, **given}


def _is_whole(shown: Compared) -> bool:
    """Say whether all that a driver returned was judged together (``COMPARISONS``)."""
    named = shown.comparison.name in shown.case.expected
    return bool(shown.calls) and type(shown.given) is dict and not named


def _npz(arrays: Mapping[str, Array]) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **dict(arrays))
    return file.getvalue()


def _driver_file(call: CallMade) -> str:
    label = call.driver[0] if call.driver is not None else ""
    return f"driver_{PurePosixPath(label).name}"


def _top(shown: Compared, module: PurePosixPath, check: str, inputs: _Inputs) -> list[str]:
    """Return the beginning of the script: it loads the module and the inputs."""
    below = "" if str(module.parent) == "." else f" / {str(module.parent)!r}"
    drivers = sorted({PurePosixPath(_driver_file(c)).stem for c in shown.calls if c.driver})
    asked = check.replace('"', "'")
    case = shown.case.name.replace("\\", "/").replace('"', "'")
    lines = [
        f'"""Case {case} of {asked}. It runs the student\'s code unprotected: read it first."""',
        "import importlib",
        "import sys",
        "from pathlib import Path",
        "",
        "import numpy as np",
        *(["import torch"] if inputs.uses_torch else []),
        "",
        "here = Path(__file__).parent",
        f"folder = Path(sys.argv[1]) if sys.argv[1:] else here / {HANDED_IN!r}{below}",
        "sys.path[:0] = [str(folder), str(here)]",
        *(f"import {name}" for name in drivers),
        f"student = importlib.import_module({module.stem!r})",
        f"inputs, values = np.load(here / {INPUTS!r}), np.load(here / {VALUES!r})",
    ]
    if shown.answered:
        lines.append("# The check had right functions in the place of others. These are your own.")
    elif shown.repaired is not None:
        lines.append(f"# The check had put line {shown.repaired} right. This is your own file.")
    if shown.comparison.reason == "timeout":
        lines.append("print('The next call did not end in time. Stop it with Ctrl-C.', flush=True)")
    return lines


def _calls(shown: Compared, inputs: _Inputs) -> list[str]:
    """Return the lines that call the student's code: the last call, and what it rests on."""
    if not shown.calls:
        return []
    last = shown.calls[-1]
    held = [name for name, value in last.arguments.items() if type(value) is Opaque]
    steps = [one for one in shown.calls[:-1] if held and set(held) <= set(one.returns)]
    return [line for step in (*steps[-1:], last) for line in _call(step, held, inputs)]


def _call(call: CallMade, held: list[str], inputs: _Inputs) -> list[str]:
    given = {
        name: name if name in held and type(value) is Opaque else inputs.expression(value, name)
        for name, value in call.arguments.items()
    }
    if call.driver is not None:
        named = "".join(f"    {name}={text},\n" for name, text in given.items())
        stem = PurePosixPath(_driver_file(call)).stem
        return [f"found = {stem}.{call.function}(\n    student,\n{named})"]
    names = [name if name in held else f"{name}_" for name in call.returns]
    left = ", ".join(names) + ("," if len(names) == 1 else "")
    left = names[0] if len(names) == 1 else left
    return [f"{left} = student.{call.function}({', '.join(given.values())})"]


def _end(shown: Compared, values: Mapping[str, Any]) -> list[str]:
    """Return the lines that print what was found and what was expected."""
    name = shown.comparison.name
    if _is_whole(shown):
        last = shown.calls[-1]
        return [
            f"print('{one}: got', np.asarray({_of_driver(one, last, shown)}), 'expected', "
            f"values['expected.{one}'], sep='\\n')"
            for one in shown.case.expected
        ]
    if not shown.calls or values.get("expected") is None:
        return ["print('no exception this time')"]
    last = shown.calls[-1]
    if last.driver is None:
        found = f"{name}_" if name in last.returns else None
    else:
        found = _of_driver(name, last, shown)
    if found is None:
        return []
    worst = shown.comparison.mismatch.worst if shown.comparison.mismatch is not None else ()
    is_torch = type(shown.given) is TensorData
    lines = [f"found = {found}.detach().numpy()" if is_torch else f"found = np.asarray({found})"]
    if shown.comparison.reason == "not_finite":
        count = "f'{name}: {(~np.isfinite(found)).sum()} of {found.size} are NaN or infinite'"
        return [*lines, f"print({count.replace('{name}', name)})"]
    if shown.comparison.mismatch is None:
        shapes = "f'{name}: shape {found.shape}, expected {values[\"expected\"].shape}'"
        return [*lines, f"print({shapes.replace('{name}', name)})"]
    index = f"[{', '.join(map(str, worst))}]" if worst else "[()]"
    place = f"{name}{list(worst) if worst else ''}"
    got, wanted = f"{{float(found{index})!r}}", f"{{float(values['expected']{index})!r}}"
    lines.append(f'print(f"{place}: got {got}, expected {wanted}")')
    return lines


def _of_driver(name: str, call: CallMade, shown: Compared) -> str:
    """Return Python that takes the value ``name`` out of what a driver has returned."""
    if call.driver is None or call.driver[0] != READY[0]:
        return f"found[{name!r}]"
    gradients = [f"d{one}" for one in call.arguments["gradients_of"]]
    if name in gradients:
        return f"found['gradients'][{name.removeprefix('d')!r}]"
    returned = [one for one in shown.case.expected if one not in gradients]
    return "found['returned']" + (f"[{returned.index(name)}]" if len(returned) > 1 else "")
