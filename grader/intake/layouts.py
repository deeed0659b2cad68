"""Whether folders are the submissions of a class, or the parts of one: told from the files' paths.

The same is asked of a folder on the disk and of the table of contents of an archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from grader.intake.downloads import METADATA, is_named
from grader.intake.names import ENVIRONMENTS, INSTALLED, is_archive, is_packed, stem
from grader.intake.notebook import SUFFIX
from grader.intake.places import CODE, is_meant

# Folders that people make inside one homework; a class is not made of these.
INNER = re.compile(
    r"(?i:src|source|code|lib|utils?|helpers?|tests?|notebooks?|\w*data\w*|models?|docs?|old|"
    r"backup|images?|figures?|results?|outputs?|checkpoints?|weights|saved|"
    r"(?:la)?tex|pdf|maths?|theory|reports?|write[ _-]?ups?|derivations?|explanations?|answers?|"
    r"solutions?|(?:vanilla[ _-]?)?rnn|lstm|gru|cnn|mlp|numpy|(?:py)?torch|"
    r"(?:my[ _-]?)?(?:new|final|first|second|last|draft|copy|attempt|version|v)[ _-]?(?:\d*|[a-z])|"
    r"(?:q|question|task|part|problem|exercise|week|homework|hw)[ _-]?\d*[a-z]?"
    r"(?:[ _-]*(?:new|old|final|copy|backup|v?\d+|\(\d+\)))*)"
)
SECTION = re.compile(
    r"(?i:(?:section|sec|class|tutorial|recitation|cohort|period|course|term|year)"
    r"[ _-]*\w{1,8}|\d{4}[ _-]?\w{0,8})"
)
MAX_SAME = 4  # of so many students in sections, one may be called like another
MIN_UNNAMED = 3  # folders with notebooks of any name that make an archive that of a class
Paths = Sequence[PurePosixPath]


@dataclass(frozen=True)
class Asked:
    """The files that a rubric asks for: modules, and texts, of which any suffix may be meant."""

    modules: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def named(self, names: Iterable[str]) -> set[str]:
        """Return which of the modules and texts are among the names of files."""
        names = list(names)
        texts = {
            PurePosixPath(text).stem for text in self.texts if any(is_meant(n, text) for n in names)
        }
        return self.modules_in(names) | texts

    def modules_in(self, names: Iterable[str]) -> set[str]:
        """Return which of the modules are among the names of files."""
        names = list(names)
        return {module for module in self.modules if any(is_meant(n, module) for n in names)}


@dataclass(frozen=True)
class Folder:
    """A folder, on the disk or in an archive, and the paths of the files in it."""

    name: str
    files: Paths

    @classmethod
    def of(cls, name: str, files: Paths) -> Folder:
        """Return a folder without the further folders that all its work is wrapped in."""
        while True:
            top, folders = split(files)
            if len(folders) != 1 or any(map(_is_work, top)):
                return cls(name, files)
            ((_name, files),) = folders.items()

    @property
    def near(self) -> list[str]:
        """The names of the files that are in it or at most one folder further down."""
        return [file.name for file in self.files if len(file.parts) <= 2]  # noqa: PLR2004

    def held(self, asked: Asked) -> set[str]:
        """Return the modules that may be in it; in an archive or a notebook there may be any."""
        packed = any(is_packed(name) or name.lower().endswith(SUFFIX) for name in self.near)
        named = asked.modules_in(self.near)
        any_may_be = packed and not named and not INNER.fullmatch(self.name)
        return set(asked.modules) if any_may_be else named

    def has_code(self) -> bool:
        """Say whether there is code in it."""
        return any(_is_work(file) for file in self.files)


def places(files: Paths, asked: Asked) -> list[PurePosixPath]:
    """Return the folders in which the submissions of a class lie; none if it is one submission.

    There is one folder, at the top or within others that hold nothing else, or one for each of the
    sections of a course.

    Args:
        files: the paths of all files.
        asked: what the rubric asks for.
    """
    level = PurePosixPath()
    while True:
        top, folders = split(files)
        names = [file.name for file in top]
        if asked.named(names):
            return []
        if METADATA in names or _is_download([*names, *folders]):
            return [level]
        if _is_of_archives(top, folders):
            return [level]
        made = [Folder.of(name, inner) for name, inner in folders.items()]
        if _is_mixed(top, made, asked):
            return [level]
        if len(folders) > 1 and not any(map(_is_work, top)):
            sections = _sections(folders, asked)
            if sections or _pack_submissions(made, asked):
                return [level / place for place in sections or [PurePosixPath()]]
        if len(folders) != 1 or any(map(_is_work, top)):
            return []
        ((name, files),) = folders.items()
        level /= name


def _sections(folders: dict[str, Paths], asked: Asked) -> list[PurePosixPath]:
    """Return the places of the submissions if every folder is a class, of different students.

    Folders in which all is called alike are versions of one student's work, unless they are named
    as sections are; of these, one may also have a single student.
    """
    found: list[PurePosixPath] = []
    students: list[str] = []
    named = all(map(SECTION.fullmatch, folders))
    for name, files in folders.items():
        within = places(files, asked)
        if not within and named and not any(map(_is_work, split(files)[0])):
            within = [PurePosixPath()]
        if not within:
            return []
        found += [PurePosixPath(name) / place for place in within]
        inside = [
            f.relative_to(place) for place in within for f in files if f.is_relative_to(place)
        ]
        students += {file.parts[0] for file in inside if len(file.parts) > 1 or _is_work(file)}
    same = len(students) - len(set(students))
    return found if named or MAX_SAME * same <= len(students) else []


def _is_mixed(top: Paths, folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether some handed in archives, others folders, and none is called like a part."""
    archives = [file for file in top if is_packed(file.name)]
    names = [*(stem(PurePath(file)) for file in archives), *(folder.name for folder in folders)]
    return (
        bool(archives and folders)
        and len(names) >= MIN_UNNAMED
        and not any(map(INNER.fullmatch, names))
        and not any(_is_work(file) for file in top if file not in archives)
        and all(folder.held(asked) for folder in folders)
    )


def only_archive(files: Paths) -> PurePosixPath | None:
    """Return the archive that is all there is of work, and may be that of a class; else None."""
    work = [file for file in files if _is_work(file)]
    return work[0] if len(work) == 1 and is_archive(work[0].name) else None


def _is_of_archives(top: Paths, folders: dict[str, Paths]) -> bool:
    """Say whether there are archives alone, or folders with archives alone."""
    inner = [file for files in folders.values() for file in files]
    everything = [*top, *inner]
    names = [*(stem(PurePath(file)) for file in top), *folders]
    return (
        len(names) > 1
        and all(is_packed(file.name) for file in everything)
        and all(len(file.parts) == 1 for file in inner)
        and not all(map(INNER.fullmatch, names))
    )


def _is_download(names: Sequence[str]) -> bool:
    named = sum(map(is_named, names))
    return named > 0 and 2 * named >= len(names)


def split(files: Paths) -> tuple[list[PurePosixPath], dict[str, Paths]]:
    """Return the files at the top, and those of each folder by paths relative to it."""
    top: list[PurePosixPath] = []
    folders: dict[str, list[PurePosixPath]] = {}
    for file in files:
        if len(file.parts) == 1:
            top.append(file)
        elif not is_made(file.parts[0]):
            folders.setdefault(file.parts[0], []).append(PurePosixPath(*file.parts[1:]))
    return top, {**folders}


def is_made(folder: str) -> bool:
    """Say whether a folder is hidden, or a tool's for installed packages: nobody handed it in."""
    return folder.startswith(".") or folder.lower() in (ENVIRONMENTS | INSTALLED)


def _is_work(file: PurePosixPath) -> bool:
    return file.suffix.lower() in CODE or is_packed(file.name)


def hold_submissions(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether folders are submissions each, and not the parts of one.

    They are if two of them hold the same module. One that holds modules beside others that hold no
    code, or that are called like parts of a homework, is one submission; so are folders that hold
    different modules. Folders that all hold the same text are submissions, too.
    """
    if all(INNER.fullmatch(folder.name) for folder in folders):
        return False
    held = [folder.held(asked) for folder in folders]
    holding = [names for names in held if names]
    if len(folders) <= 1:
        return bool(holding)
    if _share_a_text(folders, asked):
        return True
    if len(holding) > 1:
        return _have_in_common(holding)
    if not holding:
        return False
    others = [folder for folder, names in zip(folders, held, strict=True) if not names]
    parts = all(INNER.fullmatch(folder.name) or not folder.has_code() for folder in others)
    return not (parts and any(INNER.fullmatch(folder.name) for folder in others))


def _share_a_text(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether all folders that hold anything hold the same text."""
    named = [names for folder in folders if (names := asked.named(folder.near))]
    shared = {PurePosixPath(text).stem for text in asked.texts}
    for names in named:
        shared &= names
    return len(named) > 1 and bool(shared)


def _have_in_common(held: Sequence[set[str]]) -> bool:
    return sum(map(len, held)) > len(set().union(*held))


def _pack_submissions(folders: Sequence[Folder], asked: Asked) -> bool:
    """Say whether the folders in an archive are submissions each.

    An archive is one student's more often than a folder is: two folders must hold the same module
    under its name, all the same text, or each of several at least a notebook or an archive.
    """
    if not hold_submissions(folders, asked):
        return False
    named = [names for folder in folders if (names := asked.modules_in(folder.near))]
    everywhere = all(folder.held(asked) for folder in folders)
    return (
        _have_in_common(named)
        or _share_a_text(folders, asked)
        or (everywhere and len(folders) >= MIN_UNNAMED)
    )
