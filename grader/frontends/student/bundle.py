"""The archive for students: their template, and public checks that run at home.

It holds the template with the supplied files and public data, the recorded checks, a wheel of the
engine and one page of explanation, in one folder. It holds no reference, no seed that is graded
with and no label that is withheld.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.frontends import wheel
from grader.frontends.student.record import public_seed, record
from grader.frontends.student.replay import CHECKS, FOLDER
from grader.intake.archives import MIB
from grader.model import Rubric

MAX_BYTES = 500 * MIB  # everybody downloads it
README = "README.md"
WIDTH = 98  # columns of its text
CLUTTER = frozenset(["__pycache__", ".git", ".DS_Store", ".ipynb_checkpoints", ".pytest_cache"])

FORGIVEN = """\
When you are graded, such a mistake costs points once; finding that out takes the reference.
"""
TEXT = """\
# {title}

Write your answers into the files next to this page. Then check them yourself.

## Install, once

You need Python 3.10 or newer. In this folder:

    python3 -m venv .venv
    .venv/bin/python -m pip install ./{wheel}

On Windows, use `py` instead of `python3`, and `.venv\\Scripts\\python` instead of
`.venv/bin/python`. Activate the environment (`source .venv/bin/activate`, on Windows
`.venv\\Scripts\\activate`) to use the command `grader`.
{libraries}
## Check your work

    grader check              all checks below
    grader check {example}         one check; `grader check {question}` for a question
    grader check --watch      again whenever you save a file, until Ctrl-C

In a notebook that runs with this Python, `import grader` and then `grader.check("{example}")` show
the same as a table, for the functions that the notebook defines as well.

Nothing is sent anywhere. Each check says what differs, where, by how much and often why. Formulas
and texts that wait for a person are not failures. The exit status is 0 if everything is right, 1 if
something is not.

Fix the first check that fails before you look at the next one: a function also fails if only
another one that it calls is wrong.
{forgiven}
## What is checked here

{here}

The inputs and the expected outputs are in `{folder}/`; `numpy.load` opens the `.npz` files. You are
graded with other inputs.

{elsewhere}Do not change `{folder}/` or the supplied files: the originals count. Hand in your own
files only.
"""


def build(rubric: Rubric, template: Path, seed: int | None = None) -> bytes:
    """Return the archive.

    Args:
        rubric: the whole rubric.
        template: the folder that students start from.
        seed: what to draw the recorded cases with; by default it follows from the assignment's id.

    Raises:
        UsageError: there is no template, it holds a name that is taken, the archive would be too
            large, or ``seed`` is the rubric's.
        BrokenError: the engine is not installed, or the reference fails.
    """
    if not template.is_dir():
        raise UsageError(f"{template}: no such folder; students need a template")
    members = dict(_template(template, rubric.reference.resolve()))
    added = record(rubric, public_seed(rubric.assignment) if seed is None else seed)
    added[wheel.name()] = wheel.build()
    added[README] = _readme(rubric, added).encode()
    taken = sorted({name.split("/")[0] for name in members} & {n.split("/")[0] for n in added})
    if taken:
        raise UsageError(
            f"{template}/{taken[0]}: the bundle uses this name itself; rename the file"
        )
    members |= added
    if sum(map(len, members.values())) > MAX_BYTES:
        raise UsageError(f"{template}: the bundle would hold more than {MAX_BYTES // MIB} MiB")
    return wheel.archive({f"{rubric.assignment}/{name}": data for name, data in members.items()})


def _libraries(questions: Iterable[Mapping[str, Any]]) -> str:
    """Return the lines about libraries that the wheel does not ask for, but some questions need."""
    users: dict[tuple[str, ...], list[str]] = {}
    for question in questions:
        names = tuple(name for name in question["preload"] if name != "numpy")
        if names and any("function" in check for check in question["checks"]):
            users.setdefault(names, []).append(question["id"])
    lines = [
        f"To check {', '.join(ids)}, install {' and '.join(names)} as well, in the versions that "
        f"your course uses: `python -m pip install {' '.join(names)}`."
        for names, ids in users.items()
    ]
    return "".join(f"{textwrap.fill(line, WIDTH)}\n" for line in lines)


def _template(folder: Path, reference: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the template by their paths.

    Raises:
        UsageError: one cannot be read, or leads to the answers.
    """
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        # A link to a file stands for the file: a page of docs/ that students need as well.
        if path.is_file() and not CLUTTER & set(parts):
            if path.resolve().is_relative_to(reference):
                raise UsageError(
                    f"{path}: links into {reference.name}/, which students must not see"
                )
            try:
                yield "/".join(parts), path.read_bytes()
            except OSError as error:
                raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _readme(rubric: Rubric, files: dict[str, bytes]) -> str:
    told = json.loads(files[f"{FOLDER}/{CHECKS}"])
    here = [
        f"- {question['title']}: {', '.join(check['id'] for check in question['checks'])}"
        for question in told["questions"]
    ]
    elsewhere = textwrap.fill(
        f"Only your instructor's grader can run {', '.join(o['id'] for o in told['elsewhere'])}.",
        WIDTH,
    )
    forgiven = any(c.forgives for q in rubric.questions for c in q.checks)
    # The quickest, as an example.
    first = min(told["questions"], key=lambda question: question["preload"] != ["numpy"])
    return TEXT.format(
        libraries=_libraries(told["questions"]),
        title=rubric.title,
        wheel=wheel.name(),
        folder=FOLDER,
        here="\n".join(here),
        elsewhere=f"{elsewhere}\n\n" if told["elsewhere"] else "",
        forgiven=FORGIVEN if forgiven else "",
        example=first["checks"][0]["id"],
        question=first["id"],
    )
