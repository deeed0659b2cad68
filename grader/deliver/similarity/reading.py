"""The code of a class: modules and notebooks, without what the homework supplies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from grader.deliver.similarity.fingerprints import SourceFile
from grader.deliver.similarity.pairs import Program
from grader.intake import notebook
from grader.intake.archives import shown
from grader.intake.notebook import NotebookError
from grader.intake.places import CODE
from grader.intake.staging import StagingFolder
from grader.intake.submission import Classes, find, stage
from grader.intake.wanted import asked_by
from grader.model import Rubric

MAX_FILE_BYTES = 1 << 20
MAX_FILES = 40  # of one hand-in


def programs(path: Path, rubric: Rubric, *, earlier: bool = False) -> list[Program]:
    """Return the code of all hand-ins below a path, as ``grader grade`` finds them.

    Args:
        path: an archive or a folder of a class.
        rubric: says which modules are asked for, and which files are supplied.
        earlier: whether it is the class of an earlier year.

    Raises:
        UsageError: there is nothing, or it cannot be read.
        BrokenError: the disk is full or fails.
    """
    modules, texts = asked_by(rubric)
    supplied = {file.name for question in rubric.questions for file in question.supplied}
    found: list[Program] = []
    with Classes() as classes, StagingFolder() as staging:
        for number, (identifier, origin) in enumerate(find([path], list(modules), classes, texts)):
            made = stage(identifier, origin, staging.path / str(number), modules, (), texts)
            root = made.folder if not made.everything else _top(made.folder, made.everything)
            names = made.everything or made.files
            files = tuple(_files(root, names, supplied))
            found.append(Program(identifier, files, path.resolve().name if earlier else ""))
    return found


def _top(folder: Path, everything: Sequence[str]) -> Path:
    """Return the folder that all files of a hand-in are relative to."""
    return next(
        (top for top in folder.parents if all((top / name).exists() for name in everything[:1])),
        folder,
    )


def given(rubric: Rubric, template: Path) -> list[SourceFile]:
    """Return the code that all students have: the template and the supplied files."""
    supplied = [file for question in rubric.questions for file in question.supplied]
    names = [file.relative_to(template).as_posix() for file in sorted(template.rglob("*"))]
    return [
        *_files(template, names, ()),
        *(one for file in supplied for one in _files(file.parent, [file.name], ())),
    ]


def _files(folder: Path, names: Sequence[str], left_out: Collection[str]) -> Iterator[SourceFile]:
    code = [
        name
        for name in names
        if name.lower().endswith(CODE) and PurePosixPath(name).name not in left_out
    ]
    for name in code[:MAX_FILES]:
        path = folder / name
        if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            continue
        data = path.read_bytes()
        text = data.decode("utf-8", "replace")
        if name.lower().endswith(notebook.SUFFIX):
            try:
                cells = notebook.code_cells(data, shown(name))
            except NotebookError:
                continue
            text = "\n\n".join(f"# cell {n}\n{cell}" for n, cell in enumerate(cells, 1))
        yield SourceFile(name, text.replace("\r\n", "\n"))
